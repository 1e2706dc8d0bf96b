"""Stored positions and tracked findings: what the pages read."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from runway_core.domain.changes import Attribution
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.kept_views import KeptView
from runway_core.domain.position import Position


class FindingCount(NamedTuple):
    """How many findings of one check and one severity a company has."""

    company_id: CompanyId
    check: str
    severity_rank: int  # 0 for critical up to 3 for low
    findings: int


class PositionStore(Protocol):
    """Keeps one position a company and its findings with their history."""

    async def save_position(self, position: Position, findings: Sequence[TrackedFinding]) -> bool:
        """Store a position and the full set of tracked findings it was computed with, in one transaction.

        Keyed by the log position it saw: one that saw less of the log than the stored one is refused. Writes only
        what differs.

        Returns:
            Whether it was stored; false when a newer one is there.
        """
        ...

    async def position(self, firm_id: FirmId, company_id: CompanyId) -> Position | None:
        """The stored position of a company, or `None` before the first pull."""
        ...

    async def positions(self, firm_id: FirmId) -> Sequence[Position]:
        """The stored positions of a firm in one query, one row a company, by company id."""
        ...

    async def findings(
        self, company_id: CompanyId, *, states: frozenset[FindingState] | None = None
    ) -> Sequence[TrackedFinding]:
        """The tracked findings of a company, all states or only `states`, by severity, then id."""
        ...

    async def findings_of_firm(
        self, firm_id: FirmId, *, check: str, states: frozenset[FindingState]
    ) -> Sequence[tuple[CompanyId, TrackedFinding]]:
        """The findings of one check of all companies of a firm in one query, by company, then id."""
        ...

    async def count_findings(self, firm_id: FirmId, *, states: frozenset[FindingState]) -> Sequence[FindingCount]:
        """How many findings each company of a firm has by check and severity, in one query, in that order."""
        ...

    async def decide_finding(
        self,
        company_id: CompanyId,
        tracked: TrackedFinding,
        *,
        attribution: Attribution,
        at: datetime,
    ) -> None:
        """Store what a person decided about a finding, and log it in the same transaction; the position is due again.

        Raises:
            NotFound: no such finding.
        """
        ...

    async def decide_findings(
        self,
        company_id: CompanyId,
        tracked: Sequence[TrackedFinding],
        *,
        attribution: Attribution,
        at: datetime,
    ) -> None:
        """The same for several findings in one transaction, all of them or none; nothing is done for none.

        Raises:
            NotFound: one is not there; nothing was written.
        """
        ...

    async def save_view(self, view: KeptView) -> None:
        """Keep one view of a company in place of the one of that name. Losing it costs time only.

        Raises:
            NotFound: no such company in the view's firm.
        """
        ...

    async def view(self, firm_id: FirmId, company_id: CompanyId, name: str) -> KeptView | None:
        """The view of that name that was kept last, whether or not it still holds."""
        ...
