"""Defects on the side of what the company is owed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from runway_sandbox.economy.calendar import next_business_day
from runway_sandbox.economy.model import Doc, Line, Party, Plan
from runway_sandbox.economy.parties import new_customer
from runway_sandbox.economy.plant_bills import entered_soon
from runway_sandbox.economy.purchases import distinct_amount
from runway_sandbox.economy.sales import new_credit_memo, new_invoice, receive

_PLACEHOLDERS = ("Unknown Customer", "Customer", "Misc.")


def buyers(plan: Plan, taken: set[Party]) -> list[Party]:
    """Return customers fit for planting: several invoices within a year, real terms, not taken."""
    invoices = Counter(
        doc.party for doc in plan.docs if doc.kind == "Invoice" and not doc.planted and doc.day > plan.as_of - 365
    )
    return [
        customer
        for customer in plan.customers
        if customer.active
        and customer.terms is not None
        and customer.terms.days >= 10
        and invoices[customer] >= 4
        and customer not in taken
    ]


def take_buyer(plan: Plan, taken: set[Party]) -> Party | None:
    """Take one of the buyers, by chance; `None` if all are taken."""
    customers = buyers(plan, taken)
    if not customers:
        return None
    customer = plan.rng.choice(customers)
    taken.add(customer)
    return customer


def add_invoice(plan: Plan, customer: Party, day: int, *, at_least: int = 12_000) -> Doc:
    """Add an open, sent invoice of an unused amount."""
    totals = [doc.total for doc in plan.docs if doc.kind == "Invoice"][-40:] or [90_000]
    wanted = max(at_least, int(plan.rng.choice(totals) * (0.8 + 0.3 * plan.rng.random())))
    amount = distinct_amount(plan, customer, day, cents=wanted)
    invoice = new_invoice(plan, customer, day, amount=amount)
    invoice.entered = invoice.updated = entered_soon(plan, day)
    invoice.planted = True
    plan.docs.append(invoice)
    return invoice


def _dates_wrong(plan: Plan, taken: set[Party]) -> bool:
    customer = take_buyer(plan, taken)
    if customer is None or customer.terms is None:
        return False
    rng = plan.rng
    variant = rng.randrange(4)
    if variant == 3:
        invoice = add_invoice(plan, customer, plan.as_of + rng.randint(4, 15))
        note = "invoice date lies in the future"
    else:
        invoice = add_invoice(plan, customer, plan.last - rng.randint(4, 40))
        if variant == 0:
            invoice.due, invoice.terms, note = None, None, "open, no due date"
        elif variant == 1:
            invoice.due, note = invoice.day - rng.randint(2, 15), "due before the invoice date"
        else:
            invoice.due, invoice.terms = invoice.day, None
            note = f"due on the invoice date without terms; the customer is {customer.terms.name}"
    plan.truth.append(("AR01", [invoice], note))
    return True


def _customer_missing(plan: Plan, taken: set[Party]) -> bool:
    retired = [one for one in plan.customers if not one.active and one not in taken]
    if retired and plan.rng.random() < 0.6:
        customer, note = plan.rng.choice(retired), "customer is inactive"
    else:
        names = [name for name in _PLACEHOLDERS if all(name != one.name for one in plan.customers)]
        if not names:
            return False
        name = plan.rng.choice(names)
        customer, note = new_customer(plan, name, terms=None), "customer is a placeholder"
    taken.add(customer)
    invoice = add_invoice(plan, customer, plan.last - plan.rng.randint(3, 60))
    plan.truth.append(("AR02", [invoice], note))
    return True


def _duplicate(plan: Plan, taken: set[Party]) -> bool:
    fit = set(buyers(plan, taken))
    found = [
        doc
        for doc in plan.docs
        if doc.kind == "Invoice"
        and not doc.planted
        and not doc.recurring
        and doc.party in fit
        and plan.last - 75 <= doc.day <= plan.last - 18
    ]
    if not found:
        return False
    rng = plan.rng
    invoice = rng.choice(found)
    assert invoice.party is not None
    assert invoice.due is not None
    taken.add(invoice.party)
    same_number = rng.random() < 0.4
    day = invoice.day + (rng.randint(2, 15) if same_number else rng.randint(0, 4))
    twin = Doc("Invoice", day, entered_soon(plan, day), invoice.party, invoice.total, [])
    twin.entered = twin.updated = max(twin.entered, invoice.entered + 400)
    twin.lines = [Line(line.amount, line.account, line.text, line.item, line.quantity) for line in invoice.lines]
    twin.tax, twin.balance, twin.account = invoice.tax, invoice.total, invoice.account
    twin.due, twin.terms = day + invoice.due - invoice.day, invoice.terms
    twin.number = invoice.number if same_number else str(plan.next_invoice)
    plan.next_invoice += 0 if same_number else 1
    twin.planted = invoice.planted = True
    plan.docs.append(twin)
    note = "same number" if same_number else "same customer, amount and lines within 5 days"
    plan.truth.append(("AR03", [invoice, twin], note))
    return True


def _stale(plan: Plan, taken: set[Party]) -> bool:
    customer = take_buyer(plan, taken)
    if customer is None or customer.terms is None:
        return False
    late = plan.rng.randint(126, 260)
    invoice = add_invoice(plan, customer, plan.as_of - late - customer.terms.days)
    plan.truth.append(("AR05", [invoice], f"{late} days late, nothing happened for 60 days"))
    return True


def _memo_unapplied(plan: Plan, taken: set[Party]) -> bool:
    fit = set(buyers(plan, taken))
    found = [
        doc
        for doc in plan.docs
        if doc.kind == "Invoice" and not doc.planted and doc.party in fit and doc.balance == doc.total
    ]
    if not found:
        return False
    invoice = plan.rng.choice(found)
    assert invoice.party is not None
    taken.add(invoice.party)
    day = plan.last - plan.rng.randint(4, 30)
    memo = new_credit_memo(plan, invoice.party, day, amount=invoice.total * plan.rng.randint(10, 40) // 100)
    memo.entered = memo.updated = entered_soon(plan, day)
    memo.planted = True
    plan.docs.append(memo)
    plan.truth.append(("AR07", [invoice.party, memo], "a credit is open while an invoice is open"))
    return True


def _undeposited(plan: Plan, taken: set[Party]) -> bool:
    customer = take_buyer(plan, taken)
    if customer is None:
        return False
    rng = plan.rng
    invoice = add_invoice(plan, customer, plan.as_of - rng.randint(70, 100))
    age = rng.choice((rng.randint(10, 28), rng.randint(34, 60)))
    payment = receive(plan, customer, next_business_day(plan.as_of - age - 1), parts=[(invoice, invoice.total)])
    if payment is None:
        return False
    payment.planted = True
    payment.account = plan.accounts["undeposited"]
    plan.truth.append(("AR08", [payment], f"in undeposited funds for {plan.as_of - payment.day} days"))
    return True


def _not_sent(plan: Plan, taken: set[Party]) -> bool:
    found = [
        doc
        for doc in plan.docs
        if doc.kind == "Invoice"
        and not doc.planted
        and doc.balance > 0
        and doc.day < plan.as_of - 6
        and doc.party not in taken
    ]
    if not found:
        return False
    invoice = plan.rng.choice(found)
    invoice.planted, invoice.sent = True, False
    plan.truth.append(("AR11", [invoice], "open and never sent"))
    return True


def _remnant(plan: Plan, taken: set[Party]) -> bool:
    customer = take_buyer(plan, taken)
    if customer is None or customer.terms is None:
        return False
    rng = plan.rng
    due = plan.as_of - rng.randint(36, 85)
    invoice = add_invoice(plan, customer, due - customer.terms.days, at_least=30_000)
    left = rng.randint(30, 480)
    day = next_business_day(due + 2)
    if receive(plan, customer, day, parts=[(invoice, invoice.total - left)]) is None:
        return False
    plan.truth.append(("AR12", [invoice], f"{left} cents are left of a paid invoice"))
    return True


SALES_PLANTERS: dict[str, Callable[[Plan, set[Party]], bool]] = {
    "AR01": _dates_wrong,
    "AR02": _customer_missing,
    "AR03": _duplicate,
    "AR05": _stale,
    "AR07": _memo_unapplied,
    "AR08": _undeposited,
    "AR11": _not_sent,
    "AR12": _remnant,
}
