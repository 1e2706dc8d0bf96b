"""What an execution rail says: bills and payments as it shows them, apart from the ledger's own."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Value


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

    @property
    def key(self) -> RecordKey:
        """The rail's payment as a subject of findings: ids of two rails may be equal."""
        return RecordKey(RecordKind.RAIL_PAYMENT, f"{self.rail}:{self.external_id}")


class PaymentDetails(Value):
    """How a vendor is paid, as a rail shows it: the end of the account number only."""

    rail: str
    vendor_id: str
    account_tail: str
    changed_on: date | None = None
    previous_tail: str | None = None
    changed_by: str | None = None
    read_at: AwareDatetime | None = None  # when the rail was read
