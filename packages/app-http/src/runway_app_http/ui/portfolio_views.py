"""Saved views as they stand above the portfolio's table."""

from collections.abc import Sequence
from dataclasses import dataclass

from runway_core.domain.people import Need
from runway_core.domain.saved_views import SavedView
from runway_core.services.scope import Scope


@dataclass(frozen=True, slots=True)
class SavedLine:
    """One saved view: where it leads, and whether the reader may rename or remove it."""

    view_id: str
    version: int
    name: str
    href: str
    is_on: bool  # the page shows just these companies in this order
    is_shared: bool
    may_change: bool


@dataclass(frozen=True, slots=True)
class SavedViews:
    """All of them, and what the form that saves another one carries."""

    lines: tuple[SavedLine, ...]
    here: str  # filters and order of the page, as they would be saved
    may_share: bool
    has_people: bool  # where nobody signs in every view is shared

    @property
    def changeable(self) -> tuple[SavedLine, ...]:
        """Those that the reader may rename or remove."""
        return tuple(line for line in self.lines if line.may_change)


def lay_out_views(views: Sequence[SavedView], scope: Scope, *, here: str) -> SavedViews:
    """Lay out the views that the reader sees; `here` is the query of the page."""
    may_share = scope.caller is None or scope.caller.may(Need.DECIDE)
    lines = tuple(
        SavedLine(
            view_id=view.paper_id,
            version=view.version,
            name=view.name,
            href=f"/?{view.query}" if view.query else "/",
            is_on=view.query == here,
            is_shared=view.is_shared,
            may_change=may_share or not view.is_shared,
        )
        for view in views
    )
    return SavedViews(lines=lines, here=here, may_share=may_share, has_people=scope.caller is not None)
