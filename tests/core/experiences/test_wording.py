"""Sentences that several views share."""

import pytest
from runway_core.experiences.wording import say_days


@pytest.mark.parametrize(
    ("days", "said"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (32, "32 days"), (None, "91+ days")]
)
def test_days_are_counted_as_people_count_them(days: int | None, said: str) -> None:
    assert say_days(days) == said


def test_beyond_another_horizon_is_said_with_it() -> None:
    assert say_days(None, horizon=28) == "28+ days"
