"""AP23: much money went to a vendor who sends bills, and no bill stands for it."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain

from runway_core.calculators.calendar import add_days
from runway_core.calculators.detected_series import find_outflow_series
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.matching.at_bank import PAIRING_READS, LineParties, find_unpaired
from runway_core.calculators.matching.from_books import OUTFLOW_AFTER_DAYS, OUTFLOW_BEFORE_DAYS
from runway_core.calculators.matching.ledger_legs import LedgerLeg, read_ledger_legs
from runway_core.calculators.matching.money import match_money
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement
from runway_core.calculators.matching.same_vendors import SameVendors
from runway_core.calculators.series import FULFIL_SHARE
from runway_core.calculators.terms import UsualTerms, date_bills
from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind

NOTABLE_OUTFLOW = Decimal(1000)
TOLERANCE = Decimal("0.01")
ENTRY_DAYS = 30
"""A payment written down on another account, or under another day, may stand for a line so many days away."""


class OutflowWithoutBill:
    """A bank line of at least 1,000 in home currency to a vendor with bills, for which nothing stands.

    Nothing: no bill, no entry of the ledger, no series of the vendor. A line that may pay an open bill of the vendor,
    whole, in part, or several at once, has a bill. So has one that a payment in the ledger stands for, be it written
    down on another account.
    """

    id = "AP23"
    name = "outflow_without_bill"
    floor = Severity.MEDIUM
    effect = RunwayEffect.CONFIDENCE
    reads = PAIRING_READS | {"bills"}

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such line."""
        if not books.bank_transactions:
            return
        lines = dict(_find_lines(books))
        if not lines:
            return
        movements = [
            MoneyMovement(
                line.key, line.booked_on, line.amount, line.currency, party=party, text=line.text, record=line.key
            )
            for line, party in lines.values()
        ]
        wanted = {party for _, party in lines.values()}
        bills = list(_read_bills(books, wanted))
        report = match_money(movements, [*bills, *_read_entries(books, wanted)])
        left = frozenset(report.unmatched_movements)
        for key, (line, party) in lines.items():
            if key in left and not any(_is_over_as_much(line, party, bill) for bill in bills):
                yield self._report(books, line, party)

    def _report(self, books: Books, line: BankTransaction, party: RecordKey) -> Finding:
        vendor = books.vendor_by_id[party.external_id]
        rail = line.rail or None
        return build_finding(
            self,
            books,
            subjects=(line.key,),
            amount=-line.amount,
            currency=line.currency,
            summary=f"{say_amount(-line.amount, line.currency)} went to {vendor.name} on {line.booked_on}, and no bill "
            "stands for it",
            evidence=(
                Evidence(name="counterparty", value=vendor.name, record=vendor.key),
                Evidence(name="text", value=line.text or line.counterparty or "none", record=line.key, rail=rail),
                Evidence(name="amount", value=plain_amount(line.amount, line.currency), record=line.key, rail=rail),
                Evidence(name="booked_on", value=line.booked_on.isoformat(), record=line.key, rail=rail),
            ),
            fixes=(
                SuggestedFix(label=f"Enter the bill of {vendor.name}, and this as its payment", record=line.key),
                SuggestedFix(label="Enter it as an expense", record=line.key),
            ),
        )


def _find_lines(books: Books) -> Iterator[tuple[RecordKey, tuple[BankTransaction, RecordKey]]]:
    """Large outflows that the ledger lacks, to vendors with bills and without a series, each with its vendor."""
    same = books.derive(SameVendors)
    billing = {same.one_of(bill.vendor_id) for bill in books.bills if bill.vendor_id is not None}
    rates = HomeRates.of(books)
    parties = LineParties(books)
    for unpaired in find_unpaired(books).values():
        for line in unpaired.lines:
            if line.amount >= 0 or line.is_transfer or line.is_financing:
                continue
            home = rates.convert(line.amount, line.currency)
            if home is None or -home < NOTABLE_OUTFLOW:
                continue
            vendor_ids = {same.one_of(party.external_id) for party in parties.find_all(line)}
            if len(vendor_ids) == 1 and vendor_ids <= billing and not _comes_round(books, same, line, vendor_ids):
                yield line.key, (line, RecordKey(RecordKind.VENDOR, vendor_ids.pop()))


def _comes_round(books: Books, same: SameVendors, line: BankTransaction, vendor_ids: set[str]) -> bool:
    """Whether a series of the vendor stands for a line: one that a person entered, or payments like it."""
    for entered in books.company.settings.series:
        if entered.vendor_id is not None and not entered.is_inflow and same.one_of(entered.vendor_id) in vendor_ids:
            return True
    return any(
        found.counterparty.kind is RecordKind.VENDOR
        and same.one_of(found.counterparty.external_id) in vendor_ids
        and found.currency == line.currency
        and abs(found.amount + line.amount) <= found.amount * FULFIL_SHARE
        for found in books.derive(find_outflow_series)
    )


def _read_bills(books: Books, wanted: Iterable[RecordKey]) -> Iterator[MoneyDocument]:
    same = books.derive(SameVendors)
    parties = set(wanted)
    bills = [bill for bill in books.open_bills if _vendor_of(same, bill.vendor_id) in parties]
    terms = UsualTerms.of_bills(books, [bill for bill in bills if bill.due_date is None])
    for bill, dated in zip(bills, date_bills(bills), strict=True):
        since = add_days(bill.document_date, -OUTFLOW_BEFORE_DAYS)
        yield MoneyDocument(
            bill.key,
            -bill.open_balance,
            bill.currency,
            since=since,
            until=max(since, add_days(terms.due_day(dated).day, OUTFLOW_AFTER_DAYS)),
            party=_vendor_of(same, bill.vendor_id),
            party_name=bill.vendor_name or "",
            number=bill.number,
            record=bill.key,
        )


def _vendor_of(same: SameVendors, vendor_id: str | None) -> RecordKey | None:
    """The record that stands for a vendor, who may be in the books twice."""
    return None if vendor_id is None else RecordKey(RecordKind.VENDOR, same.one_of(vendor_id))


def _is_over_as_much(line: BankTransaction, party: RecordKey, bill: MoneyDocument) -> bool:
    """Whether an open bill of the vendor is over as much, a cent more or less: then AP08 tells of it."""
    is_near = bill.party == party and bill.currency == line.currency and bill.since <= line.booked_on <= bill.until
    return is_near and abs(bill.amount - line.amount) <= TOLERANCE


def _read_entries(books: Books, wanted: Iterable[RecordKey]) -> Iterator[MoneyDocument]:
    """What the ledger wrote down for these vendors and no bank line stands for, on whatever account."""
    same = books.derive(SameVendors)
    parties = set(wanted)
    unpaired = find_unpaired(books)
    elsewhere = (leg for leg in read_ledger_legs(books) if leg.account_id not in unpaired)
    for leg in chain(elsewhere, *(left.legs for left in unpaired.values())):
        is_vendor = leg.party is not None and leg.party.kind is RecordKind.VENDOR
        party = _vendor_of(same, leg.party.external_id) if leg.party is not None and is_vendor else None
        if party in parties:
            yield _read_entry(leg, party)


def _read_entry(leg: LedgerLeg, party: RecordKey | None) -> MoneyDocument:
    return MoneyDocument(
        leg.key,
        leg.amount,
        leg.currency,
        since=add_days(leg.day, -ENTRY_DAYS),
        until=add_days(leg.day, ENTRY_DAYS),
        party=party,
        number=leg.number,
        record=leg.record,
    )
