"""Aliases: names that a person confirmed to mean one vendor or customer."""

from typing import ClassVar

from runway_core.domain.identity import Subject
from runway_core.domain.papers import PaperKind, WorkingPaper


class NameAlias(WorkingPaper):
    """A text, in its normal form, and whom it means. `paper_id` is the normal form."""

    paper_kind: ClassVar[PaperKind] = PaperKind.ALIAS
    is_named_by_text: ClassVar[bool] = True

    text: str  # as it was seen
    party: Subject  # a vendor or a customer
