"""Double entry: what each document moves, and the balances that follow."""

from __future__ import annotations

from collections.abc import Iterator

from runway_sandbox.economy.model import Account, Doc, Plan

Posting = tuple[Account, int]  # debit positive, credit negative, in cents

# Where the other half goes when a document has no lines of its own.
_OTHER_SIDE = {"BillPayment": "payable", "Payment": "receivable", "Deposit": "undeposited"}


def _trade_postings(plan: Plan, doc: Doc) -> Iterator[Posting]:
    """Yield what a bill, invoice or credit books: the control account, the lines, the tax."""
    control = plan.accounts["payable" if doc.kind in {"Bill", "VendorCredit"} else "receivable"]
    sign = 1 if doc.kind in {"Invoice", "VendorCredit"} else -1  # 1: the control account is debited
    yield control, sign * doc.total
    for line in doc.lines:
        yield line.account, -sign * line.amount
    if doc.tax:
        yield plan.accounts["sales_tax"], -sign * doc.tax


def postings(plan: Plan, doc: Doc) -> Iterator[Posting]:
    """Yield what a document books; the amounts of one document add up to nil."""
    kind = doc.kind
    if kind in {"Bill", "VendorCredit", "Invoice", "CreditMemo"}:
        yield from _trade_postings(plan, doc)
    elif kind == "JournalEntry":
        # What a foreign entry moves on the company's own accounts is converted at the entry's rate.
        yield from (
            (line.account, line.amount if line.account.currency else int(line.amount * doc.rate)) for line in doc.lines
        )
    elif doc.account is not None:  # without an account: a payment that only joins a credit to an invoice
        # `sent` is false on a card refund, the one purchase that brings money back.
        brings = kind in {"Payment", "Deposit", "Transfer"} or (kind == "Purchase" and not doc.sent)
        sign = 1 if brings else -1
        yield doc.account, sign * doc.total
        other = _OTHER_SIDE.get(kind)
        if kind == "Transfer" and doc.other is not None:
            yield doc.other, -doc.total
        elif kind == "Deposit" and doc.applied:
            yield plan.accounts["undeposited"], -sum(amount for _, amount in doc.applied)
            yield from ((line.account, -line.amount) for line in doc.lines)
        elif other is not None and not doc.lines:
            yield plan.accounts[other], -sign * doc.total
        else:
            yield from ((line.account, -sign * line.amount) for line in doc.lines)


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
