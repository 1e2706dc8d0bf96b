"""Items, accounts and transactions on the wire (facts/plaid.md 2 to 4). Amounts out of an account are positive."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from runway_sandbox.bank import BankAccount
from runway_sandbox.plaid.faults import LOGIN_REQUIRED_TEXT
from runway_sandbox.plaid.items import Happening, Item, ShownTransaction

Wire = dict[str, Any]
INSTITUTION_ID = "ins_109508"
INSTITUTION_NAME = "First Platypus Bank"


def wire_time(moment: datetime | None) -> str | None:
    """Write a moment as the vendor does, to the second."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def item(one: Item) -> Wire:
    """Return an item as most answers carry it."""
    error = None
    if one.error is not None:
        error = {
            "display_message": None,
            "error_code": one.error,
            "error_message": LOGIN_REQUIRED_TEXT,
            "error_type": "ITEM_ERROR",
            "status": 400,
        }
    return {
        "available_products": ["balance", "identity"],
        "billed_products": ["transactions"],
        "products": ["transactions"],
        "consented_products": ["transactions"],
        "consent_expiration_time": None,
        "error": error,
        "institution_id": INSTITUTION_ID,
        "institution_name": INSTITUTION_NAME,
        "item_id": one.item_id,
        "update_type": "background",
        "webhook": one.webhook or "",
        "auth_method": None,
    }


def item_with_status(one: Item) -> Wire:
    """Return the answer of `/item/get` but for its request id."""
    last = one.last_webhook
    return {
        "item": {
            **item(one),
            "created_at": wire_time(one.created_at),
            "consented_data_scopes": ["account_balance_info", "transactions"],
            "consented_use_cases": ["Track and manage your finances"],
        },
        "status": {
            "transactions": {
                "last_successful_update": wire_time(one.fetched_at),
                "last_failed_update": wire_time(one.failed_at),
            },
            "last_webhook": None if last is None else {"sent_at": wire_time(last[0]), "code_sent": last[1]},
        },
    }


def account(one: Item, held: BankAccount, at: datetime | None) -> Wire:
    """Return an account with what it held at a moment; none was read before the first fetch."""
    current = available = None
    if at is not None:
        posted, free = one.balances(held, at)
        current, available = (-posted, None) if held.is_card else (posted, free)
    return {
        "account_id": one.account_id(held.ledger_id),
        "balances": {
            "available": available,
            "current": current,
            "iso_currency_code": held.currency,
            "limit": Decimal(25_000) if held.is_card else None,
            "unofficial_currency_code": None,
        },
        "holder_category": "business",
        "mask": held.mask,
        "name": held.name,
        "official_name": None,
        "subtype": "credit card" if held.is_card else "savings" if "saving" in held.name.lower() else "checking",
        "type": "credit" if held.is_card else "depository",
    }


_NO_PAYMENT_META = dict.fromkeys(
    ("by_order_of", "payee", "payer", "payment_method", "payment_processor", "ppd_id", "reason", "reference_number")
)
_NO_LOCATION = dict.fromkeys(("address", "city", "region", "postal_code", "country", "lat", "lon", "store_number"))


def transaction(one: Item, shown: ShownTransaction) -> Wire:
    """Return a transaction."""
    line = shown.line
    merchant = line.payee if line.cheque_number is None else None
    return {
        "account_id": one.account_id(line.ledger_account_id),
        "account_owner": None,
        "amount": -line.amount,
        "iso_currency_code": next(a.currency for a in one.accounts() if a.ledger_id == line.ledger_account_id),
        "unofficial_currency_code": None,
        "check_number": line.cheque_number,
        "counterparties": [
            {
                "name": merchant,
                "type": "merchant",
                "logo_url": None,
                "website": None,
                "entity_id": None,
                "confidence_level": "LOW",
            }
        ]
        if merchant
        else [],
        "date": (line.made_on if shown.is_pending else line.posts_on).isoformat(),
        "datetime": None,
        "authorized_date": line.made_on.isoformat() if line.is_pending_first else None,
        "authorized_datetime": None,
        "location": dict(_NO_LOCATION),
        "name": line.text,
        "merchant_name": merchant,
        "merchant_entity_id": None,
        "logo_url": None,
        "website": None,
        "payment_meta": dict(_NO_PAYMENT_META),
        "payment_channel": "online" if line.is_pending_first else "other",
        "pending": shown.is_pending,
        "pending_transaction_id": shown.pending_id,
        "personal_finance_category": None,
        "personal_finance_category_icon_url": "",
        "transaction_id": shown.transaction_id,
        "transaction_code": None,
        "transaction_type": "unresolved",
    }


def removed(one: Item, happening: Happening) -> Wire:
    """Return what is told of a transaction that went."""
    return {
        "account_id": one.account_id(happening.ledger_account_id),
        "transaction_id": happening.transaction_id,
    }
