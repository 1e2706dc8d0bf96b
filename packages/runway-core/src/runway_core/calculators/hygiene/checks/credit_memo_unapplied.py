"""AR07: a credit that nobody took off an invoice."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.hygiene.customer_credits import (
    group_open_invoices,
    name_customer,
    rank_candidates,
    show_candidates,
    suggest_application,
)
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity


class CreditMemoUnapplied:
    """A credit memo with an open rest while an invoice of the same customer and currency is open."""

    id = "AR07"
    name = "credit_memo_unapplied"
    floor = Severity.MEDIUM
    effect = RunwayEffect.SHORTENS
    reads = frozenset({"credit_memos", "customer_list", "invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open credit memo that an open invoice waits for."""
        memos = [memo for memo in books.credit_memos if memo.open_balance > 0 and not memo.is_void]
        if not memos:
            return
        invoices = group_open_invoices(books)
        for memo in memos:
            candidates = invoices.get((memo.customer_id or "", memo.currency))
            if not candidates:
                continue
            customer = books.customer_by_id.get(memo.customer_id or "")
            nearest = rank_candidates(candidates, memo.open_balance)
            yield build_finding(
                self,
                books,
                subjects=(memo.key,) if customer is None else (customer.key, memo.key),
                amount=memo.open_balance,
                currency=memo.currency,
                summary=f"Credit memo {memo.number or memo.external_id} of {name_customer(memo)} over "
                f"{say_amount(memo.open_balance, memo.currency)} is open, and so "
                + ("is an invoice" if len(candidates) == 1 else f"are {len(candidates)} invoices"),
                evidence=(
                    Evidence(name="open_credit", value=plain_amount(memo.open_balance, memo.currency), record=memo.key),
                    *show_candidates(nearest),
                ),
                fixes=suggest_application(nearest, memo.open_balance, record=memo.key),
            )
