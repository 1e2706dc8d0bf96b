"""What a bank says: balances and transactions, from a verification rail once one is connected."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Value


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
