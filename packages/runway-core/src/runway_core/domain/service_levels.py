"""How well Runway keeps its promise of fresh data: samples, the error budget, and how fast it burns.

The promise: of all connections that may be read, so many in a hundred hold data no older than so many minutes, by the
rail's own clock; a third longer where the rail announces every change and is heard. A sample a minute counts how
many do. What is missing to a hundred is the budget; burning it at rate 1 uses it up exactly over the time that the
promise speaks of. An alert wants a long window to be sure, and a short one to be over soon.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from pydantic import AwareDatetime

from runway_core.domain.record import Value


class FreshnessObjective(Value):
    """The promise."""

    fresh_minutes: int = 15
    percent: int = 95


class FreshnessSample(Value):
    """How many connections held fresh data at one moment. Those that wait for a person are not counted."""

    taken_at: AwareDatetime
    counted: int
    fresh: int
    oldest_seconds: int  # age of the oldest data among them


@dataclass(frozen=True, slots=True)
class SampleSum:
    """Samples of a window, added up."""

    counted: int = 0
    fresh: int = 0


class BurnSpeed(StrEnum):
    """How fast the budget burns; each has its windows and its alert."""

    FAST = "fast"
    MEDIUM = "medium"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class BurnRule:
    """An alert is due when the budget burns at this rate over both windows."""

    speed: BurnSpeed
    tenths: int  # of the rate: 144 is 14.4 times
    long: timedelta
    short: timedelta


BURN_RULES = (
    BurnRule(BurnSpeed.FAST, 144, timedelta(hours=1), timedelta(minutes=5)),
    BurnRule(BurnSpeed.MEDIUM, 60, timedelta(hours=6), timedelta(minutes=30)),
    BurnRule(BurnSpeed.SLOW, 10, timedelta(days=3), timedelta(hours=6)),
)

WINDOWS: tuple[timedelta, ...] = tuple(sorted({length for rule in BURN_RULES for length in (rule.long, rule.short)}))
"""Every window that a rule looks at, the shortest first."""

KEEP_SAMPLES = timedelta(days=7)


class BurnRate(Value):
    """How fast the budget burns over one window."""

    minutes: int  # of the window
    fresh_percent: int | None  # `None` before the first sample
    tenths: int  # of the rate


def compute_burn(window: timedelta, total: SampleSum, objective: FreshnessObjective) -> BurnRate:
    """How fast the budget of `objective` burnt over a window."""
    minutes = window // timedelta(minutes=1)
    if total.counted == 0:
        return BurnRate(minutes=minutes, fresh_percent=None, tenths=0)
    allowed = max(1, 100 - objective.percent)
    stale = total.counted - total.fresh
    return BurnRate(
        minutes=minutes,
        fresh_percent=total.fresh * 100 // total.counted,
        tenths=stale * 1000 // (total.counted * allowed),
    )


def find_burning(sums: Mapping[timedelta, SampleSum], objective: FreshnessObjective) -> tuple[BurnRule, ...]:
    """The rules that are met, the fastest first."""

    def burns(rule: BurnRule, window: timedelta) -> bool:
        return compute_burn(window, sums.get(window, SampleSum()), objective).tenths >= rule.tenths

    return tuple(rule for rule in BURN_RULES if burns(rule, rule.long) and burns(rule, rule.short))


class HeldAge(NamedTuple):
    """How old one connection's data is, and how old it may be. An age of `None` is that of one that was never read."""

    age: timedelta | None
    longest: timedelta


def take_sample(ages: Sequence[HeldAge], now: datetime) -> FreshnessSample:
    """Count how many of these connections hold fresh data.

    The moment is cut to the minute, so that processes that sample beside one another make one sample.
    """
    return FreshnessSample(
        taken_at=now.replace(second=0, microsecond=0),
        counted=len(ages),
        fresh=sum(1 for held in ages if held.age is not None and held.age <= held.longest),
        oldest_seconds=max((age // timedelta(seconds=1) for age in _known(ages)), default=0),
    )


def _known(ages: Iterable[HeldAge]) -> Iterable[timedelta]:
    return (held.age for held in ages if held.age is not None)
