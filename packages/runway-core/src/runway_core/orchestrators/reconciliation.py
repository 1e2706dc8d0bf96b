"""What the reconciliation page needs: one company's rails compared, and how old what they say is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runway_core.domain.company import Company, Connection
from runway_core.domain.identity import CompanyId
from runway_core.domain.reconciliation import Reconciliation
from runway_core.services.companies import CompanyService, ConnectionService
from runway_core.services.conflicts import ConflictService
from runway_core.services.scope import Scope


@dataclass(frozen=True, slots=True)
class ReconciliationData:
    """One company, its connections, and what comparing them said."""

    now: datetime
    company: Company
    connections: Sequence[Connection]
    compared: Reconciliation


class ReconciliationDataOrchestrator:
    """Gathers one company's comparison."""

    def __init__(
        self,
        scope: Scope,
        companies: CompanyService,
        connections: ConnectionService,
        conflicts: ConflictService,
    ) -> None:
        self._scope = scope
        self._companies = companies
        self._connections = connections
        self._conflicts = conflicts

    async def gather(self, company_id: CompanyId, known_at: datetime | None = None) -> ReconciliationData:
        """Compare one company's rails, as they are or as they were known at a moment.

        Raises:
            NotFound: no such company in this firm, or it was not known yet.
            InvalidRequest: the moment lies ahead.
        """
        compared = await self._conflicts.reconcile(company_id, known_at=known_at)
        return ReconciliationData(
            now=known_at or self._scope.clock.now(),
            company=await self._companies.get(company_id),
            connections=await self._connections.list(company_id),
            compared=compared,
        )
