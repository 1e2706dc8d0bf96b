"""How AP06 and AP07 tell of a pair of bills: side by side, and what would mend it."""

from collections.abc import Iterator

from runway_core.calculators.hygiene.check import plain_amount
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, SuggestedFix
from runway_core.domain.identity import RecordKind


def count_attachments(books: Books) -> dict[str, int]:
    """How many files hang on each bill that has some."""
    counts: dict[str, int] = {}
    for attachment in books.attachments:
        for link in attachment.links:
            if link.kind is RecordKind.BILL:
                counts[link.external_id] = counts.get(link.external_id, 0) + 1
    return counts


def show_pair(one: Bill, two: Bill, files: dict[str, int]) -> Iterator[Evidence]:
    """The fields of both bills that people compare."""
    for bill in (one, two):
        for name, value in (
            ("vendor", bill.vendor_name or bill.vendor_id or "none"),
            ("number", bill.number or "none"),
            ("document_date", bill.document_date.isoformat()),
            ("due_date", str(bill.due_date or "none")),
            ("total", plain_amount(bill.total, bill.currency)),
            ("open_balance", plain_amount(bill.open_balance, bill.currency)),
            ("memo", bill.memo or "none"),
            ("attachments", str(files.get(bill.external_id, 0))),
        ):
            yield Evidence(name=name, value=value, record=bill.key)


def say_bill(bill: Bill) -> str:
    """A bill by its number, else by its date."""
    return bill.number or f"of {bill.document_date}"


def suggest_voiding(one: Bill, two: Bill) -> tuple[SuggestedFix, ...]:
    """Take out one that is open, the later first; where both are paid, ask for the money."""
    still_open = [bill for bill in (two, one) if bill.open_balance > 0]
    if not still_open:
        return (SuggestedFix(label="Both are paid: ask the vendor for the money back", record=two.key),)
    return tuple(
        SuggestedFix(
            label=f"Delete or void {bill.number or bill.external_id} of {bill.document_date}",
            record=bill.key,
            amendments=(Amendment(action=AmendmentAction.REMOVE, record=bill.key),),
        )
        for bill in still_open
    )
