"""What a card processor says: its balance, and payouts with the parts they are made of.

`Charge`, `Refund`, `Dispute`, `SentPayout` and `ProcessorEntry` are mirrored as an insights rail shows them.
Calculators see what is made of them (`processor_links.py`): payouts with their parts, and what is not paid out yet.
A fee has no record of its own at a processor: it stands in the entry it was taken from, or is an entry by itself.
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from runway_core.domain.identity import RecordKind
from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Record, Value


class ChargeState(StrEnum):
    """What became of a payment by card."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Charge(Record):
    """A payment by card, or by another way that the processor takes. Its fee stands in its entry."""

    kind: ClassVar[RecordKind] = RecordKind.CHARGE

    feed: str  # the rail that shows it
    booked_on: date  # the day it was made, in UTC
    currency: Currency  # the customer's; the entry may be in another
    amount: Amount
    refunded: Amount
    state: ChargeState
    is_disputed: bool = False
    customer_id: str | None = None  # the rail's own
    customer_name: str | None = None
    invoice_number: str | None = None  # of the invoice it pays, where the rail names one
    text: str = ""
    failure: str | None = None  # why it failed, in the rail's own word


class RefundState(StrEnum):
    """Where money on its way back to a customer stands."""

    PENDING = "pending"
    NEEDS_ACTION = "needs_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Refund(Record):
    """Money given back to who paid; `amount` is positive."""

    kind: ClassVar[RecordKind] = RecordKind.REFUND

    feed: str
    booked_on: date
    currency: Currency
    amount: Amount
    state: RefundState
    charge_id: str | None = None
    reason: str | None = None  # the rail's own word


class DisputeState(StrEnum):
    """Where a contested charge stands."""

    INQUIRY = "inquiry"  # asked about: no money was taken
    NEEDS_ANSWER = "needs_answer"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"  # ended without a loss


class Dispute(Record):
    """A charge that the cardholder contests. The amount and a fee are held until it is won."""

    kind: ClassVar[RecordKind] = RecordKind.DISPUTE

    feed: str
    booked_on: date
    currency: Currency
    amount: Amount
    state: DisputeState
    charge_id: str | None = None
    reason: str | None = None
    answer_by: date | None = None  # the last day for evidence


class PayoutState(StrEnum):
    """Where money on its way to the bank stands. A paid one may still fail."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SentPayout(Record):
    """Money that a processor sends to the bank; its parts are the entries that name it."""

    kind: ClassVar[RecordKind] = RecordKind.PAYOUT

    feed: str
    booked_on: date
    arrives_on: date
    currency: Currency
    amount: Amount
    state: PayoutState
    is_automatic: bool = True
    trace_id: str | None = None  # what the bank is told
    failure: str | None = None


class ProcessorEntryKind(StrEnum):
    """What moved the balance at a processor."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"  # taken, or brought back
    FEE = "fee"
    PAYOUT = "payout"  # sent, or come back
    TRANSFER = "transfer"  # between accounts at the processor
    ADJUSTMENT = "adjustment"  # all else: reserves, corrections, what is not known yet


class ProcessorEntry(Record):
    """One movement on the processor's balance: `net` = `gross` − `fee`. Outflows are negative, a fee is positive."""

    kind: ClassVar[RecordKind] = RecordKind.PROCESSOR_ENTRY

    feed: str
    booked_on: date
    available_on: date  # the day from which it can be paid out
    currency: Currency  # the one it is settled in
    entry_kind: ProcessorEntryKind
    category: str  # the rail's own word
    gross: Amount
    fee: Amount
    net: Amount
    source_id: str | None = None  # the charge, refund, dispute or payout it came of
    payout_id: str | None = None  # the automatic payout that it went into, once that is known
    text: str = ""


class PayoutPartKind(StrEnum):
    """What one line of a payout is."""

    CHARGE = "charge"
    REFUND = "refund"
    FEE = "fee"
    DISPUTE = "dispute"
    ADJUSTMENT = "adjustment"


class PayoutPart(Value):
    """One balance transaction: `net` = `gross` − `fee`. `gross` is negative for what leaves; a `fee` is positive."""

    external_id: str
    part_kind: PayoutPartKind
    gross: Amount
    fee: Amount
    net: Amount
    text: str = ""  # description or metadata: may name an invoice
    invoice_number: str | None = None
    customer_name: str | None = None


class Payout(Value):
    """Money a processor sends to the bank. Only an automatic payout lists its parts."""

    rail: str
    external_id: str
    account_id: str | None  # the ledger's bank account it arrives at, where known
    currency: Currency
    amount: Amount
    arrives_on: date
    is_automatic: bool = True
    has_arrived: bool = False
    parts: tuple[PayoutPart, ...] = ()


class ProcessorBalance(Value):
    """Money held at a processor, net of fees. It is not cash until it is paid out."""

    rail: str
    currency: Currency
    amount: Amount
    is_available: bool  # else pending
    available_on: date  # pending: the day it becomes available; available: the next payout's arrival
