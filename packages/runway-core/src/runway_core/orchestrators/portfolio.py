"""What the portfolio needs: three queries, whatever the number of companies and the size of their books."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from runway_core.domain.company import Company, Connection
from runway_core.domain.identity import CompanyId
from runway_core.domain.position import Position
from runway_core.errors import NotFound
from runway_core.services.companies import CompanyService, ConnectionService
from runway_core.services.past import PastReading, PastService
from runway_core.services.positions import PositionService
from runway_core.services.scope import Scope


@dataclass(frozen=True, slots=True)
class PortfolioData:
    """Every company of the firm with its stored position and connections."""

    now: datetime
    companies: Sequence[Company]
    positions: dict[CompanyId, Position]
    connections: dict[CompanyId, list[Connection]]


class PortfolioDataOrchestrator:
    """Gathers the firm's companies, stored positions and connections."""

    def __init__(
        self,
        scope: Scope,
        companies: CompanyService,
        connections: ConnectionService,
        positions: PositionService,
        *,
        past: PastService,
    ) -> None:
        self._scope = scope
        self._companies = companies
        self._connections = connections
        self._positions = positions
        self._past = past

    async def gather(self, known_at: datetime | None = None) -> PortfolioData:
        """Read the firm once, as it is or as it was known at a moment.

        Of a past moment the books of each company are rebuilt in turn, a second or less each; companies that were not
        known then are absent.

        Raises:
            InvalidRequest: the moment lies ahead.
        """
        if known_at is not None:
            return await self._gather_past(known_at)
        connections: dict[CompanyId, list[Connection]] = {}
        for connection in await self._connections.list():
            connections.setdefault(connection.company_id, []).append(connection)
        return PortfolioData(
            now=self._scope.clock.now(),
            companies=await self._companies.list(),
            positions={position.company_id: position for position in await self._positions.all()},
            connections=connections,
        )

    async def _gather_past(self, known_at: datetime) -> PortfolioData:
        found: dict[CompanyId, PastReading] = {}
        for company in await self._companies.list():
            with suppress(NotFound):
                found[company.company_id] = await self._past.read(company.company_id, known_at)
        return PortfolioData(
            now=known_at,
            companies=[reading.books.company for reading in found.values()],
            positions={company_id: reading.position for company_id, reading in found.items()},
            connections={company_id: list(reading.books.connections) for company_id, reading in found.items()},
        )
