"""What a bank said, as evidence: with the rail that read it, and when."""

from collections.abc import Iterable, Iterator

from runway_core.calculators.hygiene.check import plain_amount, say_amount
from runway_core.domain.bank import BankBalance, BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence
from runway_core.domain.ledger import Account

SHOWN_AT_MOST = 20
"""So many lines of a long list are shown, the oldest first; the count tells of the others."""


def find_newest_balances(books: Books) -> dict[str, BankBalance]:
    """The newest reading of each account's bank balance, however old."""
    ordered = sorted(books.bank_balances, key=lambda balance: (balance.read_at, balance.posted))
    return {balance.account_id: balance for balance in ordered}


def show_bank_balance(balance: BankBalance, account: Account) -> Evidence:
    """What is posted at the bank."""
    return Evidence(
        name="bank_posted",
        value=plain_amount(balance.posted, balance.currency),
        record=account.key,
        rail=balance.rail or None,
        read_at=balance.read_at,
    )


def show_line(line: BankTransaction) -> Evidence:
    """One line at the bank: day, amount and text."""
    text = f"{line.booked_on} {plain_amount(line.amount, line.currency)} {line.text}".rstrip()
    return Evidence(name="bank_line", value=text, record=line.key, rail=line.rail or None)


def show_lines(lines: Iterable[BankTransaction]) -> Iterator[Evidence]:
    """The oldest of some lines."""
    ordered = sorted(lines, key=lambda line: (line.booked_on, line.external_id))
    return (show_line(line) for line in ordered[:SHOWN_AT_MOST])


def say_line(line: BankTransaction) -> str:
    """One line at the bank, for a summary: "12.00 USD, NIMBUS CLOUD, of 2026-02-20"."""
    text = f", {line.text}," if line.text else ""
    return f"{say_amount(abs(line.amount), line.currency)}{text} of {line.booked_on}"
