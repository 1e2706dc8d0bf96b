"""Saved views: the portfolio's filters and order, kept by name, for one person or for the whole firm."""

from typing import ClassVar

from runway_core.domain.papers import PaperKind, WorkingPaper


class SavedView(WorkingPaper):
    """A name for what stands in the portfolio's address. It names no figure: each look computes them anew.

    query      filters and order as in the address of the page, such as `status=red&sort=runway`; empty: everything
    person_id  whose it is; None: everybody's in the firm
    """

    paper_kind: ClassVar[PaperKind] = PaperKind.SAVED_VIEW

    name: str
    query: str
    person_id: str | None = None

    @property
    def is_shared(self) -> bool:
        """Whether everybody in the firm sees it."""
        return self.person_id is None
