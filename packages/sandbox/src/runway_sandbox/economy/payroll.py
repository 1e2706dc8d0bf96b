"""Wages every second Friday, and what is bought by card in between."""

from __future__ import annotations

from datetime import date

from runway_sandbox.economy.calendar import DAY_SECONDS, month_of, next_business_day
from runway_sandbox.economy.model import Doc, Line, Party, Plan
from runway_sandbox.economy.parties import new_vendor
from runway_sandbox.economy.purchases import distinct_amount


def pay_wages(plan: Plan, *, total: int) -> None:
    """Pay about `total` cents of wages in all; some companies by cheque to a provider, some by journal entry."""
    rng = plan.rng
    provider = new_vendor(plan, "Paywell Payroll Services", terms=None, account=plan.accounts["wages"])
    provider.method = "payroll"
    fridays = [day for day in range(plan.first, plan.last + 1) if date.fromordinal(day).weekday() == 4]
    fridays = fridays[plan.index % 2 :: 2]
    by_entry = plan.index % 3 == 2
    if not fridays:
        return
    each = max(20_000, total // len(fridays))
    for number, day in enumerate(fridays):
        gross = int(each * (0.9 + 0.2 * number / len(fridays)) * (0.97 + 0.06 * rng.random()))
        taxes = gross * 9 // 100
        if by_entry:
            doc = _wage_entry(plan, day, gross=gross, taxes=taxes)
        else:
            doc = Doc("Purchase", day, plan.entry(day, longest=1), provider, gross + taxes, [])
            doc.lines = [
                Line(gross, plan.accounts["wages"], "Gross wages"),
                Line(taxes, plan.accounts["payroll_tax"], "Employer taxes"),
            ]
            doc.method, doc.account = "Check", plan.accounts["checking"]
            doc.number = "Payroll"
        doc.updated = doc.entered
        if plan.is_entered(doc.entered):
            plan.docs.append(doc)
    if by_entry:
        _pay_withheld(plan)


def _wage_entry(plan: Plan, day: int, *, gross: int, taxes: int) -> Doc:
    """Make the journal entry of one pay day: debits positive, credits negative."""
    withheld = gross * 21 // 100
    entry = Doc("JournalEntry", day, plan.entry(day, longest=1), None, gross + taxes, [])
    entry.lines = [
        Line(gross, plan.accounts["wages"], "Gross wages"),
        Line(taxes, plan.accounts["payroll_tax"], "Employer taxes"),
        Line(-(gross - withheld), plan.accounts["checking"], "Net pay"),
        Line(-(withheld + taxes), plan.accounts["payroll_liability"], "Withheld and employer taxes"),
    ]
    entry.number = f"PR-{day % 10_000}"
    entry.memo = "Payroll"
    return entry


def _pay_withheld(plan: Plan) -> None:
    """Pay each month's payroll liabilities on the 15th of the next month."""
    agency = new_vendor(plan, "United Treasury, Payroll Taxes", terms=None, account=plan.accounts["payroll_liability"])
    agency.method = "payroll"
    owed: dict[tuple[int, int], int] = {}
    for entry in [one for one in plan.of_kind("JournalEntry") if one.memo == "Payroll"]:
        when = date.fromordinal(entry.day)
        following = (when.year + when.month // 12, when.month % 12 + 1)
        owed[following] = owed.get(following, 0) - entry.lines[3].amount
    for (year, month), amount in sorted(owed.items()):
        day = next_business_day(date(year, month, 15).toordinal())
        payment = bank_purchase(plan, agency, day, amount=amount, text="Federal payroll taxes")
        if plan.is_entered(payment.entered):
            plan.docs.append(payment)


def bank_purchase(plan: Plan, party: Party, day: int, *, amount: int, text: str) -> Doc:
    """Make an outflow from the bank that settles no bill; it is not yet in the books."""
    assert party.account is not None
    doc = Doc("Purchase", day, plan.moment(day), party, amount, [Line(amount, party.account, text)])
    doc.updated = doc.entered
    doc.method, doc.account = "Check", plan.accounts["checking"]
    return doc


def charge_card(plan: Plan, *, total: int, count: int) -> None:
    """Charge about `total` cents to the card in about `count` purchases, a few of them refunded; some cash too."""
    rng = plan.rng
    merchants = [vendor for vendor in plan.vendors if vendor.method == "merchant"]
    if not merchants or count < 1:
        return
    scale = total / count / (sum(merchant.typical for merchant in merchants) / len(merchants))
    for _ in range(count):
        merchant = merchants[int(rng.random() * len(merchants))]
        day = plan.first + int(rng.random() * (plan.last - plan.first))
        wanted = max(300, int(merchant.typical * scale * (0.5 + rng.random())))
        amount = distinct_amount(plan, merchant, day, cents=wanted)
        assert merchant.account is not None
        doc = Doc("Purchase", day, plan.entry(day, longest=6), merchant, amount, [Line(amount, merchant.account)])
        doc.updated = doc.entered
        if not plan.is_entered(doc.entered):
            continue
        doc.method = "Cash" if rng.random() < 0.06 and amount < 20_000 else "CreditCard"
        doc.account = plan.accounts["checking" if doc.method == "Cash" else "card"]
        plan.docs.append(doc)
        if doc.method == "CreditCard" and rng.random() < 0.04 and month_of(day) == month_of(day + 9):
            # Within the month, so that paying the month's balance never leaves the card in debit.
            refund = Doc("Purchase", day + 9, doc.entered + 10 * DAY_SECONDS, merchant, amount, [])
            refund.lines = [Line(amount, merchant.account, "Refund")]
            refund.updated = refund.entered
            refund.method, refund.account, refund.sent = "CreditCard", doc.account, False
            if plan.is_entered(refund.entered):
                plan.docs.append(refund)
