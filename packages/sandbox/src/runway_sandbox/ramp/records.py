"""What the vendor keeps: vendors, bills with their payment, drafts and card purchases, and where each stands.

Amounts are whole minor units, as the vendor answers them. Where a bill stands follows from what people did with it and
from the moment at which it is looked at.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from runway_sandbox.economy.calendar import next_business_day

Wire = dict[str, Any]
Approval = Literal["INITIALIZED", "PENDING", "APPROVED", "REJECTED", "TERMINATED"]

_NO_DECIMALS = frozenset({"CLP", "ISK", "JPY", "KRW", "UGX", "VND", "XAF", "XOF"})
_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
STARTS_AT = time(12, 0, tzinfo=UTC)
SETTLES_AT = time(14, 2, tzinfo=UTC)
SETTLE_BUSINESS_DAYS = 3  # an ACH credit reaches the vendor so much later than it was debited
BANK_METHODS = frozenset({"ACH", "CHECK", "DOMESTIC_WIRE", "INTERNATIONAL", "SWIFT"})
CARD_METHODS = frozenset({"CARD", "ONE_TIME_CARD", "ONE_TIME_CARD_DELIVERY"})


def made_id(*parts: str) -> str:
    """Make the id of a thing out of what it stands for: the same in every process."""
    return str(uuid.UUID(bytes=hashlib.sha256("|".join(parts).encode()).digest()[:16], version=4))


def conversion_rate(currency: str) -> int:
    """How many minor units one major unit has."""
    return 1 if currency in _NO_DECIMALS else 1000 if currency in _THREE_DECIMALS else 100


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn major units into minor ones.

    Raises:
        ValueError: it is finer than the currency.
    """
    minor = amount * conversion_rate(currency)
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} is finer than {currency} is written")
    return int(minor)


def to_major(amount: int, currency: str) -> Decimal:
    """Turn minor units into major ones."""
    return Decimal(amount) / conversion_rate(currency)


def business_days_after(day: date, count: int) -> date:
    """Count business days on from a day."""
    ordinal = day.toordinal()
    for _ in range(count):
        ordinal = next_business_day(ordinal + 1)
    return date.fromordinal(ordinal)


@dataclass(slots=True)
class RampVendor:
    """A vendor; `ledger_id` is what it is in the ledger, which the vendor may or may not know (`remote_id`)."""

    id: str
    name: str
    created_at: datetime
    ledger_id: str | None = None
    remote_id: str | None = None
    email: str = "ar@vendor.invalid"
    is_active: bool = True
    external_id: str | None = None

    @property
    def contact_id(self) -> str:
        """The one contact."""
        return made_id("contact", self.id)


@dataclass(frozen=True, slots=True)
class RampLine:
    """One line of a bill."""

    amount: int
    memo: str | None = None
    account_id: str | None = None  # in the ledger


@dataclass(slots=True)
class RampPayment:
    """The payment of one bill: instructed for a day, moved on it, arrived later."""

    id: str
    amount: int
    currency: str
    method: str
    payment_date: date
    settles_at: datetime
    approval: str = "APPROVED"  # of its release, apart from the bill's
    manual_method: str | None = None
    transaction_id: str | None = None  # the purchase on the card it was made with
    fails: bool = False
    is_recorded: bool = False  # the ledger has it
    ledger_id: str | None = None  # of the ledger's payment
    is_part: bool = False  # more has to be paid after it

    @property
    def starts_at(self) -> datetime:
        """When the money is taken."""
        return datetime.combine(self.payment_date, STARTS_AT)

    def has_started(self, now: datetime) -> bool:
        """Whether the money is on its way, or should be."""
        return self.method == "PAID_MANUALLY" or (self.approval == "APPROVED" and self.starts_at <= now)

    def has_settled(self, now: datetime) -> bool:
        """Whether the vendor has it."""
        return self.has_started(now) and not self.fails and self.settles_at <= now


def bank_payment(bill: RampBill, on: date, *, amount: int | None = None, fails: bool = False) -> RampPayment:
    """Instruct a payment by bank transfer."""
    beside = [str(len(bill.earlier))] if bill.earlier else []
    return RampPayment(
        id=made_id("payment", bill.id, on.isoformat(), *beside),
        amount=bill.rest if amount is None else amount,
        currency=bill.currency,
        method="ACH",
        payment_date=on,
        settles_at=datetime.combine(business_days_after(on, SETTLE_BUSINESS_DAYS), SETTLES_AT),
        fails=fails,
        is_part=amount is not None and amount < bill.rest,
    )


def outside_payment(bill: RampBill, on: date) -> RampPayment:
    """A payment that was made elsewhere, as the ledger told."""
    return RampPayment(
        id=made_id("outside", bill.id),
        amount=bill.rest,
        currency=bill.currency,
        method="PAID_MANUALLY",
        payment_date=on,
        settles_at=datetime.combine(on, SETTLES_AT),
        manual_method="PAID_IN_ERP",
        is_recorded=True,
    )


@dataclass(slots=True)
class RampBill:
    """A bill, or a draft of one until it is submitted."""

    id: str
    created_at: datetime
    vendor_id: str
    entity_id: str
    currency: str
    lines: tuple[RampLine, ...]
    number: str | None = None
    issued_on: date | None = None
    due_on: date | None = None
    memo: str | None = None
    approval: Approval = "APPROVED"
    payment: RampPayment | None = None  # the last, or the one to come
    earlier: list[RampPayment] = field(default_factory=list)  # those that paid parts of it before
    archived_at: datetime | None = None
    remote_id: str | None = None  # of the ledger's bill, or the caller's own
    ledger_id: str | None = None  # what it is in the ledger, whether the vendor knows or not
    is_synced: bool = False
    is_payment_synced: bool = False
    is_deaf: bool = False  # the ledger's news do not reach it: a planted difference
    is_held: bool = False
    wants_sync: bool = True
    draft_id: str | None = None
    draft_created_at: datetime | None = None
    was_told_paid: bool = False
    seen_row: object = None  # the ledger's row that was looked at last

    @property
    def total(self) -> int:
        """The sum of the lines: there is no other amount."""
        return sum(line.amount for line in self.lines)

    @property
    def rest(self) -> int:
        """What earlier payments left to be paid."""
        return self.total - sum(one.amount for one in self.earlier)

    @property
    def payments(self) -> list[RampPayment]:
        """All of its payments, oldest first."""
        return [*self.earlier, *([] if self.payment is None else [self.payment])]

    def is_paid(self, now: datetime) -> bool:
        """Whether the vendor has the money."""
        return self.payment is not None and not self.payment.is_part and self.payment.has_settled(now)

    def status_summary(self, now: datetime) -> str:
        """Where the bill stands, in the vendor's own words."""
        if self.archived_at is not None:
            return "ARCHIVED"
        if self.is_paid(now):
            return "PAYMENT_COMPLETED"
        if self.approval != "APPROVED":
            return "APPROVAL_REJECTED" if self.approval in {"REJECTED", "TERMINATED"} else "APPROVAL_PENDING"
        if self.is_held:
            return "ON_HOLD"
        if self.payment is None:
            return "PAYMENT_NOT_INSTRUCTED"
        if self.payment.approval != "APPROVED":
            return "AWAITING_RELEASE"
        if not self.payment.has_started(now):
            return "PAYMENT_SCHEDULED"
        if self.payment.is_part and self.payment.has_settled(now):
            return "PAYMENT_NOT_INSTRUCTED"  # the rest of it
        return "PAYMENT_ERROR" if self.payment.fails else "PAYMENT_PROCESSING"

    def sync_status(self) -> str:
        """What of it the ledger has, as far as the vendor knows."""
        if not self.is_synced:
            return "NOT_SYNCED"
        return "BILL_AND_PAYMENT_SYNCED" if self.is_payment_synced else "BILL_SYNCED"

    def is_sync_ready(self, now: datetime) -> bool:
        """Whether something of it waits to be taken into the ledger."""
        if self.archived_at is not None or self.approval != "APPROVED" or not self.wants_sync:
            return False
        return not self.is_synced or (self.is_paid(now) and not self.is_payment_synced)


@dataclass(frozen=True, slots=True)
class CardPurchase:
    """One purchase on the company's card; `amount` is positive when money was spent."""

    id: str
    amount: int
    currency: str
    made_at: datetime
    clears_at: datetime
    merchant: str
    ledger_kind: str | None  # of the document that it is in the ledger
    ledger_id: str | None
    is_declined: bool = False
    bill_id: str | None = None  # the bill that was paid with it

    def state(self, now: datetime) -> str:
        """Where it stands."""
        if self.is_declined:
            return "DECLINED"
        return "CLEARED" if self.clears_at <= now else "PENDING"

    def changed_at(self, now: datetime) -> datetime:
        """When it last changed."""
        return self.clears_at if self.state(now) == "CLEARED" else self.made_at

    def synced_at(self, now: datetime) -> datetime | None:
        """When it was taken into the ledger: within hours of clearing."""
        at = self.clears_at + timedelta(hours=2)
        return at if self.ledger_id is not None and not self.is_declined and at <= now else None
