"""Digests as they were sent: kept byte for byte, whatever the books say later."""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import AwareDatetime

from runway_core.domain.money import Money
from runway_core.domain.papers import PaperKind, WorkingPaper


class Delivery(StrEnum):
    """What became of a message."""

    INTENDED = "intended"  # kept; whether it left is not known yet
    SENT = "sent"  # the mail server took it
    REFUSED = "refused"  # the mail server did not take it


class SentMail(WorkingPaper):
    """One message that went out, byte for byte.

    It is kept before it is sent, so that none goes out unseen; `paper_id` is also the message's id, by which mail
    programs know a second copy.
    """

    subject: str
    html: str
    text: str
    sent_to: tuple[str, ...]
    sent_at: AwareDatetime
    delivery: Delivery = Delivery.INTENDED
    error: str | None = None

    def about_to_leave(self, paper_id: str, *, held: Self | None, at: datetime) -> Self:
        """The message as it is kept before it is sent: `held` when that left or may have left, else a new try."""
        if held is not None and held.delivery is not Delivery.REFUSED:
            return held
        version = 0 if held is None else held.version
        return self.model_copy(
            update={
                "paper_id": paper_id,
                "version": version,
                "sent_at": at,
                "delivery": Delivery.INTENDED,
                "error": None,
            }
        )

    def became(self, delivery: Delivery, error: str | None) -> Self:
        """The message with what became of it."""
        return self.model_copy(update={"delivery": delivery, "error": error})


class SentDigest(SentMail):
    """One digest of a company that went out. Its figures are those of the day it was sent."""

    paper_kind: ClassVar[PaperKind] = PaperKind.DIGEST

    as_of: date
    opening: Money  # opening cash that it told
    books_read_at: AwareDatetime
    note: str = ""  # the advisor's own words
    document: str  # the digest as canonical JSON
