"""Planned items: money that only people know of, until a document or a payment stands for it."""

from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar

from runway_core.domain.identity import RecordKey, RecordKind, Subject
from runway_core.domain.money import Amount, Currency
from runway_core.domain.papers import PaperKind, WorkingPaper

CONFIRM_DAYS = 14
"""After so many days without a word an item is stale: whoever entered it is asked again."""


class PlannedItemState(StrEnum):
    """How far an item can be believed on a day."""

    CONFIRMED = "confirmed"
    STALE = "stale"  # not confirmed for 14 days
    EXPIRED = "expired"  # its day has passed, and nothing in the books stands for it


class PlannedItem(WorkingPaper):
    """One expected movement, such as "I owe him 50,000 next Friday, no bill yet". `amount` is positive.

    Closed items were dropped, or `fulfilled_by` a record of the books.
    """

    paper_kind: ClassVar[PaperKind] = PaperKind.PLANNED_ITEM

    label: str
    on: date
    amount: Amount
    currency: Currency
    is_inflow: bool = False
    is_financing: bool = False  # loan, owner's money, sale of equipment: in the outlook, not in burn
    owner: str  # the person who answers for it
    note: str = ""
    confirmed_on: date  # the day it was entered, or last confirmed
    vendor_id: str | None = None
    customer_id: str | None = None
    fulfilled_by: Subject | None = None

    @property
    def subject(self) -> RecordKey:
        """The item as a subject of findings, and as the source of what the outlook expects."""
        return RecordKey(RecordKind.PLANNED_ITEM, self.paper_id)

    def state_on(self, day: date) -> PlannedItemState:
        """How far the item can be believed on `day`."""
        if self.on < day:
            return PlannedItemState.EXPIRED
        if day - self.confirmed_on > timedelta(days=CONFIRM_DAYS):
            return PlannedItemState.STALE
        return PlannedItemState.CONFIRMED
