"""Which connections are due, decided from what the database says of them; nothing is remembered, nothing forgotten.

A connection is due a whole interval after it was last read, whoever asked for that reading. Each has its own place in
the interval, to which it returns little by little, so that a thousand companies never knock at once for long. One whose
rail did not answer is tried sooner at first, then seldom; one that fails for another reason ever more seldom; one that
waits for a person never.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.jobs import Lane, NewJob, Work
from runway_core.errors import RailThrottled, RailUnavailable

INTERVAL = timedelta(minutes=15)
LONGEST_BACK_OFF = timedelta(hours=2)
FIRST_RETRY = timedelta(seconds=30)
"""A connection whose rail did not answer is tried again so soon; the pause doubles up to the interval."""

HEARD_PERCENT = 133
"""Percent of the interval where a rail announces its changes and is heard: polls then only prove it."""

DRAWN_PERCENT = 1
"""So much of an interval sooner a connection is read that left its own place, until it is back: an outage ends for all
at one moment."""

PULLABLE = frozenset({ConnectionState.NEW, ConnectionState.ACTIVE, ConnectionState.FAILING})
"""Connections that a pull may be tried on; the others wait for a person and cost no calls."""

PASSING = frozenset({RailUnavailable.code, RailThrottled.code})
"""Failures that pass by themselves."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Intervals:
    """How far apart pulls of a connection are: what is set for its company, else its rail, else its firm, else all."""

    usual: timedelta = INTERVAL
    firms: Mapping[FirmId, timedelta] = field(default_factory=dict)
    rails: Mapping[str, timedelta] = field(default_factory=dict)
    companies: Mapping[CompanyId, timedelta] = field(default_factory=dict)
    heard: Collection[ConnectionId] = frozenset()  # whose rail announces every change, as far as is known
    heard_percent: int = HEARD_PERCENT  # of the interval for these, where their company has none of its own
    stretch: Mapping[str, int] = field(default_factory=dict)  # percent by rail: a metered quota must last the month

    def of(self, connection: Connection) -> timedelta:
        """The interval of one connection."""
        wanted = self.companies.get(connection.company_id)
        if wanted is None:
            wanted = self.rails.get(connection.rail, self.firms.get(connection.firm_id, self.usual))
            if connection.connection_id in self.heard:
                wanted = wanted * self.heard_percent // 100
        stretch = self.stretch.get(connection.rail, 100)
        return wanted if stretch == 100 else wanted * stretch // 100

    @property
    def shortest(self) -> timedelta:
        """No connection's interval is shorter: what rails tell and quotas leave only makes them longer."""
        set_ones = (*self.firms.values(), *self.rails.values(), *self.companies.values())
        return min(self.usual, *set_ones) if set_ones else self.usual


def pull_key(connection_id: str) -> str:
    """What names the pull of a connection among the jobs of its company: news, polls and people ask for one thing."""
    return f"pull:{connection_id}"


def find_phase(connection_id: str, interval: timedelta) -> timedelta:
    """A connection's own place in the interval: the same in every process, spread evenly over connections."""
    microseconds: int = interval // timedelta(microseconds=1)
    return timedelta(microseconds=_draw_number(connection_id) % microseconds)


@lru_cache(maxsize=100_000)
def _draw_number(connection_id: str) -> int:
    """The same for the same connection; asked for each of them at every beat."""
    return int.from_bytes(hashlib.sha256(connection_id.encode()).digest()[:8])


def find_last_moment(connection_id: str, *, now: datetime, interval: timedelta) -> datetime:
    """The latest of a connection's moments that has passed."""
    first = _EPOCH + find_phase(connection_id, interval)
    rounds: int = (now - first) // interval
    return first + rounds * interval


def find_next_moment(connection_id: str, *, tried: datetime, interval: timedelta) -> datetime:
    """When a connection that was read is due again: an interval later, or a little before, towards its own moment."""
    latest = tried + interval
    own = find_last_moment(connection_id, now=latest, interval=interval)
    return max(own, latest - interval * DRAWN_PERCENT // 100)


def _least(interval: timedelta) -> timedelta:
    """How long after it was read no connection is due again, wherever its own moment lies."""
    return interval * (100 - DRAWN_PERCENT) // 100


def find_pause(connection: Connection, interval: timedelta) -> timedelta:
    """How long a failing connection is left alone after its last attempt."""
    failures = min(max(connection.failures_in_a_row, 1), 20)
    if connection.last_error_code in PASSING:
        return min(FIRST_RETRY * (1 << (failures - 1)), interval)
    return min(interval * (1 << (failures - 1)), max(LONGEST_BACK_OFF, interval))


def find_due_at(connection: Connection, *, now: datetime, interval: timedelta) -> datetime | None:
    """Since when a connection is due; `None` while it is not."""
    if connection.state not in PULLABLE:
        return None
    tried = connection.last_attempt_at
    if tried is None:
        return min(connection.created_at, now)
    if connection.state is ConnectionState.FAILING:
        due_at = tried + find_pause(connection, interval)
        return due_at if due_at <= now else None
    if tried > now - _least(interval):  # told by one comparison, which counts where there are thousands, at every beat
        return None
    due_at = find_next_moment(connection.connection_id, tried=tried, interval=interval)
    return due_at if due_at <= now else None


def plan_polls(
    connections: Iterable[Connection],
    *,
    now: datetime,
    intervals: Intervals,
    paused: Mapping[str, datetime] | None = None,
) -> Sequence[NewJob]:
    """One pull for each connection that is due.

    `paused` says until when a rail or a connection, by name or id, is left alone because it keeps failing or its calls
    are used up. Planning again plans the same jobs, which coalesce.
    """
    held = paused or {}
    jobs = []
    # Most were read lately: one comparison rules them out, which counts where there are thousands, at every beat.
    too_late = now - _least(intervals.shortest)
    for connection in connections:
        tried = connection.last_attempt_at
        if tried is not None and tried > too_late and connection.state is ConnectionState.ACTIVE:
            continue
        due_at = find_due_at(connection, now=now, interval=intervals.of(connection))
        if due_at is not None and not _is_left_alone(connection, held, now):
            jobs.append(make_pull(connection, lane=Lane.POLL, run_at=due_at))
    return jobs


def _is_left_alone(connection: Connection, paused: Mapping[str, datetime], now: datetime) -> bool:
    return any(paused.get(name, now) > now for name in (connection.rail, connection.connection_id))


class Place(Protocol):
    """What is pulled: a connection, or what names one."""

    @property
    def firm_id(self) -> FirmId:
        """Whose it is."""
        ...

    @property
    def company_id(self) -> CompanyId:
        """The company."""
        ...

    @property
    def connection_id(self) -> ConnectionId:
        """The connection."""
        ...

    @property
    def rail(self) -> str:
        """The rail it leads to."""
        ...


def make_pull(
    connection: Place,
    *,
    lane: Lane,
    run_at: datetime,
    cause_id: str = "",
    correlation_id: str = "",
    depth: int = 0,
    payload: Mapping[str, str] | None = None,
) -> NewJob:
    """A job that pulls one connection."""
    return NewJob(
        firm_id=connection.firm_id,
        company_id=connection.company_id,
        connection_id=connection.connection_id,
        rail=connection.rail,
        work=Work.PULL,
        lane=lane,
        run_at=run_at,
        dedupe_key=pull_key(connection.connection_id),
        cause_id=cause_id,
        correlation_id=correlation_id,
        depth=depth,
        payload=dict(payload or {}),
    )
