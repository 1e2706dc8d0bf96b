"""AR02: nobody to collect from."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.names import is_placeholder_name
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.invoices import Invoice


class InvoiceCustomerMissing:
    """An open invoice with no customer, an inactive one, or a placeholder such as "Unknown" or "Misc"."""

    id = "AR02"
    name = "invoice_customer_missing"
    floor = Severity.MEDIUM
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"customer_list", "invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open invoice without a customer to collect from."""
        for invoice in books.open_invoices:
            fault = _find_fault(invoice, books)
            if fault is None:
                continue
            customer = books.customer_by_id.get(invoice.customer_id or "")
            name = customer.name if customer is not None else invoice.customer_name
            texts = [line.description or line.item_name or line.account_name for line in invoice.lines]
            yield build_finding(
                self,
                books,
                subjects=(invoice.key,),
                amount=invoice.open_balance,
                currency=invoice.currency,
                summary=f"Invoice {invoice.number or invoice.external_id} {fault}",
                evidence=(
                    Evidence(name="customer_id", value=invoice.customer_id or "none", record=invoice.key),
                    Evidence(name="customer_name", value=name or "none", record=invoice.key),
                    Evidence(name="lines", value="; ".join(text for text in texts if text)[:200] or "no text"),
                ),
                fixes=(SuggestedFix(label="Choose the customer", record=invoice.key),),
            )


def _find_fault(invoice: Invoice, books: Books) -> str | None:
    if invoice.customer_id is None:
        return "has no customer"
    customer = books.customer_by_id.get(invoice.customer_id)
    if customer is None:
        return None  # SY03 tells of references that lead nowhere
    if is_placeholder_name(customer.name):
        return f"names the placeholder customer {customer.name!r}"
    return None if customer.is_active else f"names the inactive customer {customer.name!r}"
