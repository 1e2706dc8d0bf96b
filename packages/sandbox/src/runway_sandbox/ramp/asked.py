"""One admitted call, and the form in which lists are answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runway_sandbox.ramp.business import Business
from runway_sandbox.world import Desk


@dataclass(frozen=True, slots=True)
class Asked:
    """One admitted call."""

    desk: Desk
    business: Business
    now: datetime
    query: dict[str, str]
    body: dict[str, Any]
    ids: dict[str, str]
    url: str  # without its query
    new_id: Callable[[], str]


Place = tuple[str, str, Callable[[Asked], Any], str, int]
"""Method, path, what answers, the scope needed, and the status of a success."""


def page(rows: Sequence[dict[str, Any]], following: str | None) -> dict[str, Any]:
    """Answer one page of a list."""
    return {"data": list(rows), "page": {"next": following}}
