"""AR05: an invoice that will hardly be paid."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.activity import QUIET_DAYS, find_last_activity, find_last_payments
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind

STALE_DAYS = 120


class InvoiceStale:
    """An open invoice over 120 days late without a payment or a change in 60 days."""

    id = "AR05"
    name = "invoice_stale"
    floor = Severity.HIGH
    effect = RunwayEffect.SHORTENS
    reads = frozenset({"customer_payments", "invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open invoice that was left lying."""
        late = [
            (invoice, days)
            for invoice in books.open_invoices
            if invoice.due_date is not None and (days := (books.as_of - invoice.due_date).days) > STALE_DAYS
        ]
        wanted = [invoice.external_id for invoice, _ in late]
        paid = find_last_payments(books.customer_payments, RecordKind.INVOICE, wanted, as_of=books.as_of)
        for invoice, days in late:
            last = find_last_activity(invoice, paid.get(invoice.external_id), books)
            if (books.as_of - last).days > QUIET_DAYS:
                yield build_finding(
                    self,
                    books,
                    subjects=(invoice.key,),
                    amount=invoice.open_balance,
                    currency=invoice.currency,
                    summary=f"Invoice {invoice.number or invoice.external_id} to "
                    f"{invoice.customer_name or 'an unknown customer'} over "
                    f"{say_amount(invoice.open_balance, invoice.currency)} is {days} days late, quiet since {last}",
                    evidence=(
                        Evidence(name="due_date", value=str(invoice.due_date), record=invoice.key),
                        Evidence(
                            name="open_balance",
                            value=plain_amount(invoice.open_balance, invoice.currency),
                            record=invoice.key,
                        ),
                        Evidence(name="last_activity", value=last.isoformat(), record=invoice.key),
                    ),
                    fixes=(
                        SuggestedFix(label="Agree on a payment plan", record=invoice.key),
                        SuggestedFix(label="Hand over to collections", record=invoice.key),
                        SuggestedFix(
                            label="Write it off",
                            record=invoice.key,
                            amendments=(Amendment(action=AmendmentAction.REMOVE, record=invoice.key),),
                        ),
                    ),
                )
