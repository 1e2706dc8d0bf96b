"""Things at the processor as the vendor writes them (facts/stripe.md 4), as they were at a moment.

What `expand` may open stands as a string id; `expanding.py` opens it.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from runway_sandbox.processor import Processor
from runway_sandbox.processor_things import (
    CardInvoice,
    Charge,
    Customer,
    Dispute,
    Entry,
    InvoicePayment,
    Payout,
    Refund,
    Thing,
)

API_VERSION = "2026-10-28.endive"
Wire = dict[str, Any]

_NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
_CATEGORIES = {
    "charge": "charge",
    "refund": "refund",
    "payout": "payout",
    "payout_failure": "payout_reversal",
}
_EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal"
    " customer_communication customer_email_address customer_name customer_purchase_ip customer_signature"
    " duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt"
    " refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation"
    " shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number"
    " uncategorized_file uncategorized_text"
)
_EVIDENCE_WITHIN_S = 14 * 86_400


def a_list(data: list[Wire], *, url: str, has_more: bool = False) -> Wire:
    """Return the envelope of lists."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def account(identifier: str, *, name: str, currency: str, country: str, created: int, schedule: Wire) -> Wire:
    """Return the company's account."""
    return {
        "id": identifier,
        "object": "account",
        "business_profile": {"name": name, "mcc": None, "support_email": None, "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": country,
        "created": created,
        "default_currency": currency,
        "details_submitted": True,
        "email": None,
        "external_accounts": a_list([], url=f"/v1/accounts/{identifier}/external_accounts"),
        "metadata": {},
        "payouts_enabled": True,
        "settings": {
            "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
            "payouts": {
                "debit_negative_balances": True,
                "schedule": schedule,
                "statement_descriptor": None,
            },
        },
        "type": "standard",
    }


def customer(one: Customer, _at: int) -> Wire:
    """Return a customer, or the stub that is left of one."""
    if one.is_deleted:
        return {"id": one.id, "object": "customer", "deleted": True}
    return {
        "id": one.id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": one.made_at,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": one.email,
        "invoice_prefix": one.id[-7:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": one.metadata,
        "name": one.name,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def charge(one: Charge, at: int) -> Wire:
    """Return a charge."""
    refunded = sum(refund.amount for refund in one.refunds if refund.made_at <= at)
    is_good = one.failure is None
    return {
        "id": one.id,
        "object": "charge",
        "amount": one.amount,
        "amount_captured": one.amount if is_good else 0,
        "amount_refunded": refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": one.entry.id if one.entry is not None else None,
        "billing_details": {
            "address": dict(_NO_ADDRESS),
            "email": one.customer.email if one.customer else None,
            "name": one.customer.name if one.customer else None,
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": None,
        "captured": is_good,
        "created": one.made_at,
        "currency": one.currency,
        "customer": one.customer.id if one.customer else None,
        "description": one.description,
        "disputed": any(dispute.made_at <= at for dispute in one.disputes),
        "failure_balance_transaction": None,
        "failure_code": one.failure,
        "failure_message": None if is_good else "Your card was declined.",
        "fraud_details": {},
        "livemode": False,
        "metadata": one.metadata,
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_status": "approved_by_network" if is_good else "declined_by_network",
            "reason": None if is_good else "generic_decline",
            "seller_message": "Payment complete." if is_good else "The bank did not return any further details.",
            "type": "authorized" if is_good else "issuer_declined",
        },
        "paid": is_good,
        "payment_intent": one.intent_id,
        "payment_method": "pm_" + one.id.removeprefix("ch_"),
        "payment_method_details": {"card": {"brand": "visa", "country": "US", "last4": "4242"}, "type": "card"},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": refunded >= one.amount,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if is_good else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def refund(one: Refund, _at: int) -> Wire:
    """Return a refund."""
    return {
        "id": one.id,
        "object": "refund",
        "amount": one.amount,
        "balance_transaction": one.entry.id if one.entry is not None else None,
        "charge": one.charge.id,
        "created": one.made_at,
        "currency": one.charge.currency,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": {},
        "payment_intent": one.charge.intent_id,
        "reason": one.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def dispute(one: Dispute, at: int) -> Wire:
    """Return a dispute, with its movements in full."""
    is_closed = one.closed_at is not None and one.closed_at <= at
    due = one.made_at + _EVIDENCE_WITHIN_S
    if one.is_inquiry:
        status = "warning_closed" if is_closed else "warning_needs_response"
    else:
        status = ("won" if one.is_won else "lost") if is_closed else "needs_response" if at < due else "under_review"
    return {
        "id": one.id,
        "object": "dispute",
        "amount": one.amount,
        "balance_transactions": [entry(held, at) for held in one.entries if held.made_at <= at],
        "charge": one.charge.id,
        "created": one.made_at,
        "currency": one.charge.currency,
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE.split()), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": due,
            "enhanced_eligibility": {},
            "has_evidence": at >= due,
            "past_due": at >= due,
            "submission_count": 1 if at >= due else 0,
        },
        "is_charge_refundable": one.is_inquiry and not is_closed,
        "livemode": False,
        "metadata": {},
        "payment_intent": one.charge.intent_id,
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "inquiry" if one.is_inquiry else "chargeback",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": "fraudulent",
        "status": status,
    }


def payout(one: Payout, at: int) -> Wire:
    """Return a payout."""
    has_failed = one.failed_at is not None and one.failed_at <= at
    status = "paid" if at >= one.arrives_at else "in_transit" if at >= one.made_at + 3_600 else "pending"
    reconciliation = "completed" if at >= one.reconciled_at else "in_progress"
    return {
        "id": one.id,
        "object": "payout",
        "amount": one.amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": int(datetime.combine(one.arrives_on, time(), tzinfo=UTC).timestamp()),
        "automatic": one.is_automatic,
        "balance_transaction": one.entry.id if one.entry is not None else None,
        "created": one.made_at,
        "currency": one.currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_" + one.id.removeprefix("po_"),
        "failure_balance_transaction": one.failure_entry.id if has_failed and one.failure_entry else None,
        "failure_code": "account_closed" if has_failed else None,
        "failure_message": "The bank account has been closed" if has_failed else None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": reconciliation if one.is_automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "failed" if has_failed else status,
        "trace_id": {"status": "supported" if one.trace else "pending", "value": one.trace},
        "type": "bank_account",
    }


def entry(one: Entry, at: int) -> Wire:
    """Return a balance transaction."""
    category = _CATEGORIES.get(one.kind, "dispute" if one.gross < 0 else "dispute_reversal")
    kind = "Dispute fee" if category == "dispute" else "Stripe processing fees"
    fee: Wire = {"amount": one.fee, "application": None, "currency": one.currency, "description": kind}
    return {
        "id": one.id,
        "object": "balance_transaction",
        "amount": one.gross,
        "available_on": one.available_at,
        "balance_type": "payments",
        "created": one.made_at,
        "currency": one.currency,
        "description": one.description,
        "exchange_rate": one.exchange_rate,
        "fee": one.fee,
        "fee_details": [{**fee, "type": "stripe_fee"}] if one.fee else [],
        "net": one.net,
        "reporting_category": category,
        "source": one.source.id if one.source is not None else None,
        "status": "available" if one.available_at <= at else "pending",
        "type": one.kind,
    }


def invoice_line(one: CardInvoice) -> Wire:
    """Return the only line of an invoice."""
    return {
        "id": "il_" + one.id.removeprefix("in_"),
        "object": "line_item",
        "amount": one.total,
        "currency": one.currency,
        "description": one.text,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": one.id,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"end": one.made_at, "start": one.made_at},
        "pretax_credit_amounts": None,
        "pricing": None,
        "quantity": 1,
        "quantity_decimal": "1",
        "subscription": None,
        "subtotal": one.total,
        "taxes": None,
    }


def invoice(one: CardInvoice, at: int) -> Wire:
    """Return an invoice."""
    paid = min(one.paid_by(at), one.total)
    is_paid = paid >= one.total
    paid_at = max((held.made_at for held in one.payments if held.made_at <= at), default=None) if is_paid else None
    return {
        "id": one.id,
        "object": "invoice",
        "amount_due": one.total,
        "amount_overpaid": 0,
        "amount_paid": paid,
        "amount_remaining": one.total - paid,
        "amount_shipping": 0,
        "attempt_count": 1,
        "attempted": True,
        "auto_advance": not is_paid,
        "billing_reason": "manual",
        "collection_method": "send_invoice",
        "created": one.made_at,
        "currency": one.currency,
        "customer": one.customer.id,
        "customer_email": one.customer.email,
        "customer_name": one.customer.name,
        "default_payment_method": None,
        "description": None,
        "due_date": one.due_at,
        "effective_at": one.made_at,
        "ending_balance": 0,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "lines": a_list([invoice_line(one)], url=f"/v1/invoices/{one.id}/lines"),
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": one.number,
        "parent": None,
        "period_end": one.made_at,
        "period_start": one.made_at,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "paid" if is_paid else "open",
        "status_transitions": {
            "finalized_at": one.made_at,
            "marked_uncollectible_at": None,
            "paid_at": paid_at,
            "voided_at": None,
        },
        "subtotal": one.total,
        "subtotal_excluding_tax": one.total,
        "total": one.total,
        "total_discount_amounts": [],
        "total_excluding_tax": one.total,
        "total_taxes": [],
    }


def invoice_payment(one: InvoicePayment, _at: int) -> Wire:
    """Return what a charge paid of an invoice."""
    return {
        "id": one.id,
        "object": "invoice_payment",
        "amount_paid": one.amount,
        "amount_requested": one.amount,
        "created": one.made_at,
        "currency": one.invoice.currency,
        "invoice": one.invoice.id,
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": one.charge.intent_id, "type": "payment_intent"},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": one.made_at},
    }


_WRITERS: dict[type, Any] = {
    Customer: customer,
    Charge: charge,
    Refund: refund,
    Dispute: dispute,
    Payout: payout,
    Entry: entry,
    CardInvoice: invoice,
    InvoicePayment: invoice_payment,
}


def write(thing: Thing, at: int) -> Wire:
    """Return a thing as it was at a moment."""
    wire: Wire = _WRITERS[type(thing)](thing, at)
    return wire


def balance(processor: Processor, *, at: int, currency: str) -> Wire:
    """Return what the account holds at a moment, by currency."""
    sums: dict[str, dict[str, int]] = {"available": {currency: 0}, "pending": {currency: 0}}
    for one in processor.of_kind(Entry):
        if one.made_at <= at:
            side = sums["available" if one.available_at <= at else "pending"]
            side[one.currency] = side.get(one.currency, 0) + one.net
    return {
        "object": "balance",
        "livemode": False,
        **{
            side: [
                {"amount": amount, "currency": code, "source_types": {"card": amount}}
                for code, amount in sorted(held.items())
            ]
            for side, held in sums.items()
        },
    }
