"""Defects around money that left by another way than the bill, and around whom it went to."""

from __future__ import annotations

from collections.abc import Callable

from runway_sandbox.economy.calendar import next_business_day
from runway_sandbox.economy.model import Doc, Line, Party, Plan
from runway_sandbox.economy.parties import new_vendor
from runway_sandbox.economy.plant_bills import entered_soon, take_supplier
from runway_sandbox.economy.purchases import distinct_amount, new_bill

_LEGAL = (" Inc.", " LLC", " Co.", " Corp.")


def _spend(plan: Plan, vendor: Party, day: int, *, amount: int) -> Doc:
    """Book an expense of a vendor, by the card where the vendor takes it."""
    assert vendor.account is not None
    entered = entered_soon(plan, day)
    doc = Doc("Purchase", day, entered, vendor, amount, [Line(amount, vendor.account, "From the bank feed")])
    doc.updated = entered
    by_card = vendor.method == "card"
    doc.method, doc.account = ("CreditCard", plan.accounts["card"]) if by_card else ("Check", plan.accounts["checking"])
    doc.planted = True
    plan.docs.append(doc)
    return doc


def _paid_elsewhere(plan: Plan, taken: set[Party]) -> bool:
    """Add an open bill and the expense that paid it; beside it now and then an expense that paid something else."""
    vendor = take_supplier(plan, taken)
    if vendor is None:
        return False
    rng = plan.rng
    day = plan.last - rng.randint(4, 60)
    amount = distinct_amount(plan, vendor, day, cents=int((vendor.typical or 30_000) * (0.75 + 0.5 * rng.random())))
    bill = new_bill(plan, vendor, day, amount=amount)
    bill.entered = bill.updated = entered_soon(plan, day)
    bill.planted = True
    plan.docs.append(bill)
    assert bill.due is not None
    latest = min(plan.last, bill.due + 40)
    variant = rng.randrange(4)
    left = {
        0: day + rng.randint(0, 5),  # paid when it came
        1: min(bill.due, latest) - rng.randint(0, 4),  # paid when it was due
        2: latest - rng.randint(0, 3),
        3: day - rng.randint(0, 3),  # paid by card when it was ordered
    }[variant]
    left = min(max(left, day - 3), plan.last)
    off = rng.choice((0, 0, 0, 1, -1))
    expense = _spend(plan, vendor, left, amount=amount + off)
    if rng.random() < 0.5:
        _spend(plan, vendor, day - rng.randint(4, 12), amount=amount)  # before the bill: for something else
    else:
        _spend(plan, vendor, left, amount=amount + rng.choice((2, -2, 900)))  # as much, but not quite
    plan.truth.append(("AP08", [bill, expense], "open, and an expense of the vendor over as much"))
    return True


def _entered_twice(plan: Plan, taken: set[Party]) -> bool:
    """Enter a vendor a second time, as people do who do not find the first; now and then a third, that is retired."""
    vendor = take_supplier(plan, taken)
    if vendor is None:
        return False
    rng = plan.rng
    plain = _without_form(vendor.name)
    words = plain.split()
    variants = {
        "without its form, or with another": plain + rng.choice([form for form in _LEGAL if form not in vendor.name]),
        "in capitals": f"{plain.upper()}, LLC",
        "with an article": f"The {plain}",
        "with a word that many have": f"{plain} {rng.choice(('Supply', 'Services', 'Group'))}",
        "under its mail address": f"{rng.choice(('Accounts of', 'Desk'))} {words[-1]} {rng.randint(20, 99)}",
    }
    if len(words[0]) >= 6:
        place = rng.randrange(2, len(words[0]) - 1)
        variants["with a slip"] = words[0][:place] + words[0][place + 1 :] + plain[len(words[0]) :]
    note = rng.choice(list(variants))
    assert vendor.account is not None
    twin = new_vendor(plan, variants[note], terms=vendor.terms, account=vendor.account)
    twin.method = "twin"
    if note == "under its mail address":
        twin.email = vendor.email = f"ar{rng.randrange(1000)}@{''.join(words).lower()}.example"
    day = next_business_day(plan.last - rng.randint(20, 200))
    expense = _spend(plan, twin, day, amount=distinct_amount(plan, vendor, day, cents=rng.randint(9_000, 80_000)))
    expense.method, expense.account = "Check", plan.accounts["checking"]
    if rng.random() < 0.4:
        merged = new_vendor(plan, f"{vendor.name} (deleted)", terms=None, account=vendor.account)
        merged.active, merged.method = False, "merged"
        taken.add(merged)
    plan.truth.append(("AP17", [vendor, twin], f"the same vendor entered twice, {note}"))
    return True


def _without_form(name: str) -> str:
    for form in _LEGAL:
        name = name.removesuffix(form)
    return name


PAID_PLANTERS: dict[str, Callable[[Plan, set[Party]], bool]] = {
    "AP08": _paid_elsewhere,
    "AP17": _entered_twice,
}
