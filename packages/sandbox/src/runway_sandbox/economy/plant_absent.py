"""Documents that come round and did not: a month's bill or invoice is taken out again, with what settled it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runway_sandbox.economy.model import Doc, Line, Party, Plan
from runway_sandbox.economy.plant_bills import entered_soon, plain_bill

_ROUNDS = 5  # so many months must have come before
_LATE = range(9, 29)  # days since the round was expected: late for sure, and the series not over
_ALIKE = 8  # per cent by which the last rounds differ at most


def _bill_absent(plan: Plan, taken: set[Party]) -> bool:
    """Take out a monthly vendor's last bill; beside it now and then another's, whose money was booked as an expense."""
    found = list(_last_rounds(plan, taken, "Bill"))
    if not found:
        return False
    bill = plan.rng.choice(found)
    assert bill.party is not None
    taken.add(bill.party)
    _take_out(plan, bill)
    plain_bill(plan, taken)
    plan.truth.append(("AP21", [bill.party], "the month's bill has not come, and no money left"))
    others = [doc for doc in _last_rounds(plan, taken, "Bill") if not _is_open_over(plan, doc)]
    if others and plan.rng.random() < 0.5:
        _pay_directly(plan, plan.rng.choice(others), taken)
    return True


def _pay_directly(plan: Plan, bill: Doc, taken: set[Party]) -> None:
    """Book the month's money as an expense instead of a bill: that is no absence."""
    assert bill.party is not None
    assert bill.party.account is not None
    taken.add(bill.party)
    _take_out(plan, bill)
    plain_bill(plan, taken)
    day = min(bill.day + plan.rng.randint(0, 6), plan.last)
    entered = entered_soon(plan, day)
    doc = Doc("Purchase", day, entered, bill.party, bill.total, [Line(bill.total, bill.party.account, "Autopay")])
    doc.updated = entered
    doc.method, doc.account = "Check", plan.accounts["checking"]
    doc.planted = True
    plan.docs.append(doc)


def _invoice_absent(plan: Plan, taken: set[Party]) -> bool:
    found = [doc for doc in _last_rounds(plan, taken, "Invoice") if not _is_near_another(plan, doc)]
    if not found:
        return False
    invoice = plan.rng.choice(found)
    assert invoice.party is not None
    taken.add(invoice.party)
    _take_out(plan, invoice)
    plan.truth.append(("AR13", [invoice.party], "the month's invoice was not issued"))
    return True


def _last_rounds(plan: Plan, taken: set[Party], kind: str) -> Iterator[Doc]:
    """Yield the last round of each monthly party that nobody took, where it can be taken out without a trace."""
    rounds: dict[Party, list[Doc]] = {}
    for doc in plan.docs:
        if doc.kind == kind and doc.recurring and doc.party is not None and doc.party.active:
            rounds.setdefault(doc.party, []).append(doc)
    for party, docs in rounds.items():
        docs.sort(key=lambda doc: doc.day)
        last, amounts = docs[-1], [doc.total for doc in docs[-4:]]
        if (
            party not in taken
            and len(docs) > _ROUNDS
            and plan.as_of - last.day in _LATE
            and not any(doc.planted or doc.dangling for doc in docs[-4:])
            and (max(amounts) - min(amounts)) * 100 <= min(amounts) * _ALIKE
            and all(26 <= after.day - before.day <= 35 for before, after in zip(docs[-6:], docs[-5:], strict=False))
            and len(last.settled_by) <= 1
            and all(payment.applied == [(last, last.total)] for payment in last.settled_by)
        ):
            yield last


def _take_out(plan: Plan, doc: Doc) -> None:
    for gone in (doc, *doc.settled_by):
        plan.docs.remove(gone)


def _is_open_over(plan: Plan, bill: Doc) -> bool:
    """Say whether another bill of the vendor is open over about as much."""
    return any(
        doc.kind == "Bill" and doc.party is bill.party and doc is not bill and abs(doc.balance - bill.total) <= 1
        for doc in plan.docs
    )


def _is_near_another(plan: Plan, invoice: Doc) -> bool:
    """Say whether another invoice of the customer could be taken for the round."""
    return any(
        doc.kind == "Invoice"
        and doc.party is invoice.party
        and doc is not invoice
        and abs(doc.day - invoice.day) <= 12
        and abs(doc.total - invoice.total) * 4 <= invoice.total
        for doc in plan.docs
    )


ABSENT_PLANTERS: dict[str, Callable[[Plan, set[Party]], bool]] = {
    "AP21": _bill_absent,
    "AR13": _invoice_absent,
}
