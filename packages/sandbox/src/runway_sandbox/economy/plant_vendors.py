"""Defects in what stands between the company and a vendor: loose payments, credits, terms and odd amounts."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable

from runway_sandbox.economy.calendar import next_business_day
from runway_sandbox.economy.model import Doc, Line, Party, Plan
from runway_sandbox.economy.plant_bills import add_bill, entered_soon, suppliers
from runway_sandbox.economy.purchases import new_credit

_HISTORY_DAYS = 390  # a mirror keeps closed documents for about so long
_LAST = 12


def _owed(plan: Plan, vendor: Party) -> int:
    """Return what is owed to a vendor, less what the vendor owes."""
    signs = {"Bill": 1, "VendorCredit": -1, "BillPayment": -1}
    return sum(signs.get(doc.kind, 0) * doc.balance for doc in plan.docs if doc.party is vendor)


def _pay_loosely(plan: Plan, vendor: Party, day: int, *, amount: int) -> Doc:
    """Book money to a vendor that is applied to nothing."""
    payment = Doc("BillPayment", day, entered_soon(plan, day), vendor, amount, [])
    payment.updated = payment.entered
    by_card = vendor.method == "card"
    payment.method = "CreditCard" if by_card else "Check"
    payment.account = plan.accounts["card" if by_card else "checking"]
    if vendor.method == "check":
        payment.number = str(plan.next_cheque)
        plan.next_cheque += 1
    payment.balance = amount
    plan.docs.append(payment)
    return payment


def _payment_unapplied(plan: Plan, taken: set[Party]) -> bool:
    fit = set(suppliers(plan, taken))
    rng = plan.rng
    loose = [
        doc
        for doc in plan.docs
        if doc.kind == "Bill" and not doc.planted and doc.party in fit and doc.balance == doc.total > 8_000
    ]
    paid = [
        doc
        for doc in plan.docs
        if doc.kind == "BillPayment"
        and doc.party in fit
        and doc.day > plan.as_of - 80
        and len(doc.applied) == 1
        and doc.total > 20_000
    ]
    if loose and (not paid or rng.random() < 0.6):
        bill = rng.choice(loose)
        assert bill.party is not None
        whole = rng.random() < 0.6
        amount = bill.total if whole else bill.total * rng.randint(20, 70) // 100
        day = next_business_day(max(bill.day + 1, plan.last - rng.randint(4, 30)))
        if day > plan.last:
            return False
        payment = _pay_loosely(plan, bill.party, day, amount=amount)
        note = "the open bill was paid, the payment not applied" if whole else "paid on account, not applied"
    elif paid:
        payment = rng.choice(paid)
        payment.balance = payment.total * rng.randint(5, 40) // 100
        payment.total += payment.balance
        note = "more was paid than the bill asked for"
    else:
        return False
    vendor = payment.party
    assert vendor is not None
    payment.planted = True
    taken.add(vendor)
    plan.truth.append(("AP13", [payment], note))
    if _owed(plan, vendor) < 0:
        plan.truth.append(("AP16", [vendor], "more was paid than all open bills ask for"))
    return True


def _balance_negative(plan: Plan, taken: set[Party]) -> bool:
    owed = {vendor: _owed(plan, vendor) for vendor in suppliers(plan, taken)}
    fit = [vendor for vendor, amount in owed.items() if amount < (vendor.typical or 30_000) * 2]
    if not fit:
        return False
    rng = plan.rng
    vendor = rng.choice(fit)
    taken.add(vendor)
    day = plan.last - rng.randint(4, 50)
    credit = new_credit(plan, vendor, day, amount=owed[vendor] + rng.randint(3_000, 70_000))
    credit.entered = credit.updated = entered_soon(plan, day)
    credit.planted = True
    plan.docs.append(credit)
    if owed[vendor]:
        plan.truth.append(("AP12", [vendor], "a credit is open while a bill is open"))
    plan.truth.append(("AP16", [vendor], "the credit is more than all open bills"))
    return True


def _terms_missing(plan: Plan, taken: set[Party]) -> bool:
    recent = Counter(doc.party for doc in plan.of_kind("Bill") if doc.day > plan.as_of - 360)
    fit = suppliers(plan, taken)
    if not fit:
        return False
    vendor = plan.rng.choice(fit)
    vendor.terms = None
    taken.add(vendor)
    plan.truth.append(("AP18", [vendor], f"{recent[vendor]} bills in a year and no terms"))
    # Who bills less often needs none.
    year = Counter(doc.party for doc in plan.of_kind("Bill") if doc.day > plan.as_of - 370)
    seldom = [one for one in plan.vendors if one.active and one not in taken and one.terms and year[one] < 2]
    if seldom:
        rare = plan.rng.choice(seldom)
        rare.terms = None
        taken.add(rare)
    return True


def _amount_unusual(plan: Plan, taken: set[Party]) -> bool:
    rng = plan.rng
    day = plan.last - rng.randint(2, 40)
    last: dict[Party, list[int]] = {}
    for doc in sorted(plan.of_kind("Bill"), key=lambda doc: doc.day):
        if doc.party is not None and plan.as_of - _HISTORY_DAYS < doc.day < day and doc.total > 0:
            last.setdefault(doc.party, []).append(doc.total)
    fit = [vendor for vendor in suppliers(plan, taken) if len(last.get(vendor, ())) >= 6]
    if not fit:
        return False
    vendor = rng.choice(fit)
    taken.add(vendor)
    totals = last[vendor][-_LAST:]
    usual = int(statistics.median(totals))
    spread = int(statistics.median(abs(one - usual) for one in totals))
    slip = rng.random() < 0.4  # a decimal point in the wrong place
    amount = usual * 10 if slip else max(usual * rng.randint(230, 480) // 100, usual + 6 * spread)
    bill = add_bill(plan, vendor, day)
    bill.lines = [Line(amount, bill.lines[0].account, bill.lines[0].text)]
    bill.total = bill.balance = amount
    bill.attached = amount >= 100_000
    plan.truth.append(("AP20", [bill], f"{amount} cents where {usual} are usual"))
    return True


VENDOR_PLANTERS: dict[str, Callable[[Plan, set[Party]], bool]] = {
    "AP13": _payment_unapplied,
    "AP16": _balance_negative,
    "AP18": _terms_missing,
    "AP20": _amount_unusual,
}
