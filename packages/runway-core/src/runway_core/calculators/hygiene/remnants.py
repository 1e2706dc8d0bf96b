"""What the checks on remnants share: a small rest of a document that is nearly paid."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from runway_core.calculators.hygiene.check import plain_amount
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, SuggestedFix
from runway_core.domain.invoices import Invoice

REMNANT_DAYS = 30
LEAST_REMNANT = Decimal(5)  # below this in the document's currency a rest is small
REMNANT_SHARE = Decimal("0.01")  # and so it is below this share of the total

Document = TypeVar("Document", Bill, Invoice)


def find_remnants(documents: Iterable[Document], books: Books) -> list[Document]:
    """Documents over 30 days old of which part was paid and a rest below 5.00 or one per cent is open."""
    latest = books.as_of - timedelta(days=REMNANT_DAYS)
    return [
        document
        for document in documents
        if document.document_date < latest
        and document.open_balance < document.total
        and document.open_balance < max(LEAST_REMNANT, document.total * REMNANT_SHARE)
    ]


def show_remnant(document: Bill | Invoice) -> tuple[Evidence, ...]:
    """What was owed, and what is left of it."""
    return tuple(
        Evidence(name=name, value=plain_amount(amount, document.currency), record=document.key)
        for name, amount in (("total", document.total), ("open_balance", document.open_balance))
    )


def suggest_write_off(document: Bill | Invoice, label: str) -> SuggestedFix:
    """Take the rest off: it is neither paid nor received any more."""
    amendment = Amendment(action=AmendmentAction.REMOVE, record=document.key)
    return SuggestedFix(label=label, record=document.key, amendments=(amendment,))
