"""What the hygiene tray needs: findings only, so that a tray opens in the same time whatever the books' size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from runway_core.domain.company import Company, Connection
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.domain.position import Position
from runway_core.services.companies import CompanyService, ConnectionService
from runway_core.services.findings import FindingService
from runway_core.services.past import PastService
from runway_core.services.positions import PositionService
from runway_core.services.scope import Scope, local_day


@dataclass(frozen=True, slots=True)
class TrayData:
    """Standing and lately fixed findings of one company."""

    now: datetime
    today: date  # where the company is
    company: Company
    connections: Sequence[Connection]
    findings: Sequence[TrackedFinding]
    position: Position | None


class HygieneTrayDataOrchestrator:
    """Gathers the findings of one company, as the last recomputation left them."""

    def __init__(
        self,
        scope: Scope,
        companies: CompanyService,
        connections: ConnectionService,
        findings: FindingService,
        positions: PositionService,
        *,
        past: PastService,
    ) -> None:
        self._scope = scope
        self._companies = companies
        self._connections = connections
        self._findings = findings
        self._positions = positions
        self._past = past

    async def gather(
        self, company_id: CompanyId, states: frozenset[FindingState] | None, known_at: datetime | None = None
    ) -> TrayData:
        """Read one company's findings in `states`, or all; as they are, or as its books at a moment show them.

        Raises:
            NotFound: no such company in this firm, or it was not known yet.
            InvalidRequest: the moment lies ahead.
        """
        if known_at is not None:
            past = await self._past.read(company_id, known_at)
            return TrayData(
                now=known_at,
                today=past.books.as_of,
                company=past.books.company,
                connections=past.books.connections,
                findings=[one for one in past.findings if states is None or one.state in states],
                position=past.position,
            )
        company = await self._companies.get(company_id)
        now = self._scope.clock.now()
        return TrayData(
            now=now,
            today=local_day(now, company),
            company=company,
            connections=await self._connections.list(company_id),
            findings=await self._findings.list(company_id, states=states),
            position=await self._positions.current(company_id),
        )
