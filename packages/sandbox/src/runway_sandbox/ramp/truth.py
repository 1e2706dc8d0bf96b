"""Which records of the vendor and of the books are one thing, and where the two were made to differ."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runway_sandbox.ramp.business import Business

Entry = dict[str, Any]


def find_same(business: Business, now: datetime) -> list[Entry]:
    """List vendors, bills, payments of bills and purchases with what they are in the books."""
    held = business.held
    found = [_pair("Vendor", one.ledger_id, "vendor", one.id) for one in held.vendors.values() if one.ledger_id]
    for bill in held.bills.values():
        if bill.ledger_id is None:
            continue
        found.append(_pair("Bill", bill.ledger_id, "bill", bill.id))
        found += [
            _pair("BillPayment", payment.ledger_id, "payment", payment.id)
            for payment in bill.payments
            if payment.ledger_id is not None
        ]
    found += [
        _pair(one.ledger_kind, one.ledger_id, "transaction", one.id)
        for one in business.purchases(now)
        if one.ledger_kind is not None and one.ledger_id is not None
    ]
    return found


def _pair(kind: str, identifier: str | None, own_kind: str, own_id: str) -> Entry:
    return {
        "records": [
            {"rail": "qbo", "kind": kind, "id": identifier},
            {"rail": "ramp", "kind": own_kind, "id": own_id},
        ]
    }
