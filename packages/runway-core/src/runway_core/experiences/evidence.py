"""Evidence as people are shown it: each value that another rail told says when that rail was read."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from runway_core.domain.company import Connection
from runway_core.domain.findings import Evidence


def find_readings(connections: Iterable[Connection]) -> dict[str, datetime]:
    """When each rail was last read."""
    return {one.rail: one.source_read_at for one in connections if one.source_read_at is not None}


def date_evidence(evidence: tuple[Evidence, ...], read_at: Mapping[str, datetime]) -> tuple[Evidence, ...]:
    """Say of each value that another rail told when that rail was last read.

    Checks and comparisons leave that out, so that a pull that brings nothing new changes nothing that they find.
    """
    return tuple(
        one
        if one.read_at is not None or (at := read_at.get(one.rail or "")) is None
        else one.model_copy(update={"read_at": at})
        for one in evidence
    )
