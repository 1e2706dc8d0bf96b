"""Digests as they were sent: kept byte for byte, whatever the books say later."""

from datetime import date
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.papers import PaperKind, WorkingPaper


class SentDigest(WorkingPaper):
    """One digest that went out. Its figures are those of the day it was sent."""

    paper_kind: ClassVar[PaperKind] = PaperKind.DIGEST

    as_of: date
    subject: str
    note: str = ""  # the advisor's own words
    document: str  # the digest as canonical JSON
    html: str
    text: str
    sent_to: tuple[str, ...]
    sent_at: AwareDatetime
