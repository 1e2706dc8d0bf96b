"""Defects in the ledger itself: accounts on the wrong side, entries nobody sorted, control accounts that do not agree.

Most of them are planted late, once wages, card and tax are booked, so that they find the entries they spoil; cash is
funded after them, and so never runs dry by what they add.
"""

from __future__ import annotations

from collections.abc import Callable

from runway_sandbox.economy.calendar import next_business_day
from runway_sandbox.economy.ledger import postings
from runway_sandbox.economy.model import Account, Doc, Line, Party, Plan
from runway_sandbox.economy.parties import new_vendor
from runway_sandbox.economy.plant_bills import entered_soon
from runway_sandbox.economy.treasury import transfer

_ISSUERS = ("American Express", "Chase Card Services", "Capital One Credit Card", "Cardmember Service", "Business Visa")
_OWNERS = ("Owner contribution", "Shareholder loan", "Capital contribution from owner", "Money from partner")
_LENDERS = ("SBA loan proceeds", "Draw on line of credit", "Term loan, First Harbor Bank", "Bridge loan")


def _open_account(plan: Plan, key: str, name: str, *, kind: str, subkind: str, classification: str) -> Account:
    """Add an account to the chart."""
    first = plan.accounts["checking"].created
    account = Account(key, str(len(plan.accounts) + 1), name, kind, subkind, classification)
    account.created = account.updated = first + len(plan.accounts)
    plan.accounts[key] = account
    return account


def _add(plan: Plan, doc: Doc) -> Doc:
    doc.entered = doc.updated = entered_soon(plan, doc.day)
    doc.planted = True
    plan.docs.append(doc)
    return doc


def _enter(plan: Plan, day: int, *, amount: int, debit: Account, credit: Account, memo: str) -> Doc:
    """Book a journal entry over `amount` cents."""
    entry = Doc("JournalEntry", day, 0, None, amount, [Line(amount, debit, memo), Line(-amount, credit, memo)])
    entry.memo = memo
    return _add(plan, entry)


def _take_in(plan: Plan, day: int, *, amount: int, account: Account, text: str | None) -> Doc:
    """Deposit money that is booked straight to an account."""
    deposit = Doc("Deposit", day, 0, None, amount, [Line(amount, account, text)])
    deposit.account = plan.accounts["checking"]
    return _add(plan, deposit)


def _spend(plan: Plan, party: Party | None, day: int, *, amount: int, account: Account, text: str, source: str) -> Doc:
    """Spend money without a bill, by cheque from the bank or by card."""
    doc = Doc("Purchase", day, 0, party, amount, [Line(amount, account, text)])
    doc.account = plan.accounts[source]
    doc.method = "CreditCard" if source == "card" else "Cash" if source == "petty" else "Check"
    return _add(plan, doc)


def _odd(plan: Plan, low: int, high: int) -> int:
    """Return an amount in cents that resembles no invoice: no whole dollars."""
    return plan.rng.randint(low, high) * 100 + plan.rng.randint(1, 99)


def _balance_of(plan: Plan, account: Account) -> int:
    """Return what stands on an account so far, debit positive."""
    return sum(amount for doc in plan.docs for one, amount in postings(plan, doc) if one is account)


def _sign_wrong(plan: Plan, _taken: set[Party]) -> bool:
    variant = ("petty", "card", "undeposited")[plan.rng.randrange(3)]
    if variant == "petty":
        petty = _open_account(plan, "petty", "Petty Cash", kind="Bank", subkind="CashOnHand", classification="Asset")
        payee = new_vendor(plan, "Corner Post Office", terms=None, account=plan.accounts["office"])
        payee.method = "cash"
        for back in (61, 33, 12):
            _spend(
                plan, payee, plan.last - back, amount=_odd(plan, 8, 60), account=plan.accounts["office"],
                text="Stamps and parcels", source="petty",
            )  # fmt: skip
        plan.truth.append(("BK06", [petty], "spent from, and its filling was never entered"))
        return True
    plan.late.append(("BK06", _overpay_card if variant == "card" else _deposit_twice))
    return True


def _overpay_card(plan: Plan) -> None:
    """Enter a payment of the card twice, so that more was paid than is owed."""
    card = plan.accounts["card"]
    owed = -_balance_of(plan, card)
    amount = max(owed, 0) + _odd(plan, 40, 900)
    doc = transfer(
        plan, plan.last - plan.rng.randint(2, 20), amount=amount, source=plan.accounts["checking"], target=card
    )
    doc.memo, doc.is_real = "Visa payment", False
    _add(plan, doc)
    plan.truth.append(("BK06", [card], "a payment of the card is entered twice"))


def _deposit_twice(plan: Plan) -> None:
    """Take more to the bank than was received."""
    waiting = plan.accounts["undeposited"]
    amount = max(_balance_of(plan, waiting), 0) + _odd(plan, 90, 1_500)
    doc = _take_in(plan, plan.last - plan.rng.randint(3, 40), amount=amount, account=waiting, text="Deposit")
    doc.is_real = False
    plan.truth.append(("BK06", [waiting], "a deposit is entered twice"))


def _spoilable(plan: Plan) -> list[Doc]:
    """Return purchases from merchants that nothing was planted on, entered within a year."""
    return [
        doc
        for doc in plan.docs
        if doc.kind == "Purchase"
        and not doc.planted
        and doc.party is not None
        and doc.party.method == "merchant"
        and doc.day > plan.as_of - 365
    ]


def _unsorted(plan: Plan, _taken: set[Party]) -> bool:
    plan.late.append(("BK08", _leave_unsorted))
    return True


def _leave_unsorted(plan: Plan) -> None:
    rng = plan.rng
    found = _spoilable(plan)
    if rng.random() < 0.25 or not found:
        income = plan.accounts["uncategorized_income"]
        day = next_business_day(plan.last - rng.randint(5, 300))
        doc = _take_in(plan, day, amount=_odd(plan, 20, 700), account=income, text="Mobile deposit")
    else:
        doc = rng.choice(found)
        doc.planted = True
        doc.lines[-1].account = plan.accounts[rng.choice(("ask", "uncategorized"))]
    plan.truth.append(("BK08", [doc], f"booked to {doc.lines[-1].account.name}"))


def _nameless(plan: Plan, _taken: set[Party]) -> bool:
    plan.late.append(("BK09", _drop_payee))
    return True


def _drop_payee(plan: Plan) -> None:
    found = _spoilable(plan)
    if found:
        doc = plan.rng.choice(found)
        doc.planted, doc.party = True, None
        plan.truth.append(("BK09", [doc], "names no payee"))


def _card_as_expense(plan: Plan, _taken: set[Party]) -> bool:
    rng = plan.rng
    issuer = new_vendor(plan, rng.choice(_ISSUERS), terms=None, account=plan.accounts["office"])
    issuer.method = "issuer"
    day = next_business_day(plan.last - rng.randint(6, 200))
    account = plan.accounts[rng.choice(("office", "travel", "supplies"))]
    doc = _spend(plan, issuer, day, amount=_odd(plan, 150, 4_000), account=account, text="Statement", source="checking")
    plan.truth.append(("BK13", [doc], f"paying the card is booked to {account.name}"))
    if rng.random() < 0.5:  # what the card costs is an expense
        _spend(
            plan, issuer, day - 3, amount=_odd(plan, 20, 90), account=plan.accounts["fees"], text="Annual fee",
            source="checking",
        )  # fmt: skip
    return True


def _financing(plan: Plan, _taken: set[Party]) -> bool:
    rng = plan.rng
    receipts = sorted(doc.total for doc in plan.docs if doc.kind == "Payment" and doc.total)
    if len(receipts) < 6:
        return False
    # The till's takings count as receipts as well: they are made later, and may be larger than what customers pay.
    least = 5 * max(receipts[len(receipts) // 2], 0)
    variant = rng.randrange(3)
    if variant == 2:
        amount = max(1_000_000, least // 100_000 * 100_000 + 100_000) + rng.randint(0, 4) * 500_000
        text, note = None, "a round amount from nobody"
    else:
        amount = max(least, 400_000) + _odd(plan, 500, 9_000)
        text = rng.choice(_OWNERS if variant == 0 else _LENDERS)
        note = "the owner's money" if variant == 0 else "a loan"
    income = plan.accounts["sales" if plan.trade.taxable else "services"]
    day = next_business_day(plan.last - rng.randint(6, 200))
    plan.late.append(
        ("BK14", lambda late: _book_financing(late, day, amount=amount, income=income, text=text, note=note))
    )
    return True


def _book_financing(plan: Plan, day: int, *, amount: int, income: Account, text: str | None, note: str) -> None:
    taken = sorted(doc.total for doc in plan.docs if doc.kind in {"Payment", "Deposit"} and doc.total)
    amount = max(amount, 4 * taken[len(taken) // 2] // 100_000 * 100_000 + 100_000)
    doc = _take_in(plan, day, amount=amount, account=income, text=text)
    plan.truth.append(("BK14", [doc], f"{note} is booked to {income.name}"))


def _control_apart(plan: Plan, _taken: set[Party]) -> bool:
    plan.late.append(("GL01", _move_control))
    return True


def _move_control(plan: Plan) -> None:
    """Book past the documents; beside it an entry that was taken back, which leaves nothing."""
    rng = plan.rng
    receivable, payable = plan.accounts["receivable"], plan.accounts["payable"]
    office, sales = plan.accounts["office"], plan.accounts["services"]
    wrong, other = rng.choice(((receivable, payable), (payable, receivable)))
    day, amount = plan.last - rng.randint(8, 330), _odd(plan, 60, 3_000)
    debit, credit = (sales, receivable) if wrong is receivable else (office, payable)
    memo = "Adjust to last year's list" if wrong is receivable else "Accrued invoices"
    if rng.random() < 0.3:
        debit, credit = credit, debit
    _enter(plan, day, amount=amount, debit=debit, credit=credit, memo=memo)
    back = _odd(plan, 60, 900)
    for on, (left, right) in ((day, (other, office)), (day + 1, (office, other))):
        _enter(plan, on, amount=back, debit=left, credit=right, memo="Accrual and its reversal")
    plan.truth.append(("GL01", [wrong], "a journal entry stands on the control account"))


def _suspense(plan: Plan, _taken: set[Party]) -> bool:
    plan.late.append(("GL02", _park))
    return True


def _park(plan: Plan) -> None:
    """Leave something on an account that things should only pass through; beside it one through which wages pass."""
    rng = plan.rng
    checking = plan.accounts["checking"]
    name = rng.choice(("Suspense", "Bank Clearing Account", "Suspense - to sort"))
    account = _open_account(
        plan, "suspense", name, kind="Other Current Asset", subkind="OtherCurrentAssets", classification="Asset"
    )
    day = plan.last - rng.randint(34, 300)
    amount, part = _odd(plan, 50, 1_200), _odd(plan, 10, 49)
    _enter(plan, day, amount=amount, debit=account, credit=checking, memo="Unknown withdrawal")
    if rng.random() < 0.4:
        _enter(plan, day + 5, amount=part, debit=plan.accounts["office"], credit=account, memo="Partly explained")
    plan.truth.append(("GL02", [account], f"something stands there for {plan.as_of - day} days"))
    passing = _open_account(
        plan, "clearing", "Payroll Clearing", kind="Other Current Asset", subkind="OtherCurrentAssets",
        classification="Asset",
    )  # fmt: skip
    for back in (80, 52, 24, 10):
        wages = _odd(plan, 200, 900)
        _enter(plan, plan.last - back, amount=wages, debit=passing, credit=checking, memo="Wages on their way")
        if back > 20:
            _enter(plan, plan.last - back + 2, amount=wages, debit=plan.accounts["wages"], credit=passing, memo="Wages")


LEDGER_PLANTERS: dict[str, Callable[[Plan, set[Party]], bool]] = {
    "BK06": _sign_wrong,
    "BK08": _unsorted,
    "BK09": _nameless,
    "BK13": _card_as_expense,
    "BK14": _financing,
    "GL01": _control_apart,
    "GL02": _suspense,
}
