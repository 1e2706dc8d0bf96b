"""Accounts that hold what nobody sorted yet: by their names, which ledgers give them or people do."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.ledger import Account

USUAL_SHARE_PERCENT = 80
LAST_DOCUMENTS = 12

_UNSORTED = re.compile(
    r"\b(?:un-?categori[sz]ed|unclassified|uncoded|unallocated|ask (?:my|the|our)? ?(?:accountant|bookkeeper|cpa))\b"
    r"|\bto (?:be )?(?:categori[sz]ed?|classif(?:y|ied)|review(?:ed)?)\b",
    re.IGNORECASE,
)
_SUSPENSE = re.compile(r"\bsuspense\b", re.IGNORECASE)
_CLEARING = re.compile(r"\bclearing\b", re.IGNORECASE)


def is_unsorted(account: Account) -> bool:
    """Whether an account says by its name that nobody chose it: "Uncategorized Expense", "Ask My Accountant"."""
    return _UNSORTED.search(account.name) is not None


def is_suspense(account: Account) -> bool:
    """Whether it is a suspense account: what is there waits for an answer."""
    return _SUSPENSE.search(account.name) is not None


def is_passing(account: Account) -> bool:
    """Whether money only passes through: a suspense or clearing account."""
    return is_suspense(account) or _CLEARING.search(account.name) is not None


def find_unsorted_lines(lines: Iterable[DocumentLine], accounts: dict[str, Account]) -> list[DocumentLine]:
    """Lines on an account nobody chose, or on none: `accounts` are those that are catch-alls."""
    found = []
    for line in lines:
        is_nowhere = line.line_kind is LineKind.ACCOUNT and line.account_id is None and line.item_id is None
        if line.amount and (is_nowhere or (line.account_id is not None and line.account_id in accounts)):
            found.append(line)
    return found


def find_catch_alls(books: Books) -> dict[str, Account]:
    """Uncategorised, ask-accountant and suspense accounts, by id."""
    return {account.external_id: account for account in books.accounts if is_unsorted(account) or is_suspense(account)}


def find_usual_account(history: Sequence[tuple[date, str]]) -> tuple[str, int, int] | None:
    """The account that at least 80 % of a party's last twelve lines went to, with how many of how many; else `None`.

    `history` names day and account of each line, catch-alls left out.
    """
    last = [account_id for _, account_id in sorted(history)[-LAST_DOCUMENTS:]]
    if not last:
        return None
    account_id, count = min(Counter(last).items(), key=lambda pair: (-pair[1], pair[0]))
    return (account_id, count, len(last)) if count * 100 >= len(last) * USUAL_SHARE_PERCENT else None
