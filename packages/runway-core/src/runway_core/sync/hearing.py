"""Which connections are told of every change by their rail, as far as is known: decide, touch nothing.

Where that is so, a poll only proves it, and polls may be further apart: what the rail announces is read within seconds
all the same. What shows that an announcement was lost takes it back, for a day.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from runway_core.domain.gaps import Hearing
from runway_core.domain.identity import ConnectionId

HEARD_WITHIN = timedelta(days=1)
"""Somebody's news must have come from the rail lately: silence of all is the silence of a broken line."""

TRUSTED_AFTER = timedelta(days=1)
"""A connection whose news was lost is not relied upon for so long."""

SUSPECTED_FOR = timedelta(hours=1)
SUSPECTED_PERCENT = 5
SUSPECTED_LEAST = 3
"""When so many connections of a rail lost news within the hour, its line is broken, for all of them."""


def find_heard(
    hearings: Iterable[Hearing], in_gap: Collection[ConnectionId], *, now: datetime
) -> frozenset[ConnectionId]:
    """The connections of which their rail told something within the time looked at, and of which it kept nothing back.

    A connection with an open gap is not among them, nor one of a rail that is silent to everybody, or that lost news of
    several connections. The order of what is given does not matter.
    """
    by_rail: dict[str, list[Hearing]] = defaultdict(list)
    for hearing in hearings:
        by_rail[hearing.rail].append(hearing)
    heard: set[ConnectionId] = set()
    for of_rail in by_rail.values():
        if not _is_line_sound(of_rail, now):
            continue
        heard.update(
            hearing.connection_id
            for hearing in of_rail
            if hearing.last_at is not None
            and hearing.connection_id not in in_gap
            and not _has_lost(hearing, now, within=TRUSTED_AFTER)
        )
    return frozenset(heard)


def _is_line_sound(of_rail: Collection[Hearing], now: datetime) -> bool:
    if not any(hearing.last_at is not None and now - hearing.last_at <= HEARD_WITHIN for hearing in of_rail):
        return False
    lost = sum(_has_lost(hearing, now, within=SUSPECTED_FOR) for hearing in of_rail)
    return lost < max(SUSPECTED_LEAST, len(of_rail) * SUSPECTED_PERCENT // 100)


def _has_lost(hearing: Hearing, now: datetime, *, within: timedelta) -> bool:
    return hearing.last_missed_at is not None and now - hearing.last_missed_at <= within
