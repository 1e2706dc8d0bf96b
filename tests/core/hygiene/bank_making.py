"""Books with a bank beside them, for examples: each movement is told once and stands on the sides it should."""

from typing import Any

from runway_core.domain.bank import BankBalance, BankTransaction
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.ledger import Account, AccountKind, Purchase
from runway_testkit.books_making import READ_AT, amount, day, make_books

RAIL = "bank"


def account(external_id: str = "bank", balance: int | str = 0, **more: Any) -> Account:
    """A deposit account."""
    name = more.pop("name", external_id.capitalize())
    values: dict[str, Any] = {
        "name": name,
        "full_name": name,
        "account_kind": AccountKind.BANK,
        "account_type": "bank",
        "currency": "USD",
        "balance": amount(balance),
    }
    return Account(external_id=external_id, **(values | more))


def bank_line(external_id: str, on: int, total: int | str, text: str = "", **more: Any) -> BankTransaction:
    """A posted line of the account `bank`, `on` days after the day the books are looked at."""
    values: dict[str, Any] = {
        "account_id": "bank",
        "booked_on": day(on),
        "currency": "USD",
        "amount": amount(total),
        "text": text,
        "rail": RAIL,
    }
    return BankTransaction(external_id=external_id, **(values | more))


def bank_balance(account_id: str = "bank", posted: int | str = 0, **more: Any) -> BankBalance:
    """A balance read just now."""
    values: dict[str, Any] = {"currency": "USD", "posted": amount(posted), "read_at": READ_AT, "rail": RAIL}
    return BankBalance(account_id=account_id, **(values | more))


def purchase(external_id: str, on: int, total: int | str, **more: Any) -> Purchase:
    """Money out of the account `bank` by transfer, to vendor V1."""
    values: dict[str, Any] = {
        "document_date": day(on),
        "currency": "USD",
        "total": amount(total),
        "method": PaymentMethod.TRANSFER,
        "account_id": "bank",
    }
    return Purchase(external_id=external_id, **(values | more))


def cheque(external_id: str, on: int, total: int | str, **more: Any) -> Purchase:
    """A cheque on the account `bank`."""
    return purchase(external_id, on, total, method=PaymentMethod.CHECK, **more)


def banked(
    *, lines: tuple[BankTransaction, ...] = (), purchases: tuple[Purchase, ...] = (), apart: int | str = 0, **more: Any
) -> Books:
    """Books whose two balances are what their lines and purchases add up to; the bank has `apart` more.

    A line of a year ago begins the bank's history, and a purchase stands behind it.
    """
    lines = (bank_line("N-first", -360, -1), *lines)
    purchases = (purchase("E-first", -360, 1), *purchases)
    posted = sum((line.amount for line in lines if not line.is_pending), amount(1000)) + amount(apart)
    held = amount(1000) - sum((one.total for one in purchases), amount(0))
    values: dict[str, Any] = {
        "accounts": (account("bank", str(held)),),
        "bank_balances": (bank_balance("bank", str(posted)),),
        "bank_transactions": lines,
        "purchases": purchases,
    }
    return make_books(**(values | more))
