"""What a card processor says: its balance, and payouts with the parts they are made of."""

from datetime import date
from enum import StrEnum

from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Value


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
