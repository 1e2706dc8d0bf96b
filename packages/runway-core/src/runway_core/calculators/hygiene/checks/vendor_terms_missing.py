"""AP18: a vendor who bills us and with whom no terms are kept."""

from collections import Counter
from collections.abc import Iterable, Sequence

from runway_core.calculators.calendar import add_months
from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.names import is_placeholder_name
from runway_core.calculators.statistics import median, round_half_up
from runway_core.calculators.terms import LONGEST_TERM_DAYS
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.parties import Vendor

LEAST_BILLS = 2
MONTHS = 12


class VendorTermsMissing:
    """An active vendor with at least two bills over more than nil in twelve months and no terms.

    Placeholders are AP04's, and two of a vendor's bills of which none has a usable due date still count.
    """

    id = "AP18"
    name = "vendor_terms_missing"
    floor = Severity.LOW
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"bills", "terms", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such vendor, with the terms that its bills show."""
        since = add_months(books.as_of, -MONTHS)
        for vendor in books.vendor_list:
            if vendor.term_id is not None or not vendor.is_active or is_placeholder_name(vendor.name):
                continue
            recent = [
                bill
                for bill in books.bills_by_vendor.get(vendor.external_id, ())
                if bill.total > 0 and since <= bill.document_date <= books.as_of
            ]
            if len(recent) >= LEAST_BILLS:
                yield self._report(books, vendor, recent)

    def _report(self, books: Books, vendor: Vendor, recent: Sequence[Bill]) -> Finding:
        days = _read_terms(recent)
        usual = round_half_up(median(days)) if days else None
        seen = ", ".join(f"{count}x {term} days" for term, count in sorted(Counter(days).items())) or "none"
        return build_finding(
            self,
            books,
            subjects=(vendor.key,),
            summary=f"{vendor.name} sent {len(recent)} bills in twelve months and has no terms",
            evidence=(
                Evidence(name="bills", value=str(len(recent)), record=vendor.key),
                Evidence(name="terms_used", value=seen, record=vendor.key),
            ),
            fixes=(SuggestedFix(label=_suggest(books, usual), record=vendor.key),),
        )


def _read_terms(bills: Iterable[Bill]) -> list[int]:
    """The days between date and due date, shortest first."""
    spans = ((bill.due_date - bill.document_date).days for bill in bills if bill.due_date is not None)
    return sorted(span for span in spans if 0 <= span <= LONGEST_TERM_DAYS)


def _suggest(books: Books, usual: int | None) -> str:
    """The terms of the list with the usual days, by name; else the days."""
    if usual is None:
        return "Ask for the terms and set them"
    names = sorted(term.name for term in books.terms if term.is_active and term.due_days == usual)
    return f"Set terms to {names[0]}" if names else f"Set terms of {usual} days"
