"""Accounts payable: bills, vendor credits and bill payments."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from runway_core.domain.documents import Lines, Links
from runway_core.domain.identity import RecordKind
from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Record


class PaymentMethod(StrEnum):
    """How money left or came."""

    CHECK = "check"
    CARD = "card"
    CASH = "cash"
    TRANSFER = "transfer"
    OTHER = "other"


class Bill(Record):
    """What we owe a vendor for one delivery. `open_balance` is the unpaid rest, in `currency`."""

    kind: ClassVar[RecordKind] = RecordKind.BILL

    number: str | None = None
    vendor_id: str | None = None
    vendor_name: str | None = None
    document_date: date
    due_date: date | None = None
    currency: Currency
    total: Amount
    open_balance: Amount
    exchange_rate: Decimal | None = None  # home units for one foreign unit, on the document's day
    term_id: str | None = None
    memo: str | None = None
    payable_account_id: str | None = None
    lines: Lines = ()
    links: Links = ()


class VendorCredit(Record):
    """What a vendor owes us back. `open_balance` is positive, or `None` where the rail does not say."""

    kind: ClassVar[RecordKind] = RecordKind.VENDOR_CREDIT

    number: str | None = None
    vendor_id: str | None = None
    vendor_name: str | None = None
    document_date: date
    currency: Currency
    total: Amount
    open_balance: Amount | None = None
    exchange_rate: Decimal | None = None
    memo: str | None = None
    payable_account_id: str | None = None
    lines: Lines = ()
    links: Links = ()


class BillPayment(Record):
    """Money to a vendor.

    `total` is the cash that left: nil when a credit covers all. `applied` names the bills (and credits used) with the
    amount of each.
    """

    kind: ClassVar[RecordKind] = RecordKind.BILL_PAYMENT

    number: str | None = None
    vendor_id: str | None = None
    vendor_name: str | None = None
    document_date: date
    currency: Currency
    total: Amount
    exchange_rate: Decimal | None = None
    method: PaymentMethod
    account_id: str | None = None  # the bank or card account it left
    memo: str | None = None
    is_void: bool = False
    applied: Links = ()
