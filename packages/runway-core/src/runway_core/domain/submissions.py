"""Submissions: bills that were put before the people who approve payments at an execution rail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.papers import PaperKind, WorkingPaper


@dataclass(frozen=True, slots=True)
class SubmittedLine:
    """One line of a bill that is submitted. `amount` is in major units of the bill's currency."""

    amount: Decimal
    memo: str | None = None


@dataclass(frozen=True, slots=True)
class BillSubmission:
    """A bill of the ledger that is to be put before the people who approve payments at the rail.

    ledger_bill_id   the ledger's own id; at the rail it names the bill for ever, so that it cannot be there twice
    """

    ledger_bill_id: str
    ledger_vendor_id: str
    number: str
    document_date: date
    due_date: date
    currency: str
    lines: Sequence[SubmittedLine]
    memo: str | None = None


class SubmissionState(StrEnum):
    """Where a submission stands."""

    INTENDED = "intended"  # logged; the rail has not answered yet
    SUBMITTED = "submitted"  # it waits for people there, or is there already
    REFUSED = "refused"  # the rail said no: nothing is there
    UNKNOWN = "unknown"  # no answer: it is looked for before it is sent again


class Submission(WorkingPaper):
    """One released decision, put before people at a rail. Nothing is approved or paid by it."""

    paper_kind: ClassVar[PaperKind] = PaperKind.SUBMISSION

    decision_id: str
    bill_id: str
    rail: str
    approved_by: tuple[str, ...]  # who said yes to the decision, here
    state: SubmissionState = SubmissionState.INTENDED
    rail_bill_id: str | None = None  # what it is at the rail
    error_code: str | None = None
    error: str | None = None
    submitted_at: AwareDatetime | None = None

    @property
    def bill_key(self) -> RecordKey:
        """The bill's kind and id."""
        return RecordKey(RecordKind.BILL, self.bill_id)
