"""Positions: computing them from books, and reading the stored ones."""

from collections.abc import Sequence

from runway_core.calculators.hygiene.find import find_findings
from runway_core.calculators.hygiene.tracking import track_findings
from runway_core.calculators.position import compute_position
from runway_core.domain.identity import CompanyId
from runway_core.domain.position import Position
from runway_core.services.books import BooksService
from runway_core.services.scope import Scope


class PositionService:
    """Keeps the read model of the portfolio in step with the mirror."""

    def __init__(self, scope: Scope, books: BooksService) -> None:
        self._scope = scope
        self._books = books

    async def recompute(self, company_id: CompanyId) -> Position:
        """Compute a company's findings and position from its mirrored books and store both.

        Safe to run twice, at once or late: a position that saw less of the log than the stored one is not kept.

        Raises:
            NotFound: no such company in this firm.
        """
        books = await self._books.read(company_id)
        held = await self._scope.store.positions.findings(company_id)
        tracked = track_findings(held, find_findings(books), at=books.read_at, today=books.as_of)
        position = compute_position(books, tracked, computed_at=books.read_at)
        await self._scope.store.positions.save_position(position, tracked)
        return position

    async def current(self, company_id: CompanyId) -> Position | None:
        """The stored position, or `None` before the first pull.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.positions.position(self._scope.firm_id, company_id)

    async def all(self) -> Sequence[Position]:
        """The stored positions of the firm: one query, one row a company."""
        return await self._scope.store.positions.positions(self._scope.firm_id)

    async def recompute_due(self) -> Sequence[CompanyId]:
        """Recompute every company of the firm whose mirror moved, or whose position is of an earlier day.

        Returns:
            The companies that were recomputed.
        """
        due = list(await self._scope.store.mirror.companies_due(self._scope.firm_id))
        for company_id in due:
            await self.recompute(company_id)
        return due
