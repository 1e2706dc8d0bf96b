"""How old what we show is, and whether that is too old."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.record import Value

STALE_AFTER = timedelta(hours=4)
"""The mirror is labelled stale beyond this age; a fresh one is at most fifteen minutes old."""


class Freshness(StrEnum):
    """What a reader asks for."""

    CACHED_OK = "cached_ok"  # the mirror as it is, labelled with its age
    STRICT = "strict"  # pull first; the labelled mirror when the rail is down


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
