"""AP08: a bill is still open, and the money for it has left another way."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import add_days
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.matching.at_bank import PAIRING_READS, LineParties, find_unpaired, index_vendors
from runway_core.calculators.matching.from_books import OUTFLOW_AFTER_DAYS, OUTFLOW_BEFORE_DAYS
from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.terms import UsualTerms, date_bills
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Purchase

TOLERANCE = Decimal("0.01")


class _Outflow(NamedTuple):
    """Money that left and settles no bill; `amount` is positive."""

    key: RecordKey
    day: date
    amount: Decimal
    currency: str
    vendor_ids: frozenset[str]  # those who may have got it
    text: str
    rail: str | None  # which bank, or rail that issued a card, says so; None: the ledger

    @property
    def words(self) -> str:
        return _WORDS[self.key.kind][0]

    @property
    def mending(self) -> str:
        return _WORDS[self.key.kind][1]


_WORDS = {
    RecordKind.PURCHASE: ("an expense books", "Turn the expense into a payment of the bill"),
    RecordKind.BANK_TRANSACTION: ("the bank shows", "Enter the bank's line as its payment"),
    RecordKind.CARD_TRANSACTION: ("a card shows", "Enter the purchase on the card as its payment"),
}
"""What each says, and what makes the bill paid by it."""


class _Window(NamedTuple):
    """The days on which money for a bill may leave."""

    bill: Bill
    since: date
    due: date
    until: date


class BillPaidElsewhere:
    """An open bill, and an outflow to its vendor over what is open, a cent more or less, that settles no bill.

    The outflow is an expense of the ledger, a bank line that the ledger lacks and whose counterparty is known, or a
    purchase on a rail's card that the ledger lacks, is no bill's payment there, and names the vendor as merchant. Its
    day is from three days before the bill's date to 45 after it is due. One outflow is told of one bill: of several
    that fit, the one that is due nearest to its day.
    """

    id = "AP08"
    name = "bill_paid_elsewhere"
    floor = Severity.CRITICAL
    effect = RunwayEffect.LENGTHENS
    reads = PAIRING_READS | {"bills", "card_purchases"}

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open bill for which money has left."""
        windows = _index_open_bills(books)
        if not windows:
            return
        outflows = [
            *_find_expenses(books, windows),
            *_find_bank_lines(books, windows),
            *_find_card_purchases(books, windows),
        ]
        for window, outflow in _pair(windows, outflows):
            yield self._report(books, window, outflow)

    def _report(self, books: Books, window: _Window, outflow: _Outflow) -> Finding:
        bill = window.bill
        paid = Amendment(action=AmendmentAction.REMOVE, record=bill.key)
        return build_finding(
            self,
            books,
            subjects=(bill.key, outflow.key),
            amount=bill.open_balance,
            currency=bill.currency,
            summary=f"Bill {bill.number or bill.external_id} of {bill.vendor_name or 'a vendor'} over "
            f"{say_amount(bill.open_balance, bill.currency)} is open, and {outflow.words} as much on {outflow.day}",
            evidence=(
                Evidence(name="vendor", value=bill.vendor_name or bill.vendor_id or "none", record=bill.key),
                Evidence(name="document_date", value=bill.document_date.isoformat(), record=bill.key),
                Evidence(name="due_date", value=str(bill.due_date or "none"), record=bill.key),
                Evidence(name="open_balance", value=plain_amount(bill.open_balance, bill.currency), record=bill.key),
                Evidence(name="left_on", value=outflow.day.isoformat(), record=outflow.key, rail=outflow.rail),
                Evidence(
                    name="amount",
                    value=plain_amount(outflow.amount, outflow.currency),
                    record=outflow.key,
                    rail=outflow.rail,
                ),
                Evidence(name="text", value=outflow.text or "none", record=outflow.key, rail=outflow.rail),
            ),
            fixes=(
                SuggestedFix(label=outflow.mending, record=outflow.key, amendments=(paid,)),
                SuggestedFix(label="Keep both: the bill is for something else", record=bill.key),
            ),
        )


_Windows = Mapping[tuple[str, Decimal], list[_Window]]  # by currency and whole cents of what is open


def _index_open_bills(books: Books) -> _Windows:
    found: dict[tuple[str, Decimal], list[_Window]] = {}
    bills = [bill for bill in books.open_bills if bill.vendor_id is not None]
    terms = UsualTerms.of_bills(books, [bill for bill in bills if bill.due_date is None])
    for bill, dated in zip(bills, date_bills(bills), strict=True):
        due = terms.due_day(dated).day
        since = add_days(bill.document_date, -OUTFLOW_BEFORE_DAYS)
        window = _Window(bill, since, due, add_days(due, OUTFLOW_AFTER_DAYS))
        found.setdefault((bill.currency, _cents(bill.open_balance)), []).append(window)
    return found


def _cents(amount: Decimal) -> Decimal:
    return amount // TOLERANCE


def _windows_for(windows: _Windows, amount: Decimal, currency: str) -> Iterator[_Window]:
    """Windows of bills over an amount, a cent more or less."""
    cents = _cents(amount)
    for near in (cents - 1, cents, cents + 1):
        for window in windows.get((currency, near), ()):
            if abs(window.bill.open_balance - amount) <= TOLERANCE:
                yield window


def _is_wanted(windows: _Windows, amount: Decimal, currency: str, *, day: date) -> bool:
    return any(window.since <= day <= window.until for window in _windows_for(windows, amount, currency))


def _find_expenses(books: Books, windows: _Windows) -> Iterator[_Outflow]:
    names: NameIndex | None = None
    for purchase in books.purchases:
        if purchase.is_void or purchase.is_refund or purchase.document_date > books.as_of:
            continue
        if not _is_wanted(windows, purchase.total, purchase.currency, day=purchase.document_date):
            continue
        if names is None:
            names = index_vendors(books)
        yield _Outflow(
            purchase.key,
            purchase.document_date,
            purchase.total,
            purchase.currency,
            _vendors_of(purchase, names),
            _text_of(purchase),
            None,
        )


def _vendors_of(purchase: Purchase, names: NameIndex) -> frozenset[str]:
    """Whom an expense names, and who else has that very name: a vendor may be in the books twice."""
    if purchase.payee_kind not in {None, RecordKind.VENDOR}:
        return frozenset()
    own = {purchase.payee_id} - {None}
    text = purchase.payee_name if purchase.payee_name or own else purchase.memo
    found = names.prove(text) if text else None
    also = [] if found is None else [candidate.party.external_id for candidate in found.candidates]
    return frozenset(filter(None, (*own, *also)))


def _text_of(purchase: Purchase) -> str:
    said = (purchase.number, purchase.memo, *(line.description for line in purchase.lines))
    return "; ".join(filter(None, said))[:200]


def _find_bank_lines(books: Books, windows: _Windows) -> Iterator[_Outflow]:
    """Posted lines that the ledger lacks and whose counterparty is one vendor."""
    if not books.bank_transactions:
        return
    parties = LineParties(books)
    for unpaired in find_unpaired(books).values():
        for line in unpaired.lines:
            if line.amount >= 0 or line.is_transfer or line.is_financing:
                continue
            if not _is_wanted(windows, -line.amount, line.currency, day=line.booked_on):
                continue
            vendor_ids = frozenset(party.external_id for party in parties.find_all(line))
            if vendor_ids:
                yield _Outflow(
                    line.key,
                    line.booked_on,
                    -line.amount,
                    line.currency,
                    vendor_ids,
                    line.text or line.counterparty or "",
                    line.rail or None,
                )


def _find_card_purchases(books: Books, windows: _Windows) -> Iterator[_Outflow]:
    """Purchases that the ledger lacks; a payment of a bill at the rail is the business of SY02."""
    names: NameIndex | None = None
    for purchase in books.card_purchases:
        if purchase.is_in_ledger or purchase.pays_bill or not purchase.merchant or purchase.booked_on > books.as_of:
            continue
        if not _is_wanted(windows, purchase.amount, purchase.currency, day=purchase.booked_on):
            continue
        if names is None:
            names = index_vendors(books)
        found = names.prove(purchase.merchant)
        if found is not None:
            yield _Outflow(
                purchase.key,
                purchase.booked_on,
                purchase.amount,
                purchase.currency,
                frozenset(candidate.party.external_id for candidate in found.candidates),
                purchase.text or purchase.merchant,
                purchase.rail,
            )


def _pair(windows: _Windows, outflows: Iterable[_Outflow]) -> Iterator[tuple[_Window, _Outflow]]:
    """Each bill and each outflow once: equal amounts first, then the nearest to the due day."""
    fitting = [
        (
            abs(window.bill.open_balance - outflow.amount),
            abs((outflow.day - window.due).days),
            window.bill.external_id,
            outflow.key,
            (window, outflow),
        )
        for outflow in outflows
        for window in _windows_for(windows, outflow.amount, outflow.currency)
        if window.since <= outflow.day <= window.until and window.bill.vendor_id in outflow.vendor_ids
    ]
    used: set[RecordKey] = set()
    for *_, (window, outflow) in sorted(fitting, key=lambda one: one[:4]):
        if used.isdisjoint({window.bill.key, outflow.key}):
            used.update((window.bill.key, outflow.key))
            yield window, outflow
