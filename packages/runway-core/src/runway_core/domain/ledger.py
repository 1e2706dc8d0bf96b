"""The rest of the ledger: accounts, and the entries that move money without a bill or an invoice."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.bills import PaymentMethod
from runway_core.domain.documents import Lines, Links
from runway_core.domain.identity import RecordKind
from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Record, Value


class AccountKind(StrEnum):
    """What an account is for."""

    BANK = "bank"
    UNDEPOSITED_FUNDS = "undeposited_funds"
    CREDIT_CARD = "credit_card"
    ACCOUNTS_PAYABLE = "accounts_payable"
    ACCOUNTS_RECEIVABLE = "accounts_receivable"
    OTHER_CURRENT_ASSET = "other_current_asset"
    FIXED_ASSET = "fixed_asset"
    OTHER_ASSET = "other_asset"
    SALES_TAX_PAYABLE = "sales_tax_payable"
    PAYROLL_LIABILITY = "payroll_liability"
    OTHER_CURRENT_LIABILITY = "other_current_liability"
    LONG_TERM_LIABILITY = "long_term_liability"
    EQUITY = "equity"
    INCOME = "income"
    OTHER_INCOME = "other_income"
    COST_OF_GOODS_SOLD = "cost_of_goods_sold"
    EXPENSE = "expense"
    OTHER_EXPENSE = "other_expense"
    UNKNOWN = "unknown"


class Account(Record):
    """A ledger account. `balance` is the books' balance: assets positive, what is owed negative."""

    kind: ClassVar[RecordKind] = RecordKind.ACCOUNT

    name: str
    full_name: str
    number: str | None = None
    account_kind: AccountKind
    account_type: str  # the rail's own words, kept for people
    account_subtype: str | None = None
    is_active: bool = True
    currency: Currency
    balance: Amount
    parent_id: str | None = None


class Purchase(Record):
    """Money spent without a bill: a cheque, a card charge or cash. `is_refund` turns the direction round."""

    kind: ClassVar[RecordKind] = RecordKind.PURCHASE

    number: str | None = None
    document_date: date
    currency: Currency
    total: Amount
    exchange_rate: Decimal | None = None
    method: PaymentMethod
    account_id: str | None = None
    payee_kind: RecordKind | None = None
    payee_id: str | None = None
    payee_name: str | None = None
    is_refund: bool = False
    is_void: bool = False
    memo: str | None = None
    lines: Lines = ()


class Deposit(Record):
    """Money put into a bank account; `links` names the customer payments it took there."""

    kind: ClassVar[RecordKind] = RecordKind.DEPOSIT

    document_date: date
    currency: Currency
    total: Amount
    exchange_rate: Decimal | None = None
    account_id: str | None = None
    memo: str | None = None
    cash_back: Amount | None = None
    lines: Lines = ()
    links: Links = ()


class Transfer(Record):
    """Money moved between two accounts of the company."""

    kind: ClassVar[RecordKind] = RecordKind.TRANSFER

    document_date: date
    currency: Currency
    total: Amount
    exchange_rate: Decimal | None = None
    from_account_id: str | None = None
    to_account_id: str | None = None
    memo: str | None = None


class JournalEntry(Record):
    """A booking by hand. Lines are debits and credits with positive amounts."""

    kind: ClassVar[RecordKind] = RecordKind.JOURNAL_ENTRY

    number: str | None = None
    document_date: date
    currency: Currency
    total: Amount
    exchange_rate: Decimal | None = None
    is_adjustment: bool = False
    memo: str | None = None
    lines: Lines = ()


class CompanyInfo(Record):
    """What the ledger says about the company itself."""

    kind: ClassVar[RecordKind] = RecordKind.COMPANY_INFO

    name: str
    legal_name: str | None = None
    country: str | None = None
    email: str | None = None
    fiscal_year_start_month: int | None = None
    home_currency: Currency | None = None
    is_multi_currency: bool | None = None
    books_closed_through: date | None = None


class Attachment(Record):
    """A file or note that hangs on a record: name and links only, never the file."""

    kind: ClassVar[RecordKind] = RecordKind.ATTACHMENT

    file_name: str | None = None
    content_type: str | None = None
    size_bytes: int | None = None
    note: str | None = None
    links: Links = ()


class BalanceChange(Value):
    """A balance that moved: one row of an account's history."""

    account_id: str
    observed_at: AwareDatetime  # when Runway saw it
    source_time: AwareDatetime  # the rail's clock when it answered
    currency: Currency
    balance: Amount


class BalanceClose(Value):
    """The last balance known of an account on a calendar day of the company."""

    account_id: str
    day: date
    currency: Currency
    balance: Amount
