"""Work across companies: one act on many of them, kept with what stood before, so that it can be taken back once."""

from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.identity import CompanyId
from runway_core.domain.papers import PaperKind, WorkingPaper
from runway_core.domain.record import Value


class AcrossKind(StrEnum):
    """What is done to many companies at once."""

    ASSIGN = "assign"  # who of the firm looks after them
    ACCEPT = "accept"  # like findings, with one reason
    SNOOZE = "snooze"
    ASK = "ask"  # marked as asked


class AcrossOutcome(StrEnum):
    """What became of one part."""

    INTENDED = "intended"  # not known: the act was cut off, before it or behind it
    DONE = "done"
    REFUSED = "refused"
    UNDONE = "undone"
    KEPT = "kept"  # somebody changed it since, so undoing left it as it is


UNSETTLED = frozenset({AcrossOutcome.DONE, AcrossOutcome.INTENDED})
"""A part in one of these may stand otherwise than before."""


class AcrossItem(Value):
    """One company, or one finding of it. `before` and the act's `after` are owners, or states of findings."""

    company_id: CompanyId
    finding_id: str | None = None
    before: str
    outcome: AcrossOutcome = AcrossOutcome.INTENDED
    error: str = ""


class AcrossAct(WorkingPaper):
    """One act across companies, kept before it begins. It names companies and findings by id alone."""

    paper_kind: ClassVar[PaperKind] = PaperKind.ACROSS

    act: AcrossKind
    check: str = ""  # whose findings; empty where companies are assigned
    after: str
    items: tuple[AcrossItem, ...]
    begun_at: AwareDatetime
    begun_by: str
    undone_at: AwareDatetime | None = None  # when that was begun

    def count(self, outcome: AcrossOutcome) -> int:
        """How many parts came out so."""
        return sum(1 for item in self.items if item.outcome is outcome)

    @property
    def is_undoable(self) -> bool:
        """Whether something was done that was not taken back, also by an undoing that was cut off."""
        return any(item.outcome in UNSETTLED for item in self.items)
