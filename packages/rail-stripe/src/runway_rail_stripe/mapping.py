"""Wire → domain: charges, refunds, disputes, payouts and movements, in major units and the field's words. Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import msgspec
from runway_core.domain.changes import Change, RejectedRecord
from runway_core.domain.identity import RecordKind
from runway_core.domain.processor import (
    Charge,
    ChargeState,
    Dispute,
    DisputeState,
    PayoutState,
    ProcessorEntry,
    ProcessorEntryKind,
    Refund,
    RefundState,
    SentPayout,
)
from runway_core.domain.record import Record
from runway_core.errors import InvalidRequest, RecordRejected
from runway_rail_kit import UNREADABLE

from runway_rail_stripe import wire
from runway_rail_stripe.currencies import read_currency, to_major
from runway_rail_stripe.faults import RAIL

Wire = TypeVar("Wire")

_NUMBER_KEYS = ("invoice_number", "invoice", "invoice_id", "order_number", "order_id")
"""Where people write the invoice's number in metadata; the first that is there counts."""

_REFUND_STATES = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.NEEDS_ACTION,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.CANCELLED,
}
_DISPUTE_STATES = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.CLOSED,
    "needs_response": DisputeState.NEEDS_ANSWER,
    "appeal_needs_response": DisputeState.NEEDS_ANSWER,
    "under_review": DisputeState.UNDER_REVIEW,
    "appeal_under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
    "prevented": DisputeState.CLOSED,
}
_PAYOUT_STATES = {
    "pending": PayoutState.PENDING,
    "in_transit": PayoutState.IN_TRANSIT,
    "paid": PayoutState.PAID,
    "failed": PayoutState.FAILED,
    "canceled": PayoutState.CANCELLED,
}
_TYPE_KINDS = {
    **dict.fromkeys(("charge", "payment"), ProcessorEntryKind.CHARGE),
    **dict.fromkeys(
        ("refund", "payment_refund", "refund_failure", "payment_failure_refund", "payment_reversal"),
        ProcessorEntryKind.REFUND,
    ),
    **dict.fromkeys(
        ("stripe_fee", "stripe_fx_fee", "tax_fee", "application_fee", "application_fee_refund"), ProcessorEntryKind.FEE
    ),
    **dict.fromkeys(("payout", "payout_cancel", "payout_failure"), ProcessorEntryKind.PAYOUT),
    **dict.fromkeys(
        ("transfer", "transfer_refund", "transfer_failure", "transfer_cancel"), ProcessorEntryKind.TRANSFER
    ),
}
_CATEGORY_KINDS = {
    "charge": ProcessorEntryKind.CHARGE,
    "refund": ProcessorEntryKind.REFUND,
    "dispute": ProcessorEntryKind.DISPUTE,
    "dispute_reversal": ProcessorEntryKind.DISPUTE,
    "fee": ProcessorEntryKind.FEE,
    "payout": ProcessorEntryKind.PAYOUT,
    "payout_reversal": ProcessorEntryKind.PAYOUT,
    "transfer": ProcessorEntryKind.TRANSFER,
}


def to_charge(raw: bytes, *, numbers: Mapping[str, str]) -> Change:
    """Read a charge. `numbers` tells the invoice of a payment intent or a charge, by its id.

    Raises:
        RecordRejected: it cannot be understood; the reason is for a person.
    """
    one = _decode(raw, wire.Charge, "charge")
    currency = read_currency(one.currency)
    customer = one.customer if isinstance(one.customer, wire.Customer) else None
    entered = one.billing_details
    return _change(
        Charge,
        raw,
        one.created,
        {
            **_say_money(one),
            "refunded": to_major(one.amount_refunded, currency),
            "state": _state(one.status, {state.value: state for state in ChargeState}, "charge"),
            "is_disputed": one.disputed,
            "customer_id": wire.id_of(one.customer),
            "customer_name": (customer.name if customer else None) or (entered.name if entered else None),
            "invoice_number": _number_of(one, numbers),
            "text": one.description or "",
            "failure": one.failure_code,
        },
    )


def to_refund(raw: bytes) -> Change:
    """Read a refund.

    Raises:
        RecordRejected: it cannot be understood; the reason is for a person.
    """
    one = _decode(raw, wire.Refund, "refund")
    return _change(
        Refund,
        raw,
        one.created,
        {
            **_say_money(one),
            # Old refunds have no status: they succeeded.
            "state": _state(one.status or "succeeded", _REFUND_STATES, "refund"),
            "charge_id": wire.id_of(one.charge),
            "reason": one.reason,
        },
    )


def to_dispute(raw: bytes) -> Change:
    """Read a dispute.

    Raises:
        RecordRejected: it cannot be understood; the reason is for a person.
    """
    one = _decode(raw, wire.Dispute, "dispute")
    due = one.evidence_details.due_by if one.evidence_details is not None else None
    return _change(
        Dispute,
        raw,
        one.created,
        {
            **_say_money(one),
            "state": _state(one.status, _DISPUTE_STATES, "dispute"),
            "charge_id": wire.id_of(one.charge),
            "reason": one.reason,
            "answer_by": None if due is None else _day(due),
        },
    )


def to_payout(raw: bytes) -> Change:
    """Read a payout.

    Raises:
        RecordRejected: it cannot be understood; the reason is for a person.
    """
    one = _decode(raw, wire.Payout, "payout")
    return _change(
        SentPayout,
        raw,
        one.created,
        {
            **_say_money(one),
            "arrives_on": _day(one.arrival_date),
            "state": _state(one.status, _PAYOUT_STATES, "payout"),
            "is_automatic": one.automatic,
            "trace_id": one.trace_id.value if one.trace_id is not None else None,
            "failure": one.failure_code,
        },
    )


def to_entry(raw: bytes, *, payout_id: str | None = None) -> Change:
    """Read a movement. `payout_id` is of the payout that listed it.

    Raises:
        RecordRejected: it cannot be understood, or its parts do not add up; the reason is for a person.
    """
    one = _decode(raw, wire.BalanceTransaction, "balance transaction")
    if one.amount - one.fee != one.net:
        raise RecordRejected(f"its amount {one.amount} less its fee {one.fee} is not its net {one.net}")
    currency = read_currency(one.currency)
    return _change(
        ProcessorEntry,
        raw,
        one.created,
        {
            "external_id": one.id,
            "feed": RAIL,
            "booked_on": _day(one.created),
            "available_on": _day(one.available_on),
            "currency": currency,
            "entry_kind": _kind_of(one),
            "category": one.reporting_category or one.type,
            "gross": to_major(one.amount, currency),
            "fee": to_major(one.fee, currency),
            "net": to_major(one.net, currency),
            "source_id": wire.id_of(one.source),
            "payout_id": payout_id,
            "text": one.description or "",
        },
    )


def map_row(raw: bytes, kind: RecordKind, read: Callable[[bytes], Change]) -> Change | RejectedRecord:
    """The change that a row is, or why it is none."""
    try:
        return read(raw)
    except RecordRejected as error:
        return RejectedRecord(kind=kind, external_id=_loose_id(raw), reason=error.reason, raw=hide_secrets(raw))


def hide_secrets(raw: bytes) -> bytes:
    """The payload without client secrets, with which a payment could be completed: they are never kept."""
    if b'"client_secret"' not in raw:
        return raw
    try:
        return msgspec.json.encode(_without_secrets(msgspec.json.decode(raw)))
    except UNREADABLE:
        return b""


def _without_secrets(held: Any) -> Any:
    if isinstance(held, dict):
        return {name: _without_secrets(value) for name, value in held.items() if name != "client_secret"}
    return [_without_secrets(value) for value in held] if isinstance(held, list) else held


def _decode(raw: bytes, expected: type[Wire], noun: str) -> Wire:
    try:
        return msgspec.json.decode(raw, type=expected)
    except UNREADABLE as error:
        raise RecordRejected(f"the {noun} cannot be read: {error}") from error


def _change(record: type[Record], raw: bytes, created: int, values: dict[str, Any]) -> Change:
    try:
        return Change(record=record.from_typed(created_at=_moment(created), **values), raw=hide_secrets(raw))
    except InvalidRequest as error:
        raise RecordRejected(str(error)) from error


def _say_money(one: wire.Charge | wire.Refund | wire.Dispute | wire.Payout) -> dict[str, Any]:
    """What every thing that money is has: its id, its day and its amount."""
    currency = read_currency(one.currency)
    return {
        "external_id": one.id,
        "feed": RAIL,
        "booked_on": _day(one.created),
        "currency": currency,
        "amount": to_major(one.amount, currency),
    }


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise RecordRejected(f"{seconds} is no moment") from error


def _day(seconds: int) -> date:
    return _moment(seconds).date()


def _state(word: str, states: Mapping[str, Any], noun: str) -> Any:
    state = states.get(word)
    if state is None:
        raise RecordRejected(f"the {noun} has the unknown status {word!r}")
    return state


def _kind_of(one: wire.BalanceTransaction) -> ProcessorEntryKind:
    known = _TYPE_KINDS.get(one.type) or _CATEGORY_KINDS.get(one.reporting_category)
    return known or ProcessorEntryKind.ADJUSTMENT


def _number_of(one: wire.Charge, numbers: Mapping[str, str]) -> str | None:
    for identifier in (wire.id_of(one.payment_intent), one.id):
        if identifier is not None and identifier in numbers:
            return numbers[identifier]
    held = one.metadata or {}
    return next((str(held[name]) for name in _NUMBER_KEYS if isinstance(held.get(name), str) and held[name]), None)


def _loose_id(raw: bytes) -> str | None:
    try:
        held = msgspec.json.decode(raw)
    except UNREADABLE:
        return None
    name = held.get("id") if isinstance(held, dict) else None
    return name if isinstance(name, str) else None
