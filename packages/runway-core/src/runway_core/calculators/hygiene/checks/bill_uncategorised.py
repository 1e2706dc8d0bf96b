"""AP10: a bill that nobody has put where it belongs."""

from collections.abc import Iterable, Sequence

import msgspec

from runway_core.calculators.hygiene.categories import (
    find_unsorted_accounts,
    find_unsorted_lines,
    find_usual_account,
)
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.money import ZERO


class BillUncategorised:
    """A bill, open or paid, with a line on an uncategorised, ask-my-accountant or suspense account, or on none."""

    id = "AP10"
    name = "bill_uncategorised"
    floor = Severity.LOW
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"chart", "bills"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every bill with such a line."""
        unsorted = books.derive(find_unsorted_accounts)
        suspects = unsorted.keys() | {None}
        for bill in books.bills:
            for line in bill.lines:
                if line.account_id in suspects:
                    yield from self._judge(books, bill, unsorted)
                    break

    def _judge(self, books: Books, bill: Bill, unsorted: dict[str, str]) -> Iterable[Finding]:
        lines = find_unsorted_lines(bill.lines, unsorted)
        if not lines:
            return
        names = ", ".join(dict.fromkeys(unsorted.get(line.account_id or "", "no account") for line in lines))
        yield build_finding(
            self,
            books,
            subjects=(bill.key,),
            amount=sum((line.amount for line in lines), ZERO),
            currency=bill.currency,
            summary=f"Bill {bill.number or bill.external_id} of {bill.vendor_name or 'an unknown vendor'} over "
            f"{say_amount(bill.total, bill.currency)} is booked to {names}",
            evidence=[
                Evidence(
                    name=f"line {line.line_id or line.description or ''}".strip(),
                    value=f"{plain_amount(line.amount, bill.currency)} on "
                    f"{unsorted.get(line.account_id or '', 'no account')}: {line.description or 'no text'}",
                    record=bill.key,
                )
                for line in lines
            ],
            fixes=_suggest(books, bill, lines, unsorted),
        )


def _suggest(
    books: Books, bill: Bill, lines: Sequence[DocumentLine], unsorted: dict[str, str]
) -> tuple[SuggestedFix, ...]:
    """The vendor's usual account, as a write where every line has an id; else a person chooses."""
    others = [one.lines for one in books.bills_by_vendor.get(bill.vendor_id or "", ()) if one is not bill]
    usual = find_usual_account(others, unsorted)
    if usual is None:
        return (SuggestedFix(label="Choose the account", record=bill.key),)
    account_id, count = usual
    account = books.account_by_id.get(account_id)
    name = account_id if account is None else account.full_name
    targets = {line.line_id: account_id for line in lines if line.line_id is not None}
    is_write = len(targets) == len(lines) and all(line.account_id is not None for line in lines)
    fields = {"line_account": msgspec.json.encode(targets, order="sorted").decode()} if is_write else {}
    return (SuggestedFix(label=f"Book it to {name}, as {count} of the last bills", record=bill.key, fields=fields),)
