"""Circuit breakers: a rail that does not answer is left alone, and one probe at a time asks whether it is back.

    closed      calls go through
    open        nobody calls until `open_until`; each time the rest is twice as long
    half open   the rest is over: whoever asks first makes the one probe, the others wait for how it ends

One breaker a connection, one a rail. A rail's opens only when several of its connections fail, so that one broken
company does not stop its neighbours. Only silence and outages count: a rail that refuses, or wants a person, is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from runway_core.domain.identity import ConnectionId
from runway_core.domain.record import Value

PROBE_LASTS = timedelta(minutes=2)
"""A probe that says nothing for so long has died with its worker: another may be made."""

ASK_AGAIN = timedelta(seconds=15)
"""While someone probes, the others ask again so soon."""


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When a breaker opens, and for how long."""

    failures: int  # in a row
    connections: int  # so many different ones among them
    first_rest: timedelta  # it doubles with each probe that fails
    longest_rest: timedelta


CONNECTION_RULE = BreakerRule(5, 1, timedelta(minutes=1), timedelta(minutes=15))
RAIL_RULE = BreakerRule(6, 3, timedelta(seconds=30), timedelta(minutes=10))


class BreakerState(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker(Value):
    """One breaker as it is kept."""

    failures: int = 0  # in a row
    connections: tuple[ConnectionId, ...] = ()  # that failed since the last success, each once
    times_opened: int = 0  # in a row
    opened_at: AwareDatetime | None = None
    open_until: AwareDatetime | None = None
    probe_until: AwareDatetime | None = None  # someone is asking

    def state_at(self, now: datetime) -> BreakerState:
        """Where it stands at `now`."""
        if self.open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.open_until else BreakerState.HALF_OPEN


@dataclass(frozen=True, slots=True)
class BreakerKey:
    """Which breaker: of a rail, or of one connection to it."""

    rail: str
    connection_id: ConnectionId | None = None

    @property
    def text(self) -> str:
        """As it is kept."""
        return self.rail if self.connection_id is None else f"{self.rail}/{self.connection_id}"

    @property
    def rule(self) -> BreakerRule:
        """Its rule."""
        return RAIL_RULE if self.connection_id is None else CONNECTION_RULE


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a call may be made; when not, which breaker forbids it and until when."""

    refused_by: BreakerKey | None = None
    until: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the call may be made."""
        return self.refused_by is None


CLOSED = Breaker()


def plan_admission(
    breakers: Sequence[tuple[BreakerKey, Breaker]], *, now: datetime, is_live: bool
) -> tuple[Admission, dict[BreakerKey, Breaker]]:
    """Decide whether a call that all `breakers` stand before may be made, and which of them it probes.

    A person who asks makes the probe at once, without waiting for the end of the rest.
    """
    probes: dict[BreakerKey, Breaker] = {}
    for key, breaker in breakers:
        if breaker.open_until is None:
            continue
        if breaker.probe_until is not None and now < breaker.probe_until:
            return Admission(key, max(min(breaker.probe_until, now + ASK_AGAIN), breaker.open_until)), {}
        if now < breaker.open_until and not is_live:
            return Admission(key, breaker.open_until), {}
        probes[key] = breaker.model_copy(update={"probe_until": now + PROBE_LASTS})
    return Admission(), probes


def plan_outcome(key: BreakerKey, breaker: Breaker, *, failed: ConnectionId | None, now: datetime) -> Breaker:
    """What a breaker is after a call: `failed` names the connection that got no answer, `None` is an answer."""
    if failed is None:
        return CLOSED
    rule = key.rule
    seen = breaker.connections if failed in breaker.connections else (*breaker.connections, failed)
    counted = breaker.model_copy(
        update={"failures": breaker.failures + 1, "connections": seen[-rule.connections :], "probe_until": None}
    )
    if breaker.open_until is not None and now < breaker.open_until and breaker.probe_until is None:
        return counted  # was under way when it opened
    if breaker.open_until is None and (counted.failures < rule.failures or len(seen) < rule.connections):
        return counted
    rest = min(rule.longest_rest, rule.first_rest * (1 << min(breaker.times_opened, 12)))
    return counted.model_copy(
        update={
            "times_opened": breaker.times_opened + 1,
            "opened_at": breaker.opened_at or now,
            "open_until": now + rest,
        }
    )
