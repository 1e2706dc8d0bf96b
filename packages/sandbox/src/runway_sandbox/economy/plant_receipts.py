"""Defects in what came in from customers: money that reached the books by the wrong way, or stopped half way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import combinations

from runway_sandbox.economy.calendar import is_business_day, next_business_day
from runway_sandbox.economy.model import Account, Doc, Line, Party, Plan
from runway_sandbox.economy.plant_bills import entered_soon
from runway_sandbox.economy.plant_sales import add_invoice, buyers, take_buyer
from runway_sandbox.economy.sales import card_fee, new_credit_memo, receive


def _bank_day(plan: Plan, day: int) -> int:
    """Return the next day on which banks work, or the last one before the books are looked at."""
    day = next_business_day(day)
    while day > plan.last or not is_business_day(day):
        day -= 1
    return day


def _pay_in(plan: Plan, customer: Party, day: int, *, amount: int) -> Doc:
    """Book a payment to the bank that is applied to nothing."""
    payment = Doc("Payment", day, entered_soon(plan, day), customer, amount, [])
    payment.updated = payment.entered
    payment.account = plan.accounts["checking"]
    payment.balance = amount
    payment.planted = True
    plan.docs.append(payment)
    return payment


def _open_of(plan: Plan, customer: Party) -> int:
    """Return what is open of a customer's invoices."""
    return sum(doc.balance for doc in plan.docs if doc.kind == "Invoice" and doc.party is customer)


def _unapplied(plan: Plan, taken: set[Party]) -> bool:
    customer = take_buyer(plan, taken)
    if customer is None:
        return False
    rng = plan.rng
    variant = rng.randrange(3)
    invoice = add_invoice(plan, customer, plan.last - rng.randint(6, 40), at_least=20_000)
    day = _bank_day(plan, invoice.day + rng.randint(1, 5))
    if variant == 2:  # more came than an older invoice asked for
        older = add_invoice(plan, customer, invoice.day - rng.randint(25, 50))
        payment = receive(plan, customer, day, parts=[(older, older.total)])
        if payment is None:
            return False
        payment.account, payment.planted = plan.accounts["checking"], True
        payment.balance = invoice.total * rng.randint(10, 60) // 100
        payment.total += payment.balance
        note = "more came than the invoice asked for, and another is open"
    else:
        amount = invoice.total if variant == 0 else invoice.total * rng.randint(20, 70) // 100
        payment = _pay_in(plan, customer, day, amount=amount)
        note = "the open invoice was paid, the payment not applied" if variant == 0 else "paid in advance, not applied"
    plan.truth.append(("AR06", [payment], note))
    return True


def _balance_negative(plan: Plan, taken: set[Party]) -> bool:
    fit = [customer for customer in buyers(plan, taken) if not _open_of(plan, customer)]
    if not fit:
        return False
    rng = plan.rng
    customer = rng.choice(fit)
    taken.add(customer)
    day = _bank_day(plan, plan.last - rng.randint(8, 60))
    amount = rng.randint(4_000, 60_000)
    if rng.random() < 0.5:
        _pay_in(plan, customer, day, amount=amount)
        note = "paid in advance, nothing is open"
    else:
        memo = new_credit_memo(plan, customer, day, amount=amount)
        memo.planted = True
        plan.docs.append(memo)
        note = "a credit is left, nothing is open"
    plan.truth.append(("AR10", [customer], note))
    return True


def _book_as_income(plan: Plan, day: int, *, amount: int, payer: Party | None = None, text: str | None = None) -> Doc:
    """Book a deposit straight to sales, as somebody does who takes the bank's line and looks for no invoice."""
    income = plan.accounts["uncategorized_income" if plan.rng.random() < 0.3 else "sales"]
    deposit = Doc("Deposit", day, entered_soon(plan, day), payer, amount, [Line(amount, income, text)])
    deposit.updated = deposit.entered
    deposit.account = plan.accounts["checking"]
    deposit.planted = True
    plan.docs.append(deposit)
    if income.key == "uncategorized_income":
        plan.truth.append(("BK08", [deposit], f"booked to {income.name}"))
    return deposit


def _is_only_sum(plan: Plan, customer: Party, amount: int) -> bool:
    """Say whether exactly one choice of a customer's open invoices adds up to `amount`."""
    balances = [doc.balance for doc in plan.docs if doc.kind == "Invoice" and doc.party is customer and doc.balance]
    sums = Counter(sum(chosen) for size in range(1, 9) for chosen in combinations(balances, size))
    return sums[amount] == 1


def _paid_elsewhere(plan: Plan, taken: set[Party]) -> bool:
    customer = take_buyer(plan, taken)
    if customer is None:
        return False
    rng = plan.rng
    variant = rng.randrange(4)
    invoice = add_invoice(plan, customer, plan.last - rng.randint(9, 70))
    invoices = [invoice]
    if variant == 3:
        invoices.append(add_invoice(plan, customer, invoice.day + rng.randint(1, 4)))
        if not _is_only_sum(plan, customer, invoices[0].total + invoices[1].total):
            return False
    amount = sum(one.total for one in invoices)
    day = _bank_day(plan, invoices[-1].day + rng.randint(-4, 3) if variant == 0 else invoices[-1].day + 2)
    payer, text, note = (
        (customer, "Deposit", "a deposit from the customer over its amount was booked as income"),
        (None, "Deposit", "a deposit over its amount was booked as income"),
        (None, f"ACH CREDIT INV {invoice.number}", "a deposit that names its number was booked as income"),
        (customer, None, "one deposit over both amounts was booked as income"),
    )[variant]
    deposit = _book_as_income(plan, day, amount=amount, payer=payer, text=text)
    plan.truth.append(("AR04", [deposit, *invoices], note))
    _near_miss(plan, taken)
    return True


def _near_miss(plan: Plan, taken: set[Party]) -> None:
    """Book a sale over the counter to a customer who is billed as much some weeks later: two sales, not one."""
    customer = take_buyer(plan, taken) if plan.rng.random() < 0.3 else None
    if customer is not None:
        invoice = add_invoice(plan, customer, plan.last - plan.rng.randint(5, 30))
        day = _bank_day(plan, invoice.day - plan.rng.randint(12, 25))
        _book_as_income(plan, day, amount=invoice.total, payer=customer, text="Counter sale")


def _booked_twice(plan: Plan, taken: set[Party]) -> bool:
    customer = take_buyer(plan, taken)
    if customer is None:
        return False
    rng = plan.rng
    invoice = add_invoice(plan, customer, plan.last - rng.randint(50, 90))
    age = rng.randint(2, 40)
    payment = receive(plan, customer, _bank_day(plan, plan.last - age), parts=[(invoice, invoice.total)])
    if payment is None:
        return False
    payment.planted = True
    payment.account = plan.accounts["undeposited"]
    payer = customer if rng.random() < 0.5 else None
    is_near = rng.random() < 0.8
    day = _bank_day(plan, payment.day + rng.randint(0, 6)) if is_near else payment.day - 20
    deposit = _book_as_income(plan, day, amount=payment.total, payer=payer, text="Deposit")
    if is_near:
        plan.truth.append(("AR09", [payment, deposit], "in undeposited funds, and deposited as income"))
    if plan.as_of - payment.day > 7:
        plan.truth.append(("AR08", [payment], f"in undeposited funds for {plan.as_of - payment.day} days"))
    return True


def _fee_missing(plan: Plan, taken: set[Party]) -> bool:
    customer = take_buyer(plan, taken)
    if customer is None or customer.terms is None:
        return False
    rng = plan.rng
    variant = rng.randrange(3)
    invoice = add_invoice(plan, customer, plan.last - rng.randint(20, 60), at_least=30_000)
    day = _bank_day(plan, invoice.day + rng.randint(3, 12))
    fee = card_fee(invoice.total) if variant else invoice.total * rng.randint(25, 34) // 1000
    received: Doc | None
    if variant < 2:
        received = receive(plan, customer, day, parts=[(invoice, invoice.total - fee)])
        if received is None:
            return False
        received.account, received.planted = plan.accounts["checking"], True
        note = f"the payment is short by a fee of {fee} cents that no line books"
    else:
        payer = customer if rng.random() < 0.5 else None
        received = _book_as_income(plan, day, amount=invoice.total - fee, payer=payer, text="Card deposit")
        note = f"the deposit is the invoice less a fee of {fee} cents, booked as income"
    plan.truth.append(("SY05", [invoice, received], note))
    return True


def _rate_missing(plan: Plan, _taken: set[Party]) -> bool:
    """Open a bank account abroad; nobody told the advisors what its currency is worth."""
    rng = plan.rng
    code, rate = rng.choice((("EUR", Decimal("1.08")), ("GBP", Decimal("1.25"))))
    number = max(int(one.id) for one in plan.accounts.values()) + 1
    moment = plan.moment(plan.first - 20)
    name = f"{code} account"
    account = Account("abroad", str(number), name, "Bank", "MoneyMarket", "Asset", created=moment, updated=moment)
    account.currency = code
    plan.accounts["abroad"] = account
    day = next_business_day(plan.first + rng.randint(20, 400))
    amount = rng.randint(5, 90) * 10_000
    lines = [Line(amount, account, "Owner's money"), Line(-amount, plan.accounts["opening"], "Owner's money")]
    entry = Doc("JournalEntry", day, plan.moment(day), None, amount, lines)
    entry.updated = entry.entered
    entry.currency, entry.rate, entry.memo = code, rate, f"{code} account opened"
    plan.docs.append(entry)
    plan.truth.append(("SY06", [account], f"an account in {code}, which has no rate"))
    return True


RECEIPT_PLANTERS: dict[str, Callable[[Plan, set[Party]], bool]] = {
    "AR04": _paid_elsewhere,
    "AR06": _unapplied,
    "AR09": _booked_twice,
    "AR10": _balance_negative,
    "SY05": _fee_missing,
    "SY06": _rate_missing,
}
