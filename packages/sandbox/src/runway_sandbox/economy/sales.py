"""What the company sells: invoices, credit memos, receipts, deposits, and takings over the till."""

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
from runway_sandbox.economy.model import Doc, Item, Line, Party, Plan
from runway_sandbox.economy.purchases import distinct_amount

TAX_PERCENT = 8
_LATEST = 100  # no base invoice stays open longer after its due day: later ones are planted


def make_invoices(plan: Plan, *, count: int, revenue: int) -> None:
    """Make about `count` invoices that add up to about `revenue` cents before tax."""
    rng = plan.rng
    customers = [customer for customer in plan.customers if customer.active]
    if not customers or count < 1:
        return
    average = max(6_000, revenue // count)
    wanted: list[tuple[int, Party, int, bool]] = []
    for customer in [one for one in customers if one.recurring][: count // 30]:
        fixed = int(average * (0.5 + rng.random())) // 500 * 500 + 500
        for year, month in months_between(plan.first, plan.last):
            day = ordinal_of(year, month, 1 + (len(customer.name) % 5))
            if plan.first <= day <= plan.last:
                wanted.append((day, customer, fixed, True))
    days = list(range(plan.first, plan.last + 1))
    weights = [_busyness(plan, day) for day in days]
    missing = max(1, count - len(wanted))
    rest = max(6_000, (revenue - sum(amount for _, _, amount, _ in wanted)) // missing)
    shares = [0.4 + rng.random() ** 2 * 2 for _ in customers]
    for day, customer in zip(
        rng.choices(days, weights, k=missing), rng.choices(customers, shares, k=missing), strict=True
    ):
        wanted.append((day, customer, max(5_200, int(rest * (0.35 + 1.3 * rng.random()))), False))
    wanted.sort(key=lambda row: row[0])
    for day, customer, amount, is_recurring in wanted:
        cents = amount if is_recurring else distinct_amount(plan, customer, day, cents=amount)
        invoice = new_invoice(plan, customer, day, amount=cents)
        invoice.recurring = is_recurring
        if plan.is_entered(invoice.entered):
            plan.docs.append(invoice)


def _busyness(plan: Plan, day: int) -> float:
    weekday = date.fromordinal(day).weekday()
    growth = 1 + 0.3 * (day - plan.first) / (plan.last - plan.first)
    return plan.trade.season[month_of(day) - 1] * growth * (0.05 if weekday > 4 else 1.0)


def new_invoice(plan: Plan, customer: Party, day: int, *, amount: int) -> Doc:
    """Make an invoice over `amount` cents before tax, sent and open; it is not yet in the books."""
    rng = plan.rng
    lines = _sales_lines(plan, amount)
    invoice = Doc("Invoice", day, plan.entry(day, longest=3), customer, amount, lines)
    invoice.updated = invoice.entered
    if plan.trade.taxable:
        invoice.tax = (amount * TAX_PERCENT + 50) // 100
        invoice.total += invoice.tax
    invoice.balance = invoice.total
    days = customer.terms.days if customer.terms else 30
    invoice.due = day + days
    invoice.terms = customer.terms if days == 0 or rng.random() < 0.85 else None
    invoice.number = str(plan.next_invoice)
    plan.next_invoice += 1
    invoice.account = plan.accounts["receivable"]
    if rng.random() < 0.05:
        invoice.memo = f"PO {rng.randint(1000, 99999)}, agreed {iso(day - 9)}"
    return invoice


def _sales_lines(plan: Plan, amount: int) -> list[Line]:
    rng = plan.rng
    item = _any_item(plan)
    if amount > 40_000 and rng.random() < 0.35:
        second = amount * rng.randint(15, 45) // 100
        other = _any_item(plan)
        return [_sales_line(plan, item, amount - second), _sales_line(plan, other, second)]
    return [_sales_line(plan, item, amount)]


def _any_item(plan: Plan) -> Item:
    return plan.items[int(plan.rng.random() * len(plan.items))]


def _sales_line(plan: Plan, item: Item, amount: int) -> Line:
    """Return a line whose price times quantity is the amount to the cent."""
    quantity = (1, 1, 2, 4, 5, 10)[int(plan.rng.random() * 6)]
    return Line(amount, item.account, item.name, item, quantity if amount % quantity == 0 else 1)


def receive_payments(plan: Plan) -> None:
    """Let customers pay by habit; receipts go to the bank, or to undeposited funds and from there in batches."""
    rng = plan.rng
    receipts: dict[tuple[int, int], list[tuple[Doc, int]]] = defaultdict(list)
    position = {customer: number for number, customer in enumerate(plan.customers)}
    for invoice in plan.of_kind("Invoice"):
        if invoice.planted or invoice.party is None or invoice.due is None:
            continue
        customer = invoice.party
        late = customer.late_days + int(rng.gauss(0, 1) * customer.late_spread)
        day = max(invoice.entered // DAY_SECONDS + 1, invoice.due + min(late, _LATEST - 35))
        if rng.random() < 0.15:
            day = next_run_day(day, (0, 4))  # some pay several invoices on the same day
        day = next_business_day(day)
        part = invoice.total
        if invoice.total > 30_000 and rng.random() < 0.04:
            part = invoice.total * rng.randint(35, 65) // 100
            later = next_business_day(day + rng.randint(10, 28))
            receipts[later, position[customer]].append((invoice, invoice.total - part))
        elif rng.random() < 0.035 and invoice.total > 15_000:
            part -= _credit_memo(plan, invoice, until=day)
        receipts[day, position[customer]].append((invoice, part))
    for (day, number), parts in sorted(receipts.items(), key=lambda item: item[0]):
        if day > plan.last:
            break
        receive(plan, plan.customers[number], day, parts=parts)


def receive(plan: Plan, customer: Party, day: int, *, parts: list[tuple[Doc, int]]) -> Doc | None:
    """Book a customer's payment of parts of invoices; `None` if it was not entered in time."""
    entered = plan.entry(day, longest=2)
    entered = max(entered, max(invoice.entered for invoice, _ in parts) + 60)
    if not plan.is_entered(entered):
        return None
    payment = Doc("Payment", day, entered, customer, sum(part for _, part in parts), [])
    payment.updated = entered
    payment.applied = parts
    payment.account = plan.accounts["checking" if customer.method == "ach" else "undeposited"]
    if customer.method == "check" and plan.rng.random() < 0.5:
        payment.number = str(plan.rng.randrange(1000, 99_999))
    for invoice, amount in parts:
        invoice.balance -= amount
        invoice.settled_by.append(payment)
        invoice.touch(entered)
    plan.docs.append(payment)
    return payment


def card_fee(amount: int) -> int:
    """Return what a card processor keeps of `amount` cents: 2.9 % and 30 cents, rounded half up."""
    return (amount * 29 + 500) // 1000 + 30


def new_credit_memo(plan: Plan, customer: Party, day: int, *, amount: int) -> Doc:
    """Make a credit memo, wholly open; it is not yet in the books."""
    entered = plan.moment(next_business_day(day))
    line = _sales_line(plan, _any_item(plan), amount)
    memo = Doc("CreditMemo", day, entered, customer, amount, [line])
    memo.updated = entered
    memo.balance = amount
    memo.number = str(plan.next_invoice)
    plan.next_invoice += 1
    memo.account = plan.accounts["receivable"]
    return memo


def _credit_memo(plan: Plan, invoice: Doc, *, until: int) -> int:
    """Credit part of an invoice and put the credit against it at once; return how much, nil if there was no time."""
    rng = plan.rng
    assert invoice.party is not None
    first = invoice.entered // DAY_SECONDS + 1
    if until - first < 3:
        return 0
    amount = invoice.total * rng.randint(8, 35) // 100
    memo = new_credit_memo(plan, invoice.party, rng.randint(first, until - 1), amount=amount)
    memo.entered = memo.updated = max(memo.entered, invoice.entered + 60)
    joined = memo.entered + 45
    if not plan.is_entered(joined):
        return 0
    link = Doc("Payment", memo.day, joined, invoice.party, 0, [])
    link.updated = joined
    link.memo = "Created by QB Online to link credits to charges."
    link.applied = [(invoice, amount), (memo, amount)]
    memo.balance = 0
    for doc in (invoice, memo):
        doc.settled_by.append(link)
        doc.touch(joined)
    invoice.balance -= amount
    plan.docs += [memo, link]
    return amount


def make_deposits(plan: Plan) -> None:
    """Take undeposited receipts to the bank on Tuesdays and Fridays."""
    runs: dict[int, list[Doc]] = defaultdict(list)
    for payment in plan.of_kind("Payment"):
        waits = payment.account is plan.accounts["undeposited"] and not payment.planted
        if waits:
            runs[next_run_day(payment.entered // DAY_SECONDS, (1, 4))].append(payment)
    for day, payments in sorted(runs.items()):
        entered = max(plan.moment(day), max(payment.entered for payment in payments) + 120)
        if not plan.is_entered(entered):
            continue
        deposit = Doc("Deposit", day, entered, None, sum(payment.total for payment in payments), [])
        deposit.updated = entered
        deposit.applied = [(payment, payment.total) for payment in payments]
        deposit.account = plan.accounts["checking"]
        for payment in payments:
            payment.settled_by.append(deposit)
            payment.touch(entered)
        plan.docs.append(deposit)


def take_till(plan: Plan, *, revenue: int) -> None:
    """Bank the takings of the till once a week, about `revenue` cents in all before tax."""
    if revenue <= 0:
        return
    rng = plan.rng
    days = [day for day in range(plan.first, plan.last) if date.fromordinal(day).weekday() == 0]
    weights = [plan.trade.season[month_of(day) - 1] for day in days]
    taken = {doc.total for doc in plan.docs if doc.kind in {"Invoice", "Payment"}}
    taken |= {doc.balance - card_fee(doc.balance) for doc in plan.docs if doc.kind == "Invoice" and doc.balance}
    for day, weight in zip(days, weights, strict=True):
        net = int(revenue * weight / sum(weights) * (0.85 + 0.3 * rng.random()))
        tax = (net * TAX_PERCENT + 50) // 100 if plan.trade.taxable else 0
        while net + tax in taken or net in taken:
            net += 7
        lines = [Line(net, plan.accounts["sales"], "Card terminal, week")]
        if tax:
            lines.append(Line(tax, plan.accounts["sales_tax"], "Sales tax, week"))
        posted = next_business_day(day)
        deposit = Doc("Deposit", posted, plan.entry(posted, longest=1), None, net + tax, lines)
        deposit.updated = deposit.entered
        deposit.account = plan.accounts["checking"]
        if plan.is_entered(deposit.entered):
            plan.docs.append(deposit)
