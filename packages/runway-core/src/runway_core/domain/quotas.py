"""Monthly quotas of metered rails: what was used, where it will end, and how far to stretch the schedule.

A vendor that counts calls by the month blocks the app for all companies when the count is full. So polls are spread
thinner as soon as they would not last to the end of the month, and a share stays for people. The stretch follows from
what the schedule would ask for and what is left: it does not swing with what it does itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from runway_core.domain.record import Value

ALARM_PERCENTS = (50, 80, 95)
UNSTRETCHED = 100
MOST_STRETCHED = 9600
"""Percent of the interval: at a quarter of an hour, once a day is the least."""

_DAY = timedelta(days=1)


class MeteredQuota(Value):
    """What a rail lets an app call in a calendar month, all companies together, and people's part of it."""

    calls_a_month: int
    live_percent: int = 5


@dataclass(frozen=True, slots=True)
class CallCount:
    """Calls of one month. Polls are pulls that read only what changed: they come round, first loads do not."""

    calls: int = 0
    polls: int = 0
    poll_calls: int = 0

    def __add__(self, other: "CallCount") -> "CallCount":
        return CallCount(self.calls + other.calls, self.polls + other.polls, self.poll_calls + other.poll_calls)


class QuotaUse(Value):
    """Where one rail stands in its month."""

    rail: str
    month: str  # "2026-03"
    calls: int
    calls_a_month: int
    used_percent: int
    forecast_calls: int  # at the month's end, were the schedule not stretched
    stretched_forecast_calls: int  # as it is
    stretch_percent: int  # of the schedule's interval; 100 is the interval itself
    alarm_percent: int | None  # the highest threshold that is passed
    is_spent: bool  # what is left belongs to people


def name_month(now: datetime) -> str:
    """The calendar month of a moment, in UTC: "2026-03"."""
    at = now.astimezone(UTC)
    return f"{at.year:04}-{at.month:02}"


def find_month_end(now: datetime) -> datetime:
    """When the month of a moment ends, in UTC."""
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def compute_quota(
    rail: str, quota: MeteredQuota, counts: Iterable[CallCount], *, polls_a_day: int, now: datetime
) -> QuotaUse:
    """Forecast a rail's month and say how far to stretch its schedule, which would make `polls_a_day` unstretched."""
    used = sum(counts, CallCount())
    left_seconds = (find_month_end(now) - now) // timedelta(seconds=1)
    calls_a_thousand_polls = max(1000, used.poll_calls * 1000 // used.polls) if used.polls else 1000
    wanted = polls_a_day * calls_a_thousand_polls * left_seconds // (1000 * (_DAY // timedelta(seconds=1)))
    left = quota.calls_a_month * (100 - quota.live_percent) // 100 - used.calls
    stretch = _find_stretch(wanted, left)
    used_percent = used.calls * 100 // quota.calls_a_month
    return QuotaUse(
        rail=rail,
        month=name_month(now),
        calls=used.calls,
        calls_a_month=quota.calls_a_month,
        used_percent=used_percent,
        forecast_calls=used.calls + wanted,
        stretched_forecast_calls=used.calls + wanted * UNSTRETCHED // stretch,
        stretch_percent=stretch,
        alarm_percent=max((percent for percent in ALARM_PERCENTS if used_percent >= percent), default=None),
        is_spent=left <= 0,
    )


def _find_stretch(wanted: int, left: int) -> int:
    if wanted <= left:
        return UNSTRETCHED
    if left <= 0:
        return MOST_STRETCHED
    return min(MOST_STRETCHED, -(-wanted * UNSTRETCHED // left))
