"""Changes as the company, its customers and their banks would make them: the part of `POST {control}/mutate`.

`{"rail": "stripe", "company": …, "op": …, "fields": {…}}`: `charge` (`amount` in minor units, `currency`, and `rate`
where it is settled in the account's own), `refund`, `dispute` (`is_inquiry`), `close_dispute` (`is_won`), `pay_out`
(all that is available, or an `amount` by hand) and `fail_payout` name what they touch by `id`; `schedule` says when it
pays out by itself (`interval`: daily, weekly or manual, and `weekly_anchor`); `revoke`, `forbid` (a
`resource`) and `restore` change the access, `roll_secret` signs with two secrets from now on.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from runway_sandbox.payouts import INTERVALS, WEEKDAYS, Schedule
from runway_sandbox.processor_things import Charge, Customer, Dispute, Payout
from runway_sandbox.stripe.account import StripeAccount
from runway_sandbox.stripe.desk import StripeDesk
from runway_sandbox.world import Desk

Fields = dict[str, Any]


class _UnknownThingError(Exception):
    """A change names nothing that is there; the text says what."""


def apply_at_stripe(stripe: StripeDesk, desk: Desk, change: Fields, *, now: int) -> Fields:
    """Make one change and tell the id of what came of it, or why it cannot be made."""
    told = {"rail": "stripe", "company": desk.realm_id, "op": change["op"]}
    fields: Fields = change.get("fields") or {}
    stripe.progress(desk)
    if change["op"] == "roll_secret":
        stripe.post.roll_secret(str(fields.get("secret", "whsec_sandbox_rolled")))
        return {**told, "ok": True}
    try:
        made = _OPERATIONS[change["op"]](stripe.account_of(desk), fields, now)
    except _UnknownThingError as error:
        return {**told, "ok": False, "fault": str(error)}
    stripe.post.wake()
    return {**told, "ok": True, "id": made}


def _find(account: StripeAccount, fields: Fields, kind: type, name: str = "id") -> Any:
    found = account.processor.things.get(str(fields.get(name)))
    if not isinstance(found, kind):
        raise _UnknownThingError(f"no {kind.__name__.lower()} {fields.get(name)!r}; give its {name} in fields")
    return found


def _charge(account: StripeAccount, fields: Fields, now: int) -> str:
    customer = _find(account, fields, Customer, "customer") if "customer" in fields else None
    currency = str(fields.get("currency", account.currency)).lower()
    text = fields.get("description", "Walk-in")
    rate = Decimal(str(fields["rate"])) if "rate" in fields else None
    return account.processor.charge(
        int(fields.get("amount", 12_345)), currency, now=now, customer=customer, description=text, rate=rate
    ).id


def _refund(account: StripeAccount, fields: Fields, now: int) -> str:
    charge: Charge = _find(account, fields, Charge)
    return account.processor.refund(charge, int(fields.get("amount", charge.amount)), now=now).id


def _dispute(account: StripeAccount, fields: Fields, now: int) -> str:
    charge: Charge = _find(account, fields, Charge)
    return account.processor.dispute(charge, now=now, is_inquiry=bool(fields.get("is_inquiry"))).id


def _close_dispute(account: StripeAccount, fields: Fields, now: int) -> str:
    dispute: Dispute = _find(account, fields, Dispute)
    account.processor.close_dispute(dispute, now=now, is_won=bool(fields.get("is_won")))
    return dispute.id


def _pay_out(account: StripeAccount, fields: Fields, now: int) -> str:
    amount = int(fields["amount"]) if "amount" in fields else None
    currency = str(fields.get("currency", account.currency)).lower()
    payout = account.processor.pay_out(now=now, currency=currency, amount=amount)
    if payout is None:
        raise _UnknownThingError("nothing is available to be paid out")
    if amount is not None and account.clerk is not None:
        account.clerk.pay_by_hand()
    return payout.id


def _set_schedule(account: StripeAccount, fields: Fields, _now: int) -> str:
    interval, day = str(fields.get("interval", "")), str(fields.get("weekly_anchor", "monday"))
    if account.clerk is None or interval not in INTERVALS or day not in WEEKDAYS:
        raise _UnknownThingError(f"a schedule has an interval of {INTERVALS} and a weekly_anchor of {WEEKDAYS}")
    account.clerk.schedule = Schedule(INTERVALS[interval], WEEKDAYS.index(day))
    return account.account_id


def _fail_payout(account: StripeAccount, fields: Fields, now: int) -> str:
    payout: Payout = _find(account, fields, Payout)
    account.processor.fail_payout(payout, now=now)
    return payout.id


def _revoke(account: StripeAccount, _fields: Fields, _now: int) -> str:
    account.is_revoked = True
    return account.account_id


def _restore(account: StripeAccount, _fields: Fields, _now: int) -> str:
    account.is_revoked = False
    account.forbidden.clear()
    return account.account_id


def _forbid(account: StripeAccount, fields: Fields, _now: int) -> str:
    account.forbidden.add(str(fields.get("resource", "charges")))
    return account.account_id


_OPERATIONS: dict[str, Callable[[StripeAccount, Fields, int], str]] = {
    "charge": _charge,
    "refund": _refund,
    "dispute": _dispute,
    "close_dispute": _close_dispute,
    "pay_out": _pay_out,
    "fail_payout": _fail_payout,
    "schedule": _set_schedule,
    "revoke": _revoke,
    "restore": _restore,
    "forbid": _forbid,
}
STRIPE_OPERATIONS = (*_OPERATIONS, "roll_secret")
