"""Run every check over the books and weigh what they find."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from runway_core.calculators.burn import compute_week_outflow
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.hygiene.check import Check
from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.calculators.hygiene.rerun import run_checks
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, Severity

NOTABLE_AMOUNT = Decimal(500)
"""From this amount on, in home currency, a finding is at least of medium severity."""


def find_findings(books: Books, *, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Everything the checks find, worst first, then by check and subjects; the books' order changes nothing."""
    return grade_findings(books, run_checks(books, checks=checks).findings)


def grade_findings(books: Books, findings: Iterable[Finding]) -> list[Finding]:
    """Findings with the severity that their amounts give, worst first.

    A finding's severity is its check's floor, raised by its amount: high from one week's average outflow on, medium
    from 500 on. Two findings with one identity count once, the worse one.
    """
    week_outflow = compute_week_outflow(books)
    rates = HomeRates.of(books)
    graded: dict[tuple[str, tuple[tuple[str, str], ...]], Finding] = {}
    for finding in findings:
        weighed = _weigh(finding, week_outflow, rates)
        identity = (weighed.check, weighed.subjects)
        twin = graded.get(identity)
        if twin is None or _order(weighed) < _order(twin):
            graded[identity] = weighed
    return order_findings(graded.values())


def order_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Worst first, then by check and subjects."""
    return sorted(findings, key=_order)


def grade_amount(amount: Decimal, *, week_outflow: Decimal | None) -> Severity:
    """The severity that an amount in home currency alone gives."""
    size = abs(amount)
    if week_outflow is not None and 0 < week_outflow <= size:
        return Severity.HIGH
    return Severity.MEDIUM if size >= NOTABLE_AMOUNT else Severity.LOW


def _weigh(finding: Finding, week_outflow: Decimal | None, rates: HomeRates) -> Finding:
    if finding.amount is None:
        return finding
    home = rates.convert(finding.amount.amount, finding.amount.currency)
    if home is None:
        return finding
    graded = grade_amount(home, week_outflow=week_outflow)
    if graded.rank >= finding.severity.rank:
        return finding
    return finding.model_copy(update={"severity": graded})


def _order(finding: Finding) -> tuple[int, str, tuple[tuple[str, str], ...], str]:
    return finding.severity.rank, finding.check, finding.subjects, finding.summary
