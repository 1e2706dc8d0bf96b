"""Accounts receivable: invoices, credit memos and customer payments."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from runway_core.domain.documents import Lines, Links
from runway_core.domain.identity import RecordKind
from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Record


class Invoice(Record):
    """What a customer owes us for one delivery. `open_balance` is the unpaid rest, in `currency`."""

    kind: ClassVar[RecordKind] = RecordKind.INVOICE

    number: str | None = None
    customer_id: str | None = None
    customer_name: str | None = None
    document_date: date
    due_date: date | None = None
    currency: Currency
    total: Amount
    open_balance: Amount
    exchange_rate: Decimal | None = None
    term_id: str | None = None
    memo: str | None = None
    is_sent: bool | None = None  # None: the rail does not say
    is_void: bool = False
    tax: Amount | None = None
    lines: Lines = ()
    links: Links = ()


class CreditMemo(Record):
    """What we owe a customer back. `open_balance` is the unused rest, positive."""

    kind: ClassVar[RecordKind] = RecordKind.CREDIT_MEMO

    number: str | None = None
    customer_id: str | None = None
    customer_name: str | None = None
    document_date: date
    currency: Currency
    total: Amount
    open_balance: Amount
    exchange_rate: Decimal | None = None
    memo: str | None = None
    is_void: bool = False
    lines: Lines = ()
    links: Links = ()


class CustomerPayment(Record):
    """Money from a customer. `applied` names invoices (and credit memos used) with the amount of each."""

    kind: ClassVar[RecordKind] = RecordKind.CUSTOMER_PAYMENT

    number: str | None = None
    customer_id: str | None = None
    customer_name: str | None = None
    document_date: date
    currency: Currency
    total: Amount
    unapplied: Amount
    exchange_rate: Decimal | None = None
    account_id: str | None = None  # where it was put: a bank account or undeposited funds
    memo: str | None = None
    is_void: bool = False
    applied: Links = ()
    links: Links = ()  # the deposit that took it to the bank
