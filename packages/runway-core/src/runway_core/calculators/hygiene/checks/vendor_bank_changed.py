"""AP19: a vendor is to be paid to another account than before."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from runway_core.calculators.calendar import add_days
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind
from runway_core.domain.money import ZERO

CHANGED_DAYS = 30

BANK_FIELDS = frozenset({"account_tail", "bank_account", "iban", "routing_number"})
"""Fields of a vendor in the log that say where its money goes."""


class _Change(NamedTuple):
    """Payment details of one vendor that changed; tails are the ends of account numbers."""

    on: date
    rail: str
    before: str
    after: str
    who: str
    read_at: AwareDatetime | None


class VendorBankChanged:
    """Payment details that changed in the last 30 days, of a vendor with an open bill, and no call-back noted since.

    A call-back counts when it was noted on the day of the change or later, and does not name another account.
    """

    id = "AP19"
    name = "vendor_bank_changed"
    floor = Severity.HIGH
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"bills", "call_backs", "changes", "payment_details", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding a vendor, with its newest change."""
        changes = sorted(_find_changes(books), key=lambda one: (one[0], one[1][:5]))
        newest = {
            vendor_id: change
            for vendor_id, change in changes
            if add_days(change.on, CHANGED_DAYS) >= books.as_of >= change.on
        }
        for vendor_id, change in newest.items():
            bills = [bill for bill in books.bills_by_vendor.get(vendor_id, ()) if bill.open_balance > 0]
            if bills and not _is_confirmed(books, vendor_id, change):
                yield self._report(books, vendor_id, change, bills=bills)

    def _report(self, books: Books, vendor_id: str, change: _Change, *, bills: list[Bill]) -> Finding:
        vendor = books.vendor_by_id[vendor_id]
        currency = bills[0].currency
        owed = sum((bill.open_balance for bill in bills if bill.currency == currency), ZERO)
        said = (("before", change.before), ("after", change.after), ("changed_by", change.who))
        return build_finding(
            self,
            books,
            subjects=(vendor.key,),
            amount=owed,
            currency=currency,
            summary=f"{vendor.name} is paid to another account since {change.on}: {change.before} → {change.after}; "
            f"{say_amount(owed, currency)} are due",
            evidence=(
                *(
                    Evidence(name=name, value=value, record=vendor.key, rail=change.rail, read_at=change.read_at)
                    for name, value in (*said, ("changed_on", change.on.isoformat()))
                ),
                Evidence(name="open_bills", value=f"{len(bills)}: {plain_amount(owed, currency)}", record=vendor.key),
            ),
            fixes=(
                SuggestedFix(
                    label=f"Call {vendor.name} on a number known from before, and note it: its bills wait until then",
                    record=vendor.key,
                ),
                SuggestedFix(label="Take the change back", record=vendor.key),
            ),
        )


def _find_changes(books: Books) -> Iterator[tuple[str, _Change]]:
    """Changes that rails date themselves, and those that the log saw."""
    for details in books.payment_details:
        if details.changed_on is not None and details.vendor_id in books.vendor_by_id:
            before = details.previous_tail or "not known"
            if before != details.account_tail:
                who = details.changed_by or "not known"
                yield (
                    details.vendor_id,
                    _Change(details.changed_on, details.rail, before, details.account_tail, who, details.read_at),
                )
    zone = ZoneInfo(books.company.time_zone)
    for change in books.changes:
        is_bank = change.record.kind is RecordKind.VENDOR and change.field in BANK_FIELDS
        # What was empty and is filled in for the first time is no change of account.
        if (
            is_bank
            and change.before
            and change.before != change.after
            and change.record.external_id in books.vendor_by_id
        ):
            on = change.seen_at.astimezone(zone).date()
            who = change.changed_by or "not known"
            yield (
                change.record.external_id,
                _Change(on, change.rail, change.before, change.after or "none", who, change.seen_at),
            )


def _is_confirmed(books: Books, vendor_id: str, change: _Change) -> bool:
    zone = ZoneInfo(books.company.time_zone)
    return any(
        call.vendor_id == vendor_id
        and not call.is_closed
        and call.changed_at.astimezone(zone).date() >= change.on
        and (not call.details_tail or change.after.endswith(call.details_tail))
        for call in books.call_backs
    )
