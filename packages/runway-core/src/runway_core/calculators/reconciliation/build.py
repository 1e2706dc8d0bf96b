"""How comparisons put conflicts together, and what each kind weighs at least."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from runway_core.calculators.burn import compute_week_outflow
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.hygiene.find import grade_amount
from runway_core.domain.amendments import Amendment
from runway_core.domain.books import Books
from runway_core.domain.conflicts import LEDGER, Conflict, ConflictKind, MatchSuggestion, name_conflict
from runway_core.domain.findings import Evidence, Severity
from runway_core.domain.identity import RecordKey
from runway_core.domain.money import Money

FLOORS = {
    ConflictKind.DUPLICATE: Severity.CRITICAL,  # money may be paid twice
    ConflictKind.MISSING_IN_LEDGER: Severity.HIGH,  # a debt that no figure knows
    ConflictKind.STATE_DIFFERS: Severity.HIGH,  # money is expected that came
    ConflictKind.MISSING_AT_RAIL: Severity.MEDIUM,
    ConflictKind.PAYOUT_SUM_WRONG: Severity.MEDIUM,
    ConflictKind.AMBIGUOUS_MATCH: Severity.MEDIUM,
    ConflictKind.AMOUNT_DIFFERS: Severity.LOW,
    ConflictKind.NAME_DIFFERS: Severity.LOW,
}
"""The kinds that comparisons raise by themselves; the others are findings, which bring their own."""


def build_conflict(
    books: Books,
    kind: ConflictKind,
    *,
    about: Iterable[RecordKey],
    with_records: Iterable[RecordKey] = (),
    rail: str,
    summary: str,
    suggested: str,
    evidence: Iterable[Evidence],
    amount: Decimal | None = None,
    currency: str | None = None,
    since: date | None = None,
    matches: Iterable[MatchSuggestion] = (),
    amendments: Iterable[Amendment] = (),
    name: str | None = None,
    here: str = LEDGER,
) -> Conflict:
    """A conflict that no check raises. `about` names it for good; `with_records` are those it is seen with today."""
    subjects = tuple(sorted(set(about)))
    money = None if amount is None else Money(amount=amount, currency=currency or books.home)
    return Conflict(
        conflict_id=name_conflict(books.company.company_id, kind, subjects),
        kind=kind,
        company_id=books.company.company_id,
        records=tuple(dict.fromkeys((*subjects, *with_records))),
        rails=(here, rail),
        severity=_grade(books, FLOORS[kind], money),
        summary=summary,
        suggested=suggested,
        amount=money,
        since=since,
        evidence=tuple(evidence),
        matches=tuple(matches),
        amendments=tuple(amendments),
        name=name,
    )


def _grade(books: Books, floor: Severity, amount: Money | None) -> Severity:
    home = None if amount is None else HomeRates.of(books).convert(amount.amount, amount.currency)
    if home is None or floor is Severity.CRITICAL:
        return floor
    graded = grade_amount(home, week_outflow=compute_week_outflow(books))
    return min(floor, graded, key=lambda severity: severity.rank)
