"""AP04: nobody to pay."""

from collections import Counter
from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.names import is_placeholder_name
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.parties import Vendor

MOST_SUGGESTIONS = 3


class BillVendorMissing:
    """An open bill with no vendor, an inactive one, or a placeholder such as "Unknown" or "Misc"."""

    id = "AP04"
    name = "bill_vendor_missing"
    floor = Severity.MEDIUM
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"chart", "bills", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open bill without a vendor to pay."""
        faulty = [(bill, fault) for bill in books.open_bills if (fault := _find_fault(bill, books)) is not None]
        if not faulty:
            return
        habits = _count_accounts(books)
        for bill, fault in faulty:
            yield build_finding(
                self,
                books,
                subjects=(bill.key,),
                amount=bill.open_balance,
                currency=bill.currency,
                summary=f"Bill {bill.number or bill.external_id} {fault}",
                evidence=(
                    Evidence(name="vendor_id", value=bill.vendor_id or "none", record=bill.key),
                    Evidence(name="vendor_name", value=_name_of(bill, books) or "none", record=bill.key),
                    Evidence(name="lines", value=_say_lines(bill), record=bill.key),
                ),
                fixes=_suggest(bill, books, habits),
            )


def _find_fault(bill: Bill, books: Books) -> str | None:
    if bill.vendor_id is None:
        return "has no vendor"
    vendor = books.vendor_by_id.get(bill.vendor_id)
    if vendor is None:
        return None  # SY03 tells of references that lead nowhere
    if is_placeholder_name(vendor.name):
        return f"names the placeholder vendor {vendor.name!r}"
    return None if vendor.is_active else f"names the inactive vendor {vendor.name!r}"


def _name_of(bill: Bill, books: Books) -> str | None:
    vendor = books.vendor_by_id.get(bill.vendor_id or "")
    return vendor.name if vendor is not None else bill.vendor_name


def _say_lines(bill: Bill) -> str:
    texts = [line.description or line.account_name or line.item_name for line in bill.lines]
    return "; ".join(text for text in texts if text)[:200] or "no text"


def _count_accounts(books: Books) -> dict[str, Counter[str]]:
    """How often each account was used, by vendor that can be paid."""
    counts: dict[str, Counter[str]] = {}
    for bill in books.bills:
        vendor = books.vendor_by_id.get(bill.vendor_id or "")
        if vendor is not None and _is_payable(vendor):
            for line in bill.lines:
                if line.account_id is not None:
                    counts.setdefault(line.account_id, Counter())[vendor.external_id] += 1
    return counts


def _is_payable(vendor: Vendor) -> bool:
    return vendor.is_active and not is_placeholder_name(vendor.name)


def _suggest(bill: Bill, books: Books, habits: dict[str, Counter[str]]) -> Iterable[SuggestedFix]:
    """Vendors whose bills go to the same accounts, the most frequent first."""
    votes: Counter[str] = Counter()
    for account_id in {line.account_id for line in bill.lines if line.account_id is not None}:
        votes.update(habits.get(account_id, Counter()))
    best = sorted(votes.items(), key=lambda vote: (-vote[1], vote[0]))[:MOST_SUGGESTIONS]
    return [
        SuggestedFix(
            label=f"Choose {books.vendor_by_id[vendor_id].name}", record=bill.key, fields={"vendor_id": vendor_id}
        )
        for vendor_id, _ in best
    ] or [SuggestedFix(label="Choose the vendor", record=bill.key)]
