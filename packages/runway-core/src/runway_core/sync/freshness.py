"""How old what we show is, and whether that is too old."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.identity import RecordKind
from runway_core.domain.record import Value

STALE_AFTER = timedelta(hours=4)
"""The mirror is labelled stale beyond this age; a fresh one is at most fifteen minutes old."""


class Freshness(StrEnum):
    """What a reader asks for."""

    CACHED_OK = "cached_ok"  # the mirror as it is, labelled with its age
    WITHIN_TTL = "within_ttl"  # pull first what is older than its kind may be
    STRICT = "strict"  # pull first; the labelled mirror when the rail is down


STANDARD_KINDS = frozenset({RecordKind.VENDOR, RecordKind.CUSTOMER, RecordKind.TERM, RecordKind.CONNECTION})
HISTORY_KINDS = frozenset({RecordKind.COMPANY_INFO, RecordKind.ATTACHMENT, RecordKind.JOURNAL_ENTRY})
CRITICAL_KINDS = frozenset(RecordKind) - STANDARD_KINDS - HISTORY_KINDS
"""What moves cash or what is owed; the others are names and terms, and what hardly ever changes."""


@dataclass(frozen=True, slots=True)
class TimeToLive:
    """How old records may be before a reader who minds has them pulled again."""

    critical: timedelta = timedelta(minutes=15)
    standard: timedelta = timedelta(hours=1)
    history: timedelta = timedelta(days=1)

    def of(self, kinds: Collection[RecordKind]) -> timedelta:
        """The time of the most urgent of these kinds."""
        if CRITICAL_KINDS & frozenset(kinds):
            return self.critical
        return self.standard if STANDARD_KINDS & frozenset(kinds) else self.history


USUAL_TIME_TO_LIVE = TimeToLive()


def find_overdue(
    connections: Sequence[Connection], kinds: Collection[RecordKind], now: datetime, time_to_live: TimeToLive
) -> tuple[Connection, ...]:
    """The connections whose data of these kinds is older, by the rail's clock, than it may be; those never read too."""
    longest = time_to_live.of(kinds)
    return tuple(one for one in connections if one.source_read_at is None or now - one.source_read_at > longest)


class FreshnessLabel(Value):
    """The age of one rail's data."""

    rail: str
    state: ConnectionState
    source_read_at: AwareDatetime | None  # the rail's clock at the last whole pull; None: never read
    age_seconds: int | None
    is_stale: bool
    note: str  # for people: "3 minutes ago", "never read", "reconnect needed"


def label_freshness(connections: Sequence[Connection], now: datetime) -> tuple[FreshnessLabel, ...]:
    """Label every connection's data with its age at `now`."""
    return tuple(_label(connection, now) for connection in connections)


def _label(connection: Connection, now: datetime) -> FreshnessLabel:
    read_at = connection.source_read_at
    age = None if read_at is None else max(now - read_at, timedelta(0))
    is_stale = age is None or age > STALE_AFTER
    note = "never read" if age is None else f"read {describe_age(age)} ago"
    if connection.state is ConnectionState.RECONNECT_NEEDED:
        note = f"reconnect needed; {note}"
    elif connection.state is ConnectionState.FAILING:
        note = f"last pull failed; {note}"
    return FreshnessLabel(
        rail=connection.rail,
        state=connection.state,
        source_read_at=read_at,
        age_seconds=None if age is None else int(age.total_seconds()),
        is_stale=is_stale,
        note=note,
    )


def describe_age(age: timedelta) -> str:
    """An age in the largest whole unit: "just now" is "under a minute"."""
    seconds = int(age.total_seconds())
    if seconds < 60:
        return "under a minute"
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "under a minute"
