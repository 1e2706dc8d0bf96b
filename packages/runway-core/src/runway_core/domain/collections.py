"""Collections: what was said to customers about what they owe, and what they said."""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from runway_core.domain.money import Amount
from runway_core.domain.papers import PaperKind, WorkingPaper


class CollectionOutcome(StrEnum):
    """What came of a contact."""

    CONTACTED = "contacted"
    PROMISED = "promised"
    DISPUTED = "disputed"
    PAID = "paid"


class CollectionStage(StrEnum):
    """How far a customer has been reminded."""

    NONE = "none"
    FRIENDLY = "friendly"  # 1 to 30 days late
    FIRM = "firm"  # 31 to 60
    FINAL = "final"  # 61 and more
    PLAN = "plan"
    STOP_WORK = "stop_work"
    WRITE_OFF = "write_off"


class CollectionNote(WorkingPaper):
    """One contact about one invoice, newest last. The newest open note of an invoice decides.

    A promise with a name and a date wins over any habit; a disputed invoice has no date.
    """

    paper_kind: ClassVar[PaperKind] = PaperKind.COLLECTION

    invoice_id: str
    customer_id: str | None = None
    outcome: CollectionOutcome
    stage: CollectionStage = CollectionStage.NONE
    contacted_on: date
    person: str = ""  # with whom
    promised_on: date | None = None
    promised_amount: Amount | None = None  # in the invoice's currency; None: all of it
    reason: str = ""  # of a dispute
    note: str = ""
