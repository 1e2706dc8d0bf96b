"""AP14: the ledger says a bill is paid, and no money left the bank."""

from collections.abc import Iterable, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from runway_core.calculators.calendar import add_business_days, add_days
from runway_core.calculators.cash import find_pending
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.matching.at_bank import PAIRING_READS, find_unpaired
from runway_core.calculators.matching.ledger_legs import LedgerLeg
from runway_core.domain.books import Books
from runway_core.domain.execution import RailPayment
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind

AT_BANK_BUSINESS_DAYS = 5
CHEQUE_DAYS = 30


class BillPaymentNotAtBank:
    """A bill payment that the bank has not shown after five business days, a cheque after 30 days.

    Only from the bank's first line on and up to the day on which the bank was read, and never before the day on which
    the rail that moves the money expects it. A pending line counts as shown.
    """

    id = "AP14"
    name = "bill_payment_not_at_bank"
    floor = Severity.MEDIUM
    effect = RunwayEffect.MOVES_DATES
    reads = PAIRING_READS | {"bank_balances", "rail_payments"}

    def find(self, books: Books) -> Iterable[Finding]:
        """Every payment whose day at the bank has passed."""
        if not books.bank_transactions:
            return
        moving = {payment.ledger_payment_id: payment for payment in sorted(books.rail_payments, key=_rail_order)}
        announced = [(line.account_id, line.amount) for line in find_pending(books)]
        read_through = _find_days_of_reading(books)
        for account_id, unpaired in find_unpaired(books).items():
            for leg in unpaired.legs:
                if leg.record.kind is not RecordKind.BILL_PAYMENT or leg.day < unpaired.began:
                    continue
                expected = _expect(leg, moving)
                if expected >= read_through[account_id]:
                    continue
                if (leg.account_id, leg.amount) in announced:
                    announced.remove((leg.account_id, leg.amount))
                    continue
                yield self._report(books, leg, expected, payment=moving.get(leg.record.external_id))

    def _report(self, books: Books, leg: LedgerLeg, expected: date, *, payment: RailPayment | None) -> Finding:
        account = books.account_by_id[leg.account_id]
        vendor = books.vendor_by_id.get(leg.party.external_id) if leg.party is not None else None
        how = "Cheque" if leg.is_cheque else "Payment"
        return build_finding(
            self,
            books,
            subjects=(leg.record,),
            amount=-leg.amount,
            currency=leg.currency,
            summary=f"{how} {leg.number or leg.record.external_id} to {vendor.name if vendor else 'a vendor'} over "
            f"{say_amount(-leg.amount, leg.currency)} of {leg.day} is not at the bank",
            evidence=(
                Evidence(name="paid_on", value=leg.day.isoformat(), record=leg.record),
                Evidence(name="amount", value=plain_amount(-leg.amount, leg.currency), record=leg.record),
                Evidence(name="account", value=account.name, record=account.key),
                Evidence(name="expected_at_bank", value=expected.isoformat()),
                *_show(payment),
            ),
            fixes=(
                SuggestedFix(label="Trace it with whoever moved it", record=leg.record),
                SuggestedFix(label="Void it, so that the bill is open again", record=leg.record),
                SuggestedFix(label="Stop it and issue it again", record=leg.record),
            ),
        )


def _find_days_of_reading(books: Books) -> dict[str, date]:
    """The day on which each account was last read at the bank; without a balance, the day of its last line."""
    zone = ZoneInfo(books.company.time_zone)
    days: dict[str, date] = {}
    for line in books.bank_transactions:
        days[line.account_id] = max(days.get(line.account_id, date.min), line.booked_on)
    for balance in books.bank_balances:
        on = balance.read_at.astimezone(zone).date()
        days[balance.account_id] = max(days.get(balance.account_id, date.min), on)
    return {account_id: min(on, books.as_of) for account_id, on in days.items()}


def _expect(leg: LedgerLeg, moving: Mapping[str | None, RailPayment]) -> date:
    """The last day on which the bank may show it for the first time."""
    usual = add_days(leg.day, CHEQUE_DAYS) if leg.is_cheque else add_business_days(leg.day, AT_BANK_BUSINESS_DAYS)
    payment = moving.get(leg.record.external_id)
    return usual if payment is None or payment.settles_on is None else max(usual, payment.settles_on)


def _show(payment: RailPayment | None) -> Iterable[Evidence]:
    if payment is not None:
        said = f"{payment.state.value}, expected {payment.settles_on or 'on no day'}"
        yield Evidence(name="state", value=said, record=payment.key, rail=payment.rail, read_at=payment.read_at)


def _rail_order(payment: RailPayment) -> tuple[str, str]:
    return payment.rail, payment.external_id
