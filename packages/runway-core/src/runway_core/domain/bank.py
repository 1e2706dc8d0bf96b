"""What a bank says.

`BankAccount` and `BankLine` are mirrored as a verification rail shows them. Calculators see what is made of them
(`bank_links.py`): the balance and the transactions of the ledger account that stands for the bank account.
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Record, Value


class BankAccountKind(StrEnum):
    """What an account at a bank is."""

    CHECKING = "checking"
    SAVINGS = "savings"
    CREDIT_CARD = "credit_card"
    LOAN = "loan"
    OTHER = "other"


class BankAccount(Record):
    """One account at a bank, as a rail reads it.

    Balances are what the company has: what it owes on a card or a loan is negative. `posted` is `None` where the bank
    tells only what is free.
    """

    kind: ClassVar[RecordKind] = RecordKind.BANK_ACCOUNT

    feed: str  # the rail that reads it
    name: str
    mask: str | None = None  # the end of its number
    bank_account_kind: BankAccountKind
    currency: Currency
    posted: Amount | None = None
    available: Amount | None = None
    credit_limit: Amount | None = None
    institution: str | None = None
    read_at: AwareDatetime | None = None  # when the bank was read, which may be hours before the rail was asked


class BankLine(Record):
    """One line of an account's statement, as a rail reads it. `amount` is positive when money came in."""

    kind: ClassVar[RecordKind] = RecordKind.BANK_TRANSACTION

    bank_account_id: str  # the rail's id of the account
    booked_on: date  # the day it posted, or was made while it is pending
    made_on: date | None = None  # the day it was authorised, where the bank tells
    currency: Currency
    amount: Amount
    is_pending: bool = False
    replaces_id: str | None = None  # the pending one it settles
    text: str = ""
    counterparty: str | None = None
    cheque_number: str | None = None
    category: str | None = None  # the rail's own word


class BankBalance(Value):
    """The posted balance of one bank account that stands behind a ledger account."""

    account_id: str  # the ledger account it stands behind
    currency: Currency
    posted: Amount
    read_at: AwareDatetime
    rail: str = ""  # which rail read it


class BankLineSource(StrEnum):
    """How a line came to us."""

    FEED = "feed"  # a rail's own reading
    IMPORT = "import"  # a file


class BankTransaction(Value):
    """One line at the bank. `amount` is positive when money came in."""

    external_id: str
    account_id: str
    booked_on: date
    currency: Currency
    amount: Amount
    is_pending: bool = False
    is_transfer: bool = False  # between own accounts
    is_financing: bool = False  # loan or owner's money
    text: str = ""
    replaces_id: str | None = None  # the pending one it settles
    counterparty: str | None = None  # as the rail names it, where it does
    cheque_number: str | None = None
    source: BankLineSource = BankLineSource.FEED
    import_id: str | None = None  # which file, for an import
    rail: str = ""

    @property
    def key(self) -> RecordKey:
        """The line as a subject of findings."""
        return RecordKey(RecordKind.BANK_TRANSACTION, self.external_id)


class Reconciliation(Value):
    """An account that a person reconciled with its statement, through a day."""

    account_id: str
    through: date
    reconciled_at: AwareDatetime
