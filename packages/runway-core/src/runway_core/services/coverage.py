"""Whether every change reaches the mirror: sweeps when they are due, gaps in what rails tell, what each path missed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from runway_core.domain.gaps import Gap
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.domain.sweeps import PathTally, SweepReport
from runway_core.errors import NotFound
from runway_core.ports.ledger_rail import RailCatalog
from runway_core.services.scope import Scope
from runway_core.sync.engine import Beat
from runway_core.sync.gaps import LOOKED_AT, plan_gaps
from runway_core.sync.sweep import SWEEP_EVERY, plan_sweeps

PLAN_EVERY = timedelta(minutes=1)
SWEPT = "swept"
"""What the log calls the end of a sweep; its content is the report."""

_log = structlog.get_logger(__name__)


class CoverageService:
    """Plans sweeps, finds gaps, and tells what each path had missed."""

    def __init__(self, scope: Scope, rails: RailCatalog) -> None:
        self._scope = scope
        self._rails = rails
        self._planned: dict[str, datetime] = {}

    def beats(self) -> Sequence[Beat]:
        """What an engine looks at again and again."""
        return [Beat("sweeps", PLAN_EVERY, self.plan_sweeps), Beat("gaps", PLAN_EVERY, self.find_gaps)]

    def _can_be_swept(self, rail: str) -> bool:
        try:
            return self._rails.factory(rail).abilities.can_be_swept
        except NotFound:  # a rail that is not installed any more
            return False

    async def plan_sweeps(self, *, every: timedelta = SWEEP_EVERY) -> int:
        """Enqueue a sweep for each connection that is due for one; returns how many were added.

        What was planned once for a moment is not planned again for it: it is in the table, or failed for good.
        """
        now = self._scope.clock.now()
        connections = [held for held in await self._scope.connections() if self._can_be_swept(held.rail)]
        planned = plan_sweeps(connections, now=now, every=every)
        fresh = [job for job in planned if self._planned.get(job.dedupe_key) != job.run_at]
        receipt = await self._scope.store.jobs.enqueue(fresh, now=now)
        self._planned = {job.dedupe_key: job.run_at for job in planned}
        return receipt.added

    async def find_gaps(self) -> int:
        """Note where rails fell silent or lost something, with a pull at once; returns how many were noted."""
        now, coverage, firm_id = self._scope.clock.now(), self._scope.store.coverage, self._scope.firm_id
        held = {gap.connection_id: gap for gap in await coverage.gaps(firm_id)}
        plan = plan_gaps(await coverage.hearings(firm_id, since=now - LOOKED_AT), held, now=now)
        if plan.noted:
            await coverage.note_gaps(plan.noted, plan.jobs, now=now)
        if plan.over:
            await coverage.close_gaps(firm_id, plan.over)
        for gap in plan.noted:
            _log.warning("webhook_gap_found", company=gap.company_id, rail=gap.rail, reason=gap.reason.value)
        return len(plan.noted)

    async def gaps(self) -> Sequence[Gap]:
        """The gaps that are open, of companies that the caller may see."""
        found = await self._scope.store.coverage.gaps(self._scope.firm_id)
        return [gap for gap in found if self._scope.sees(gap.company_id)]

    async def tallies(self) -> Mapping[ConnectionId, Sequence[PathTally]]:
        """What the paths of each connection brought and missed, of companies that the caller may see."""
        seen = {held.connection_id for held in await self._scope.connections()}
        found = await self._scope.store.coverage.tallies(self._scope.firm_id)
        return {connection_id: tallies for connection_id, tallies in found.items() if connection_id in seen}

    async def sweeps(self, company_id: CompanyId) -> Sequence[SweepReport]:
        """The reports of a company's sweeps, as the log keeps them, newest first.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        reports: list[SweepReport] = []
        for connection in await self._scope.connections(company_id):
            key = RecordKey(RecordKind.CONNECTION, connection.connection_id)
            acts = await self._scope.store.log.history(company_id, key)
            reports += [SweepReport.model_validate_json(act.draft.content) for act in acts if act.draft.what == SWEPT]
        return sorted(reports, key=lambda report: report.ended_at, reverse=True)
