"""Defects on the side of what the company owes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from runway_sandbox.economy.calendar import is_business_day, next_business_day
from runway_sandbox.economy.model import Account, Doc, Line, Party, Plan
from runway_sandbox.economy.parties import new_vendor
from runway_sandbox.economy.purchases import distinct_amount, new_bill, new_credit, pay

_PLACEHOLDERS = ("Unknown", "Misc", "Vendor", "N/A")
_MIRRORED_DAYS = 390
_FREE_PREFIXES = ("", "INV-", "INV", "#")  # the normal form of a number drops these


def entered_soon(plan: Plan, day: int) -> int:
    """Return a moment of entry a day after `day`, or on the last business day before the books are looked at."""
    entry = next_business_day(day + 1)
    while entry > plan.last or not is_business_day(entry):
        entry -= 1
    return plan.moment(max(entry, day) if day <= plan.last else entry)  # never before the day it speaks of


def suppliers(plan: Plan, taken: set[Party]) -> list[Party]:
    """Return vendors fit for planting: several bills within a year, real terms, not taken."""
    bills = Counter(
        doc.party for doc in plan.docs if doc.kind == "Bill" and not doc.planted and doc.day > plan.as_of - 365
    )
    return [
        vendor
        for vendor in plan.vendors
        if vendor.active
        and not vendor.recurring
        and vendor.method in {"check", "ach", "card"}
        and vendor.terms is not None
        and vendor.terms.days >= 10
        and bills[vendor] >= 4
        and vendor not in taken
    ]


def take_supplier(plan: Plan, taken: set[Party]) -> Party | None:
    """Take one of them at random, where there is one."""
    vendors = suppliers(plan, taken)
    if not vendors:
        return None
    vendor = plan.rng.choice(vendors)
    taken.add(vendor)
    return vendor


def add_bill(plan: Plan, vendor: Party, day: int) -> Doc:
    """Add an open bill of a usual but unused amount, not to be paid by the ordinary runs."""
    wanted = int((vendor.typical or 30_000) * (0.75 + 0.5 * plan.rng.random()))
    bill = new_bill(plan, vendor, day, amount=distinct_amount(plan, vendor, day, cents=wanted))
    bill.entered = bill.updated = entered_soon(plan, day)
    bill.planted = True
    plan.docs.append(bill)
    return bill


def plain_bill(plan: Plan, taken: set[Party]) -> None:
    """Add an ordinary recent bill that is not due yet, of a vendor nobody took if there is one."""
    known = [one for one in plan.vendors if one.active and one.terms is not None]
    vendors = suppliers(plan, taken) or [one for one in known if one not in taken] or known
    add_bill(plan, plan.rng.choice(vendors), plan.last - plan.rng.randint(1, 5))


def _due_missing(plan: Plan, taken: set[Party]) -> bool:
    vendor = take_supplier(plan, taken)
    if vendor is None:
        return False
    bill = add_bill(plan, vendor, plan.last - plan.rng.randint(2, 45))
    bill.due, bill.terms = None, None
    plan.truth.append(("AP01", [bill], "open, no due date"))
    return True


def _due_assumed(plan: Plan, taken: set[Party]) -> bool:
    vendor = take_supplier(plan, taken)
    if vendor is None:
        return False
    bill = add_bill(plan, vendor, plan.last - plan.rng.randint(2, 40))
    bill.due, bill.terms = bill.day, None
    assert vendor.terms is not None
    plan.truth.append(("AP02", [bill], f"due on the bill date without terms; the vendor is {vendor.terms.name}"))
    return True


def _dates_implausible(plan: Plan, taken: set[Party]) -> bool:
    vendor = take_supplier(plan, taken)
    if vendor is None:
        return False
    variant = plan.rng.randrange(3)
    if variant == 2:
        day = plan.as_of + plan.rng.randint(5, 20)
        bill = add_bill(plan, vendor, day)
        note = "bill date lies in the future"
    else:
        bill = add_bill(plan, vendor, plan.last - plan.rng.randint(4, 40))
        early = variant == 0
        bill.due = bill.day - plan.rng.randint(3, 20) if early else bill.day + 366 + plan.rng.randint(1, 25)
        note = "due before the bill date" if early else "due more than a year after the bill date"
    plan.truth.append(("AP03", [bill], note))
    return True


def _vendor_missing(plan: Plan, taken: set[Party]) -> bool:
    retired = [one for one in plan.vendors if not one.active and one not in taken]
    if retired and plan.rng.random() < 0.6:
        vendor, note = plan.rng.choice(retired), "vendor is inactive"
    else:
        names = [name for name in _PLACEHOLDERS if all(name != one.name for one in plan.vendors)]
        if not names:
            return False
        name = plan.rng.choice(names)
        vendor = new_vendor(plan, name, terms=None, account=plan.accounts["office"])
        vendor.method, note = "placeholder", "vendor is a placeholder"
    taken.add(vendor)
    vendor.prefix, vendor.next_number = "", plan.rng.randrange(20_000, 60_000)
    bill = add_bill(plan, vendor, plan.last - plan.rng.randint(3, 50))
    plan.truth.append(("AP04", [bill], note))
    return True


def _not_positive(plan: Plan, taken: set[Party]) -> bool:
    vendor = take_supplier(plan, taken)
    if vendor is None:
        return False
    bill = add_bill(plan, vendor, plan.last - plan.rng.randint(3, 60))
    # The live service refuses negative totals on create; imports and older books have them. What is owed to the
    # vendor stays positive all the same.
    owed = sum(doc.balance for doc in plan.docs if doc.kind == "Bill" and doc.party is vendor and doc is not bill)
    amount = -min(plan.rng.randint(2_000, 30_000), owed // 2) if plan.rng.random() < 0.6 else 0
    bill.total = bill.balance = amount
    bill.lines = [Line(amount, bill.lines[0].account, "Adjustment")]
    bill.attached = False
    plan.truth.append(("AP05", [bill], "total is negative" if amount else "total is nil"))
    return True


def _recent_numbered(plan: Plan, taken: set[Party]) -> Doc | None:
    """Return a numbered, unspoiled bill of the last ten weeks of a vendor nobody took."""
    fit = set(suppliers(plan, taken))
    found = [
        doc
        for doc in plan.docs
        if doc.kind == "Bill"
        and doc.number
        and not doc.planted
        and not doc.dangling
        and doc.party in fit
        and plan.last - 75 <= doc.day <= plan.last - 4
    ]
    if not found:
        return None
    bill = plan.rng.choice(found)
    assert bill.party is not None
    taken.add(bill.party)
    return bill


def _copy(plan: Plan, bill: Doc, *, days_later: int, vendor: Party | None = None) -> Doc:
    """Add an open second bill with the first one's lines, amount and terms."""
    assert bill.party is not None
    assert bill.due is not None
    day = min(bill.day + days_later, plan.last - 1)
    twin = Doc("Bill", day, entered_soon(plan, day), vendor or bill.party, bill.total, [])
    twin.lines = [Line(line.amount, line.account, line.text) for line in bill.lines]
    twin.entered = max(twin.entered, bill.entered + 400)
    twin.updated = twin.entered
    twin.balance, twin.account = bill.total, bill.account
    twin.due, twin.terms = day + bill.due - bill.day, bill.terms
    twin.attached = bill.attached
    twin.planted = bill.planted = True
    plan.docs.append(twin)
    return twin


def _digits(bill: Doc) -> tuple[str, str]:
    """Split a document number into prefix and digits."""
    assert bill.number is not None
    assert bill.party is not None
    prefix = bill.party.prefix
    return prefix, bill.number.removeprefix(prefix)


def _duplicate(plan: Plan, taken: set[Party]) -> bool:
    bill = _recent_numbered(plan, taken)
    if bill is None:
        return False
    rng = plan.rng
    prefix, digits = _digits(bill)
    twin = _copy(plan, bill, days_later=rng.randint(0, 25))
    if rng.random() < 0.55:
        if prefix in _FREE_PREFIXES:
            twin.number = rng.choice((bill.number, digits, f"Inv. 00{digits}", f"INVOICE {digits}"))
        else:
            twin.number = rng.choice((bill.number, f"{prefix.lower()}-{digits}"))
        note = f"D1: same vendor, amount and number ({bill.number!r}, {twin.number!r})"
    else:
        in_use = {doc.number for doc in plan.docs if doc.kind == "Bill" and doc.party is bill.party}
        wrong = digits
        while prefix + wrong in in_use:
            wrong = _slip(rng, digits)
        twin.number = prefix + wrong
        note = f"D2: same vendor and amount, number one slip apart ({bill.number!r}, {twin.number!r})"
    plan.truth.append(("AP06", [bill, twin], note))
    return True


def _slip(rng: random.Random, digits: str) -> str:
    """Return the digits with two neighbours swapped or one digit changed; the first stays."""
    place = rng.randrange(1, len(digits) - 1)
    if rng.random() < 0.5 and digits[place] != digits[place + 1]:
        return digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    return digits[:place] + str((int(digits[place]) + rng.randint(1, 8)) % 10) + digits[place + 1 :]


def _likely_duplicate(plan: Plan, taken: set[Party]) -> bool:
    bill = _recent_numbered(plan, taken)
    if bill is None or bill.party is None:
        return False
    rng = plan.rng
    subjects: list[Doc | Party | Account]
    variant = rng.randrange(4)
    if variant == 0:
        twin = _copy(plan, bill, days_later=rng.randint(0, 4))
        note = "D3: same vendor and amount within 5 days, one number missing"
    elif variant == 1:
        twin = _copy(plan, bill, days_later=rng.randint(1, 20))
        twin.number = bill.number
        grown = distinct_amount(plan, bill.party, twin.day, cents=bill.total * rng.randint(112, 140) // 100)
        _set_amount(twin, grown)
        note = "D4: same vendor and number, another amount"
    elif variant == 2:
        alike = _misspelt(plan, bill.party)
        if alike is None:
            return False
        twin = _copy(plan, bill, days_later=rng.randint(0, 8), vendor=alike)
        twin.number = bill.number
        note = "D5: same amount and number, vendors alike but not the same"
        plan.truth.append(("AP17", [bill.party, alike], "same vendor entered twice, one name misspelt"))
    else:
        twin = _copy(plan, bill, days_later=rng.randint(2, 20))
        twin.number = f"{bill.number}-1"
        _set_amount(twin, bill.total + max(1, bill.total * rng.randint(2, 8) // 1_000))
        note = "D6: almost the same amount, one number begins with the other"
    subjects = [bill, twin]
    plan.truth.append(("AP07", subjects, note))
    return True


def _set_amount(bill: Doc, amount: int) -> None:
    bill.lines = [Line(amount, bill.lines[0].account, bill.lines[0].text)]
    bill.total = bill.balance = amount
    bill.attached = amount >= 100_000


def _misspelt(plan: Plan, vendor: Party) -> Party | None:
    """Add a vendor whose name lacks one letter of another's; `None` if the name is too short for that."""
    word = vendor.name.split()[0]
    if len(word) < 5:
        return None
    place = plan.rng.randrange(2, len(word) - 1)
    name = word[:place] + word[place + 1 :] + vendor.name[len(word) :]
    assert vendor.account is not None
    alike = new_vendor(plan, name, terms=vendor.terms, account=vendor.account)
    alike.method, alike.prefix, alike.wording = "misspelt", vendor.prefix, vendor.wording
    alike.address = dict(vendor.address) if vendor.address else None
    return alike


def _stale(plan: Plan, taken: set[Party]) -> bool:
    vendor = take_supplier(plan, taken)
    if vendor is None or vendor.terms is None:
        return False
    overdue = plan.rng.randint(96, 230)
    bill = add_bill(plan, vendor, plan.as_of - overdue - vendor.terms.days)
    plan.truth.append(("AP09", [bill], f"{overdue} days past due, nothing happened for 60 days"))
    return True


def _uncategorised(plan: Plan, taken: set[Party]) -> bool:
    bill = _unspoiled(plan, taken, at_least=4_100)
    if bill is None:
        return False
    bill.lines[-1].account = plan.accounts[plan.rng.choice(("ask", "uncategorized"))]
    plan.truth.append(("AP10", [bill], f"a line is booked to {bill.lines[-1].account.name}"))
    return True


def _document_missing(plan: Plan, taken: set[Party]) -> bool:
    bill = _unspoiled(plan, taken, at_least=100_000)
    # Who attaches no document at all keeps them elsewhere.
    if bill is None or sum(doc.attached for doc in plan.docs) < 2:
        return False
    bill.attached = False
    plan.truth.append(("AP11", [bill], "1,000 or more and no attachment"))
    return True


def _unspoiled(plan: Plan, taken: set[Party], *, at_least: int) -> Doc | None:
    """Take a bill nothing was planted on, an open one if there is any."""
    found = [
        doc
        for doc in plan.docs
        if doc.kind == "Bill"
        and not doc.planted
        and doc.total >= at_least
        and doc.party not in taken
        # What was closed long ago is in no mirror.
        and (doc.balance or doc.day > plan.as_of - _MIRRORED_DAYS)
    ]
    found = [doc for doc in found if doc.balance] or found
    if not found:
        return None
    bill = plan.rng.choice(found)
    bill.planted = True
    return bill


def _credit_unapplied(plan: Plan, taken: set[Party]) -> bool:
    fit = set(suppliers(plan, taken))
    found = [
        doc
        for doc in plan.docs
        if doc.kind == "Bill" and not doc.planted and doc.party in fit and doc.balance == doc.total > 8_000
    ]
    if not found:
        return False
    bill = plan.rng.choice(found)
    assert bill.party is not None
    taken.add(bill.party)
    day = plan.last - plan.rng.randint(4, 30)
    credit = new_credit(plan, bill.party, day, amount=bill.total * plan.rng.randint(10, 45) // 100)
    credit.entered = credit.updated = entered_soon(plan, day)
    credit.planted = True
    plan.docs.append(credit)
    plan.truth.append(("AP12", [bill.party], "a credit is open while a bill is open"))
    return True


def _remnant(plan: Plan, taken: set[Party]) -> bool:
    vendor = take_supplier(plan, taken)
    if vendor is None or vendor.terms is None:
        return False
    rng = plan.rng
    due = plan.as_of - rng.randint(34, 80)
    bill = add_bill(plan, vendor, due - vendor.terms.days)
    left = rng.randint(40, 480)
    if pay(plan, vendor, next_business_day(due + 1), parts=[(bill, bill.total - left)]) is None:
        return False
    plan.truth.append(("AP15", [bill], f"{left} cents are left of a paid bill"))
    return True


def _dangling(plan: Plan, taken: set[Party]) -> bool:
    bill = _unspoiled(plan, taken, at_least=4_100)
    if bill is None:
        return False
    bill.dangling = plan.rng.choice(("account", "term"))
    if bill.dangling == "account":
        plan.truth.append(("SY03", [bill], "a line names an account that is not in the books"))
    else:
        plan.truth.append(("SY03", [bill], "names terms that are not in the books"))
    return True


BILL_PLANTERS: dict[str, Callable[[Plan, set[Party]], bool]] = {
    "AP01": _due_missing,
    "AP02": _due_assumed,
    "AP03": _dates_implausible,
    "AP04": _vendor_missing,
    "AP05": _not_positive,
    "AP06": _duplicate,
    "AP07": _likely_duplicate,
    "AP09": _stale,
    "AP10": _uncategorised,
    "AP11": _document_missing,
    "AP12": _credit_unapplied,
    "AP15": _remnant,
    "SY03": _dangling,
}
