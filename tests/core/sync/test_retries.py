"""What is tried again, how soon and how often."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.errors import (
    LeaseHeld,
    NotFound,
    OutcomeUnknown,
    RailAccessLost,
    RailRefused,
    RailThrottled,
    RailUnavailable,
    RecordGone,
    RunwayError,
    StaleRevision,
    SuspiciousAbsence,
)
from runway_core.sync.retries import RULES, Remedy, RetryPlan, Strategy, find_remedy, plan_retry

SOON = timedelta(0)


def most(ceiling: int) -> int:
    return ceiling


def plan(error: RunwayError, strategy: Strategy, attempt: int = 1, elapsed: timedelta = SOON) -> RetryPlan:
    return plan_retry(error, strategy=strategy, attempt=attempt, elapsed=elapsed, pick_up_to=most)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (RailUnavailable("down"), Remedy.RETRY),
        (RailThrottled("too many"), Remedy.RETRY),
        (StaleRevision("moved"), Remedy.RETRY),
        (LeaseHeld("busy"), Remedy.LEAVE),
        (OutcomeUnknown("no answer"), Remedy.READ_BACK),
        (RailAccessLost("revoked"), Remedy.PARK),
        (SuspiciousAbsence("half is gone"), Remedy.PARK),
        (RailRefused("no"), Remedy.BURY),
        (RecordGone("deleted"), Remedy.BURY),  # its class is not named: that of the one above it
        (NotFound("no such company"), Remedy.BURY),
    ],
)
def test_what_went_wrong_decides_whether_trying_again_can_help(error: RunwayError, remedy: Remedy) -> None:
    assert find_remedy(error) is remedy


def test_pauses_double_up_to_the_longest() -> None:
    pauses = [plan(RailUnavailable("down"), Strategy.BULK, attempt).pause for attempt in range(1, 8)]

    assert [pause // timedelta(seconds=1) for pause in pauses] == [5, 10, 20, 40, 80, 160, 320]


def test_a_person_waits_seconds_at_most() -> None:
    error = RailUnavailable("down")

    assert plan(error, Strategy.USER_ACTION, 2) == RetryPlan(Remedy.RETRY, timedelta(milliseconds=500))
    assert plan(error, Strategy.USER_ACTION, 3) == RetryPlan(Remedy.LEAVE)
    assert plan(error, Strategy.USER_ACTION, 2, timedelta(seconds=9.6)) == RetryPlan(Remedy.LEAVE)


def test_what_is_polled_again_anyway_does_not_wait_for_longer_than_a_round() -> None:
    """The vendor asks for an hour: the next polls will see."""
    error = RailThrottled("too many", retry_after_seconds=3600)

    assert plan(error, Strategy.DATA_FETCH).remedy is Remedy.LEAVE
    assert plan(error, Strategy.BULK) == RetryPlan(Remedy.RETRY, timedelta(seconds=3605))


def test_what_nobody_else_does_ends_with_the_dead_letters() -> None:
    assert plan(RailUnavailable("down"), Strategy.BULK, 8).remedy is Remedy.BURY


@given(
    strategy=st.sampled_from(Strategy),
    asked=st.none() | st.integers(0, 10**6),
    share=st.integers(0, 100),
)
def test_attempts_and_time_are_bounded_and_what_the_rail_asks_is_kept(
    strategy: Strategy, asked: int | None, share: int
) -> None:
    rule = RULES[strategy]
    elapsed, attempt = SOON, 1
    while True:
        error = RailUnavailable("down", retry_after_seconds=asked)
        decided = plan_retry(
            error,
            strategy=strategy,
            attempt=attempt,
            elapsed=elapsed,
            pick_up_to=lambda ceiling: ceiling * share // 100,
        )
        if decided.remedy is not Remedy.RETRY:
            break
        assert asked is None or decided.pause >= timedelta(seconds=asked)
        elapsed, attempt = elapsed + decided.pause, attempt + 1

    assert decided.remedy is rule.when_spent
    assert attempt <= rule.attempts
    assert elapsed <= rule.longest_elapsed
