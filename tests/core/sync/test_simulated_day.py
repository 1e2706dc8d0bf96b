"""Whole days of the engine in virtual time, with outages, refusals, hangs, lost access and lost webhooks.

A seed that fails fails again: `live_day(plan, seed=…)` in a shell. `make bench ARGS="--only day"` has larger days.
Seed 0 once left companies unread for good: a pull that a breaker had refused was never planned again.
"""

from runway_testkit.simulated_day import BAD_NEIGHBOURS, DayPlan, DayReport, live_day

SEEDS = (0, 1, 2)


def share_in_time(reports: list[DayReport]) -> int:
    """How many of a thousand changes were mirrored within 15 minutes, all days together."""
    in_time = sum(report.within_15_minutes_permille * report.changes for report in reports)
    return in_time // sum(report.changes for report in reports)


def test_the_same_seed_gives_the_same_day() -> None:
    plan = DayPlan(companies=8, hours=2)
    first, again, other = live_day(plan, seed=1), live_day(plan, seed=1), live_day(plan, seed=2)

    assert first == again
    assert other.trace != first.trace


def test_nearly_every_change_is_mirrored_within_a_quarter_of_an_hour() -> None:
    reports = [live_day(DayPlan(companies=20, hours=4), seed=seed) for seed in SEEDS]

    assert [report.never_mirrored for report in reports] == [0, 0, 0]
    assert share_in_time(reports) >= 990
    assert all(report.age_p50 <= 10 for report in reports)


def test_most_changes_are_mirrored_in_time_even_when_every_webhook_is_lost() -> None:
    reports = [live_day(DayPlan(companies=20, hours=6, webhooks_lost_percent=100), seed=seed) for seed in SEEDS]

    assert [report.never_mirrored for report in reports] == [0, 0, 0]
    assert share_in_time(reports) >= 950
    assert all(report.calls_per_company <= 8 * 4 + 10 for report in reports)


def test_bad_neighbours_delay_nobody() -> None:
    """One that is always refused, one without access, one that hangs, one with a thousand pages of changes."""
    plan = DayPlan(companies=99, hours=2, has_trouble=False, webhooks_lost_percent=100)
    alone = live_day(plan, seed=5)
    beside = live_day(
        DayPlan(companies=99, hours=2, has_trouble=False, webhooks_lost_percent=100, neighbours=BAD_NEIGHBOURS), seed=5
    )

    assert (alone.changes, alone.never_mirrored, beside.never_mirrored) == (beside.changes, 0, 0)
    assert 10 * abs(beside.age_p95 - alone.age_p95) < alone.age_p95
