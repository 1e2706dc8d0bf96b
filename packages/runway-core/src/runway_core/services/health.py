"""How well the service does its work: every figure from a fixed number of queries, however many companies there are."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from pydantic import AwareDatetime

from runway_core.domain.alerts import Alert, Condition
from runway_core.domain.breakers import BreakerState
from runway_core.domain.company import Company, Connection
from runway_core.domain.identity import CompanyId
from runway_core.domain.jobs import LANES
from runway_core.domain.quotas import QuotaUse, name_month
from runway_core.domain.record import Value
from runway_core.domain.service_levels import (
    KEEP_SAMPLES,
    WINDOWS,
    BurnRate,
    FreshnessObjective,
    SampleSum,
    compute_burn,
    find_burning,
    take_sample,
)
from runway_core.domain.sync_run import SyncRun
from runway_core.errors import RunwayError
from runway_core.services.pacing import PacingService
from runway_core.services.scope import Scope
from runway_core.sync.engine import Beat
from runway_core.sync.freshness import FreshnessLabel, label_freshness
from runway_core.sync.health import (
    ConnectionHealth,
    Facts,
    ServiceSettings,
    find_conditions,
    find_oldest_due,
    judge_connections,
    list_ages,
)

WATCH_EVERY = timedelta(minutes=1)
FORGET_EVERY = timedelta(hours=1)
KEEP_PULLS = timedelta(days=90)
PULLS_AT_ONCE = 50_000
LOOK_BACK = timedelta(days=1)
"""Rates of errors are of the last day."""

_log = structlog.get_logger(__name__)


class AlertTeller(Protocol):
    """Tells people or machines of alerts that were raised or resolved."""

    @property
    def name(self) -> str:
        """What tells it from other tellers, the same in every process: what it told is remembered under it."""
        ...

    async def tell(self, alerts: Sequence[Alert]) -> None:
        """Tell of these; repeating is harmless.

        Raises:
            RunwayError: they could not be told; they are told again later.
        """
        ...


@dataclass(frozen=True, slots=True)
class CompanyHealth:
    """How fresh one company's data is, and how its last pull went."""

    company: Company
    freshness: tuple[FreshnessLabel, ...]
    last_run: SyncRun | None
    quarantined: int
    connections: tuple[ConnectionHealth, ...] = ()


class LaneLoad(Value):
    """What stands in one lane of the queue."""

    lane: str
    waiting: int
    due: int
    running: int
    dead: int
    oldest_due_seconds: int | None


class OpenBreaker(Value):
    """A rail or connection that is left alone because it does not answer."""

    name: str
    state: BreakerState
    until: AwareDatetime


class LoweredBudget(Value):
    """A budget of calls that refusals lowered."""

    name: str
    percent: int
    paused_until: AwareDatetime | None


class ServiceHealth(Value):
    """How the service as a whole does."""

    objective: FreshnessObjective
    counted: int  # connections that the promise speaks of
    fresh: int
    burn: tuple[BurnRate, ...]  # by window, the shortest first
    quotas: tuple[QuotaUse, ...]
    lanes: tuple[LaneLoad, ...]
    oldest_due_seconds: int | None
    unread_deliveries: int
    unread_seconds: int | None  # how long the oldest of them waits
    breakers: tuple[OpenBreaker, ...]
    budgets: tuple[LoweredBudget, ...]
    alerts: tuple[Alert, ...]  # open ones, the last raised first


@dataclass(frozen=True, slots=True)
class _Seen:
    """What may be named to someone who sees some connections: breakers and budgets are kept for all firms together."""

    connection_ids: frozenset[str]
    accounts: frozenset[tuple[str, str]]  # rail, and its own name of the company

    @classmethod
    def of(cls, connections: Sequence[Connection]) -> "_Seen":
        """What belongs to these connections."""
        return cls(
            frozenset(one.connection_id for one in connections),
            frozenset((one.rail, one.rail_account) for one in connections if one.rail_account is not None),
        )

    def has_breaker(self, key: str) -> bool:
        """Whether a breaker is a whole rail's, or of one of these connections (`rail/connection`)."""
        _, _, connection_id = key.partition("/")
        return not connection_id or connection_id in self.connection_ids

    def has_budget(self, key: str) -> bool:
        """Whether a budget is of one of these connections' accounts (`rail/…/account`), or names none."""
        rail, _, account = key.partition("/")
        return not account or (rail, account.rpartition("/")[2]) in self.accounts


class HealthService:
    """Reads how things stand, samples it every minute, and sees that alerts are raised, resolved and told."""

    def __init__(
        self,
        scope: Scope,
        pacing: PacingService,
        settings: ServiceSettings,
        tellers: Sequence[AlertTeller] = (),
        *,
        more: Sequence[Callable[[], Awaitable[Sequence[Condition]]]] = (),
    ) -> None:
        self._scope = scope
        self._pacing = pacing
        self._settings = settings
        self._tellers = tellers
        self._more_conditions = more
        self._pruned_to: datetime | None = None

    async def companies(self) -> Sequence[CompanyHealth]:
        """How fresh each company's data is, by company name: seven queries."""
        companies = await self._scope.companies()
        facts = await self._read_facts()
        by_company: dict[CompanyId, list[Connection]] = {}
        judged: dict[CompanyId, list[ConnectionHealth]] = {}
        for connection, health in zip(facts.connections, judge_connections(facts, self._settings), strict=True):
            by_company.setdefault(connection.company_id, []).append(connection)
            judged.setdefault(connection.company_id, []).append(health)
        quarantined = await self._scope.count_quarantined()
        return [
            CompanyHealth(
                company=company,
                freshness=label_freshness(by_company.get(company.company_id, []), facts.now),
                last_run=facts.last_runs.get(company.company_id),
                quarantined=quarantined.get(company.company_id, 0),
                connections=tuple(judged.get(company.company_id, ())),
            )
            for company in companies
        ]

    async def service(self) -> ServiceHealth:
        """How the service as a whole does: ten queries."""
        scope, store = self._scope, self._scope.store
        now = scope.clock.now()
        connections = await scope.connections()
        breakers = await store.breakers.breakers()
        seen = _Seen.of(connections)
        heard = await self._pacing.heard(connections)
        facts = Facts(now=now, connections=connections, breakers=breakers, heard=heard)
        sample = take_sample(list_ages(facts, self._settings), now)
        sums = await self._sum_windows(now)
        depths = await store.jobs.depths(scope.firm_id, now=now)
        inbox = await store.inbox.lag()
        alerts = await store.health.alerts(scope.firm_id)
        lanes = [(lane, depths.lanes[lane]) for lane in LANES]
        return ServiceHealth(
            objective=self._settings.objective,
            counted=sample.counted,
            fresh=sample.fresh,
            burn=tuple(compute_burn(window, sums[window], self._settings.objective) for window in WINDOWS),
            quotas=await self._pacing.quotas(connections, heard),
            lanes=tuple(
                LaneLoad(
                    lane=lane.name.lower(),
                    waiting=load.waiting,
                    due=load.due,
                    running=load.running,
                    dead=load.dead,
                    oldest_due_seconds=_seconds_since(load.oldest_due_at, now),
                )
                for lane, load in lanes
            ),
            oldest_due_seconds=_seconds_since(find_oldest_due(depths), now),
            unread_deliveries=inbox.unread,
            unread_seconds=_seconds_since(inbox.oldest_unread_at, now),
            breakers=tuple(
                OpenBreaker(name=key, state=breaker.state_at(now), until=breaker.open_until)
                for key, breaker in sorted(breakers.items())
                if breaker.open_until is not None and seen.has_breaker(key)
            ),
            budgets=tuple(
                LoweredBudget(name=look.key, percent=look.percent, paused_until=look.paused_until)
                for look in await store.calls.budgets(now=now)
                if seen.has_budget(look.key)
            ),
            alerts=tuple(one for one in alerts if one.company_id is None or scope.sees(CompanyId(one.company_id))),
        )

    async def watch(self) -> Sequence[Alert]:
        """Take a sample, settle alerts and have them told; returns those that changed. Meant for once a minute."""
        scope, store = self._scope, self._scope.store
        now = scope.clock.now()
        connections = await scope.connections()
        heard = await self._pacing.heard(connections)
        facts = Facts(now=now, connections=connections, breakers=await store.breakers.breakers(), heard=heard)
        await store.health.add_sample(scope.firm_id, take_sample(list_ages(facts, self._settings), now))
        conditions = find_conditions(
            facts,
            self._settings,
            burning=find_burning(await self._sum_windows(now), self._settings.objective),
            quotas=await self._pacing.quotas(connections, heard),
            depths=await store.jobs.depths(scope.firm_id, now=now),
            inbox=await store.inbox.lag(),
        )
        for find_more in self._more_conditions:
            conditions = (*conditions, *await find_more())
        changed = await store.health.settle_alerts(scope.firm_id, conditions, now=now)
        await self.tell()
        return changed

    async def tell(self) -> Sequence[Alert]:
        """Have alerts told whose last change was not; returns those that everybody was told.

        A teller that fails keeps no other from telling, and is alone tried again later.
        """
        scope, store = self._scope, self._scope.store
        claimed = await store.health.claim_untold(scope.firm_id, now=scope.clock.now())
        if not claimed:
            return ()
        for alert in claimed:
            say = _log.info if alert.resolved_at is not None else _log.warning
            say(
                "alert_raised" if alert.resolved_at is None else "alert_resolved",
                alert=alert.key,
                kind=alert.kind.value,
                severity=alert.severity.value,
                company=alert.company_id,
                rail=alert.rail,
                summary=alert.summary,
            )
        outcomes = await asyncio.gather(
            *(self._tell_by(teller, claimed) for teller in self._tellers), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        if not all(outcomes):
            return ()
        await store.health.mark_told(scope.firm_id, claimed)
        return claimed

    async def _tell_by(self, teller: AlertTeller, claimed: Sequence[Alert]) -> bool:
        untold = [alert for alert in claimed if teller.name not in alert.told_by]
        if not untold:
            return True
        try:
            await teller.tell(untold)
        except RunwayError as error:
            _log.warning(
                "alerts_not_told", teller=teller.name, error_code=error.code, error=str(error), alerts=len(untold)
            )
            return False
        await self._scope.store.health.note_told(self._scope.firm_id, untold, by=teller.name)
        return True

    def beats(self) -> Sequence[Beat]:
        """What an engine that plans does again and again."""
        return (
            Beat("health", WATCH_EVERY, self.watch),
            Beat("old samples", FORGET_EVERY, self.forget_old),
            Beat("old pulls", FORGET_EVERY, self.forget_pulls),
        )

    async def forget_old(self) -> int:
        """Forget samples that no window looks at any more."""
        return await self._scope.store.health.prune_samples(before=self._scope.clock.now() - KEEP_SAMPLES)

    async def forget_pulls(self) -> int:
        """Forget old pulls that brought nothing; returns how many. What was looked at once is not looked at again."""
        before = self._scope.clock.now() - KEEP_PULLS
        gone = here = await self._prune_pulls(before)
        while here == PULLS_AT_ONCE:
            gone += (here := await self._prune_pulls(before))
        self._pruned_to = before
        return gone

    async def _prune_pulls(self, before: datetime) -> int:
        health = self._scope.store.health
        return await health.prune_runs(before=before, since=self._pruned_to, limit=PULLS_AT_ONCE)

    async def _read_facts(self) -> Facts:
        scope, health = self._scope, self._scope.store.health
        now = scope.clock.now()
        calls = await health.company_calls(scope.firm_id, name_month(now))
        connections = await scope.connections()
        return Facts(
            now=now,
            connections=connections,
            kinds=self._pacing.kinds(connections),
            last_runs=await scope.last_runs(),
            rates=await health.run_rates(scope.firm_id, since=now - LOOK_BACK),
            calls={place: count.calls for place, count in calls.items()},
            quarantined=await health.quarantined(scope.firm_id),
            breakers=await scope.store.breakers.breakers(),
        )

    async def _sum_windows(self, now: datetime) -> dict[timedelta, SampleSum]:
        # A sample's moment is cut to the minute: the one of this minute belongs to every window.
        since = [now - window for window in WINDOWS]
        sums = await self._scope.store.health.sum_samples(self._scope.firm_id, since=since)
        return dict(zip(WINDOWS, sums, strict=True))


def _seconds_since(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else max(0, (now - moment) // timedelta(seconds=1))
