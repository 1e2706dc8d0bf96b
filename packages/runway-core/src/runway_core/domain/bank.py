"""What a bank says: balances and transactions, from a verification rail once one is connected."""

from datetime import date

from pydantic import AwareDatetime

from runway_core.domain.money import Amount, Currency
from runway_core.domain.record import Value


class BankBalance(Value):
    """The posted balance of one bank account that stands behind a ledger account."""

    account_id: str  # the ledger account it stands behind
    currency: Currency
    posted: Amount
    read_at: AwareDatetime


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
