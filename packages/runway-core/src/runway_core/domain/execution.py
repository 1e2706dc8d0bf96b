"""What an execution rail says: bills and payments as it shows them, apart from the ledger's own.

`ExecutionBill`, `ExecutionPayment`, `ExecutionVendor` and `CardTransaction` are mirrored as a rail shows them.
Calculators see what is made of them (`execution_links.py`): bills and payments that name the ledger's.
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.bills import PaymentMethod
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Record, Value


class RailPaymentState(StrEnum):
    """Where money stands at the rail that moves it."""

    DRAFT = "draft"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    IN_FLIGHT = "in_flight"
    SETTLED = "settled"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class ExecutionState(StrEnum):
    """Where a bill stands at the rail that pays it."""

    AWAITING_APPROVAL = "awaiting_approval"
    REJECTED = "rejected"
    APPROVED = "approved"  # nobody has instructed its payment
    AWAITING_RELEASE = "awaiting_release"  # instructed, and somebody must let it go
    SCHEDULED = "scheduled"
    IN_FLIGHT = "in_flight"
    PAID = "paid"
    FAILED = "failed"  # its payment failed: it is open again
    ON_HOLD = "on_hold"


class LedgerMark(StrEnum):
    """What of a bill the rail believes to stand in the ledger."""

    NOTHING = "nothing"
    BILL = "bill"
    BILL_AND_PAYMENT = "bill_and_payment"


class ExecutionBill(Record):
    """A bill as the rail that pays it shows it. `open_balance` is nil once the vendor has the money."""

    kind: ClassVar[RecordKind] = RecordKind.RAIL_BILL

    feed: str  # the rail that shows it
    number: str | None = None
    vendor_id: str | None = None  # the rail's own
    vendor_name: str | None = None
    ledger_bill_id: str | None = None  # the ledger's bill, where the rail names it
    ledger_vendor_id: str | None = None
    document_date: date
    due_date: date | None = None
    currency: Currency
    total: Amount
    open_balance: Amount
    state: ExecutionState
    paid_on: date | None = None
    ledger_mark: LedgerMark = LedgerMark.NOTHING
    memo: str | None = None


class ExecutionPayment(Record):
    """A payment of one bill, which `bill_id` names at the rail. One that `is_outside` was made elsewhere."""

    kind: ClassVar[RecordKind] = RecordKind.RAIL_PAYMENT

    feed: str
    bill_id: str
    document_date: date  # the day for which it is instructed; the bill's own where none is named
    currency: Currency
    amount: Amount
    method: PaymentMethod
    state: RailPaymentState
    released_on: date | None = None  # the day on which the money was taken
    settled_on: date | None = None
    is_outside: bool = False
    card_transaction_id: str | None = None  # what it was paid with, where that was a card of the rail


class ExecutionVendor(Record):
    """A vendor as the rail that pays it knows it."""

    kind: ClassVar[RecordKind] = RecordKind.RAIL_VENDOR

    feed: str
    name: str
    legal_name: str | None = None
    ledger_vendor_id: str | None = None
    is_active: bool = True


class CardState(StrEnum):
    """Where a purchase on a card stands."""

    PENDING = "pending"
    CLEARED = "cleared"
    DECLINED = "declined"
    OTHER = "other"


class CardTransaction(Record):
    """A purchase on a card that the rail issued. `amount` is positive when money was spent."""

    kind: ClassVar[RecordKind] = RecordKind.CARD_TRANSACTION

    feed: str
    card_id: str | None = None
    card_holder: str | None = None
    merchant: str | None = None
    text: str = ""  # what the card network prints
    booked_on: date  # the day on which it was made
    settled_on: date | None = None
    currency: Currency
    amount: Amount
    state: CardState
    memo: str | None = None
    category: str | None = None  # the rail's own word
    is_in_ledger: bool = False  # as far as the rail knows
    has_receipt: bool = False


class RailBill(Value):
    """A bill as the rail that pays it shows it. `bill_id` is the ledger's bill, where the rail or a match names it."""

    rail: str
    external_id: str
    bill_id: str | None
    number: str | None = None
    vendor_name: str | None = None
    due_date: date | None = None
    currency: Currency
    total: Amount
    is_paid: bool = False
    read_at: AwareDatetime | None = None  # when the rail was read
    document_date: date | None = None
    state: ExecutionState | None = None
    rail_vendor_id: str | None = None  # the rail's own
    vendor_id: str | None = None  # the ledger's vendor, where the rail names it

    @property
    def key(self) -> RecordKey:
        """The rail's bill as a subject of findings: ids of two rails may be equal."""
        return RecordKey(RecordKind.RAIL_BILL, f"{self.rail}:{self.external_id}")


class RailPayment(Value):
    """A payment as the rail shows it. `amount` is positive and leaves; `is_inflow` turns it round."""

    rail: str
    external_id: str
    currency: Currency
    amount: Amount
    state: RailPaymentState
    is_inflow: bool = False
    bill_ids: tuple[str, ...] = ()  # of the ledger
    invoice_ids: tuple[str, ...] = ()
    ledger_payment_id: str | None = None  # the ledger's record of it, where known
    released_on: date | None = None
    settles_on: date | None = None  # expected, or the day it settled
    account_id: str | None = None  # the ledger account it moves
    read_at: AwareDatetime | None = None  # when the rail was read
    rail_bill_id: str | None = None  # the bill that it pays, in the rail's id

    @property
    def key(self) -> RecordKey:
        """The rail's payment as a subject of findings: ids of two rails may be equal."""
        return RecordKey(RecordKind.RAIL_PAYMENT, f"{self.rail}:{self.external_id}")


class CardPurchase(Value):
    """Money spent on a card of the rail, as it shows it; nothing declined. `amount` is positive when it left."""

    rail: str
    external_id: str
    booked_on: date
    currency: Currency
    amount: Amount
    merchant: str | None = None
    text: str = ""  # what the card network prints
    is_pending: bool = False
    is_in_ledger: bool = False  # as far as the rail knows
    pays_bill: bool = False  # it is the payment of a bill at the rail

    @property
    def key(self) -> RecordKey:
        """The purchase as a subject of findings: ids of two rails may be equal."""
        return RecordKey(RecordKind.CARD_TRANSACTION, f"{self.rail}:{self.external_id}")


class PaymentDetails(Value):
    """How a vendor is paid, as a rail shows it: the end of the account number only."""

    rail: str
    vendor_id: str
    account_tail: str
    changed_on: date | None = None
    previous_tail: str | None = None
    changed_by: str | None = None
    read_at: AwareDatetime | None = None  # when the rail was read
