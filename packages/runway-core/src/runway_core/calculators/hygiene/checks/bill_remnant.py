"""AP15: a few cents that keep a bill open."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.calculators.hygiene.remnants import find_remnants, show_remnant, suggest_write_off
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, RunwayEffect, Severity


class BillRemnant:
    """A bill older than 30 days that is paid but for less than 5.00 or one per cent."""

    id = "AP15"
    name = "bill_remnant"
    floor = Severity.LOW
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"bills"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every bill with a small rest."""
        for bill in find_remnants(books.open_bills, books):
            yield build_finding(
                self,
                books,
                subjects=(bill.key,),
                amount=bill.open_balance,
                currency=bill.currency,
                summary=f"Bill {bill.number or bill.external_id} of {bill.vendor_name or 'an unknown vendor'} is paid "
                f"but for {say_amount(bill.open_balance, bill.currency)}",
                evidence=show_remnant(bill),
                fixes=(suggest_write_off(bill, "Write the rest off, or enter the vendor's credit"),),
            )
