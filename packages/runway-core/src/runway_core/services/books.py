"""Reading a company's books from the mirror, as of today or a given day."""

from datetime import date, datetime, timedelta

from runway_core.calculators.reconciliation.confirmed import apply_confirmed_bills
from runway_core.domain.books import Books
from runway_core.domain.identity import CompanyId
from runway_core.domain.papers import PaperKind
from runway_core.domain.past import Past, fold_drafts
from runway_core.errors import InvalidRequest, NotFound
from runway_core.services.last_books import LastBooks
from runway_core.services.scope import Scope, local_day

HISTORY_DAYS = 400
"""How far closed documents are read back: twelve months of payment habits, and a month's margin."""

_KNOWN_BESIDE = ("company", "finding", PaperKind.FORECAST.value, PaperKind.DIGEST.value, PaperKind.DECISION.value)
"""What is read of a past moment beside the books themselves."""


class BooksService:
    """Gives calculators their only input. Never calls a rail."""

    def __init__(self, scope: Scope, last: LastBooks | None = None) -> None:
        """`last` is shared by services on whoever's behalf: each asks its scope for the company first."""
        self._scope = scope
        self._last = last or LastBooks()

    async def read(
        self, company_id: CompanyId, *, as_of: date | None = None, known_at: datetime | None = None
    ) -> Books:
        """A company's books as the mirror holds them; `as_of` is today in the company's zone unless given.

        What was computed from the books read before is known of these, as far as nothing that it read has changed.
        With `known_at`, as Runway knew them at that moment, on that day.

        Raises:
            NotFound: no such company in this firm, or it was not known yet.
            InvalidRequest: the moment lies ahead.
            LogBroken: with `known_at`, an entry of the log cannot be read.
        """
        if known_at is not None:
            return (await self.read_known(company_id, known_at))[0]
        company = await self._scope.company(company_id)
        now = self._scope.clock.now()
        day = as_of or local_day(now, company)
        books = await self._scope.store.mirror.load_books(
            company,
            as_of=day,
            history_from=day - timedelta(days=HISTORY_DAYS),
            read_at=now,
        )
        return self._last.follow(apply_confirmed_bills(books)).with_columns()

    async def read_known(self, company_id: CompanyId, known_at: datetime) -> tuple[Books, Past]:
        """Books as they were known at a moment, and what the log says of findings and closed papers then.

        Raises:
            NotFound: no such company in this firm, or it was not known yet.
            InvalidRequest: the moment lies ahead.
            LogBroken: an entry of the log cannot be read.
        """
        company = await self._scope.company(company_id)
        if known_at > self._scope.clock.now():
            raise InvalidRequest(f"{known_at.isoformat()} lies ahead: the log knows what was, not what will be")
        log = self._scope.store.log
        through = await log.last_before(company_id, known_at + datetime.resolution)
        past = fold_drafts(
            await log.last_drafts(company_id, through=through, kinds=_KNOWN_BESIDE), company_id=company_id
        )
        if past.company is None:
            raise NotFound(f"{company.name!r} was not known yet at {known_at.isoformat()}")
        known = past.company.model_copy(update={"firm_id": company.firm_id})
        day = local_day(known_at, known)
        books = await self._scope.store.mirror.load_books(
            known,
            as_of=day,
            history_from=day - timedelta(days=HISTORY_DAYS),
            read_at=known_at,
            known_at=known_at,
        )
        return apply_confirmed_bills(books), past
