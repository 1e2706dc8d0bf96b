"""Digests as they were sent: kept byte for byte, whatever the books say later."""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.money import Money
from runway_core.domain.papers import PaperKind, WorkingPaper


class Delivery(StrEnum):
    """What became of a message."""

    INTENDED = "intended"  # kept; whether it left is not known yet
    SENT = "sent"  # the mail server took it
    REFUSED = "refused"  # the mail server did not take it


class SentDigest(WorkingPaper):
    """One digest that went out. Its figures are those of the day it was sent.

    It is kept before it is sent, so that none goes out unseen; `paper_id` is also the message's id, by which mail
    programs know a second copy.
    """

    paper_kind: ClassVar[PaperKind] = PaperKind.DIGEST

    as_of: date
    opening: Money  # opening cash that it told
    books_read_at: AwareDatetime
    subject: str
    note: str = ""  # the advisor's own words
    document: str  # the digest as canonical JSON
    html: str
    text: str
    sent_to: tuple[str, ...]
    sent_at: AwareDatetime
    delivery: Delivery = Delivery.INTENDED
    error: str | None = None
