"""BK04: the ledger wrote down a payment that the bank never showed."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from runway_core.calculators.cash import find_not_at_bank
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.matching.drift import DRIFT_READS, compute_drifts
from runway_core.calculators.matching.from_books import CHEQUE_DAYS
from runway_core.calculators.matching.ledger_legs import LedgerLeg
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey

WAITING_DAYS = 30


class LedgerNotAtBank:
    """A ledger entry of over 30 days, a cheque of over 90, that no line of its bank account stands for.

    Opening cash takes such a payment off for 90 days (`ledger_outflow_days`), and no longer: while it does, voiding the
    entry adds it to cash; afterwards issuing it anew takes it away.
    """

    id = "BK04"
    name = "ledger_not_at_bank"
    floor = Severity.MEDIUM
    effect = RunwayEffect.LENGTHENS
    reads = DRIFT_READS

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such entry; both sides of a transfer on their own."""
        late: dict[RecordKey, list[LedgerLeg]] = {}
        for drift in books.derive(compute_drifts):
            for leg in drift.legs:
                if (books.as_of - leg.day).days > (CHEQUE_DAYS if leg.is_cheque else WAITING_DAYS):
                    late.setdefault(leg.record, []).append(leg)
        if not late:
            return
        taken_off = find_not_at_bank(books)
        rates = HomeRates.of(books)
        for record, legs in late.items():
            yield self._report(books, record, sorted(legs, key=lambda leg: leg.key), taken_off=taken_off, rates=rates)

    def _report(
        self,
        books: Books,
        record: RecordKey,
        legs: list[LedgerLeg],
        *,
        taken_off: Mapping[RecordKey, Decimal],
        rates: HomeRates,
    ) -> Finding:
        first = legs[0]
        kind = record.kind.value.replace("_", " ").capitalize()
        age = (books.as_of - first.day).days
        moved = "out of" if first.amount < 0 else "into"
        return build_finding(
            self,
            books,
            subjects=(record,),
            amount=abs(first.amount),
            currency=first.currency,
            summary=f"{kind} of {first.day}, {say_amount(abs(first.amount), first.currency)} {moved} "
            f"{books.account_by_id[first.account_id].name}, not at the bank after {age} days",
            evidence=[evidence for leg in legs for evidence in _show(books, leg)],
            fixes=tuple(_suggest(first, taken_off=taken_off.get(record), rates=rates)),
        )


def _show(books: Books, leg: LedgerLeg) -> Iterator[Evidence]:
    for name, value in (
        ("account", books.account_by_id[leg.account_id].name),
        ("document_date", leg.day.isoformat()),
        ("amount", plain_amount(leg.amount, leg.currency)),
        ("number", leg.number or "none"),
        ("way", "cheque" if leg.is_cheque else "no cheque"),
    ):
        yield Evidence(name=name, value=value, record=leg.record)


def _suggest(leg: LedgerLeg, *, taken_off: Decimal | None, rates: HomeRates) -> Iterator[SuggestedFix]:
    home = rates.convert(leg.amount, leg.currency)
    yield SuggestedFix(
        label="Void it: the money never moved",
        record=leg.record,
        amendments=_adjust(None if not taken_off else -taken_off),
    )
    if leg.amount < 0:
        yield SuggestedFix(
            label="Issue the payment anew", record=leg.record, amendments=() if taken_off else _adjust(home)
        )
    yield SuggestedFix(label="Match it with the bank's line", record=leg.record)


def _adjust(amount: Decimal | None) -> tuple[Amendment, ...]:
    return () if amount is None else (Amendment(action=AmendmentAction.ADJUST_CASH, amount=amount),)
