"""Questions to the client: gathered into one message, with answers that come back to their findings."""

from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.papers import PaperKind, WorkingPaper
from runway_core.domain.record import Value


class QuestionItem(Value):
    """One question about one finding: what is asked, and the answer once it came."""

    finding_id: str
    text: str  # with date, amount and vendor
    answer: str | None = None
    answered_at: AwareDatetime | None = None


class QuestionState(StrEnum):
    """Where a message stands."""

    DRAFT = "draft"
    SENT = "sent"
    ANSWERED = "answered"


class ClientQuestion(WorkingPaper):
    """One message to the client with all its questions, kept as it was sent."""

    paper_kind: ClassVar[PaperKind] = PaperKind.QUESTION

    subject: str
    body: str  # plain text
    items: tuple[QuestionItem, ...]
    state: QuestionState = QuestionState.DRAFT
    sent_to: str | None = None
    sent_at: AwareDatetime | None = None
