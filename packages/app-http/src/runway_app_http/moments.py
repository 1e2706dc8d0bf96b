"""Moments as people write them: a day, or a day with a time and a zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from runway_core.domain.company import Company
from runway_core.errors import InvalidRequest


def read_moment(text: str, *, zone: tzinfo = UTC, at_end: bool = False) -> datetime:
    """Read an ISO 8601 moment; a day alone stands for its begin in `zone`, or `at_end` for its last instant.

    Raises:
        InvalidRequest: it is neither.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        begin = datetime.combine(day, time(), zone)
        if not at_end:
            return begin
        return datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(microseconds=1)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(f"{text!r} is no day or moment: write 2026-03-31 or 2026-03-31T17:00:00Z") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def read_known_at(text: str | None, *, now: datetime, company: Company | None = None) -> datetime | None:
    """Read an `as_of`: a moment, or a day that stands for its end where the company is; today stands for now.

    Raises:
        InvalidRequest: it is neither.
    """
    if not text:
        return None
    zone: tzinfo = UTC if company is None else ZoneInfo(company.time_zone)
    moment = read_moment(text, zone=zone, at_end=True)
    is_today = len(text) <= len("2026-03-31") and moment.astimezone(zone).date() == now.astimezone(zone).date()
    return now if is_today else moment
