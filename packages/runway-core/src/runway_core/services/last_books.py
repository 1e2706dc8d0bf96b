"""The books that were read last of each company, so that what was computed from them need not be computed again."""

from collections import OrderedDict

from runway_core.domain.books import Books
from runway_core.domain.identity import CompanyId

RECORDS_HELD = 16_000
"""Books of so many records are held on to; the companies looked at longest ago are let go first."""


class LastBooks:
    """The last books of each company. Losing them costs time only: their figures are computed again."""

    def __init__(self, limit: int = RECORDS_HELD) -> None:
        self._limit = limit
        self._count = 0
        self._held: OrderedDict[CompanyId, tuple[int, Books]] = OrderedDict()
        self._sizes: dict[CompanyId, int] = {}

    def follow(self, books: Books) -> Books:
        """Let these books take over what still holds of those before, and hold them instead."""
        company_id = books.company.company_id
        before = self._held.pop(company_id, None)
        if before is not None:
            self._count -= before[0]
            books.continue_from(before[1])
        count = count_records(books)
        self._held[company_id] = count, books
        self._sizes[company_id] = count
        self._count += count
        while self._count > self._limit:
            _, (gone, _) = self._held.popitem(last=False)
            self._count -= gone
        return books

    def count(self, company_id: CompanyId) -> int:
        """How many records a company's books had when they were read last, held or too many to be; nil if never."""
        return self._sizes.get(company_id, 0)


def count_records(books: Books) -> int:
    """How many records books have, of all kinds."""
    return sum(len(held) for name in Books.model_fields if isinstance(held := getattr(books, name), tuple))
