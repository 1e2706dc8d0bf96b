"""Whether every change reaches the mirror: sweeps when they are due, gaps in what rails tell, what each path missed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from runway_core.domain.gaps import Gap
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.domain.record import Value
from runway_core.domain.sweeps import Path, PathTally, SweepReport
from runway_core.errors import NotFound
from runway_core.ports.ledger_rail import RailCatalog
from runway_core.services.scope import Scope
from runway_core.sync.engine import Beat
from runway_core.sync.gaps import LOOKED_AT, REPEAT_COUNTS, plan_gaps
from runway_core.sync.sweep import SWEEP_EVERY, plan_sweeps

PLAN_EVERY = timedelta(minutes=1)
SWEPT = "swept"
"""What the log calls the end of a sweep; its content is the report."""

_log = structlog.get_logger(__name__)


class CoverageHealth(Value):
    """Whether every change reaches the mirror, over the companies that the caller may see."""

    gaps: tuple[Gap, ...]  # in what rails tell, each caught up by a pull
    paths: tuple[PathTally, ...]  # what each path brought and missed, all connections together
    deliveries_repeated: int  # that rails sent more than once
    deliveries_unreadable: int  # that were proved to be a rail's and could not be understood
    unknown_accounts: int  # of which rails tell and which nobody has connected


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
        hearings = await coverage.hearings(firm_id, since=now - LOOKED_AT, repeated_since=now - REPEAT_COUNTS)
        plan = plan_gaps(hearings, held, now=now)
        if plan.noted:
            await coverage.note_gaps(plan.noted, plan.jobs, now=now)
        if plan.over:
            await coverage.close_gaps(firm_id, plan.over)
        for gap in plan.noted:
            _log.warning("webhook_gap_found", company=gap.company_id, rail=gap.rail, reason=gap.reason.value)
        return len(plan.noted)

    async def health(self) -> CoverageHealth:
        """Whether every change reaches the mirror: five queries."""
        inbox = self._scope.store.inbox
        counts = await inbox.counts()
        return CoverageHealth(
            gaps=tuple(await self.gaps()),
            paths=_sum_up(tally for tallies in (await self.tallies()).values() for tally in tallies),
            deliveries_repeated=counts.repeated,
            deliveries_unreadable=counts.unreadable,
            unknown_accounts=len(await inbox.unknown_accounts()),
        )

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


def _sum_up(tallies: Iterable[PathTally]) -> tuple[PathTally, ...]:
    held: dict[Path, list[PathTally]] = {path: [] for path in Path}
    for tally in tallies:
        held[tally.path].append(tally)
    return tuple(
        PathTally(
            path=path,
            brought=sum(tally.brought for tally in of_path),
            missed=sum(tally.missed for tally in of_path),
            last_missed_at=max((t.last_missed_at for t in of_path if t.last_missed_at is not None), default=None),
        )
        for path, of_path in held.items()
    )
