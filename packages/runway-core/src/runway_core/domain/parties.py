"""Whom a company owes and who owes it, and the terms they agreed on."""

from enum import StrEnum
from typing import ClassVar

from runway_core.domain.identity import RecordKind
from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Record


class Vendor(Record):
    """Whom we owe. `balance` is what the ledger says is open, positive when owed."""

    kind: ClassVar[RecordKind] = RecordKind.VENDOR

    name: str
    company_name: str | None = None
    is_active: bool = True
    currency: Currency
    balance: Amount
    term_id: str | None = None
    email: str | None = None
    phone: str | None = None
    account_number: str | None = None
    is_1099: bool = False


class Customer(Record):
    """Who owes us. `balance` is what the ledger says is open, positive when owed to us."""

    kind: ClassVar[RecordKind] = RecordKind.CUSTOMER

    name: str
    company_name: str | None = None
    is_active: bool = True
    currency: Currency
    balance: Amount
    parent_id: str | None = None
    is_job: bool = False
    email: str | None = None
    phone: str | None = None


class TermKind(StrEnum):
    """How a term counts: days after the document, or a day of the month."""

    STANDARD = "standard"
    DATE_DRIVEN = "date_driven"


class Term(Record):
    """When a document falls due and which discount early payment earns, as agreed: "2/10 net 30"."""

    kind: ClassVar[RecordKind] = RecordKind.TERM

    name: str
    is_active: bool = True
    term_kind: TermKind = TermKind.STANDARD
    due_days: int | None = None
    discount_percent: Amount | None = None  # 2 means two per cent
    discount_days: int | None = None
    day_of_month_due: int | None = None
    due_next_month_days: int | None = None
