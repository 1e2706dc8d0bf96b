"""Wire → domain: bills with their payments, vendors and purchases. Pure. Every amount leaves here in major units."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import Raw
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.changes import Change, RejectedRecord
from runway_core.domain.execution import (
    CardState,
    CardTransaction,
    ExecutionBill,
    ExecutionPayment,
    ExecutionState,
    ExecutionVendor,
    LedgerMark,
    RailPaymentState,
)
from runway_core.domain.identity import RecordKind
from runway_core.domain.money import ZERO
from runway_core.errors import InvalidRequest, RecordRejected
from runway_rail_kit import UNREADABLE

from runway_rail_ramp import wire

FEED = "ramp"
OUTSIDE = "PAID_MANUALLY"
CREDIT = "VENDOR_CREDIT"
BESIDE = "/"  # between the id of a bill and that of a payment beside its first
R = TypeVar("R", ExecutionBill, ExecutionPayment, ExecutionVendor, CardTransaction)


class _Parts(msgspec.Struct):
    payment: Raw = Raw(b"null")
    payments: list[Raw] | None = None


_bill_decoder = msgspec.json.Decoder(wire.Bill)
_payment_decoder = msgspec.json.Decoder(_Parts)
_vendor_decoder = msgspec.json.Decoder(wire.Vendor)
_purchase_decoder = msgspec.json.Decoder(wire.Purchase)
_loose_decoder = msgspec.json.Decoder(dict[str, object])

_METHODS = {
    "ACH": PaymentMethod.TRANSFER,
    "DOMESTIC_WIRE": PaymentMethod.TRANSFER,
    "INTERNATIONAL": PaymentMethod.TRANSFER,
    "LOCAL_BANK_TRANSFER": PaymentMethod.TRANSFER,
    "RTP": PaymentMethod.TRANSFER,
    "SWIFT": PaymentMethod.TRANSFER,
    "CARD": PaymentMethod.CARD,
    "AUTOMATIC_CARD_PAYMENT": PaymentMethod.CARD,
    "ONE_TIME_CARD": PaymentMethod.CARD,
    "ONE_TIME_CARD_DELIVERY": PaymentMethod.CARD,
    "CHECK": PaymentMethod.CHECK,
}
_STATES = {
    "APPROVAL_PENDING": ExecutionState.AWAITING_APPROVAL,
    "APPROVAL_REJECTED": ExecutionState.REJECTED,
    "AWAITING_RELEASE": ExecutionState.AWAITING_RELEASE,
    "PAYMENT_READY": ExecutionState.SCHEDULED,
    "PAYMENT_SCHEDULED": ExecutionState.SCHEDULED,
    "PAYMENT_PROCESSING": ExecutionState.IN_FLIGHT,
    "PAYMENT_ERROR": ExecutionState.FAILED,
    "BLOCKED": ExecutionState.ON_HOLD,
    "HELD_BY_PROVIDER": ExecutionState.ON_HOLD,
    "ON_HOLD": ExecutionState.ON_HOLD,
    "PAYMENT_NOT_INSTRUCTED": ExecutionState.APPROVED,
    "PAYMENT_DETAILS_MISSING": ExecutionState.APPROVED,
    "PENDING_VENDOR_APPROVAL": ExecutionState.APPROVED,
    "WAITING_FOR_TRANSACTION_MATCH": ExecutionState.IN_FLIGHT,
    "WAITING_FOR_VENDOR": ExecutionState.APPROVED,
}
_PAYMENT_STATES = {
    ExecutionState.PAID: RailPaymentState.SETTLED,
    ExecutionState.IN_FLIGHT: RailPaymentState.IN_FLIGHT,
    ExecutionState.SCHEDULED: RailPaymentState.SCHEDULED,
    ExecutionState.FAILED: RailPaymentState.FAILED,
    ExecutionState.REJECTED: RailPaymentState.CANCELLED,
}
_MARKS = {"BILL_SYNCED": LedgerMark.BILL, "BILL_AND_PAYMENT_SYNCED": LedgerMark.BILL_AND_PAYMENT}
_CARD_STATES = {
    "CLEARED": CardState.CLEARED,
    "COMPLETION": CardState.CLEARED,
    "PENDING": CardState.PENDING,
    "PENDING_INITIATION": CardState.PENDING,
    "DECLINED": CardState.DECLINED,
    "ERROR": CardState.DECLINED,
}


def read_bill(raw: bytes) -> wire.Bill:
    """Read a bill's payload.

    Raises:
        RecordRejected: it cannot be understood; the reason is for a person.
    """
    try:
        return _bill_decoder.decode(raw)
    except UNREADABLE as error:
        raise RecordRejected(f"the bill cannot be read: {error}") from error


def to_bill(raw: bytes) -> Change:
    """Read a bill.

    Raises:
        RecordRejected: it cannot be understood; the reason is for a person.
    """
    bill = read_bill(raw)
    total = bill.amount.to_major()
    state = _state_of(bill)
    vendor = bill.vendor or wire.BillVendor()
    dated = read_day(bill.issued_at) or read_day(bill.accounting_date) or read_day(bill.created_at)
    if dated is None:
        raise RecordRejected("the bill has no date at all")
    values = {
        "external_id": bill.id,
        "created_at": read_moment(bill.created_at),
        "feed": FEED,
        "number": bill.invoice_number,
        "vendor_id": vendor.id,
        "vendor_name": vendor.name or vendor.remote_name,
        "ledger_bill_id": bill.remote_id,
        "ledger_vendor_id": vendor.remote_id,
        "document_date": dated,
        "due_date": read_day(bill.due_at),
        "currency": total.currency,
        "total": total.value,
        "open_balance": ZERO if state is ExecutionState.PAID else total.value,
        "state": state,
        "paid_on": read_day(bill.paid_at) if state is ExecutionState.PAID else None,
        "ledger_mark": _MARKS.get(bill.sync_status or "", LedgerMark.NOTHING),
        "memo": bill.memo,
    }
    return Change(record=_check(ExecutionBill, values), raw=raw)


def to_payments(raw: bytes) -> list[Change]:
    """Read the payments that a bill's payload holds, in their order; applied credits of the vendor move no money.

    The first is under the bill's own id, because Ramp of 2025 gives payments none; each other is under the bill's and
    its own.

    Raises:
        RecordRejected: it cannot be understood; the reason is for a person.
    """
    bill, parts = read_bill(raw), _payment_decoder.decode(raw)
    shown = list(zip(bill.payments or (), parts.payments or (), strict=True))
    if not shown and bill.payment is not None:
        shown = [(bill.payment, parts.payment)]
    moving = [(payment, part) for payment, part in shown if payment.payment_method != CREDIT]
    states = _states_of_payments(bill, [payment for payment, _ in moving])
    ids = [bill.id, *(f"{bill.id}{BESIDE}{_name(payment)}" for payment, _ in moving[1:])]
    last = max(range(len(moving)), key=lambda place: (moving[place][0].payment_date or "", place), default=0)
    return [
        _to_payment(bill, payment, bytes(part), external_id=ids[place], state=states[place], is_last=place == last)
        for place, (payment, part) in enumerate(moving)
    ]


def _name(payment: wire.Payment) -> str:
    if payment.id is None:
        raise RecordRejected("the bill has several payments, and one of them has no id")
    return payment.id


def _states_of_payments(bill: wire.Bill, payments: Sequence[wire.Payment]) -> list[RailPaymentState]:
    """Where each payment stands: one alone where its bill does. Of several Ramp tells days only, until all is paid."""
    state = _state_of(bill)
    alone = _PAYMENT_STATES.get(state, RailPaymentState.DRAFT)
    if len(payments) < 2 or state is ExecutionState.PAID:
        return [alone] * len(payments)
    begun = [payment.effective_date for payment in payments if payment.effective_date is not None]
    return [_state_among(payment, alone, newest=max(begun, default=None)) for payment in payments]


def _state_among(payment: wire.Payment, alone: RailPaymentState, *, newest: str | None) -> RailPaymentState:
    if payment.effective_date is not None:
        has_failed = alone is RailPaymentState.FAILED and payment.effective_date == newest
        return RailPaymentState.FAILED if has_failed else RailPaymentState.IN_FLIGHT
    if alone is RailPaymentState.CANCELLED or payment.payment_date is None:
        return alone if alone is RailPaymentState.CANCELLED else RailPaymentState.DRAFT
    return RailPaymentState.SCHEDULED


def _to_payment(
    bill: wire.Bill,
    payment: wire.Payment,
    raw: bytes,
    *,
    external_id: str,
    state: RailPaymentState,
    is_last: bool,
) -> Change:
    amount = payment.amount.to_major()
    details = payment.details or wire.PaymentDetails()
    planned, released = read_day(payment.payment_date), read_day(payment.effective_date)
    dated = planned or read_day(bill.issued_at) or read_day(bill.created_at)
    if dated is None:
        raise RecordRejected("the payment and its bill have no date at all")
    has_left = state in {RailPaymentState.IN_FLIGHT, RailPaymentState.SETTLED, RailPaymentState.FAILED}
    values = {
        "external_id": external_id,
        "feed": FEED,
        "bill_id": bill.id,
        "document_date": dated,
        "currency": amount.currency,
        "amount": amount.value,
        "method": _METHODS.get(payment.payment_method or "", PaymentMethod.OTHER),
        "state": state,
        "released_on": (released or planned) if has_left else planned,
        # The bill tells when the last of its money arrived; of the payments before nobody does.
        "settled_on": read_day(bill.paid_at) if state is RailPaymentState.SETTLED and is_last else None,
        "is_outside": payment.payment_method == OUTSIDE or details.manual_payment_method is not None,
        "card_transaction_id": next(iter(details.transaction_ids or ()), None),
    }
    return Change(record=_check(ExecutionPayment, values), raw=raw)


def to_vendor(raw: bytes) -> Change:
    """Read a vendor.

    Raises:
        RecordRejected: it cannot be understood; the reason is for a person.
    """
    try:
        vendor = _vendor_decoder.decode(raw)
    except UNREADABLE as error:
        raise RecordRejected(f"the vendor cannot be read: {error}") from error
    values = {
        "external_id": vendor.id,
        "created_at": read_moment(vendor.created_at),
        "feed": FEED,
        "name": vendor.name,
        "legal_name": vendor.name_legal,
        "ledger_vendor_id": vendor.accounting_vendor_remote_id,
        "is_active": vendor.is_active,
    }
    return Change(record=_check(ExecutionVendor, values), raw=raw)


def to_purchase(raw: bytes) -> Change:
    """Read a purchase on a card.

    Raises:
        RecordRejected: it cannot be understood, or its amount and those of its lines are not of one size.
    """
    try:
        purchase = _purchase_decoder.decode(raw)
    except UNREADABLE as error:
        raise RecordRejected(f"the card transaction cannot be read: {error}") from error
    booked = read_day(purchase.user_transaction_time)
    if booked is None:
        raise RecordRejected(f"the card transaction has no day: {purchase.user_transaction_time!r}")
    _check_size(purchase)
    holder = purchase.card_holder or wire.CardHolder()
    values = {
        "external_id": purchase.id,
        "feed": FEED,
        "card_id": purchase.card_id,
        "card_holder": " ".join(part for part in (holder.first_name, holder.last_name) if part) or None,
        "merchant": purchase.merchant_name,
        "text": purchase.merchant_descriptor or purchase.merchant_name or "",
        "booked_on": booked,
        "settled_on": read_day(purchase.settlement_date),
        "currency": purchase.currency_code,
        "amount": purchase.amount,
        "state": _CARD_STATES.get(purchase.state, CardState.OTHER),
        "memo": purchase.memo,
        "category": purchase.sk_category_name,
        "is_in_ledger": purchase.synced_at is not None or purchase.sync_status == "SYNCED",
        "has_receipt": bool(purchase.receipts),
    }
    return Change(record=_check(CardTransaction, values), raw=raw)


def _check_size(purchase: wire.Purchase) -> None:
    """Refuse a purchase whose amount is a hundred times its lines, or a hundredth: one of them is in the wrong unit."""
    parts = [line.amount for line in purchase.line_items or () if line.amount is not None]
    if not parts or any(part.currency_code != purchase.currency_code for part in parts):
        return
    lines = sum((part.to_major().value for part in parts), Decimal(0))
    if lines and purchase.amount and (purchase.amount == lines * 100 or lines == purchase.amount * 100):
        raise RecordRejected(
            f"its amount {purchase.amount} and its lines' {lines} differ a hundredfold: a unit is wrong"
        )


_MAPPERS: Mapping[RecordKind, Callable[[bytes], Sequence[Change]]] = {
    RecordKind.RAIL_BILL: lambda raw: (to_bill(raw), *to_payments(raw)),
    RecordKind.RAIL_VENDOR: lambda raw: (to_vendor(raw),),
    RecordKind.CARD_TRANSACTION: lambda raw: (to_purchase(raw),),
}


def map_rows(kind: RecordKind, rows: Iterable[Raw]) -> tuple[list[Change], list[RejectedRecord]]:
    """Map each row of a list: the good ones to changes, the bad ones to reasons. A bill brings its payments too."""
    changes: list[Change] = []
    rejected: list[RejectedRecord] = []
    for row in rows:
        raw = bytes(row)
        try:
            changes += _MAPPERS[kind](raw)
        except RecordRejected as error:
            rejected.append(RejectedRecord(kind=kind, external_id=read_id(raw), reason=error.reason, raw=raw))
    return changes, rejected


def read_id(raw: bytes) -> str | None:
    """The id that a row bears, if any."""
    try:
        held = _loose_decoder.decode(raw).get("id")
    except UNREADABLE:
        return None
    return held if isinstance(held, str) else None


def _state_of(bill: wire.Bill) -> ExecutionState:
    """Where a bill stands: paid or not by its status alone, the rest by Ramp's summary, else by what else it says."""
    if bill.status == "PAID":
        return ExecutionState.PAID
    if bill.status != "OPEN":
        raise RecordRejected(f"its status {bill.status!r} is neither open nor paid")
    summed = _STATES.get(bill.status_summary or "")
    if bill.approval_status in {"REJECTED", "TERMINATED"}:
        return ExecutionState.REJECTED
    if bill.approval_status in {"PENDING", "INITIALIZED"}:
        return ExecutionState.AWAITING_APPROVAL
    if summed is not None and summed is not ExecutionState.APPROVED:
        return summed
    if bill.payment is not None and bill.payment.effective_date is not None:
        return ExecutionState.IN_FLIGHT
    if bill.payment is not None and bill.payment.payment_date is not None:
        return ExecutionState.SCHEDULED
    return ExecutionState.APPROVED


def read_day(text: str | None) -> date | None:
    """The day of a date or a moment; a moment without a zone is in UTC. `None` when there is none.

    Raises:
        RecordRejected: it is neither.
    """
    if not text:
        return None
    if len(text) == 10:
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise RecordRejected(f"{text!r} is no date") from error
    moment = read_moment(text)
    return None if moment is None else moment.date()


def read_moment(text: str | None) -> datetime | None:
    """An instant in UTC; one without a zone is in UTC already.

    Raises:
        RecordRejected: it is none.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RecordRejected(f"{text!r} is no moment") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _check(record: type[R], values: Mapping[str, object]) -> R:
    currency = values.get("currency", "USD")
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise RecordRejected(f"its currency is {currency!r}, which is none of ISO 4217: it is left out")
    try:
        return record.from_typed(**values)
    except InvalidRequest as error:
        raise RecordRejected(str(error)) from error
