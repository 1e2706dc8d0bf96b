"""What the digest and the outlook need."""

from datetime import datetime

from runway_core.domain.identity import CompanyId
from runway_core.orchestrators.gathered import CompanyData
from runway_core.services.books import BooksService
from runway_core.services.companies import ConnectionService
from runway_core.services.digests import DigestService
from runway_core.services.findings import FindingService
from runway_core.services.forecasts import ForecastService
from runway_core.services.past import PastService
from runway_core.services.positions import PositionService


class DigestDataOrchestrator:
    """Gathers books, connections, findings, position, kept forecasts and what was told last of one company."""

    def __init__(
        self,
        books: BooksService,
        connections: ConnectionService,
        findings: FindingService,
        positions: PositionService,
        *,
        digests: DigestService,
        forecasts: ForecastService,
        past: PastService,
    ) -> None:
        self._books = books
        self._connections = connections
        self._findings = findings
        self._positions = positions
        self._digests = digests
        self._forecasts = forecasts
        self._past = past

    async def gather(self, company_id: CompanyId, known_at: datetime | None = None) -> CompanyData:
        """Read one company once, as it is or as it was known at a moment.

        Raises:
            NotFound: no such company in this firm, or it was not known yet.
            InvalidRequest: the moment lies ahead.
        """
        if known_at is not None:
            past = await self._past.read(company_id, known_at)
            return CompanyData(
                books=past.books,
                connections=past.books.connections,
                findings=past.findings,
                position=past.position,
                kept_forecasts=past.kept_forecasts,
                last_told=past.last_told,
            )
        return CompanyData(
            books=await self._books.read(company_id),
            connections=await self._connections.list(company_id),
            findings=await self._findings.list(company_id),
            position=await self._positions.current(company_id),
            kept_forecasts=await self._forecasts.kept(company_id),
            last_told=await self._digests.last_told(company_id),
        )
