"""What a company has at the vendor from the start: made of its books, so that both windows show one economy.

Most vendors of the books are paid through this rail since the company joined it. What was paid by bank transfer there
was paid through it, what was paid by card with its card, what was paid by cheque elsewhere. Some differences are
planted, each on bills that no other planted defect names; the books themselves are never touched.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from runway_sandbox.books import Book, Row, WireObject
from runway_sandbox.economy.calendar import next_business_day
from runway_sandbox.postings import as_money, compute_applied, detail_of, lines_of, reference_id
from runway_sandbox.ramp.records import (
    SETTLES_AT,
    Approval,
    CardPurchase,
    RampBill,
    RampLine,
    RampPayment,
    RampVendor,
    bank_payment,
    business_days_after,
    made_id,
    outside_payment,
    to_minor,
)

JOINED_DAYS = 240
PLANTED_SHARE = 0.8
_SHARE_OF_VENDORS = 0.7


@dataclass(slots=True)
class Holdings:
    """Everything of one company at the vendor."""

    business_id: str
    entity_id: str
    vendors: dict[str, RampVendor] = field(default_factory=dict)
    bills: dict[str, RampBill] = field(default_factory=dict)
    drafts: dict[str, RampBill] = field(default_factory=dict)
    purchases: list[CardPurchase] = field(default_factory=list)  # those that no bank line tells of
    card_payments: dict[str, str] = field(default_factory=dict)  # id of a ledger's payment -> bill
    differences: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Paid:
    """How the ledger has a bill as paid: by one payment and whole, or in another way."""

    payment_id: str
    kind: str  # ACH, CARD, or outside
    on: date
    amount: int


class Maker:
    """Makes the holdings of one company from its books."""

    def __init__(self, book: Book, *, joined_at: datetime, now: datetime) -> None:
        self._book = book
        self._joined_at = joined_at
        self._now = now
        self._draws = random.Random(f"ramp:{book.realm_id}")
        business = made_id("business", book.realm_id)
        self._held = Holdings(business, made_id("entity", book.realm_id))
        self._named = {(one["kind"], one["id"]) for defect in book.truth for one in defect["records"]}
        self._names: dict[str, str] = {}  # of ledger vendors

    def make(self) -> Holdings:
        """Make vendors, then bills, then differences."""
        self._make_vendors()
        payments = self._read_payments()
        for row in self._book.shelf("Bill").rows.values():
            if row.created >= self._joined_at.timestamp() and ("Bill", row.id) not in self._named:
                self._make_bill(row, payments.get(row.id))
        self._plant()
        return self._held

    def _make_vendors(self) -> None:
        for row in self._book.shelf("Vendor").rows.values():
            chance = random.Random(f"ramp vendor:{self._book.realm_id}:{row.id}").random()
            if chance >= _SHARE_OF_VENDORS or not row.active or ("Vendor", row.id) in self._named:
                continue
            self._names[row.id] = row.name
            vendor = RampVendor(
                id=self._vendor_id(row.id),
                name=row.name,
                created_at=self._joined_at,
                ledger_id=row.id,
                remote_id=row.id,
            )
            self._held.vendors[vendor.id] = vendor

    def _vendor_id(self, ledger_id: str) -> str:
        return made_id("vendor", self._book.realm_id, ledger_id)

    def _read_payments(self) -> dict[str, list[_Paid]]:
        found: dict[str, list[_Paid]] = {}
        for row in self._book.shelf("BillPayment").rows.values():
            if row.created < self._joined_at.timestamp():
                continue
            wire = row.parse()
            applied = compute_applied("BillPayment", wire)
            is_plain = len(applied) == 1 and ("BillPayment", row.id) not in self._book.unreal | self._named
            currency = reference_id(wire, "CurrencyRef") or self._book.home_currency
            for (kind, identifier), amount in applied.items():
                if kind == "Bill":
                    how = _how(wire) if is_plain else "outside"
                    on = date.fromisoformat(str(wire["TxnDate"]))
                    found.setdefault(identifier, []).append(_Paid(row.id, how, on, to_minor(amount, currency)))
        return {bill: sorted(paid, key=lambda one: (one.on, one.payment_id)) for bill, paid in found.items()}

    def _make_bill(self, row: Row, paid: list[_Paid] | None) -> None:
        wire = row.parse()
        vendor = self._held.vendors.get(self._vendor_id(reference_id(wire, "VendorRef") or ""))
        total, balance = as_money(wire.get("TotalAmt")), as_money(wire.get("Balance"))
        if vendor is None or total <= 0 or (balance == total) != (not paid):
            return
        if balance not in {0, total} and not _is_in_parts(paid):
            return
        bill = self._describe(row, wire, vendor)
        self._held.bills[bill.id] = bill
        if paid and _is_in_parts(paid):
            self._pay_in_parts(bill, paid)
        elif paid:
            self._pay(bill, paid)
        if not paid or balance:
            self._place(bill)
        bill.was_told_paid = bill.is_paid(self._now)

    def _describe(self, row: Row, wire: WireObject, vendor: RampVendor) -> RampBill:
        currency = reference_id(wire, "CurrencyRef") or self._book.home_currency
        issued = date.fromisoformat(str(wire["TxnDate"]))
        due = wire.get("DueDate")
        lines = tuple(
            RampLine(
                to_minor(as_money(line.get("Amount")), currency),
                line.get("Description"),
                reference_id(detail_of(line), "AccountRef"),
            )
            for line in lines_of(wire)
            if as_money(line.get("Amount"))
        )
        rest = to_minor(as_money(wire.get("TotalAmt")), currency) - sum(line.amount for line in lines)
        if rest:
            lines = (*lines, RampLine(rest, "Tax"))
        number = wire.get("DocNumber")
        created = min(datetime.fromtimestamp(row.created - 1200, UTC), self._now - timedelta(minutes=1))
        return RampBill(
            id=made_id("bill", self._book.realm_id, row.id),
            created_at=created,
            vendor_id=vendor.id,
            entity_id=self._held.entity_id,
            currency=currency,
            lines=lines,
            number=str(number) if number else None,
            issued_on=issued,
            due_on=date.fromisoformat(str(due)) if due else issued + timedelta(days=30),
            memo=wire.get("PrivateNote"),
            remote_id=row.id,
            ledger_id=row.id,
            is_synced=True,
            seen_row=row,
        )

    def _pay(self, bill: RampBill, paid: list[_Paid]) -> None:
        last = paid[-1]
        if len(paid) > 1 or last.kind == "outside":
            bill.payment = outside_payment(bill, max(one.on for one in paid))
        elif last.kind == "CARD":
            bill.payment = self._card_payment(bill, last.on, made_id("card", self._book.realm_id, last.payment_id))
            bill.payment.is_recorded, bill.payment.ledger_id = True, last.payment_id
            self._held.card_payments[last.payment_id] = bill.id
        else:
            bill.payment = replace(bank_payment(bill, last.on), is_recorded=True, ledger_id=last.payment_id)
        bill.is_payment_synced = True

    def _pay_in_parts(self, bill: RampBill, paid: list[_Paid]) -> None:
        for one in paid:
            part = replace(bank_payment(bill, one.on, amount=one.amount), is_recorded=True, ledger_id=one.payment_id)
            bill.earlier.append(part)
        if not bill.rest:
            bill.payment, bill.is_payment_synced = bill.earlier.pop(), True

    def _card_payment(self, bill: RampBill, on: date, transaction_id: str, *, method: str = "CARD") -> RampPayment:
        return RampPayment(
            id=made_id("payment", bill.id, on.isoformat()),
            amount=bill.total,
            currency=bill.currency,
            method=method,
            payment_date=on,
            settles_at=datetime.combine(business_days_after(on, 1), SETTLES_AT),
            transaction_id=transaction_id,
        )

    def _place(self, bill: RampBill) -> None:
        """Let people have done with an open bill what they do: some wait for approval, some are scheduled."""
        draw = random.Random(f"ramp place:{bill.id}").random()
        if draw < 0.2:
            bill.approval = "APPROVED" if bill.earlier else "PENDING"
        elif draw < 0.45:
            today = self._now.date().toordinal()
            due = bill.due_on or self._now.date()
            on = date.fromordinal(next_business_day(max(due.toordinal(), today + 1)))
            approval: Approval = "PENDING" if draw < 0.25 else "APPROVED"
            bill.payment = replace(bank_payment(bill, on), approval=approval)

    # Differences

    def _plant(self) -> None:
        quiet = [one for one in self._held.bills.values() if not one.payments and one.approval == "APPROVED"]
        quiet.sort(key=lambda one: (one.created_at, one.id))
        old = [one for one in quiet if self._now - one.created_at > timedelta(days=12)]
        planters: list[Callable[[list[RampBill]], bool]] = [
            self._plant_paid_here,
            lambda bills: self._plant_amount(bills, "a few cents", self._draws.randint(1, 99)),
            lambda bills: self._plant_amount(bills, "one unit", 100),
            self._plant_due_date,
        ]
        for place, planter in enumerate(planters):
            bills = old if place == 0 else quiet
            if self._draws.random() < PLANTED_SHARE and bills and planter(bills):
                used = {one["records"][1]["id"] for one in self._held.differences}
                quiet = [one for one in quiet if one.id not in used]
                old = [one for one in old if one.id not in used]
        if old and self._draws.random() < PLANTED_SHARE:
            self._plant_on_card(old[0])
        if self._draws.random() < PLANTED_SHARE:
            self._plant_open_here()
        if self._draws.random() < PLANTED_SHARE:
            self._plant_spelling()
        if self._draws.random() < PLANTED_SHARE:
            self._plant_missing_there()
        if self._draws.random() < PLANTED_SHARE:
            self._plant_twice()

    def _tell(self, what: str, bill: RampBill, *, check: str | None, note: str) -> None:
        records = [{"rail": "ramp", "kind": "bill", "id": bill.id}]
        if bill.ledger_id is not None:
            records.insert(0, {"rail": "qbo", "kind": "Bill", "id": bill.ledger_id})
        self._held.differences.append({"what": what, "check": check, "records": records, "note": note})

    def _plant_paid_here(self, bills: list[RampBill]) -> bool:
        bill = bills[0]
        on = date.fromordinal(next_business_day((self._now - timedelta(days=9)).date().toordinal()))
        swipe = CardPurchase(
            id=made_id("card", bill.id),
            amount=bill.total,
            currency=bill.currency,
            made_at=datetime.combine(on, SETTLES_AT),
            clears_at=datetime.combine(business_days_after(on, 1), SETTLES_AT),
            merchant=self._held.vendors[bill.vendor_id].name,
            ledger_kind=None,
            ledger_id=None,
            bill_id=bill.id,
        )
        self._held.purchases.append(swipe)
        bill.payment = self._card_payment(bill, on, swipe.id, method="ONE_TIME_CARD")
        bill.was_told_paid = True
        self._tell("paid here, open there", bill, check="SY02", note="paid with a one-time card, never synced")
        return True

    def _plant_on_card(self, bill: RampBill) -> None:
        """Somebody paid the vendor with the company's card, and the bill waits to be paid on both sides."""
        on = date.fromordinal(next_business_day((self._now - timedelta(days=6)).date().toordinal()))
        made = datetime.combine(on, SETTLES_AT)
        swipe = CardPurchase(
            id=made_id("card", bill.id, "by hand"),
            amount=bill.total,
            currency=bill.currency,
            made_at=made,
            clears_at=datetime.combine(business_days_after(on, 1), SETTLES_AT),
            merchant=self._held.vendors[bill.vendor_id].name,
            ledger_kind=None,
            ledger_id=None,
        )
        self._held.purchases.append(swipe)
        self._tell(
            "paid by card, open", bill, check="AP08", note="the company's card paid it, and nobody told either side"
        )
        self._held.differences[-1]["records"].append({"rail": "ramp", "kind": "transaction", "id": swipe.id})

    def _plant_amount(self, bills: list[RampBill], what: str, more: int) -> bool:
        bill = bills[-1]
        first, *others = bill.lines
        bill.lines = (replace(first, amount=first.amount + more), *others)
        self._tell("amount off", bill, check="AP22", note=f"{what} more than in the ledger")
        return True

    def _plant_due_date(self, bills: list[RampBill]) -> bool:
        bill = bills[len(bills) // 2]
        row = self._book.find("Bill", bill.ledger_id or "")
        if row is None or not row.parse().get("DueDate") or bill.due_on is None:
            return False
        bill.due_on += timedelta(days=self._draws.randint(4, 12))
        self._tell("dates off", bill, check="AP22", note="another due date than in the ledger")
        return True

    def _plant_open_here(self) -> None:
        """A cheque was written down in the ledger, and the bill still asks to be paid here."""
        written = [one for one in self._held.bills.values() if one.payment is not None and one.payment.manual_method]
        written.sort(key=lambda one: (one.payment is not None and one.payment.payment_date, one.id))
        if written:
            bill = written[-1]
            bill.payment, bill.is_payment_synced, bill.is_deaf, bill.was_told_paid = None, False, True, False
            self._tell("open here, paid there", bill, check="AP22", note="paid by cheque, and nobody told the rail")

    def _plant_spelling(self) -> None:
        """A vendor that was typed in anew at the rail, and not joined to the ledger's; nor are its bills."""
        spoiled = {record["id"] for one in self._held.differences for record in one["records"]}
        bills_of: dict[str, list[RampBill]] = {}
        for bill in self._held.bills.values():
            if bill.number is not None:
                bills_of.setdefault(bill.vendor_id, []).append(bill)
        sound = sorted(
            (vendor_id, bills)
            for vendor_id, bills in bills_of.items()
            if len(bills) >= 2 and not any(bill.id in spoiled for bill in bills)
        )
        if not sound:
            return
        vendor_id, bills = sound[self._draws.randrange(len(sound))]
        vendor = self._held.vendors[vendor_id]
        vendor.name, vendor.remote_id = _respell(vendor.name), None
        for bill in bills:
            bill.remote_id, bill.is_synced, bill.is_payment_synced = None, False, False
        self._held.differences.append(
            {
                "what": "vendor spelled differently",
                "check": None,
                "records": [
                    {"rail": "qbo", "kind": "Vendor", "id": vendor.ledger_id},
                    {"rail": "ramp", "kind": "vendor", "id": vendor.id},
                ],
                "note": "neither the vendor nor its bills name the ledger's",
            }
        )

    def _plant_missing_there(self) -> None:
        vendors = sorted(one.id for one in self._held.vendors.values() if one.remote_id is not None)
        if not vendors:
            return
        day = self._now.date() - timedelta(days=self._draws.randint(2, 9))
        created = datetime.combine(day, SETTLES_AT)
        bill = RampBill(
            id=made_id("bill", self._book.realm_id, "missing there"),
            created_at=created,
            vendor_id=vendors[self._draws.randrange(len(vendors))],
            entity_id=self._held.entity_id,
            currency=self._book.home_currency,
            lines=(RampLine(self._draws.randint(8_000, 240_000), "Services"),),
            number=f"RX{self._draws.randint(10_000, 99_999)}",
            issued_on=created.date(),
            due_on=created.date() + timedelta(days=30),
        )
        self._held.bills[bill.id] = bill
        self._tell("missing there", bill, check=None, note="approved here, never entered in the ledger")

    def _plant_twice(self) -> None:
        """A vendor sent his bill to the rail as well, where somebody typed it in anew: it may be paid twice."""
        spoiled = {record["id"] for one in self._held.differences for record in one["records"]}
        sound = sorted(
            (bill.created_at, bill.id)
            for bill in self._held.bills.values()
            if bill.number is not None and bill.remote_id is not None and not spoiled & {bill.id, bill.ledger_id}
        )
        if not sound:
            return
        first = self._held.bills[sound[-1 - self._draws.randrange(min(3, len(sound)))][1]]
        again = replace(
            first,
            id=made_id("bill", first.id, "again"),
            created_at=min(first.created_at + timedelta(days=2), self._now - timedelta(minutes=1)),
            number=_renumber(first.number or ""),
            approval="PENDING",
            payment=None,
            earlier=[],
            remote_id=None,
            ledger_id=None,
            is_synced=False,
            is_payment_synced=False,
            was_told_paid=False,
            seen_row=None,
        )
        self._held.bills[again.id] = again
        self._held.differences.append(
            {
                "what": "duplicate across rails",
                "check": None,
                "records": [
                    {"rail": "qbo", "kind": "Bill", "id": first.ledger_id},
                    {"rail": "ramp", "kind": "bill", "id": first.id},
                    {"rail": "ramp", "kind": "bill", "id": again.id},
                ],
                "note": "the ledger's bill stands here a second time, under a number typed otherwise",
            }
        )


def _is_in_parts(paid: list[_Paid] | None) -> bool:
    """Whether a bill was paid by more than one bank transfer, or a part of it by one."""
    return bool(paid) and all(one.kind == "ACH" for one in paid or ())


def _how(payment: WireObject) -> str:
    if isinstance(payment.get("CreditCardPayment"), dict):
        return "CARD"
    return "outside" if str(payment.get("DocNumber") or "").isdecimal() else "ACH"


def _respell(name: str) -> str:
    """The name as somebody else would type it."""
    words = [word for word in name.replace("&", "and").split() if word.rstrip(".").lower() not in _FORMS]
    return " ".join(words).upper() + " CO"


def _renumber(number: str) -> str:
    """The number of a bill as somebody else would type it."""
    return number.removeprefix("INV").lstrip("-# ") if number.startswith("INV") else f"INV-{number}"


_FORMS = frozenset({"inc", "llc", "co", "ltd", "corp"})


def declined_twins(purchases: Iterator[CardPurchase]) -> Iterator[CardPurchase]:
    """Now and then a card was refused first, and tried again."""
    for one in purchases:
        if int(one.id[:4], 16) % 13 == 0:
            yield replace(one, id=made_id("declined", one.id), is_declined=True, ledger_kind=None, ledger_id=None)
        yield one
