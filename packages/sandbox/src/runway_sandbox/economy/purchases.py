"""What the company buys on account: bills, vendor credits, and the payments that settle them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from runway_sandbox.economy.calendar import (
    DAY_SECONDS,
    iso,
    month_of,
    months_between,
    next_business_day,
    next_run_day,
    ordinal_of,
)
from runway_sandbox.economy.model import Doc, Line, Party, Plan
from runway_sandbox.economy.parties import recurring_day

_LONG_MEMO = (
    "Per our call: hold until the revised delivery note arrives, then pay in full. The driver left 2 of 14 pallets "
    "at the old address – credit expected. Questions to accounts@example.com, Señora Ibáñez, ext. 204. "
)
_SAME_AMOUNT_DAYS = 70  # base bills of one vendor never repeat an amount sooner, so that pairs are planted ones


def make_bills(plan: Plan, count: int) -> None:
    """Make `count` bills: the monthly ones, then deliveries and services until the count is reached."""
    monthly = [vendor for vendor in plan.vendors if vendor.recurring]
    for position, vendor in enumerate(monthly):
        _monthly_bills(plan, vendor, day_of_month=recurring_day(position))
    suppliers = [v for v in plan.vendors if v.active and not v.recurring and v.method in {"check", "ach", "card"}]
    weights = [0.3 + plan.rng.random() ** 2 * 2 for _ in suppliers]
    days = list(range(plan.first, plan.last + 1))
    day_weights = [_busyness(plan, day) for day in days]
    missing = count - len(plan.docs)
    while missing > 0:
        picked = plan.rng.choices(suppliers, weights, k=missing)
        # Chronological, because numbers of a vendor rise with time.
        for vendor, day in zip(picked, sorted(plan.rng.choices(days, day_weights, k=missing)), strict=True):
            amount = distinct_amount(plan, vendor, day, cents=_varied(plan, vendor))
            bill = new_bill(plan, vendor, day, amount=amount)
            if plan.is_entered(bill.entered):
                plan.docs.append(bill)
                missing -= 1
    del plan.docs[count:]


def _busyness(plan: Plan, day: int) -> float:
    weekday = date.fromordinal(day).weekday()
    growth = 1 + 0.35 * (day - plan.first) / (plan.last - plan.first)
    return plan.trade.season[month_of(day) - 1] * growth * (0.12 if weekday > 4 else 1.0)


def _varied(plan: Plan, vendor: Party) -> int:
    return max(4_100, int(vendor.typical * (0.72 + 0.6 * plan.rng.random())))


def distinct_amount(plan: Plan, party: Party, day: int, *, cents: int) -> int:
    """Return an amount near `cents` that makes no pair with another document of the party around the day."""
    while abs(party.recent.get(cents, -10_000) - day) < _SAME_AMOUNT_DAYS:
        cents += plan.rng.randint(3, 977)
    party.recent[cents] = day
    return cents


def _monthly_bills(plan: Plan, vendor: Party, *, day_of_month: int) -> None:
    amount = vendor.typical
    for year, month in months_between(plan.first, plan.last):
        day = ordinal_of(year, month, day_of_month)
        if not plan.first <= day <= plan.last:
            continue
        if not vendor.fixed_amount:
            season = 1 + 0.12 * ((month % 6) - 2.5) / 2.5
            amount = distinct_amount(
                plan, vendor, day, cents=int(vendor.typical * season * (0.94 + 0.12 * plan.rng.random()))
            )
        elif month == 1:
            amount = amount * 103 // 100
        bill = new_bill(plan, vendor, day, amount=amount, longest_delay=5)
        bill.recurring = True
        bill.lines[0].text = vendor.wording[0].format(f"{year}-{month:02d}")
        if plan.is_entered(bill.entered):
            plan.docs.append(bill)
        vendor.recent[amount] = day


def one_slip_apart(one: str, other: str) -> bool:
    """Say whether two texts differ by at most one changed, added or lost sign, or one swap of neighbours."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return (len(one) <= 1 and len(other) <= 1) or (len(one) == 2 and one == other[::-1])


def next_number(plan: Plan, vendor: Party) -> str | None:
    """Return the vendor's next document number; equal amounts never carry numbers one slip apart."""
    if not vendor.has_number:
        return None
    while True:
        vendor.next_number += plan.rng.randint(1, 60)
        text = str(vendor.next_number)
        if not vendor.fixed_amount or not any(one_slip_apart(text, known) for known in vendor.numbers):
            break
    if vendor.fixed_amount:
        vendor.numbers.append(text)
    return vendor.prefix + text


def new_bill(plan: Plan, vendor: Party, day: int, *, amount: int, longest_delay: int = 10) -> Doc:
    """Make a bill of a vendor, open and unpaid; it is not yet in the books."""
    rng = plan.rng
    assert vendor.account is not None
    words = vendor.wording
    text = words[int(rng.random() * len(words))] if words and rng.random() < 0.8 else None
    lines = [Line(amount, vendor.account, text)]
    if amount > 60_000 and not vendor.recurring and rng.random() < 0.3:
        part = amount * rng.randint(10, 40) // 100
        lines = [Line(amount - part, vendor.account, text), Line(part, vendor.account, "Delivery and handling")]
    bill = Doc("Bill", day, plan.entry(day, longest=longest_delay), vendor, amount, lines)
    bill.updated = bill.entered
    bill.balance = amount
    days = vendor.terms.days if vendor.terms else 30
    bill.due = day + days
    bill.terms = vendor.terms if days == 0 or rng.random() < 0.7 else None
    bill.number = next_number(plan, vendor)
    chance = rng.random()
    if chance < 0.12:
        bill.memo = _LONG_MEMO * rng.randint(1, 4) if chance < 0.015 else f"Order of {iso(day - 5)}"
    bill.account = plan.accounts["payable"]
    bill.attached = amount >= 100_000
    return bill


def pay_bills(plan: Plan) -> None:
    """Pay bills on the company's payment days, by vendor, as late as its health makes it."""
    rng = plan.rng
    run_days = ((1, 3), (3, 3), (1, 4))[plan.index % 3]
    shift, spread = {"healthy": (-3, 6), "tight": (3, 16), "dry": (10, 24)}[plan.health]
    runs: dict[tuple[int, int], list[tuple[Doc, int]]] = defaultdict(list)
    position = {vendor: number for number, vendor in enumerate(plan.vendors)}
    for bill in plan.of_kind("Bill"):
        if bill.planted or bill.party is None or bill.due is None:
            continue
        slip = min(2, shift) if bill.recurring else shift + int(rng.random() * spread)
        earliest = bill.entered // DAY_SECONDS
        wanted = max(earliest, bill.due + slip)
        if bill.total > 30_000 and rng.random() < 0.04:
            part = bill.total * rng.randint(35, 65) // 100
            runs[next_run_day(wanted, run_days), position[bill.party]].append((bill, part))
            later = next_run_day(wanted + rng.randint(14, 30), run_days)
            runs[later, position[bill.party]].append((bill, bill.total - part))
        else:
            runs[next_run_day(wanted, run_days), position[bill.party]].append((bill, bill.total))
    for (day, vendor_position), parts in sorted(runs.items(), key=lambda item: item[0]):
        if day > plan.last:
            break
        pay(plan, plan.vendors[vendor_position], day, parts=parts)


def pay(plan: Plan, vendor: Party, day: int, *, parts: list[tuple[Doc, int]]) -> Doc | None:
    """Pay parts of bills on a day, with a vendor credit now and then; `None` if it was not entered in time."""
    rng = plan.rng
    entered = plan.entry(day, longest=2)
    entered = max(entered, max(bill.entered for bill, _ in parts) + 60)
    if not plan.is_entered(entered):
        return None
    payment = Doc("BillPayment", day, entered, vendor, 0, [])
    payment.updated = entered
    payment.applied = list(parts)
    payment.total = sum(part for _, part in parts)
    by_card = vendor.method == "card"
    payment.method = "CreditCard" if by_card else "Check"
    payment.account = plan.accounts["card" if by_card else "checking"]
    if vendor.method == "check":
        payment.number = str(plan.next_cheque)
        plan.next_cheque += 1
    elif by_card or rng.random() < 0.5:
        payment.number = "1" if by_card else "ACH"
    first, part = parts[0]
    if part == first.total and part > 20_000 and not first.recurring and not first.planted and rng.random() < 0.06:
        _credit(plan, payment, first)
    for bill, amount in parts:
        bill.balance -= amount
        bill.settled_by.append(payment)
        bill.touch(entered)
    plan.docs.append(payment)
    return payment


def _credit(plan: Plan, payment: Doc, bill: Doc) -> None:
    """Give a vendor credit on a bill, used up by its payment."""
    rng = plan.rng
    room = payment.day - bill.day
    if room < 2 or payment.entered // DAY_SECONDS - bill.entered // DAY_SECONDS < 1:
        return
    whole = len(payment.applied) == 1 and rng.random() < 0.1
    amount = bill.total if whole else bill.total * rng.randint(8, 40) // 100
    day = bill.day + rng.randint(1, room - 1)
    assert bill.party is not None
    credit = new_credit(plan, bill.party, day, amount=amount)
    credit.entered = credit.updated = min(credit.entered, payment.entered - 300)
    credit.balance = 0
    credit.settled_by.append(payment)
    credit.touch(payment.entered)
    payment.applied.append((credit, amount))
    payment.total -= amount
    plan.docs.append(credit)


def new_credit(plan: Plan, vendor: Party, day: int, *, amount: int) -> Doc:
    """Make a vendor credit, wholly open; it is not yet in the books."""
    assert vendor.account is not None
    entered = plan.moment(next_business_day(day))
    credit = Doc("VendorCredit", day, entered, vendor, amount, [Line(amount, vendor.account, "Return or allowance")])
    credit.updated = entered
    credit.balance = amount
    credit.account = plan.accounts["payable"]
    return credit
