"""Who and what a value is about: ids and kinds of record."""

from enum import StrEnum
from typing import Annotated, NamedTuple, NewType

from pydantic import BeforeValidator

CompanyId = NewType("CompanyId", str)
FirmId = NewType("FirmId", str)
ConnectionId = NewType("ConnectionId", str)

DEFAULT_FIRM = FirmId("own")
"""The firm of an embedding app that knows only one."""


class RecordKind(StrEnum):
    """The kinds of thing that findings and figures speak of; the value is the name in tables, logs and the API.

    A ledger rail brings those down to `ATTACHMENT`, a verification rail `BANK_ACCOUNT` and `BANK_TRANSACTION`, an
    insights rail `CHARGE` to `PROCESSOR_ENTRY`, an execution rail `RAIL_BILL` to `CARD_TRANSACTION`
    (`kinds.RECORD_CLASSES`); the others are Runway's own.
    """

    BILL = "bill"
    VENDOR_CREDIT = "vendor_credit"
    BILL_PAYMENT = "bill_payment"
    VENDOR = "vendor"
    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"
    CUSTOMER_PAYMENT = "customer_payment"
    CUSTOMER = "customer"
    ACCOUNT = "account"
    PURCHASE = "purchase"
    DEPOSIT = "deposit"
    TRANSFER = "transfer"
    JOURNAL_ENTRY = "journal_entry"
    TERM = "term"
    COMPANY_INFO = "company_info"
    ATTACHMENT = "attachment"
    BANK_ACCOUNT = "bank_account"
    BANK_TRANSACTION = "bank_transaction"
    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    PROCESSOR_ENTRY = "processor_entry"  # one movement on a card processor's balance
    RAIL_BILL = "rail_bill"  # a bill as the rail that pays it shows it
    RAIL_PAYMENT = "rail_payment"
    RAIL_VENDOR = "rail_vendor"
    CARD_TRANSACTION = "card_transaction"
    CONNECTION = "connection"
    SERIES = "series"
    PLANNED_ITEM = "planned_item"


class RecordKey(NamedTuple):
    """One record of one company on one rail. External ids are unique only within their kind."""

    kind: RecordKind
    external_id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.external_id}"


def _as_key(value: object) -> object:
    if isinstance(value, list | tuple) and len(value) == 2 and not isinstance(value, RecordKey):
        return RecordKey(RecordKind(value[0]), value[1])
    return value


Subject = Annotated[RecordKey, BeforeValidator(_as_key)]
"""A record key as a field of a value: read back from JSON, where it is a pair."""
