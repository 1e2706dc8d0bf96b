"""What people do in the vendor's own pages: `POST {control}/mutate` with `"rail": "ramp"`.

`approve`, `reject`, `schedule` (`fields` may hold `on`, `fails` and the `amount` of a part), `unschedule`, `mark_paid`
(paid outside, as the vendor's demo panel does), `hold`, `release`, `archive` and `edit` (`due_on`, `memo`) of a bill,
which `id` names by its own id or that of the ledger's bill. `disconnect` ends the company's tokens and app, `connect`
lets the app in again, `end_tokens` ends the tokens alone, `grant` says which `scopes` the app has.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from runway_sandbox.ramp.business import Business, OperationError
from runway_sandbox.ramp.desk import RampDesk
from runway_sandbox.world import Desk

_ACCESS = ("disconnect", "connect", "end_tokens", "grant")
_OF_BILLS = ("approve", "reject", "schedule", "unschedule", "mark_paid", "hold", "release", "archive", "edit")
RAMP_OPERATIONS = (*_OF_BILLS, *_ACCESS)


def apply_at_ramp(desk_of_all: RampDesk, desk: Desk, change: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """Do one thing and tell what came of it; what cannot be done is told, not raised."""
    operation, fields = str(change["op"]), dict(change.get("fields") or {})
    told = {"rail": "ramp", "company": desk.realm_id, "op": operation}
    if operation in _ACCESS:
        return {**told, "ok": True, "ended": desk_of_all.change_access(desk, operation, fields)}
    business = desk_of_all.business_of(desk)
    try:
        business.progress(now)
        bill_id = _do(business, operation, str(change.get("id", "")), fields=fields, now=now)
        business.progress(now)
    except (OperationError, ValueError) as error:
        return {**told, "ok": False, "id": change.get("id"), "fault": str(error)}
    return {**told, "ok": True, "id": bill_id}


def _do(business: Business, operation: str, identifier: str, *, fields: dict[str, Any], now: datetime) -> str:
    bill = business.find_bill(identifier)
    on = date.fromisoformat(str(fields["on"])) if fields.get("on") else None
    if operation == "schedule":
        amount = int(fields["amount"]) if fields.get("amount") else None
        business.schedule(bill, on=on, now=now, amount=amount, fails=bool(fields.get("fails")))
    elif operation == "approve":
        business.approve(bill)
    elif operation == "reject":
        business.reject(bill)
    elif operation == "unschedule":
        business.unschedule(bill, now=now)
    elif operation == "mark_paid":
        business.mark_paid(bill, now=now)
    elif operation == "archive":
        business.archive(bill, now=now)
    elif operation in {"hold", "release"}:
        bill.is_held = operation == "hold"
    else:
        due_on = date.fromisoformat(str(fields["due_on"])) if fields.get("due_on") else None
        business.edit(bill, due_on=due_on, memo=fields.get("memo"))
    return bill.id
