"""The impact of findings: each plausible resolution is applied to the outlook, and the runway counted again."""

from collections.abc import Sequence

from runway_core.calculators.cash import compute_cash
from runway_core.calculators.hygiene.find import grade_findings, order_findings
from runway_core.calculators.hygiene.rerun import CheckRun, run_checks
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.what_if import amend_outlook
from runway_core.domain.amendments import Amendment
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.money import Money
from runway_core.domain.outlook import BEYOND_DAYS, Band, Cash, Outlook

CRITICAL_DAYS = 5
HIGH_DAYS = 2


def has_resolution(finding: Finding) -> bool:
    """Whether some fix of a finding would change expected cash."""
    return any(fix.amendments for fix in finding.fixes)


def find_weighed_findings(books: Books, run: CheckRun | None = None) -> list[Finding]:
    """Everything the checks find with its impact, worst first; the outlook is computed only when some fix moves it.

    `run` is a run of the checks over these books, where there is one already.
    """
    findings = grade_findings(books, (run or run_checks(books)).findings)
    if not any(has_resolution(finding) for finding in findings):
        return findings
    cash = books.derive(compute_cash)
    return order_findings(compute_impacts(books, cash, books.derive(compute_outlook), findings))


def compute_impacts(books: Books, cash: Cash, outlook: Outlook, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with their impact and the severity it gives, in the order they came.

    Of several resolutions the one that moves the runway most counts, then the one that moves the 28-day low most. From
    five days on a finding is critical, from two on high, from one on medium; never below what it was.
    """
    return [_weigh(finding, books, cash, outlook) if has_resolution(finding) else finding for finding in findings]


def compute_band(books: Books, cash: Cash, outlook: Outlook, findings: Sequence[Finding]) -> Band:
    """The worst and the best runway if every finding that shortens it, or lengthens it, turned out so.

    Of each finding the resolution counts that goes furthest that way. Findings that stay as booked are a case as well,
    so the runway itself always lies within.
    """
    worse: list[Amendment] = []
    better: list[Amendment] = []
    for finding in findings:
        tried = [
            (*_differ(books, cash, outlook, fix.amendments), fix.amendments) for fix in finding.fixes if fix.amendments
        ]
        tried.sort(key=lambda one: (one[0], one[1].amount))
        if tried and (tried[0][0] < 0 or tried[0][1].amount < 0):
            worse += tried[0][2]
        if tried and (tried[-1][0] > 0 or tried[-1][1].amount > 0):
            better += tried[-1][2]
    booked = _count(outlook)
    worst, best = (_count(amend_outlook(books, cash, outlook, a)) if a else booked for a in (worse, better))
    return Band(worst_days=min(worst, booked), best_days=max(best, booked))


def _weigh(finding: Finding, books: Books, cash: Cash, outlook: Outlook) -> Finding:
    tried = [_differ(books, cash, outlook, fix.amendments) for fix in finding.fixes if fix.amendments]
    days, low = max(tried, key=lambda one: (abs(one[0]), abs(one[1].amount), one[0], one[1].amount))
    graded = min(finding.severity, _grade(abs(days)), key=lambda severity: severity.rank)
    return finding.model_copy(update={"impact_days": days, "impact_low": low, "severity": graded})


def _grade(days: int) -> Severity:
    if days >= CRITICAL_DAYS:
        return Severity.CRITICAL
    if days >= HIGH_DAYS:
        return Severity.HIGH
    return Severity.MEDIUM if days else Severity.LOW


def _differ(books: Books, cash: Cash, outlook: Outlook, amendments: Sequence[Amendment]) -> tuple[int, Money]:
    """By how many days and how much of the 28-day low an outlook with the amendments differs."""
    resolved = amend_outlook(books, cash, outlook, amendments)
    return _count(resolved) - _count(outlook), resolved.low_28_days - outlook.low_28_days


def _count(outlook: Outlook) -> int:
    return BEYOND_DAYS if outlook.runway.days is None else outlook.runway.days
