"""Collections: what was said to customers about what they owe, and what they said."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Amount, Money
from runway_core.domain.papers import PaperKind, WorkingPaper
from runway_core.domain.record import Value


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


class CollectionStep(StrEnum):
    """What is next with an overdue invoice."""

    WAIT = "wait"  # within the customer's own habit, or a promise that still holds
    REMIND = "remind"  # a letter of the stage
    CALL = "call"  # a person speaks to the customer: personal relationship, broken promise, stages past letters
    SETTLE = "settle"  # a dispute
    LOOK = "look"  # money came in, or the customer says so


class CollectionCase(Value):
    """One overdue invoice: how late against the customer's habit, and what is next."""

    invoice_id: str
    number: str | None
    customer_id: str | None
    customer_name: str
    owed: Money  # open, less the customer's credits; in the invoice's currency
    due: date
    days_late: int
    usually_within: int  # days late that four of five of the customer's invoices do not exceed
    is_habit_known: bool  # false: nothing was ever paid by this customer, the company's habit stands in
    surprise: int  # days late − usually within: positive when later than the customer's own habit
    funds_days: Decimal | None  # days of average outflow that it would pay for, one decimal
    stage: CollectionStage
    stage_since: date | None
    next_stage_on: date | None  # when the letters grow firmer; None past the last of them
    person: str | None  # who looks after it
    is_personal: bool  # goes to a person, never to a template
    last_contact_on: date | None = None
    promised_on: date | None = None
    is_promise_broken: bool = False
    dispute: str | None = None  # the reason; None when it is not disputed
    step: CollectionStep
    advice: str  # one sentence

    @property
    def invoice_key(self) -> RecordKey:
        """The invoice's kind and id."""
        return RecordKey(RecordKind.INVOICE, self.invoice_id)
