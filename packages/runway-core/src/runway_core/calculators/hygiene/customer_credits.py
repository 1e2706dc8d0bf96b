"""What the checks on credits of customers share: money a customer has with us while an invoice of theirs is open."""

from collections.abc import Sequence
from decimal import Decimal

from runway_core.calculators.hygiene.check import plain_amount, say_amount
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, SuggestedFix
from runway_core.domain.identity import RecordKey
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice

MOST_CANDIDATES = 3

CustomerCurrency = tuple[str, str]


def group_open_invoices(books: Books) -> dict[CustomerCurrency, list[Invoice]]:
    """Open invoices by customer and currency, each list by due date, then id."""
    groups: dict[CustomerCurrency, list[Invoice]] = {}
    for invoice in books.open_invoices:
        if invoice.customer_id is not None:
            groups.setdefault((invoice.customer_id, invoice.currency), []).append(invoice)
    return groups


def name_customer(document: CreditMemo | CustomerPayment) -> str:
    """Who the customer is, in words."""
    return document.customer_name or f"customer {document.customer_id}"


def rank_candidates(invoices: Sequence[Invoice], amount: Decimal) -> list[Invoice]:
    """The invoices a credit may belong to: those over its very amount first, then the oldest due."""
    return sorted(invoices, key=lambda invoice: invoice.open_balance != amount)[:MOST_CANDIDATES]


def show_candidates(invoices: Sequence[Invoice]) -> tuple[Evidence, ...]:
    """What is open of each candidate."""
    return tuple(
        Evidence(name="open_balance", value=plain_amount(invoice.open_balance, invoice.currency), record=invoice.key)
        for invoice in invoices
    )


def suggest_application(invoices: Sequence[Invoice], amount: Decimal, *, record: RecordKey) -> tuple[SuggestedFix, ...]:
    """Apply a credit to one of the candidates.

    Expected cash stays as it is: it counts the credit against the customer's open invoices already.
    """
    return tuple(
        SuggestedFix(
            label=f"Apply {say_amount(min(amount, invoice.open_balance), invoice.currency)} to invoice "
            f"{invoice.number or invoice.external_id}",
            record=record,
        )
        for invoice in invoices
    )
