"""Kept forecasts: the first outlook of each week, and how right those were whose weeks have passed."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from runway_core.calculators.calendar import monday_of
from runway_core.calculators.forecast_quality import KEEPER, keep_forecast
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.books import Books
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.forecasts import KeptForecast
from runway_core.domain.identity import CompanyId
from runway_core.domain.position import PositionStatus
from runway_core.errors import StaleRevision
from runway_core.services.scope import Scope

FORECASTS_LOOKED_AT = 65
"""Forecasts of a year, and of the thirteen weeks that the oldest of them needs to come due."""


class ForecastService:
    """Keeps the forecasts of the firm's companies."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._known: dict[CompanyId, date] = {}  # the week this process knows to be kept

    async def keep_first_of_week(self, books: Books, status: PositionStatus) -> None:
        """Keep the outlook of these books, unless their week has one already or the data cannot say.

        At most one read a company and process each week, and one write a week. Safe to run twice or at once: the first
        stands.
        """
        company_id, week = books.company.company_id, monday_of(books.as_of)
        if status is PositionStatus.GREY or self._known.get(company_id) == week:
            return
        papers = self._scope.store.papers
        if await papers.paper(company_id, KeptForecast, week.isoformat()) is None:
            by = Attribution(cause=Cause.SYSTEM, actor=KEEPER, correlation_id=self._scope.new_id())
            forecast = keep_forecast(books, books.derive(compute_outlook))
            with suppress(StaleRevision):  # another process was first: its forecast of this week stands
                await papers.save_papers(company_id, [forecast], attribution=by, at=books.read_at)
        self._known[company_id] = week

    async def kept(self, company_id: CompanyId) -> Sequence[KeptForecast]:
        """The kept forecasts of the last year and a quarter, the last first.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.papers.papers(company_id, KeptForecast, limit=FORECASTS_LOOKED_AT)
