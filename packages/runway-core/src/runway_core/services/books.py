"""Reading a company's books from the mirror, as of today or a given day."""

from datetime import date, timedelta

from runway_core.domain.books import Books
from runway_core.domain.identity import CompanyId
from runway_core.services.last_books import LastBooks
from runway_core.services.scope import Scope, local_day

HISTORY_DAYS = 400
"""How far closed documents are read back: twelve months of payment habits, and a month's margin."""


class BooksService:
    """Gives calculators their only input. Never calls a rail."""

    def __init__(self, scope: Scope, last: LastBooks | None = None) -> None:
        """`last` is shared by services on whoever's behalf: each asks its scope for the company first."""
        self._scope = scope
        self._last = last or LastBooks()

    async def read(self, company_id: CompanyId, *, as_of: date | None = None) -> Books:
        """A company's books as the mirror holds them; `as_of` is today in the company's zone unless given.

        What was computed from the books read before is known of these, as far as nothing that it read has changed.

        Raises:
            NotFound: no such company in this firm.
        """
        company = await self._scope.company(company_id)
        now = self._scope.clock.now()
        day = as_of or local_day(now, company)
        books = await self._scope.store.mirror.load_books(
            company,
            as_of=day,
            history_from=day - timedelta(days=HISTORY_DAYS),
            read_at=now,
        )
        return self._last.follow(books)
