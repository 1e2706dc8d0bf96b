"""Fixes: writes to the ledger that mend findings, from their plan to the read that confirms them."""

from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.identity import Subject
from runway_core.domain.papers import PaperKind, WorkingPaper
from runway_core.domain.record import Value


class FieldWrite(Value):
    """One field of a record: what it says, and what it is to say."""

    field: str
    before: str | None
    after: str | None


class FixState(StrEnum):
    """Where a fix stands."""

    INTENDED = "intended"  # logged; the rail has not answered yet
    WAITING = "waiting"  # written; the ledger's next read confirms it
    CONFIRMED = "confirmed"
    REFUSED = "refused"  # the rail said no, or the record moved: nothing was written
    UNKNOWN = "unknown"  # no answer: the record is read back before anything else
    UNDONE = "undone"


ENDED = frozenset({FixState.CONFIRMED, FixState.REFUSED, FixState.UNDONE})
"""Nothing more comes of these: they are closed."""

UNDO_HOURS = 24
"""So long after it was written a fix can be taken back."""


class Fix(WorkingPaper):
    """One write that mends one finding. `paper_id` is also the rail's idempotency key."""

    paper_kind: ClassVar[PaperKind] = PaperKind.FIX

    finding_id: str
    rail: str
    record: Subject
    label: str
    writes: tuple[FieldWrite, ...]
    expected_revision: str
    written_revision: str | None = None
    state: FixState = FixState.INTENDED
    error_code: str | None = None
    error: str | None = None
    written_at: AwareDatetime | None = None
    undoes: str | None = None  # the fix that this one takes back
