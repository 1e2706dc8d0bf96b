"""Cash over time: card, tax, savings, owner's money, and an opening balance that suits the company's health."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from runway_sandbox.economy.calendar import months_between, next_business_day
from runway_sandbox.economy.ledger import postings
from runway_sandbox.economy.model import Account, Doc, Line, Plan
from runway_sandbox.economy.parties import new_vendor
from runway_sandbox.economy.payroll import bank_purchase


def settle_card(plan: Plan) -> None:
    """Pay the card's month-end balance on the 20th of the next month."""
    _settle_monthly(plan, plan.accounts["card"], day_of_month=20)


def remit_sales_tax(plan: Plan) -> None:
    """Pay the sales tax collected in a month on the 20th of the next."""
    if plan.trade.taxable:
        _settle_monthly(plan, plan.accounts["sales_tax"], day_of_month=22)


def _settle_monthly(plan: Plan, owed: Account, *, day_of_month: int) -> None:
    moved: dict[tuple[int, int], int] = defaultdict(int)
    for doc in plan.docs:
        for account, amount in postings(plan, doc):
            if account is owed:
                when = date.fromordinal(doc.day)
                moved[when.year, when.month] -= amount
    agency = None
    if owed.key == "sales_tax":
        agency = new_vendor(plan, "State Department of Revenue", terms=None, account=owed)
        agency.method = "tax"
    balance = 0
    for year, month in months_between(plan.first, plan.last):
        day = next_business_day(date(year, month, day_of_month).toordinal())
        if balance > 0 and day <= plan.last - 3:
            if agency is None:
                doc = transfer(plan, day, amount=balance, source=plan.accounts["checking"], target=owed)
            else:
                doc = bank_purchase(plan, agency, day, amount=balance, text="Sales tax")
            if plan.is_entered(doc.entered):
                plan.docs.append(doc)
                balance = 0
        balance += moved[year, month]


def transfer(plan: Plan, day: int, *, amount: int, source: Account, target: Account) -> Doc:
    """Make a transfer between own accounts; it is not yet in the books."""
    doc = Doc("Transfer", day, plan.moment(day), None, amount, [])
    doc.updated = doc.entered
    doc.account, doc.other = target, source
    return doc


def _entry(plan: Plan, day: int, *, lines: list[Line], memo: str) -> Doc:
    doc = Doc("JournalEntry", day, plan.moment(day), None, sum(max(0, line.amount) for line in lines), lines)
    doc.updated = doc.entered
    doc.memo = memo
    return doc


def fund(plan: Plan) -> None:
    """Open the books, so that cash never runs dry on the way and ends at what the company's health says.

    The lowest opening balance that keeps every day above nil is computed first. A company that would then end with
    too much pays its owner and its savings; one that would end with too little starts richer; some dry ones start
    poorer instead and get a loan from the owner on the day they would overdraw.
    """
    rng = plan.rng
    checking = plan.accounts["checking"]
    change = [0] * (plan.last - plan.first + 2)
    outflow = 0
    for doc in plan.docs:
        for account, amount in postings(plan, doc):
            if account is checking:
                change[doc.day - plan.first + 1] += amount
                if doc.day > plan.last - 90:
                    outflow += max(0, -amount)
    daily = max(1_000, outflow // 90)
    low, high = {"healthy": (40, 110), "tight": (14, 34), "dry": (2, 12)}[plan.health]
    target = int(daily * (low + rng.random() * (high - low)))
    floor = int(daily * (0.6 + rng.random()))
    total = 0
    lowest = 0
    for amount in change:
        total += amount
        lowest = min(lowest, total)
    opening = floor - lowest
    surplus = opening + total - target
    if surplus > 0:
        _spend_surplus(plan, change, opening=opening, surplus=surplus, floor=floor)
    else:
        opening -= surplus
    if rng.random() < {"healthy": 0.0, "tight": 0.3, "dry": 0.7}[plan.health]:
        opening = _lend(plan, change, opening=opening, amount=int(daily * rng.randint(4, 9)), floor=floor // 2)
    start = plan.first - 1
    savings = int(daily * rng.randint(3, 9)) if plan.health == "healthy" else int(daily * rng.random())
    equipment = plan.trade.typical_bill * rng.randint(8, 40)
    loan = equipment * rng.randint(20, 70) // 100
    lines = [
        Line(opening, checking, "Opening balance"),
        Line(savings, plan.accounts["savings"], "Opening balance"),
        Line(equipment, plan.accounts["equipment"], "Opening balance"),
        Line(-loan, plan.accounts["loan"], "Opening balance"),
        Line(-(opening + savings + equipment - loan), plan.accounts["opening"], "Opening balance"),
    ]
    entry = _entry(plan, start, lines=lines, memo="Opening balances")
    entry.number = "OPEN"
    plan.docs.append(entry)
    _earn_interest(plan)


def _month_ends(plan: Plan) -> list[int]:
    days = []
    for year, month in months_between(plan.first, plan.last):
        day = next_business_day(date(year, month, 28).toordinal())
        if plan.first + 20 < day <= plan.last - 2:
            days.append(day)
    return days


def _spend_surplus(plan: Plan, change: list[int], *, opening: int, surplus: int, floor: int) -> None:
    """Move what is not needed later to savings and to the owner at month ends; never below `floor` afterwards."""
    running = opening
    path = []
    for amount in change:
        running += amount
        path.append(running)
    room = path[:]  # lowest balance from a day on
    for place in range(len(room) - 2, -1, -1):
        room[place] = min(room[place], room[place + 1])
    spent = 0
    checking = plan.accounts["checking"]
    for day in _month_ends(plan):
        free = min(room[day - plan.first + 1] - floor, surplus) - spent
        if free < 5_000:
            continue
        amount = free // 100 * 100
        kept = amount * (30 if plan.health == "healthy" else 5) // 100 // 100 * 100
        if kept:
            plan.docs.append(transfer(plan, day, amount=kept, source=checking, target=plan.accounts["savings"]))
            change[day - plan.first + 1] -= kept
        drawn = amount - kept
        lines = [Line(drawn, plan.accounts["draw"], "Owner's draw"), Line(-drawn, checking, "Owner's draw")]
        plan.docs.append(_entry(plan, day, lines=lines, memo="Distribution to owner"))
        change[day - plan.first + 1] -= drawn
        spent += amount


def _lend(plan: Plan, change: list[int], *, opening: int, amount: int, floor: int) -> int:
    """Start poorer by `amount` and let the owner lend it on the first day it is missed; return the opening balance."""
    poorer = opening - amount
    running = poorer
    for place, moved in enumerate(change):
        running += moved
        if running < floor:
            day = max(plan.first, plan.first + place - 1)
            lines = [
                Line(amount, plan.accounts["checking"], "Loan from owner"),
                Line(-amount, plan.accounts["owner_loan"], "Loan from owner"),
            ]
            plan.docs.append(_entry(plan, day, lines=lines, memo="Loan from owner to cover payments"))
            return poorer
    return opening


def _earn_interest(plan: Plan) -> None:
    """Credit a little interest to savings each quarter: under five dollars, so that it resembles no invoice."""
    for day in _month_ends(plan)[2::3]:
        amount = 40 + int(plan.rng.random() * 400)
        doc = Doc("Deposit", day, plan.moment(day), None, amount, [Line(amount, plan.accounts["interest"])])
        doc.updated = doc.entered
        doc.account = plan.accounts["savings"]
        plan.docs.append(doc)
