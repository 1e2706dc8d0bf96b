"""The impact of findings: each plausible resolution is applied to the outlook, and the runway counted again."""

from collections.abc import Sequence
from operator import itemgetter

from runway_core.calculators.hygiene.find import grade_findings, order_findings
from runway_core.calculators.hygiene.rerun import CheckRun, run_checks
from runway_core.calculators.hygiene.resolutions import Reach, Resolutions
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.amendments import Amendment
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.money import Money
from runway_core.domain.outlook import Band, Outlook

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
    return order_findings(compute_impacts(books, books.derive(compute_outlook), findings))


def compute_impacts(books: Books, outlook: Outlook, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with their impact and the severity it gives, in the order they came.

    Of several resolutions the one that moves the runway most counts, then the one that moves the 28-day low most. From
    five days on a finding is critical, from two on high, from one on medium; never below what it was.
    """
    resolutions = Resolutions(books, outlook)
    return [_weigh(finding, resolutions) if has_resolution(finding) else finding for finding in findings]


def compute_band(books: Books, outlook: Outlook, findings: Sequence[Finding]) -> Band:
    """The worst and the best runway if every finding that shortens it, or lengthens it, turned out so.

    Of each finding the resolution counts that goes furthest that way. Findings that stay as booked are a case as well,
    so the runway itself always lies within.
    """
    worse: list[Amendment] = []
    better: list[Amendment] = []
    resolutions = Resolutions(books, outlook)
    booked = resolutions.booked
    for finding in findings:
        tried = [(resolutions.reach(fix.amendments), fix.amendments) for fix in finding.fixes if fix.amendments]
        tried.sort(key=itemgetter(0))
        if tried and (tried[0][0].days < booked.days or tried[0][0].low < booked.low):
            worse += tried[0][1]
        if tried and (tried[-1][0].days > booked.days or tried[-1][0].low > booked.low):
            better += tried[-1][1]
    worst, best = (resolutions.reach(amendments).days for amendments in (worse, better))
    return Band(worst_days=min(worst, booked.days), best_days=max(best, booked.days))


def _weigh(finding: Finding, resolutions: Resolutions) -> Finding:
    booked = resolutions.booked
    reached = (resolutions.reach(fix.amendments) for fix in finding.fixes if fix.amendments)
    moved = [Reach(one.days - booked.days, one.low - booked.low) for one in reached]
    days, low = max(moved, key=lambda one: (abs(one.days), abs(one.low), one))
    graded = min(finding.severity, grade_days(abs(days)), key=lambda severity: severity.rank)
    impact_low = Money(amount=low, currency=resolutions.currency)
    return finding.model_copy(update={"impact_days": days, "impact_low": impact_low, "severity": graded})


def grade_days(days: int) -> Severity:
    """The severity that so many days of runway, either way, alone give."""
    if days >= CRITICAL_DAYS:
        return Severity.CRITICAL
    if days >= HIGH_DAYS:
        return Severity.HIGH
    return Severity.MEDIUM if days else Severity.LOW
