"""Double entry: what each document moves, and the balances that follow."""

from __future__ import annotations

from collections.abc import Iterator

from runway_sandbox.economy.model import Account, Doc, Plan

Posting = tuple[Account, int]  # debit positive, credit negative, in cents


def postings(plan: Plan, doc: Doc) -> Iterator[Posting]:
    """Yield what a document books; the amounts of one document add up to nil."""
    accounts = plan.accounts
    kind = doc.kind
    if kind == "Bill":
        yield accounts["payable"], -doc.total
        yield from ((line.account, line.amount) for line in doc.lines)
    elif kind == "VendorCredit":
        yield accounts["payable"], doc.total
        yield from ((line.account, -line.amount) for line in doc.lines)
    elif kind == "BillPayment":
        assert doc.account is not None
        yield accounts["payable"], doc.total
        yield doc.account, -doc.total
    elif kind in {"Invoice", "CreditMemo"}:
        sign = 1 if kind == "Invoice" else -1
        yield accounts["receivable"], sign * doc.total
        yield from ((line.account, -sign * line.amount) for line in doc.lines)
        if doc.tax:
            yield accounts["sales_tax"], -sign * doc.tax
    elif kind == "Payment":
        if doc.total:
            assert doc.account is not None
            yield doc.account, doc.total
            yield accounts["receivable"], -doc.total
    elif kind == "Deposit":
        assert doc.account is not None
        yield doc.account, doc.total
        if doc.applied:
            yield accounts["undeposited"], -doc.total
        else:
            yield from ((line.account, -line.amount) for line in doc.lines)
    elif kind == "Purchase":
        assert doc.account is not None
        sign = 1 if doc.sent else -1  # `sent` is false on a card refund
        yield doc.account, -sign * doc.total
        yield from ((line.account, sign * line.amount) for line in doc.lines)
    elif kind == "Transfer":
        assert doc.account is not None
        assert doc.other is not None
        yield doc.other, -doc.total
        yield doc.account, doc.total
    else:
        assert kind == "JournalEntry", kind
        yield from ((line.account, line.amount) for line in doc.lines)


def post_all(plan: Plan) -> None:
    """Book every document: balances and last changes of accounts, vendors and customers."""
    for doc in plan.docs:
        for account, amount in postings(plan, doc):
            account.balance += amount
            account.updated = max(account.updated, doc.entered)
        party = doc.party
        if party is None:
            continue
        party.updated = max(party.updated, doc.updated)
        if doc.kind in {"Bill", "Invoice"}:
            party.balance += doc.balance
        elif doc.kind in {"VendorCredit", "CreditMemo", "BillPayment", "Payment"}:
            party.balance -= doc.balance
