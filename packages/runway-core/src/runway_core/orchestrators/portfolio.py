"""What the portfolio needs: three queries, whatever the number of companies and the size of their books."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runway_core.domain.company import Company, Connection
from runway_core.domain.identity import CompanyId
from runway_core.domain.position import Position
from runway_core.services.companies import CompanyService, ConnectionService
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
        self, scope: Scope, companies: CompanyService, connections: ConnectionService, positions: PositionService
    ) -> None:
        self._scope = scope
        self._companies = companies
        self._connections = connections
        self._positions = positions

    async def gather(self) -> PortfolioData:
        """Read the firm once."""
        connections: dict[CompanyId, list[Connection]] = {}
        for connection in await self._connections.list():
            connections.setdefault(connection.company_id, []).append(connection)
        return PortfolioData(
            now=self._scope.clock.now(),
            companies=await self._companies.list(),
            positions={position.company_id: position for position in await self._positions.all()},
            connections=connections,
        )
