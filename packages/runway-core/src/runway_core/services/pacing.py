"""How far apart pulls are now: what is set, stretched by metered quotas, and who is left alone meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from runway_core.domain.breakers import BreakerState
from runway_core.domain.company import Connection
from runway_core.domain.quotas import CallCount, MeteredQuota, QuotaUse, compute_quota, name_month
from runway_core.errors import NotFound
from runway_core.ports.ledger_rail import RailCatalog
from runway_core.services.scope import Scope
from runway_core.sync.health import ServiceSettings
from runway_core.sync.schedule import PULLABLE, Intervals

_DAY = timedelta(days=1)


class PacingService:
    """Knows quotas and breakers, which all firms of a database share."""

    def __init__(self, scope: Scope, rails: RailCatalog, settings: ServiceSettings) -> None:
        self._scope = scope
        self._rails = rails
        self._settings = settings

    async def quotas(self, connections: Sequence[Connection]) -> tuple[QuotaUse, ...]:
        """Where each metered rail of these connections stands in its month, by name: one query at most."""
        metered = {rail: quota for rail in {one.rail for one in connections} if (quota := self._find_quota(rail))}
        if not metered:
            return ()
        now = self._scope.clock.now()
        counts = await self._scope.store.health.call_counts(name_month(now))
        return tuple(
            compute_quota(
                rail,
                quota,
                [counts.get(rail, CallCount())],
                polls_a_day=count_polls(connections, rail, self._settings.intervals),
                now=now,
            )
            for rail, quota in sorted(metered.items())
        )

    async def stretch(self, intervals: Intervals, connections: Sequence[Connection]) -> Intervals:
        """Intervals that let metered quotas last to the end of the month."""
        return replace(intervals, stretch={use.rail: use.stretch_percent for use in await self.quotas(connections)})

    async def paused(self) -> Mapping[str, datetime]:
        """Rails and connections, by name or id, that are left alone until a moment because they do not answer."""
        now = self._scope.clock.now()
        return {
            key.rpartition("/")[2]: breaker.open_until
            for key, breaker in (await self._scope.store.breakers.breakers()).items()
            if breaker.open_until is not None and breaker.state_at(now) is BreakerState.OPEN
        }

    def _find_quota(self, rail: str) -> MeteredQuota | None:
        set_calls = self._settings.quotas.get(rail)
        if set_calls is not None:
            return MeteredQuota(calls_a_month=set_calls, live_percent=self._settings.quota_live_percent)
        try:
            stated = self._rails.factory(rail).abilities.metered
        except NotFound:
            return None
        return stated and stated.model_copy(update={"live_percent": self._settings.quota_live_percent})


def count_polls(connections: Sequence[Connection], rail: str, intervals: Intervals) -> int:
    """How many pulls a day the schedule makes of a rail, were nothing stretched."""
    wanted = [one for one in connections if one.rail == rail and one.state in PULLABLE]
    return sum(max(1, _DAY // intervals.of(one)) for one in wanted)
