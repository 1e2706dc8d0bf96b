"""Defects in what came in from customers: money that reached the books by the wrong way, or stopped half way."""

from __future__ import annotations

from collections.abc import Callable

from runway_sandbox.economy.calendar import next_business_day
from runway_sandbox.economy.model import Doc, Party, Plan
from runway_sandbox.economy.plant_bills import entered_soon
from runway_sandbox.economy.plant_sales import add_invoice, buyers, take_buyer
from runway_sandbox.economy.sales import new_credit_memo, receive


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
    day = next_business_day(invoice.day + rng.randint(1, 5))
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
    day = next_business_day(plan.last - rng.randint(8, 60))
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


RECEIPT_PLANTERS: dict[str, Callable[[Plan, set[Party]], bool]] = {
    "AR06": _unapplied,
    "AR10": _balance_negative,
}
