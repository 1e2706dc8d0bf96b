"""What callers ask the vendor to write, read strictly: amounts of a bill's lines are major units (facts/ramp.md 4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from runway_sandbox.ramp.faults import invalid
from runway_sandbox.ramp.making import Holdings
from runway_sandbox.ramp.records import RampBill, RampLine, RampPayment, RampVendor, bank_payment, to_minor

Body = Mapping[str, Any]
_WORDS = (
    "accounting_field_selections attachment_id due_at enable_accounting_sync entity_id inventory_line_items"
    " invoice_currency invoice_number issued_at line_items memo payment_details payment_method posting_date"
    " purchase_order_id purchase_order_ids remote_id use_default_vendor_contact vendor_contact_id vendor_id"
    " vendor_memo"
)
_BILL_FIELDS = frozenset(_WORDS.split())
_NEEDED = ("vendor_id", "entity_id", "invoice_number", "invoice_currency", "issued_at", "due_at")


def read_bill(body: Body, held: Holdings, *, bill_id: str, now: datetime, is_draft: bool) -> RampBill:
    """Read the body of a new bill or draft; only a draft may lack all but its vendor.

    Raises:
        RampFaultError: an unknown member, a missing one, or one that makes no sense.
    """
    unknown = [name for name in body if name not in _BILL_FIELDS]
    if unknown:
        raise invalid(**dict.fromkeys(unknown, "Unknown field."))
    needed = ("vendor_id",) if is_draft else _NEEDED
    missing = [name for name in needed if not body.get(name)]
    if missing:
        raise invalid(**dict.fromkeys(missing, "Missing data for required field."))
    vendor = held.vendors.get(str(body["vendor_id"]))
    if vendor is None:
        raise invalid(vendor_id="Vendor not found.")
    if body.get("entity_id") not in {None, held.entity_id}:
        raise invalid(entity_id="Entity not found.")
    if body.get("remote_id") is not None and body.get("enable_accounting_sync") is not True:
        raise invalid(enable_accounting_sync="Must be true when remote_id is given.")
    if len(str(body.get("invoice_number") or "")) > 20:
        raise invalid(invoice_number="Longer than maximum length 20.")
    currency = str(body.get("invoice_currency") or "USD")
    return RampBill(
        id=bill_id,
        created_at=now,
        vendor_id=vendor.id,
        entity_id=held.entity_id,
        currency=currency,
        lines=_read_lines(body, currency),
        number=body.get("invoice_number"),
        issued_on=_read_day(body, "issued_at"),
        due_on=_read_day(body, "due_at"),
        memo=body.get("memo"),
        remote_id=body.get("remote_id"),
        wants_sync=body.get("enable_accounting_sync", True) is True,
    )


def find_missing(draft: RampBill) -> list[str]:
    """Name what a draft lacks to be submitted."""
    held = {
        "invoice_number": draft.number,
        "issued_at": draft.issued_on,
        "due_at": draft.due_on,
        "line_items": draft.lines,
    }
    return [name for name, value in held.items() if not value]


def change_bill(bill: RampBill, body: Body) -> None:
    """Change what a caller may change; lists replace.

    Raises:
        RampFaultError: a payment, which cannot be changed here, or a member that makes no sense.
    """
    unknown = [name for name in body if name not in _BILL_FIELDS - {"payment_details"}]
    if unknown:
        raise invalid(**dict.fromkeys(unknown, "Unknown field."))
    if "line_items" in body or "inventory_line_items" in body:
        bill.lines = _read_lines(body, bill.currency)
    bill.due_on = _read_day(body, "due_at") or bill.due_on
    bill.issued_on = _read_day(body, "issued_at") or bill.issued_on
    bill.number = body.get("invoice_number", bill.number)
    bill.memo = body.get("memo", bill.memo)
    bill.remote_id = body.get("remote_id", bill.remote_id)


def read_payment(body: Body, bill: RampBill, *, now: datetime) -> RampPayment | None:
    """Read how a new bill is to be paid; a manual payment marks it as paid.

    Raises:
        RampFaultError: it makes no sense.
    """
    details = body.get("payment_details")
    if details is None:
        return None
    if not isinstance(details, dict):
        raise invalid(payment_details="Not a mapping.")
    if "manual_payment_method" in details:
        on = _read_day(details, "payment_date") or now.date()
        payment = bank_payment(bill, on)
        payment.method, payment.manual_method, payment.settles_at = (
            "PAID_MANUALLY",
            str(details["manual_payment_method"]),
            min(now, payment.settles_at),
        )
        return payment
    arrives = _read_day(details, "payment_arrival_date")
    if arrives is None or arrives.weekday() > 4:
        raise invalid(payment_arrival_date="Must be a business day.")
    return bank_payment(bill, max(date.fromordinal(arrives.toordinal() - 3), now.date()))


def read_vendor(body: Body, *, vendor_id: str, now: datetime) -> RampVendor:
    """Read the body of a new vendor.

    Raises:
        RampFaultError: its country or its contact is missing.
    """
    contact = body.get("business_vendor_contacts")
    if not isinstance(contact, dict) or not contact.get("email"):
        raise invalid(business_vendor_contacts="Missing data for required field.")
    if not body.get("country"):
        raise invalid(country="Missing data for required field.")
    return RampVendor(
        id=vendor_id,
        name=str(body.get("name") or contact["email"]),
        created_at=now,
        remote_id=body.get("accounting_vendor_remote_id"),
        ledger_id=body.get("accounting_vendor_remote_id"),
        email=str(contact["email"]),
        external_id=body.get("external_vendor_id"),
    )


def _read_lines(body: Body, currency: str) -> tuple[RampLine, ...]:
    lines = []
    for name, price in (("line_items", "amount"), ("inventory_line_items", "unit_price")):
        listed = body.get(name) or []
        if not isinstance(listed, list):
            raise invalid(**{name: "Not a list."})
        for line in listed:
            amount = _read_major(line, price, currency)
            count = line.get("quantity", line.get("unit_quantity", 1)) if price == "unit_price" else 1
            lines.append(RampLine(amount * int(count), line.get("memo"), _read_account(line)))
    return tuple(lines)


def _read_major(line: object, name: str, currency: str) -> int:
    value = line.get(name) if isinstance(line, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise invalid(**{name: "Not a valid number."})
    try:
        return to_minor(Decimal(value), currency)
    except (InvalidOperation, ValueError) as error:
        raise invalid(**{name: "Not a valid amount."}) from error


def _read_account(line: Mapping[str, Any]) -> str | None:
    for selection in line.get("accounting_field_selections") or []:
        if selection.get("field_external_id") == "Category":
            return str(selection.get("field_option_external_id"))
    return None


def _read_day(body: Body, name: str) -> date | None:
    text = body.get(name)
    if text is None:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError as error:
        raise invalid(**{name: "Not a valid date."}) from error
