"""Working papers: what people and Runway keep about a company beside its mirror.

Planned items, decisions, policy, scenarios, questions and the rest are few, belong to one company, are changed by
people and are logged with who changed what. So they are kept alike: each is one versioned document, stored and logged
in one transaction.
"""

from enum import StrEnum
from typing import ClassVar, NamedTuple, TypeVar

from pydantic import AwareDatetime

from runway_core.domain.record import Value


class PaperKind(StrEnum):
    """The kinds of working paper; the value is the name in tables, logs and the API."""

    PLANNED_ITEM = "planned_item"
    POLICY = "policy"
    DECISION = "decision"
    SCENARIO = "scenario"
    COLLECTION = "collection"
    ALIAS = "alias"
    EARMARK = "earmark"
    CALL_BACK = "call_back"
    CONFLICT = "conflict"
    QUESTION = "question"
    FIX = "fix"
    SUBMISSION = "submission"
    FORECAST = "forecast"
    DIGEST = "digest"
    FIRM_DIGEST = "firm_digest"  # of the firm as a whole
    SAVED_VIEW = "saved_view"  # of the firm, or of one of its people
    ACROSS = "across"  # of the firm as a whole


class PaperKey(NamedTuple):
    """One working paper of one company."""

    kind: PaperKind
    paper_id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.paper_id}"


class WorkingPaper(Value):
    """One document of a kind. `paper_id` is unique within company and kind; `version` grows by one with each change.

    A closed paper is kept and shown on request, and takes no part in figures.
    """

    paper_kind: ClassVar[PaperKind]
    is_named_by_text: ClassVar[bool] = False  # its id is out of the books and may name a person: logs conceal it

    paper_id: str
    version: int = 0  # 0: not stored yet
    changed_at: AwareDatetime
    changed_by: str
    is_closed: bool = False

    @property
    def key(self) -> PaperKey:
        """Kind and id."""
        return PaperKey(self.paper_kind, self.paper_id)

    @property
    def title(self) -> str:
        """What people call its kind, such as "planned item"."""
        return self.paper_kind.value.replace("_", " ")


Paper = TypeVar("Paper", bound=WorkingPaper)
"""One class of them."""
