"""Who and what a value is about: ids and kinds of record."""

from enum import StrEnum
from typing import NamedTuple, NewType

CompanyId = NewType("CompanyId", str)
FirmId = NewType("FirmId", str)
ConnectionId = NewType("ConnectionId", str)

DEFAULT_FIRM = FirmId("own")
"""The firm of an embedding app that knows only one."""


class RecordKind(StrEnum):
    """The kinds of record a ledger rail brings; the value is the name in tables, logs and the API."""

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


class RecordKey(NamedTuple):
    """One record of one company on one rail. External ids are unique only within their kind."""

    kind: RecordKind
    external_id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.external_id}"
