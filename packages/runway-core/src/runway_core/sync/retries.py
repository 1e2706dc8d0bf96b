"""What is tried again, how soon and how often: one table by class of error, one by kind of work.

What went wrong decides whether trying again can help at all; who waits decides how long it may take. Pauses grow and
are drawn anew each time between nil and their ceiling (full jitter), so that those who failed together do not come back
together. What the rail asks for (`Retry-After`) is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from runway_core.domain.jobs import Lane
from runway_core.errors import (
    CurrencyMismatch,
    InvalidRequest,
    LeaseHeld,
    LeaseLost,
    OutcomeUnknown,
    RailAccessLost,
    RailError,
    RailMisconfigured,
    RailRefused,
    RailThrottled,
    RailUnavailable,
    RunwayError,
    StaleRevision,
    StoreUnavailable,
    SuspiciousAbsence,
)

NOTHING = timedelta(0)


class Strategy(StrEnum):
    """Who waits for the work; each has attempts, pauses and a lane of its own."""

    USER_ACTION = "user_action"  # a person looks at the screen
    DATA_FETCH = "data_fetch"  # polls and webhooks: the next round comes anyway
    BULK = "bulk"  # first loads, sweeps: nobody waits, and nobody else does it


class Remedy(StrEnum):
    """What is to be done with work that failed."""

    RETRY = "retry"  # the same again after a pause
    LEAVE = "leave"  # nothing more: another worker does it, or the next round will
    READ_BACK = "read_back"  # it may have been done: look before repeating
    PARK = "park"  # a person must act first; costs no calls until then
    BURY = "bury"  # it would fail again: to the dead letters, with its reason


@dataclass(frozen=True, slots=True)
class RetryRule:
    """The bounds of trying again."""

    attempts: int  # the first one included
    first_pause: timedelta  # ceiling of the first pause; it doubles
    longest_pause: timedelta
    longest_elapsed: timedelta  # no attempt begins later than this after the first
    when_spent: Remedy


RULES: dict[Strategy, RetryRule] = {
    Strategy.USER_ACTION: RetryRule(
        attempts=3,
        first_pause=timedelta(milliseconds=250),
        longest_pause=timedelta(seconds=2),
        longest_elapsed=timedelta(seconds=10),
        when_spent=Remedy.LEAVE,  # the labelled mirror answers
    ),
    Strategy.DATA_FETCH: RetryRule(
        attempts=4,
        first_pause=timedelta(seconds=2),
        longest_pause=timedelta(minutes=1),
        longest_elapsed=timedelta(minutes=10),  # less than an interval: it is polled again anyway
        when_spent=Remedy.LEAVE,
    ),
    Strategy.BULK: RetryRule(
        attempts=8,
        first_pause=timedelta(seconds=5),
        longest_pause=timedelta(minutes=15),
        longest_elapsed=timedelta(hours=12),
        when_spent=Remedy.BURY,
    ),
}
"""Bounds by who waits."""

LANES: dict[Strategy, Lane] = {
    Strategy.USER_ACTION: Lane.PERSON,
    Strategy.DATA_FETCH: Lane.POLL,
    Strategy.BULK: Lane.SWEEP,
}
"""Where work of each strategy waits; news from a rail goes before polls and is tried again like them."""

REMEDIES: dict[type[RunwayError], Remedy] = {
    RailUnavailable: Remedy.RETRY,
    RailThrottled: Remedy.RETRY,
    StoreUnavailable: Remedy.RETRY,
    LeaseHeld: Remedy.LEAVE,  # its news is on the way
    LeaseLost: Remedy.LEAVE,
    StaleRevision: Remedy.RETRY,  # whoever repeats it reads and plans again
    OutcomeUnknown: Remedy.READ_BACK,
    RailAccessLost: Remedy.PARK,
    SuspiciousAbsence: Remedy.PARK,
    RailMisconfigured: Remedy.BURY,
    RailRefused: Remedy.BURY,
    InvalidRequest: Remedy.BURY,
    CurrencyMismatch: Remedy.BURY,
    RailError: Remedy.BURY,
    RunwayError: Remedy.BURY,
}
"""Remedies by class of error; a class that is not named has that of the nearest one above it."""


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What to do now, and how long to wait before; the wait is nil unless it is tried again."""

    remedy: Remedy
    pause: timedelta = NOTHING


def find_remedy(error: RunwayError) -> Remedy:
    """What can be done about an error at all, whoever waits."""
    return next(REMEDIES[known] for known in type(error).__mro__ if known in REMEDIES)


def plan_retry(
    error: RunwayError,
    *,
    strategy: Strategy,
    attempt: int,
    elapsed: timedelta,
    pick_up_to: Callable[[int], int],
) -> RetryPlan:
    """Decide what becomes of work whose `attempt` (from 1) failed `elapsed` after its first one began.

    `pick_up_to(n)` draws a whole number from nil to `n`; it is given milliseconds.
    """
    remedy = find_remedy(error)
    if remedy is not Remedy.RETRY:
        return RetryPlan(remedy)
    rule = RULES[strategy]
    if attempt >= rule.attempts:
        return RetryPlan(rule.when_spent)
    pause = _find_pause(error, rule, attempt, pick_up_to)
    if elapsed + pause > rule.longest_elapsed:
        return RetryPlan(rule.when_spent)
    return RetryPlan(Remedy.RETRY, pause)


def _find_pause(error: RunwayError, rule: RetryRule, attempt: int, pick_up_to: Callable[[int], int]) -> timedelta:
    ceiling = min(rule.longest_pause, rule.first_pause * (1 << min(attempt - 1, 20)))
    drawn = timedelta(milliseconds=pick_up_to(ceiling // timedelta(milliseconds=1)))
    asked = error.retry_after_seconds if isinstance(error, RailUnavailable) else None
    return drawn if asked is None else timedelta(seconds=asked) + drawn
