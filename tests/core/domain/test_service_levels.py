"""The promise of fresh data: what counts, and how fast the budget for what is stale burns."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.alerts import Alert, AlertKind, Condition, Severity, plan_alerts
from runway_core.domain.service_levels import (
    BURN_RULES,
    WINDOWS,
    BurnSpeed,
    FreshnessObjective,
    HeldAge,
    SampleSum,
    compute_burn,
    find_burning,
    take_sample,
)

NOW = datetime(2026, 3, 2, 15, 0, 31, tzinfo=UTC)
PROMISE = FreshnessObjective()  # 95 % within 15 minutes


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_data_that_is_no_older_than_it_may_be_is_fresh_and_what_was_never_read_is_not() -> None:
    held = [(minutes(15), 15), (minutes(15.02), 15), (None, 15), (minutes(20), 22)]
    sample = take_sample([HeldAge(age, minutes(longest)) for age, longest in held], NOW)

    assert (sample.counted, sample.fresh, sample.oldest_seconds) == (4, 2, 1200)
    assert sample.taken_at == datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stale", "speeds"),
    [
        (4, []),
        (5, [BurnSpeed.SLOW]),  # five in a hundred are just what is allowed: the rate is 1
        (29, [BurnSpeed.SLOW]),
        (30, [BurnSpeed.MEDIUM, BurnSpeed.SLOW]),
        (71, [BurnSpeed.MEDIUM, BurnSpeed.SLOW]),
        (72, [BurnSpeed.FAST, BurnSpeed.MEDIUM, BurnSpeed.SLOW]),
    ],
)
def test_the_budget_burns_as_fast_as_connections_are_stale(stale: int, speeds: list[BurnSpeed]) -> None:
    sums = dict.fromkeys(WINDOWS, SampleSum(100, 100 - stale))

    assert [rule.speed for rule in find_burning(sums, PROMISE)] == speeds


def test_an_alert_wants_both_windows() -> None:
    """The short one ends it soon after all is well, the long one does not begin it for a moment's trouble."""
    for rule in BURN_RULES:
        for well in (rule.long, rule.short):
            sums = dict.fromkeys(WINDOWS, SampleSum(100, 0)) | {well: SampleSum(100, 100)}
            assert rule not in find_burning(sums, PROMISE)


def test_nothing_burns_before_the_first_sample() -> None:
    assert compute_burn(minutes(5), SampleSum(), PROMISE).fresh_percent is None
    assert find_burning({}, PROMISE) == ()


conditions = st.builds(
    Condition,
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(AlertKind),
    st.sampled_from(Severity),
    st.just("something"),
)


@given(looks=st.lists(st.lists(conditions, unique_by=lambda one: one.key), max_size=12))
def test_each_spell_of_a_condition_is_raised_once_and_resolved_once(looks: list[list[Condition]]) -> None:
    held: dict[str, Alert] = {}
    before: set[str] = set()
    for number, look in enumerate(looks):
        now = NOW + minutes(number)
        changed = plan_alerts([alert for alert in held.values() if alert.resolved_at is None], look, now)
        held |= {alert.key: alert for alert in changed}
        present = {condition.key for condition in look}

        assert {alert.key for alert in changed if alert.resolved_at is None} == present - before
        assert {alert.key for alert in changed if alert.resolved_at is not None} == before - present
        before = present
