"""A metered month: its forecast, its alarms, and how far the schedule is stretched."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.quotas import CallCount, MeteredQuota, QuotaUse, compute_quota, find_month_end, name_month

BUILDER = MeteredQuota(calls_a_month=500_000)
EVERY_QUARTER = 96
AUGUST = datetime(2026, 8, 1, tzinfo=UTC)


def use(companies: int, *, day: int = 1, calls: int = 0, calls_a_poll: int = 1) -> QuotaUse:
    count = CallCount(calls, polls=100, poll_calls=100 * calls_a_poll) if calls else CallCount()
    now = AUGUST + timedelta(days=day - 1)
    return compute_quota("qbo", BUILDER, [count], polls_a_day=companies * EVERY_QUARTER, now=now)


def test_a_hundred_companies_at_one_call_a_poll_fit_the_free_quota() -> None:
    """100 × 96 × 31 = 297,600."""
    assert (use(100).forecast_calls, use(100).stretch_percent) == (297_600, 100)


def test_two_hundred_companies_are_stretched_from_the_first_day_on() -> None:
    """200 × 96 × 31 = 595,200; 475,000 of 500,000 are for polls."""
    found = use(200)

    assert (found.forecast_calls, found.stretch_percent) == (595_200, 126)
    assert found.stretched_forecast_calls <= 475_000


def test_nine_calls_a_poll_are_seen_in_what_polls_took() -> None:
    assert use(100, calls=900, calls_a_poll=9).forecast_calls == 900 + 9 * 297_600


@pytest.mark.parametrize(
    ("calls", "alarm"), [(249_999, None), (250_000, 50), (400_000, 80), (474_999, 80), (475_000, 95), (600_000, 95)]
)
def test_alarms_are_raised_at_half_at_four_fifths_and_near_the_end(calls: int, alarm: int | None) -> None:
    assert use(1, day=20, calls=calls).alarm_percent == alarm


def test_what_is_kept_for_people_stops_the_schedule_but_for_once_a_day() -> None:
    found = use(1, day=31, calls=475_000)

    assert found.is_spent
    assert found.stretch_percent == 9600


def test_a_month_ends_in_utc() -> None:
    last_minute = datetime.fromisoformat("2026-12-31T18:59:00-05:00")

    assert (name_month(last_minute), find_month_end(last_minute)) == ("2026-12", datetime(2027, 1, 1, tzinfo=UTC))
    assert name_month(last_minute + timedelta(minutes=1)) == "2027-01"


@given(
    companies=st.integers(1, 3_000),
    first_load=st.integers(0, 100),
    calls_a_poll=st.integers(1, 3),
)
def test_a_schedule_that_follows_the_stretch_never_uses_what_is_kept_for_people(
    companies: int, first_load: int, calls_a_poll: int
) -> None:
    """A month played hour by hour."""
    now, count = AUGUST, CallCount(calls=companies * first_load)
    credit = 0
    while now < datetime(2026, 9, 1, tzinfo=UTC):
        found = compute_quota("qbo", BUILDER, [count], polls_a_day=companies * EVERY_QUARTER, now=now)
        credit += companies * 4 * 100 * 1000 // found.stretch_percent
        polls, credit = credit // 1000, credit % 1000
        count += CallCount(polls * calls_a_poll, polls, polls * calls_a_poll)
        now += timedelta(hours=1)

    # one poll a company and day is made whatever is left, and an hour's polls are decided at once
    assert count.calls <= 475_000 + companies * (first_load + 31 * calls_a_poll) + companies * 4 * calls_a_poll
