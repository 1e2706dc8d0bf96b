"""Decisions about bills: what is ready for one, and what holds the rest back."""

from datetime import date

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.record import Value


class BillReadiness(Value):
    """Whether an open bill may be decided about now."""

    bill_id: str
    is_ready: bool
    reasons: tuple[str, ...] = ()  # what holds it back, for a person; empty when it is ready
    pay_by: date  # the last day to release it so that it arrives in time; in the past when that is too late
    pay_date: date  # the business day the outlook has it leave on

    @property
    def bill_key(self) -> RecordKey:
        """The bill's kind and id."""
        return RecordKey(RecordKind.BILL, self.bill_id)
