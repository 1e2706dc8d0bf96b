from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.calendar import (
    add_business_days,
    add_days,
    add_months,
    is_business_day,
    last_of_month,
    monday_of,
    months_before,
    roll_forward,
)

DAYS = st.dates(date(1990, 1, 1), date(2150, 12, 31))


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 7, 3), True),  # 4 July is a Saturday and moves nowhere
        (date(2026, 7, 4), False),
        (date(2027, 7, 5), False),  # 4 July 2027 is a Sunday and moves to Monday
        (date(2027, 12, 24), True),  # Christmas on a Saturday
        (date(2022, 12, 26), False),  # Christmas on a Sunday
        (date(2026, 11, 26), False),
        (date(2026, 2, 16), False),
        (date(2026, 3, 28), False),
    ],
)
def test_business_days_are_those_of_the_federal_reserve(day: date, is_open: bool) -> None:
    assert is_business_day(day) is is_open


def test_a_day_that_is_none_moves_to_the_next_business_day() -> None:
    assert roll_forward(date(2026, 3, 28)) == date(2026, 3, 30)
    assert roll_forward(date(2026, 4, 5)) == date(2026, 4, 6)
    assert roll_forward(date(2026, 3, 6)) == date(2026, 3, 6)


def test_months_and_weeks_begin_where_people_expect() -> None:
    assert monday_of(date(2026, 3, 8)) == date(2026, 3, 2)
    assert last_of_month(date(2028, 2, 3)) == date(2028, 2, 29)
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_before(date(2026, 3, 2), 3) == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]


def test_typing_errors_at_the_end_of_the_calendar_do_not_fail() -> None:
    assert roll_forward(date.max) == date.max
    assert add_days(date(9999, 12, 20), 30) == date.max
    assert add_days(date(1, 1, 2), -30) == date.min
    assert add_business_days(date(9999, 12, 30), 9) == date.max
    assert add_months(date(9999, 12, 1), 1) == date.max


@given(DAYS, st.integers(1, 30))
def test_business_days_are_counted_one_by_one(day: date, count: int) -> None:
    forward = add_business_days(day, count)

    assert is_business_day(forward)
    passed = sum(is_business_day(day + timedelta(days=n)) for n in range(1, (forward - day).days + 1))
    assert passed == count
    assert add_business_days(forward, -count) <= roll_forward(day)


@given(DAYS, st.integers(-40, 40))
def test_adding_months_keeps_the_day_or_takes_the_last(day: date, count: int) -> None:
    moved = add_months(day, count)

    assert moved.day == min(day.day, last_of_month(moved).day)
    assert (moved.year - day.year) * 12 + moved.month - day.month == count
