"""Whole days of the engine in virtual time, with outages, refusals, hangs, lost access and lost webhooks.

`make check` lives whole days of a thousand companies on twenty seeds, `make test` two hours of them on five, and both
whole days of ten companies on twenty; one test a seed. A seed that fails fails again: `live_day(plan, seed=…)` in a
shell. `make bench ARGS="--only day"` has days with webhooks lost besides, and a thousand seeds of smaller ones.
Seed 0 once left companies unread for good: a pull that a breaker had refused was never planned again.
"""

import logging
import os
from collections.abc import Iterator, Sequence

import pytest
import structlog
from runway_testkit.simulated_day import BAD_NEIGHBOURS, DayPlan, DayReport, live_day

SEEDS = range(20)
WHOLE_DAYS = "RUNWAY_WHOLE_DAYS" in os.environ
"""Set by `make check`: twenty of them take twenty minutes of processor time, which is too much for every change."""
HOURS = 24 if WHOLE_DAYS else 2
SEEDS_OF_A_THOUSAND = SEEDS if WHOLE_DAYS else range(5)
SILENT_SEEDS = range(100, 105)


@pytest.fixture(autouse=True)
def in_silence() -> Iterator[None]:
    """Nobody reads what thousands of pulls log, and writing it takes a third of the time."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


def share_in_time(reports: Sequence[DayReport]) -> int:
    """How many of a thousand changes were mirrored within 15 minutes, all days together."""
    in_time = sum(report.within_15_minutes_permille * report.changes for report in reports)
    return in_time // sum(report.changes for report in reports)


def test_the_same_seed_gives_the_same_day() -> None:
    plan = DayPlan(companies=8, hours=2)
    first, again, other = live_day(plan, seed=1), live_day(plan, seed=1), live_day(plan, seed=2)

    assert first == again
    assert other.trace != first.trace


@pytest.mark.parametrize("seed", SEEDS_OF_A_THOUSAND)
def test_a_thousand_companies_are_kept_fresh_at_a_bounded_cost(seed: int) -> None:
    """The month is of a hundred of them, with changes, balances, comparisons and company records."""
    day = live_day(DayPlan(companies=1000, hours=HOURS), seed=seed)

    assert day.is_sound, day
    assert day.changes > 600 * HOURS
    assert day.within_15_minutes_permille >= 990
    assert day.age_p50 <= 15
    assert 200_000 < day.forecast(companies=100) < 300_000  # less: calls were not counted


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_in_a_whole_day(seed: int) -> None:
    """Of ten companies; the twenty days see each kind's turn to be compared."""
    day = live_day(DayPlan(companies=10), seed=seed)

    assert day.is_sound, day
    assert day.changes > 100
    assert day.age_p50 <= 10


def test_webhooks_that_cease_are_missed_and_polls_take_over() -> None:
    """Polls were further apart while the rail told of everything: what nobody told brings them back."""
    plan = DayPlan(companies=20, hours=12, silent_from_hour=2, has_trouble=False)
    days = [live_day(plan, seed=seed) for seed in (200, 201)]

    assert [day for day in days if not day.is_sound] == []
    assert share_in_time(days) >= 950
    assert all(day.age_p99 <= 20 * 60 for day in days)


def test_most_changes_are_mirrored_in_time_even_when_every_webhook_is_lost() -> None:
    plan = DayPlan(companies=10, hours=3, changes_a_day=48, webhooks_lost_percent=100)
    reports = [live_day(plan, seed=seed) for seed in SILENT_SEEDS]

    assert [report for report in reports if not report.is_sound] == []
    assert share_in_time(reports) >= 950
    assert all(report.calls_per_company <= 5 * 4 + 10 for report in reports)


def test_bad_neighbours_delay_nobody() -> None:
    """One that is always refused, one without access, one that hangs, one with a thousand pages of changes."""
    plan = DayPlan(companies=99, hours=1, has_trouble=False, webhooks_lost_percent=100)
    alone = live_day(plan, seed=5)
    beside = live_day(
        DayPlan(companies=99, hours=1, has_trouble=False, webhooks_lost_percent=100, neighbours=BAD_NEIGHBOURS), seed=5
    )

    assert (alone.changes, alone.never_mirrored, beside.never_mirrored) == (beside.changes, 0, 0)
    assert (alone.broken, beside.broken) == ((), ())
    assert 10 * abs(beside.age_p95 - alone.age_p95) < alone.age_p95
