"""What Plaid sends, as far as it is read (API version 2020-09-14). Unknown members are left alone.

Amounts are decimal numbers in major units and are read digit for digit, never through binary fractions.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from msgspec import Raw, Struct


class Balances(Struct):
    """What an account holds; on a card or a loan `current` is what is owed."""

    available: Decimal | None = None
    current: Decimal | None = None
    limit: Decimal | None = None
    iso_currency_code: str | None = None
    unofficial_currency_code: str | None = None
    last_updated_datetime: dt.datetime | None = None


class Account(Struct):
    """One account of an Item."""

    account_id: str
    balances: Balances
    name: str
    type: str
    mask: str | None = None
    official_name: str | None = None
    subtype: str | None = None


class Category(Struct):
    """Plaid's own guess of what a line is."""

    primary: str | None = None
    detailed: str | None = None


class Transaction(Struct):
    """One line; `amount` is positive when money left the account."""

    transaction_id: str
    account_id: str
    amount: Decimal
    date: dt.date
    iso_currency_code: str | None = None
    unofficial_currency_code: str | None = None
    authorized_date: dt.date | None = None
    name: str | None = None
    merchant_name: str | None = None
    original_description: str | None = None
    pending: bool = False
    pending_transaction_id: str | None = None
    check_number: str | None = None
    personal_finance_category: Category | None = None


class Removed(Struct):
    """A line that went."""

    transaction_id: str
    account_id: str | None = None


class Fault(Struct):
    """A refusal: flat, with a code to go by and texts for people."""

    error_code: str
    error_type: str = ""
    error_message: str = ""
    request_id: str | None = None


class Item(Struct):
    """One login at one bank. A fault that was met earlier stands here even when the answer is a success."""

    item_id: str
    institution_name: str | None = None
    error: Fault | None = None


class TransactionsStatus(Struct):
    """When Plaid last read the bank's transactions."""

    last_successful_update: dt.datetime | None = None
    last_failed_update: dt.datetime | None = None


class ItemStatus(Struct):
    """How current an Item is."""

    transactions: TransactionsStatus | None = None


class ItemAnswer(Struct):
    """`/item/get`."""

    item: Item
    status: ItemStatus | None = None


class AccountsAnswer(Struct):
    """`/accounts/get` and `/accounts/balance/get`; accounts stay raw, so that one bad one spoils no other."""

    accounts: list[Raw]
    item: Item


class SyncAnswer(Struct):
    """One page of `/transactions/sync`. Lists were seen as null; rows stay raw."""

    next_cursor: str
    has_more: bool
    added: list[Raw] | None = None
    modified: list[Raw] | None = None
    removed: list[Removed] | None = None
    transactions_update_status: str = ""

    @property
    def shown(self) -> Sequence[Raw]:
        """Rows as they are now, new ones first."""
        return [*(self.added or ()), *(self.modified or ())]
