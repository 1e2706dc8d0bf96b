"""AR12: a few cents that keep an invoice open."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.calculators.hygiene.remnants import find_remnants, show_remnant, suggest_write_off
from runway_core.calculators.matching.shortfalls import card_fee
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, RunwayEffect, Severity


class InvoiceRemnant:
    """An invoice older than 30 days that is paid but for less than 5.00 or one per cent."""

    id = "AR12"
    name = "invoice_remnant"
    floor = Severity.LOW
    effect = RunwayEffect.SHORTENS
    reads = frozenset({"invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every invoice with a small rest."""
        for invoice in find_remnants(books.open_invoices, books):
            is_card_fee = invoice.open_balance == card_fee(invoice.total, invoice.currency)
            yield build_finding(
                self,
                books,
                subjects=(invoice.key,),
                amount=invoice.open_balance,
                currency=invoice.currency,
                summary=f"Invoice {invoice.number or invoice.external_id} of "
                f"{invoice.customer_name or 'an unknown customer'} is paid but for "
                f"{say_amount(invoice.open_balance, invoice.currency)}"
                + (", which is the usual card fee" if is_card_fee else ""),
                evidence=show_remnant(invoice),
                fixes=(suggest_write_off(invoice, "Record the fee, or write the rest off"),),
            )
