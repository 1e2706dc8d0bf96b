"""The stretch of past that says what is usual: the last full months, and the weeks they hold."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from runway_core.calculators.calendar import last_of_month, monday_of, months_before, roll_forward

FULL_MONTHS = 3
"""Burn looks at so many full months, and so does what is usual in a week."""

LEAST_DAYS = 28
"""With fewer days of history nothing can be said of what is usual."""

_LEAST_WEEK_DAYS = 4


class Span(NamedTuple):
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


def find_full_spans(began: date | None, as_of: date) -> list[Span]:
    """The full months that history covers, oldest first; where there is none, all of it up to yesterday.

    A month is covered when money moved on or before its first business day: earlier days of it can hold nothing.
    """
    if began is None:
        return []
    full = [first for first in months_before(as_of, FULL_MONTHS) if began <= roll_forward(first)]
    if full:
        return [Span(first, last_of_month(first)) for first in full]
    yesterday = as_of - timedelta(days=1)
    return [Span(began, yesterday)] if began <= yesterday else []


def find_usual_span(began: date | None, as_of: date) -> Span | None:
    """All full months in one, or what there is instead; `None` with less than 28 days."""
    spans = find_full_spans(began, as_of)
    if not spans:
        return None
    whole = Span(spans[0].first, spans[-1].last)
    return whole if whole.days >= LEAST_DAYS else None


def find_weeks(span: Span) -> Iterator[Span]:
    """The weeks of a span from Monday on, oldest first; one that it holds only in part counts from four days on."""
    monday = monday_of(span.first)
    while monday <= span.last:
        week = Span(max(monday, span.first), min(monday + timedelta(days=6), span.last))
        if week.days >= _LEAST_WEEK_DAYS:
            yield week
        monday += timedelta(days=7)
