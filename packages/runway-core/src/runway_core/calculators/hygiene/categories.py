"""Accounts that stand for "somebody else decides", and the account a party's money usually goes to."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence

from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind

_UNSORTED = re.compile(
    r"\b(?:uncategori[sz]ed|unclassified|unallocated|suspense)\b"
    r"|\bask\s+(?:(?:my|your|our|the)\s+)?(?:accountant|bookkeeper|client|cpa)\b",
    re.IGNORECASE,
)

USUAL_LAST = 12
USUAL_PERCENT = 80
LEAST_SEEN = 3
"""A habit shows in at least so many documents."""


def find_unsorted_accounts(books: Books) -> dict[str, str]:
    """Accounts whose name, or whose parent's, says uncategorised, ask the accountant or suspense: id → full name.

    Reads accounts.
    """
    return {account.external_id: account.full_name for account in books.chart if _UNSORTED.search(account.full_name)}


def find_unsorted_lines(lines: Iterable[DocumentLine], unsorted: Container[str | None]) -> list[DocumentLine]:
    """Lines booked to one of the `unsorted` accounts, or booked straight to an account of which none is named.

    A line on an item follows the item's account.
    """
    return [
        line
        for line in lines
        if line.account_id in unsorted
        or (line.account_id is None and line.item_id is None and line.line_kind is LineKind.ACCOUNT and line.amount)
    ]


def find_usual_account(
    documents: Sequence[Sequence[DocumentLine]], unsorted: Container[str | None]
) -> tuple[str, int] | None:
    """The account that at least 80 % of the last twelve documents went to, and how many of them; else `None`.

    `documents` are the lines of a party's documents, the latest last; each counts for the account of its largest line.
    Those on no proper account do not count, and fewer than three are no habit.
    """
    seen: list[str] = []
    for lines in reversed(documents):
        booked = [line for line in lines if line.account_id is not None and line.account_id not in unsorted]
        if booked and len(seen) < USUAL_LAST:
            largest = max(booked, key=lambda line: (abs(line.amount), line.account_id or ""))
            seen.append(largest.account_id or "")
    if len(seen) < LEAST_SEEN:
        return None
    account_id, count = max(Counter(seen).items(), key=lambda item: (item[1], item[0]))
    return (account_id, count) if count * 100 >= len(seen) * USUAL_PERCENT else None
