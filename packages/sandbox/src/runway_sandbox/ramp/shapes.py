"""Bills, payments, vendors and purchases on the wire (facts/ramp.md 4, 5 and 7). Amounts in answers are minor units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from runway_sandbox.ramp.making import Holdings
from runway_sandbox.ramp.records import (
    CardPurchase,
    RampBill,
    RampLine,
    RampPayment,
    RampVendor,
    conversion_rate,
    made_id,
    to_major,
)

Wire = dict[str, Any]
_OWNER = {"id": made_id("bill owner"), "first_name": "Dana", "last_name": "Okafor"}


def wire_time(moment: datetime | None) -> str | None:
    """Write a moment as most answers do."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")


def wire_day(day: date | None) -> str | None:
    """Write a day, which answers carry as a moment."""
    return None if day is None else wire_time(datetime.combine(day, time(0, tzinfo=UTC)))


def money(amount: int, currency: str) -> Wire:
    """Write an amount in minor units."""
    return {"amount": amount, "currency_code": currency, "minor_unit_conversion_rate": conversion_rate(currency)}


def bill(held: Holdings, one: RampBill, now: datetime, *, is_whole: bool = False) -> Wire:
    """Return a bill; the trace of its payment stands only in the answer for one bill (`is_whole`)."""
    vendor = held.vendors[one.vendor_id]
    shown = [payment(each, now, with_trace=is_whole) for each in one.payments]
    paid_at = one.payment.settles_at if one.payment is not None and one.is_paid(now) else None
    wire: Wire = {
        "id": one.id,
        "created_at": wire_time(one.created_at),
        "status": "PAID" if one.is_paid(now) else "OPEN",
        "approval_status": one.approval,
        "sync_status": one.sync_status(),
        "status_summary": one.status_summary(now),
        "amount": money(one.total, one.currency),
        "fx_conversion_rate": "1.0",
        "entity_id": one.entity_id,
        "accounting_date": wire_day(one.issued_on),
        "accounting_sync_date": None,
        "issued_at": wire_day(one.issued_on),
        "due_at": wire_day(one.due_on),
        "posting_date": wire_day(one.issued_on),
        "paid_at": wire_time(paid_at),
        "archived_at": wire_time(one.archived_at),
        "invoice_urls": [],
        "memo": one.memo,
        "vendor_memo": None,
        "remote_id": one.remote_id,
        "deep_link_url": f"https://app.qbo.intuit.com/app/bill?txnId={one.remote_id}" if one.is_synced else None,
        "enable_accounting_sync": one.wants_sync,
        "vendor": _vendor_of_bill(vendor),
        "vendor_contact_id": vendor.contact_id,
        "bill_owner": _OWNER,
        "accounting_field_selections": [],
        "line_items": [_line(line, one.currency) for line in one.lines],
        "inventory_line_items": [],
        "payment": shown[0] if shown else None,
        "payments": shown,
        "item_receipt_ids": [],
        "applied_vendor_credits": [],
        "draft_bill_id": one.draft_id,
        "draft_bill_created_at": wire_time(one.draft_created_at),
    }
    if one.number is not None:
        wire["invoice_number"] = one.number
    return wire


def draft(held: Holdings, one: RampBill) -> Wire:
    """Return a draft, in which nearly everything may be missing."""
    vendor = held.vendors[one.vendor_id]
    return {
        "id": one.id,
        "created_at": wire_time(one.created_at),
        "status": "DRAFT",
        "sync_status": "NOT_SYNCED",
        "amount": money(one.total, one.currency),
        "entity_id": one.entity_id,
        "issued_at": wire_day(one.issued_on),
        "due_at": wire_day(one.due_on),
        "invoice_number": one.number,
        "memo": one.memo,
        "remote_id": one.remote_id,
        "vendor": _vendor_of_bill(vendor),
        "line_items": [_line(line, one.currency) for line in one.lines],
        "inventory_line_items": [],
    }


def _vendor_of_bill(one: RampVendor) -> Wire:
    return {
        "id": one.id,
        "name": one.name,
        "type": "BUSINESS",
        "remote_id": one.remote_id,
        "remote_name": one.name if one.remote_id is not None else None,
        "remote_code": None,
    }


def _line(line: RampLine, currency: str) -> Wire:
    selections: Sequence[Wire] = ()
    if line.account_id is not None:
        category = {"id": made_id("category"), "name": "Category", "external_id": "Category", "type": "GL_ACCOUNT"}
        selections = [
            {
                "id": made_id("gl", line.account_id),
                "name": f"Account {line.account_id}",
                "external_id": line.account_id,
                "external_code": None,
                "category_info": category,
            }
        ]
    return {
        "amount": money(line.amount, currency),
        "memo": line.memo,
        "accounting_field_selections": list(selections),
        "purchase_order_line_item_id": None,
        "item_receipt_line_item_ids": [],
    }


def payment(one: RampPayment, now: datetime, *, with_trace: bool) -> Wire:
    """Return the payment of a bill."""
    has_started = one.has_started(now)
    details: Wire = {"approval_status": one.approval, "source_bank_account_id": None, "vendor_account_id": None}
    if one.manual_method is not None:
        details = {"manual_payment_method": one.manual_method}
    elif one.transaction_id is not None:
        details = {"spend_limit_id": made_id("limit"), "transaction_ids": [one.transaction_id]}
    trace = None
    if with_trace and has_started and one.method == "ACH":
        trace = {"descriptor": "ACH Trace ID", "trace_id": f"{int(one.id[:8], 16):015d}"}
    return {
        "id": one.id,
        "customer_friendly_payment_id": one.id.replace("-", "").upper()[:10],
        "amount": money(one.amount, one.currency),
        "payment_method": one.method,
        "payment_date": wire_day(one.payment_date),
        "effective_date": wire_day(one.payment_date) if has_started else None,
        "details": details,
        "trace_id": trace,
    }


def vendor(held: Holdings, one: RampVendor, now: datetime) -> Wire:
    """Return a vendor with what was spent on it."""
    paid = [
        each
        for each in held.bills.values()
        if each.vendor_id == one.id and each.payment is not None and each.is_paid(now)
    ]
    currency = paid[0].currency if paid else "USD"

    def spent(days: int) -> Wire:
        total = sum(
            each.total for each in paid if each.payment is not None and (now - each.payment.settles_at).days < days
        )
        return money(total, currency)

    return {
        "id": one.id,
        "name": one.name,
        "name_legal": None,
        "is_active": one.is_active,
        "is_deletable": not any(each.vendor_id == one.id for each in held.bills.values()),
        "country": "US",
        "state": None,
        "address": None,
        "tax_address": None,
        "vendor_type": "BUSINESS",
        "federal_tax_classification": None,
        "billing_frequency": None,
        "contacts": [one.contact_id],
        "created_at": wire_time(one.created_at),
        "description": None,
        "merchant_id": None,
        "sk_category_id": None,
        "sk_category_name": None,
        "vendor_owner_id": _OWNER["id"],
        "accounting_vendor_remote_id": one.remote_id,
        "external_vendor_id": one.external_id,
        "custom_form_collection_response": None,
        "total_spend_all_time": spent(100_000),
        "total_spend_last_30_days": spent(30),
        "total_spend_last_365_days": spent(365),
        "total_spend_ytd": spent(now.timetuple().tm_yday),
    }


def purchase(held: Holdings, one: CardPurchase, now: datetime) -> Wire:
    """Return a purchase on the card: its own amount in major units, those of its lines in minor ones."""
    state = one.state(now)
    minor = money(one.amount, one.currency)
    synced_at = one.synced_at(now)
    cleared = state == "CLEARED"
    wire: Wire = {
        "id": one.id,
        "state": state,
        "amount": to_major(one.amount, one.currency),
        "currency_code": one.currency,
        "minor_unit_conversion_rate": conversion_rate(one.currency),
        "user_transaction_time": wire_time(one.made_at),
        "settlement_date": wire_time(one.clears_at) if cleared else None,
        "accounting_date": wire_time(one.clears_at if cleared else one.made_at),
        "accounting_categories": [],
        "accounting_field_selections": [],
        "synced_at": wire_time(synced_at),
        "sync_status": "SYNCED" if synced_at is not None else "SYNC_READY" if cleared else "NOT_SYNC_READY",
        "merchant_id": made_id("merchant", one.merchant),
        "merchant_name": one.merchant,
        "merchant_descriptor": one.merchant.upper()[:22],
        "merchant_category_code": None,
        "merchant_category_code_description": None,
        "merchant_data": None,
        "merchant_location": None,
        "attendees": [],
        "sk_category_id": None,
        "sk_category_name": None,
        "card_id": made_id("card of", held.business_id),
        "card_holder": {
            "user_id": _OWNER["id"],
            "first_name": _OWNER["first_name"],
            "last_name": _OWNER["last_name"],
            "department_id": None,
            "department_name": None,
            "location_id": None,
            "location_name": None,
        },
        "entity_id": held.entity_id,
        "limit_id": None,
        "spend_program_id": None,
        "statement_id": None,
        "trip_id": None,
        "trip_name": None,
        "memo": None,
        "receipts": [],
        "line_items": [{"amount": minor, "converted_amount": minor, "accounting_field_selections": [], "memo": None}],
        "original_transaction_amount": minor,
        "disputes": [],
        "policy_violations": [],
    }
    if state == "DECLINED":
        wire["decline_details"] = {"amount": minor, "reason": "INSUFFICIENT_FUNDS"}
    return wire


def business(held: Holdings, name: str, created_at: datetime) -> Wire:
    """Return the business."""
    return {
        "id": held.business_id,
        "active": True,
        "business_name_legal": name,
        "business_name_on_card": name[:22],
        "billing_address": {
            "address1": "1 Main St",
            "city": "New York",
            "state": "NY",
            "postal_code": "10003",
            "country": "US",
        },
        "created_time": wire_time(created_at),
        "enforce_sso": False,
        "initial_approved_limit": 2_000_000,
        "is_integrated_with_slack": False,
        "limit_locked": False,
        "phone": None,
        "website": None,
    }


def entity(held: Holdings, name: str, currency: str, created_at: datetime) -> Wire:
    """Return the one entity of a business, with the account that bills are paid from."""
    account = {
        "internal_id": "",
        "external_id": "1",
        "external_name": "Operating Checking",
        "classification": "ASSET",
        "usage_type": "BILL_PAY_BANK_ACCOUNT",
        "bank_account_id": made_id("bank account", held.business_id),
        "created_at": wire_time(created_at),
    }
    return {
        "id": held.entity_id,
        "entity_name": name,
        "is_primary": True,
        "currency": currency,
        "location_ids": [],
        "accounts": [account],
    }


def user(held: Holdings) -> Wire:
    """Return the one person of a business."""
    return {
        **_OWNER,
        "business_id": held.business_id,
        "entity_id": held.entity_id,
        "email": "dana@business.invalid",
        "role": "BUSINESS_ADMIN",
        "status": "USER_ACTIVE",
        "is_manager": True,
        "custom_fields": [],
        "department_id": None,
        "employee_id": None,
        "location_id": None,
        "manager_id": None,
        "phone": None,
    }
