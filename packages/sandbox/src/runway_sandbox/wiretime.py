"""The wire's times: whole seconds with a Pacific offset in records, milliseconds in answers (facts/qbo.md 3.5)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")


@lru_cache(maxsize=4096)
def format_record_time(epoch_seconds: int) -> str:
    """Write an instant as records carry it: `2026-05-05T03:19:47-07:00`."""
    return datetime.fromtimestamp(epoch_seconds, PACIFIC).isoformat(timespec="seconds")


def format_answer_time(at: datetime) -> str:
    """Write an instant as answers carry it: `2026-05-05T03:15:13.193-07:00`."""
    return at.astimezone(PACIFIC).isoformat(timespec="milliseconds")


def parse_wire_time(text: str) -> int:
    """Read an instant with an offset, `Z`, none (Pacific), or a bare date, as whole epoch seconds.

    Raises:
        ValueError: the text is no time, such as one whose `+` was not URL-encoded and became a space.
    """
    at = datetime.fromisoformat(text.strip())
    if " " in text.strip():
        raise ValueError(f"not a time: {text!r}")
    if at.tzinfo is None:
        at = at.replace(tzinfo=PACIFIC)
    return int(at.timestamp())


def pacific_date(at: datetime) -> date:
    """Tell the calendar day that the vendor's servers have at this instant."""
    return at.astimezone(PACIFIC).date()


def format_utc_milliseconds(at: datetime) -> str:
    """Write an instant as legacy webhook events carry it: `2025-09-08T20:52:31.657Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
