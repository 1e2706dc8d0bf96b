"""AP21: a bill that comes round has not come."""

from collections.abc import Iterable, Iterator

from runway_core.calculators.calendar import add_days
from runway_core.calculators.coming_bills import find_coming_bills
from runway_core.calculators.detected_series import find_bill_series
from runway_core.calculators.hygiene.absent_rounds import (
    LateRound,
    Seen,
    expect_cash,
    find_entered_late,
    find_late_rounds,
    first_of_each,
    is_seen,
    show_round,
    subjects_of,
)
from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.calculators.matching.at_bank import PAIRING_READS, LineParties, find_unpaired
from runway_core.calculators.series import FULFIL_SHARE, find_unbilled_series
from runway_core.calculators.terms import UsualTerms, date_bills
from runway_core.domain.amendments import Amendment
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind

_LONGEST_TERM_DAYS = 365


class RecurringBillAbsent:
    """A bill of a series that is over seven days late, and no money went to the vendor either.

    Series of bills are found by themselves where they have at least four rounds and are the better part of the
    vendor's bills, or of late over one amount; series that a person entered for a vendor count as well, and win.
    Any bill or outflow within ten days and a fifth of the amount stands for the round.
    """

    id = "AP21"
    name = "recurring_bill_absent"
    floor = Severity.HIGH
    effect = RunwayEffect.SHORTENS
    reads = PAIRING_READS | {"bills", "vendor_names"}

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding a series, with its oldest round that is late."""
        late = list(first_of_each(_find_late(books)))
        if not late:
            return
        seen = _find_seen(books, {one.party for one in late if one.party is not None})
        for one in late:
            if one.party is not None and not is_seen(one, seen.get(one.party, ())):
                yield self._report(books, one)

    def _report(self, books: Books, late: LateRound) -> Finding:
        days = (books.as_of - late.expected).days
        return build_finding(
            self,
            books,
            subjects=subjects_of(late),
            amount=late.amount,
            currency=late.currency,
            summary=f"The {late.rhythm} bill of {late.name}, about {say_amount(late.amount, late.currency)}, was "
            f"expected on {late.expected} and is {days} days late",
            evidence=show_round(late),
            fixes=(
                SuggestedFix(label="Ask for the bill and enter it", record=late.party, amendments=_owe(books, late)),
                SuggestedFix(label="End the series: nothing is owed any more", record=late.series),
            ),
        )


def _find_late(books: Books) -> Iterator[LateRound]:
    entered = [series for series in books.company.settings.series if series.vendor_id and not series.is_inflow]
    payable = {vendor.external_id for vendor in books.vendor_list if vendor.is_active}
    for series in entered:
        if series.vendor_id in payable:
            yield from find_entered_late(series, books.as_of)
    days = {vendor_id: [bill.document_date for bill in bills] for vendor_id, bills in books.bills_by_vendor.items()}
    for late in find_late_rounds(books.derive(find_bill_series), books.as_of, days_by_party=days):
        vendor_id = late.party.external_id if late.party is not None else ""
        if vendor_id in payable and not any(series.vendor_id == vendor_id for series in entered):
            yield late


def _find_seen(books: Books, wanted: set[RecordKey]) -> dict[RecordKey, list[Seen]]:
    """Bills of the vendors, and money to them that is tied to no bill."""
    found: dict[RecordKey, list[Seen]] = {}
    for party in wanted:
        for bill in books.bills_by_vendor.get(party.external_id, ()):
            one = Seen(bill.key, bill.document_date, bill.total, bill.currency, due=bill.due_date)
            found.setdefault(party, []).append(one)
    for party, one in (*_read_ledger(books), *_read_bank(books)):
        if party in wanted:
            found.setdefault(party, []).append(one)
    return found


def _read_ledger(books: Books) -> Iterator[tuple[RecordKey, Seen]]:
    for spent in books.purchases:
        if spent.payee_kind is RecordKind.VENDOR and spent.payee_id and not spent.is_void and not spent.is_refund:
            one = Seen(spent.key, spent.document_date, spent.total, spent.currency)
            yield RecordKey(RecordKind.VENDOR, spent.payee_id), one
    for paid in books.bill_payments:
        if paid.vendor_id and not paid.is_void and not paid.applied:
            one = Seen(paid.key, paid.document_date, paid.total, paid.currency)
            yield RecordKey(RecordKind.VENDOR, paid.vendor_id), one


def _read_bank(books: Books) -> Iterator[tuple[RecordKey, Seen]]:
    parties = LineParties(books)
    for unpaired in find_unpaired(books).values():
        for line in unpaired.lines:
            if line.amount < 0 and not line.is_transfer and not line.is_financing:
                party = parties.find(line)
                if party is not None:
                    yield party, Seen(line.key, line.booked_on, -line.amount, line.currency)


def _owe(books: Books, late: LateRound) -> tuple[Amendment, ...]:
    """The bill's money leaving when the vendor's bills usually fall due.

    Nothing where the outlook expects the money already: it still waits for the bill, or payments come round as well.
    """
    if late.party is None:
        return ()
    coming = find_coming_bills(books, add_days(books.as_of, _LONGEST_TERM_DAYS)).bills
    if any(one.series.key == late.series and one.written_on == books.as_of for one in coming):
        return ()
    for paid in books.derive(find_unbilled_series):
        is_alike = abs(paid.amount - late.amount) <= late.amount * FULFIL_SHARE
        if paid.counterparty == late.party and paid.currency == late.currency and is_alike:
            return ()
    vendor_id = late.party.external_id
    terms = UsualTerms(date_bills(books.bills_by_vendor.get(vendor_id, ())), {vendor_id})
    days = (terms.median_of(vendor_id) or 0) if late.members else 0  # an entered series names the day of payment
    return expect_cash(books, late, add_days(late.expected, days), sign=-1)
