"""Filters that stand as a row of links."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter: what it shows, how many there are where that is known, and where a click leads."""

    title: str
    href: str
    is_on: bool
    count: int | None = None
