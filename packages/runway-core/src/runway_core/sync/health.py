"""How well data is kept fresh, judged by its age and never by how the last attempt ended; and what someone should know.

Pure: what was read from the store goes in, states, figures and conditions come out.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from runway_core.domain.alerts import AlertKind, Condition, Severity
from runway_core.domain.breakers import CLOSED, Breaker, BreakerKey, BreakerState
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKind
from runway_core.domain.jobs import LANES, QueueDepths
from runway_core.domain.quotas import ALARM_PERCENTS, QuotaUse
from runway_core.domain.record import Value
from runway_core.domain.service_levels import BurnRule, BurnSpeed, FreshnessObjective, HeldAge
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.domain.webhooks import InboxLag
from runway_core.ports.health_store import RunRate
from runway_core.sync.freshness import USUAL_TIME_TO_LIVE, TimeToLive, describe_age
from runway_core.sync.schedule import PULLABLE, Intervals

QUEUE_LATE_AFTER = timedelta(minutes=15)
NEWS_UNREAD_AFTER = timedelta(minutes=5)
EXCUSED_AFTER = timedelta(minutes=15)
"""A rail that should have been probed for so long and was not excuses nothing: it is we who do not ask."""

TOLD_SINGLY = 10
"""When more connections of a rail than these hold old data, it is told once for the rail."""

_KINDS = {
    BurnSpeed.FAST: (AlertKind.FRESHNESS_FAST, Severity.PAGE),
    BurnSpeed.MEDIUM: (AlertKind.FRESHNESS_MEDIUM, Severity.PAGE),
    BurnSpeed.SLOW: (AlertKind.FRESHNESS_SLOW, Severity.TICKET),
}


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What is promised, and within which bounds."""

    intervals: Intervals = field(default_factory=Intervals)
    quotas: Mapping[str, int] = field(default_factory=dict)  # calls a month by rail, before what the rail states
    quota_live_percent: int = 5
    objective: FreshnessObjective = field(default_factory=FreshnessObjective)
    late_minutes: int = 60  # data older than this has failed to come
    time_to_live: TimeToLive = USUAL_TIME_TO_LIVE
    keep_views_from: int = 2_000  # records; views of smaller books are laid out when someone looks


USUAL_SERVICE = ServiceSettings()


class SyncState(StrEnum):
    """Where one company's data of one rail stands."""

    PENDING = "pending"  # never read, and nobody is at it
    SYNCING = "syncing"  # read for the first time
    SYNCED = "synced"
    PARTIAL = "partial"  # fresh, but some records could not be understood
    FAILED = "failed"  # older than it may be, whatever the last attempt said
    PARKED = "parked"  # waits for a person, or was disconnected


class KindHealth(Value):
    """How one kind of a connection's records stands. Every pull reads all kinds, so that they are of one age."""

    kind: RecordKind
    state: SyncState
    age_seconds: int | None  # by the rail's clock
    last_success_at: AwareDatetime | None
    quarantined: int


class ConnectionHealth(Value):
    """How one company's data of one rail is kept fresh."""

    connection_id: ConnectionId
    company_id: CompanyId
    rail: str
    state: SyncState
    source_read_at: AwareDatetime | None  # the rail's clock
    age_seconds: int | None
    last_success_at: AwareDatetime | None
    pulls: int  # that ended within a day
    failed_percent: int  # of these
    calls_this_month: int
    quarantined: int
    breaker: BreakerState
    note: str  # for people
    kinds: tuple[KindHealth, ...] = ()  # those that the rail brings; none of a rail that is not installed any more


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a firm's connections at one moment."""

    now: datetime
    connections: Sequence[Connection]
    last_runs: Mapping[CompanyId, SyncRun] = field(default_factory=dict)
    rates: Mapping[tuple[CompanyId, str], RunRate] = field(default_factory=dict)
    calls: Mapping[tuple[CompanyId, str], int] = field(default_factory=dict)
    quarantined: Mapping[tuple[CompanyId, str, str | None], int] = field(default_factory=dict)  # … and kind
    kinds: Mapping[str, Collection[RecordKind]] = field(default_factory=dict)  # that a rail brings, by rail
    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    heard: Collection[ConnectionId] = frozenset()  # whose rail tells of every change, as far as is known

    def breaker_of(self, rail: str, connection_id: ConnectionId | None = None) -> BreakerState:
        """Where a breaker stands."""
        return self.breakers.get(BreakerKey(rail, connection_id).text, CLOSED).state_at(self.now)

    def is_excused(self, rail: str) -> bool:
        """Whether a rail's outage, not ours, keeps its data old: its breaker is open, or was until lately."""
        until = self.breakers.get(rail, CLOSED).open_until
        return until is not None and self.now - until < EXCUSED_AFTER

    def age_of(self, connection: Connection) -> timedelta | None:
        """How old a connection's data is by the rail's clock; `None` before the first reading."""
        read_at = connection.source_read_at
        return None if read_at is None else max(self.now - read_at, timedelta(0))


def judge_connections(facts: Facts, settings: ServiceSettings) -> tuple[ConnectionHealth, ...]:
    """Say of each connection and of each kind that it brings how it stands, in their order."""
    aside: dict[tuple[CompanyId, str], int] = defaultdict(int)
    for (company_id, rail, _), count in facts.quarantined.items():
        aside[company_id, rail] += count
    return tuple(
        _judge(connection, facts, settings, quarantined=aside.get((connection.company_id, connection.rail), 0))
        for connection in facts.connections
    )


def _judge(connection: Connection, facts: Facts, settings: ServiceSettings, *, quarantined: int) -> ConnectionHealth:
    place = (connection.company_id, connection.rail)
    age = facts.age_of(connection)
    rate = facts.rates.get(place, RunRate())
    own = facts.breaker_of(connection.rail, connection.connection_id)
    state = _find_state(connection, facts, age, quarantined=quarantined, late=timedelta(minutes=settings.late_minutes))
    return ConnectionHealth(
        connection_id=connection.connection_id,
        company_id=connection.company_id,
        rail=connection.rail,
        state=state,
        source_read_at=connection.source_read_at,
        age_seconds=None if age is None else age // timedelta(seconds=1),
        last_success_at=connection.last_success_at,
        pulls=rate.runs,
        failed_percent=rate.failed * 100 // rate.runs if rate.runs else 0,
        calls_this_month=facts.calls.get(place, 0),
        quarantined=quarantined,
        breaker=facts.breaker_of(connection.rail) if own is BreakerState.CLOSED else own,
        note="never read" if age is None else f"read {describe_age(age)} ago",
        kinds=tuple(_judge_kinds(connection, facts, settings, age)),
    )


def _judge_kinds(
    connection: Connection, facts: Facts, settings: ServiceSettings, age: timedelta | None
) -> Iterator[KindHealth]:
    """Each kind by itself: what hardly ever changes may be older, and what lies in quarantine is its own kind's."""
    wanted = facts.kinds.get(connection.rail, ())
    for kind in (one for one in RecordKind if one in wanted):
        quarantined = facts.quarantined.get((connection.company_id, connection.rail, kind.value), 0)
        late = max(timedelta(minutes=settings.late_minutes), settings.time_to_live.of({kind}))
        yield KindHealth(
            kind=kind,
            state=_find_state(connection, facts, age, quarantined=quarantined, late=late),
            age_seconds=None if age is None else age // timedelta(seconds=1),
            last_success_at=connection.last_success_at,
            quarantined=quarantined,
        )


def _find_state(
    connection: Connection, facts: Facts, age: timedelta | None, *, quarantined: int, late: timedelta
) -> SyncState:
    if connection.state not in PULLABLE:
        return SyncState.PARKED
    if age is None:
        run = facts.last_runs.get(connection.company_id)
        if run is not None and run.outcome is RunOutcome.RUNNING and run.connection_id == connection.connection_id:
            return SyncState.SYNCING
        return SyncState.FAILED if facts.now - connection.created_at > late else SyncState.PENDING
    if age > late:
        return SyncState.FAILED
    return SyncState.PARTIAL if quarantined else SyncState.SYNCED


def list_ages(facts: Facts, settings: ServiceSettings) -> list[HeldAge]:
    """The ages that the promise speaks of: of connections that may be read and whose rail answers.

    One that was just added is not counted before its first load has had its time.
    """
    newest = facts.now - timedelta(minutes=settings.late_minutes)
    usual = timedelta(minutes=settings.objective.fresh_minutes)
    longer = usual * settings.intervals.heard_percent // 100
    return [
        HeldAge(facts.age_of(connection), longer if connection.connection_id in facts.heard else usual)
        for connection in facts.connections
        if connection.state in PULLABLE
        and (connection.source_read_at is not None or connection.created_at < newest)
        and not facts.is_excused(connection.rail)
    ]


def find_conditions(
    facts: Facts,
    settings: ServiceSettings,
    *,
    burning: Iterable[BurnRule],
    quotas: Iterable[QuotaUse],
    depths: QueueDepths,
    inbox: InboxLag,
) -> tuple[Condition, ...]:
    """What someone should know now."""
    return (
        *_freshness_conditions(burning, settings),
        *_quota_conditions(quotas),
        *_rail_conditions(facts),
        *_reconnect_conditions(facts),
        *_age_conditions(facts, settings),
        *_queue_conditions(depths, inbox, facts.now),
    )


def _freshness_conditions(burning: Iterable[BurnRule], settings: ServiceSettings) -> Iterable[Condition]:
    objective = settings.objective
    for rule in burning:
        kind, severity = _KINDS[rule.speed]
        yield Condition(
            f"freshness:{rule.speed.value}",
            kind,
            severity,
            f"too little data is fresh ({objective.percent} % within {objective.fresh_minutes} minutes is promised): "
            f"what may be stale is used up {rule.tenths // 10}.{rule.tenths % 10} times too fast over "
            f"{describe_age(rule.long)}",
        )


def _quota_conditions(quotas: Iterable[QuotaUse]) -> Iterable[Condition]:
    for use in quotas:
        for percent in ALARM_PERCENTS:
            if use.used_percent >= percent:
                yield Condition(
                    f"quota:{use.rail}:{use.month}:{percent}",
                    AlertKind.QUOTA,
                    Severity.PAGE if percent == ALARM_PERCENTS[-1] else Severity.TICKET,
                    f"{use.rail} has used over {percent} % of its {use.calls_a_month} calls of {use.month}",
                    rail=use.rail,
                )


def _rail_conditions(facts: Facts) -> Iterable[Condition]:
    for rail in sorted({connection.rail for connection in facts.connections}):
        if facts.breaker_of(rail) is not BreakerState.CLOSED:
            yield Condition(
                f"rail:{rail}",
                AlertKind.RAIL_SILENT,
                Severity.TICKET,
                f"{rail} gives no answer for several companies: it is left alone and probed, and the mirror answers",
                rail=rail,
            )


def _reconnect_conditions(facts: Facts) -> Iterable[Condition]:
    for connection in facts.connections:
        if connection.state is ConnectionState.RECONNECT_NEEDED:
            yield Condition(
                f"reconnect:{connection.connection_id}",
                AlertKind.RECONNECT_NEEDED,
                Severity.NOTE,
                f"a person must connect {connection.rail} again; nothing is read until then",
                company_id=connection.company_id,
                rail=connection.rail,
            )


def _age_conditions(facts: Facts, settings: ServiceSettings) -> Iterable[Condition]:
    late = timedelta(minutes=settings.late_minutes)
    old: dict[str, list[Connection]] = {}
    for connection in facts.connections:
        age = facts.age_of(connection) or facts.now - connection.created_at
        if connection.state in PULLABLE and age > late and not facts.is_excused(connection.rail):
            old.setdefault(connection.rail, []).append(connection)
    for rail, connections in sorted(old.items()):
        if len(connections) > TOLD_SINGLY:
            yield Condition(
                f"old:{rail}",
                AlertKind.DATA_OLD,
                Severity.PAGE,
                f"data of many companies from {rail} is older than {describe_age(late)}",
                rail=rail,
            )
            continue
        for connection in connections:
            yield Condition(
                f"old:{connection.connection_id}",
                AlertKind.DATA_OLD,
                Severity.TICKET,
                f"data from {rail} is older than {describe_age(late)}: {connection.last_error_code or 'not read'}",
                company_id=connection.company_id,
                rail=rail,
            )


def _queue_conditions(depths: QueueDepths, inbox: InboxLag, now: datetime) -> Iterable[Condition]:
    oldest = find_oldest_due(depths)
    if oldest is not None and now - oldest > QUEUE_LATE_AFTER:
        yield Condition(
            "queue:late",
            AlertKind.QUEUE_LATE,
            Severity.PAGE,
            "work that is due has waited for a quarter of an hour",
        )
    if depths.count("dead"):
        yield Condition(
            "queue:dead", AlertKind.DEAD_LETTERS, Severity.TICKET, "work failed for good and waits for a person"
        )
    if inbox.oldest_unread_at is not None and now - inbox.oldest_unread_at > NEWS_UNREAD_AFTER:
        yield Condition(
            "inbox:unread", AlertKind.NEWS_UNREAD, Severity.TICKET, "what rails sent has not been turned into work"
        )


def find_oldest_due(depths: QueueDepths) -> datetime | None:
    """Since when the oldest due job waits; sweeps may wait for a quiet hour and do not count."""
    moments = [depths.lanes[lane].oldest_due_at for lane in LANES if lane is not max(LANES)]
    return min((moment for moment in moments if moment is not None), default=None)
