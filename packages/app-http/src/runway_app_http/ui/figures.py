"""Figures in words: money, days, dates and ages as every page writes them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from runway_core.domain.company import ConnectionState
from runway_core.domain.money import Money, round_to_minor
from runway_core.domain.position import PositionStatus
from runway_core.experiences.wording import say_days
from runway_core.sync.freshness import FreshnessLabel

MINUS = "\N{MINUS SIGN}"
NONE_YET = "\N{EN DASH}"
"""Stands where there is no figure yet; a title says why."""

STATUS_SIGNS = {
    PositionStatus.RED: "\N{BLACK DOWN-POINTING TRIANGLE}",
    PositionStatus.AMBER: "\N{BLACK DIAMOND}",
    PositionStatus.GREEN: "\N{BLACK CIRCLE}",
    PositionStatus.GREY: "\N{WHITE CIRCLE}",
}
"""Shapes that differ in print and to the colour-blind; the word stands beside them."""


def say_amount(amount: Decimal, currency: str, *, whole: bool = False) -> str:
    """Write an amount with thousands apart and a true minus, without its currency: `−1,234.50`."""
    rounded = amount.quantize(Decimal(1)) if whole else round_to_minor(amount, currency)
    text = f"{abs(rounded):,f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def say_money(money: Money, *, whole: bool = False) -> str:
    """Write money with its currency behind: `−1,234.50 USD`."""
    return f"{say_amount(money.amount, money.currency, whole=whole)} {money.currency}"


def say_change(days: int) -> str:
    """Write a change of days with its sign: `+7 days`, `−9 days`, `no change`."""
    if days == 0:
        return "0 days"
    return f"{'+' if days > 0 else MINUS}{say_days(abs(days))}"


def say_share(share: Decimal) -> str:
    """Write a share in whole hundredths: `38 %`."""
    return f"{(share * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)} %"


def say_count(count: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun: `1 finding`, `3 companies`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


@lru_cache(maxsize=4096)
def say_day(day: date, today: date | None = None) -> str:
    """Write a day as `3 Apr`, with its year when that is not this one."""
    return f"{day.day} {day:%b}" if today is not None and day.year == today.year else f"{day.day} {day:%b %Y}"


@lru_cache(maxsize=4096)
def say_weekday(day: date, today: date | None = None) -> str:
    """Write a day with its weekday: `Fri 3 Apr`."""
    return f"{day:%a} {say_day(day, today)}"


def say_moment(moment: datetime, zone: str | None = None) -> str:
    """Write a moment as it is told where the company is: `2 Mar 2026, 09:14 CST`."""
    there = moment.astimezone(UTC if zone is None else ZoneInfo(zone))
    return f"{say_day(there.date())}, {there:%H:%M %Z}"


def say_ages(freshness: Sequence[FreshnessLabel]) -> tuple[str, ...]:
    """Write how old each rail's data is; the rail is named where there are several."""
    if len(freshness) == 1:
        return (freshness[0].note,)
    return tuple(f"{label.rail}: {label.note}" for label in freshness)


def say_oldest(freshness: Sequence[FreshnessLabel]) -> tuple[str, ...]:
    """Write how old data is where there is little room: what is stale or in trouble by rail, of the rest the oldest."""
    sound = [label for label in freshness if not label.is_stale and label.state is ConnectionState.ACTIVE]
    if len(sound) < 2:
        return say_ages(freshness)
    oldest = max(sound, key=lambda label: label.age_seconds or 0)
    others = tuple(f"{label.rail}: {label.note}" for label in freshness if label not in sound)
    return (*others, f"{len(sound)} rails: {oldest.note}")
