"""AR10: a customer whom we owe money."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from runway_core.calculators.credits import find_customer_credits
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice

MOST_ITEMS = 5


class CustomerBalanceNegative:
    """A customer whose credits and payments on account are more than what is open of their invoices, in a currency."""

    id = "AR10"
    name = "customer_balance_negative"
    floor = Severity.LOW
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"credit_memos", "customer_payments", "customer_list", "invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every customer in the books with a negative balance; of several currencies the first by code is judged."""
        sums = {party: -amount for party, amount in find_customer_credits(books).items()}
        for invoice in books.open_invoices:
            party = (invoice.customer_id, invoice.currency)
            if party in sums:
                sums[party] += invoice.open_balance
        found: dict[str, tuple[str, Decimal]] = {}
        for (customer_id, currency), balance in sorted(sums.items(), key=lambda item: item[0][1]):
            if balance < 0 and customer_id is not None and customer_id in books.customer_by_id:
                found.setdefault(customer_id, (currency, balance))
        if not found:
            return
        items = _list_items(books, found)
        for customer_id, (currency, balance) in found.items():
            customer = books.customer_by_id[customer_id]
            yield build_finding(
                self,
                books,
                subjects=(customer.key,),
                amount=-balance,
                currency=currency,
                summary=f"{customer.name} has {say_amount(-balance, currency)} more with us than is open",
                evidence=(
                    Evidence(name="balance", value=plain_amount(balance, currency), record=customer.key),
                    *sorted(items[customer_id], key=lambda item: (item.name, item.record, item.value))[:MOST_ITEMS],
                ),
                fixes=(
                    SuggestedFix(label="Apply it to the next invoice", record=customer.key),
                    SuggestedFix(label="Refund it", record=customer.key),
                ),
            )


def _list_items(books: Books, found: dict[str, tuple[str, Decimal]]) -> dict[str, list[Evidence]]:
    """What makes up each balance: open invoices, credit memos, payments on account."""
    items: dict[str, list[Evidence]] = {customer_id: [] for customer_id in found}
    for name, record, amount in _read_items(books):
        customer_id = record.customer_id
        if customer_id in items and record.currency == found[customer_id][0]:
            items[customer_id].append(
                Evidence(name=name, value=plain_amount(amount, record.currency), record=record.key)
            )
    return items


def _read_items(books: Books) -> Iterator[tuple[str, CreditMemo | CustomerPayment | Invoice, Decimal]]:
    for memo in books.credit_memos:
        if memo.open_balance > 0 and not memo.is_void:
            yield "open_credit", memo, memo.open_balance
    for invoice in books.open_invoices:
        yield "open_invoice", invoice, invoice.open_balance
    for payment in books.customer_payments:
        if payment.unapplied > 0 and not payment.is_void:
            yield "unapplied", payment, payment.unapplied
