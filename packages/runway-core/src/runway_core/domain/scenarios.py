"""Scenarios: what-ifs that are kept by name. They never change books by themselves."""

from typing import ClassVar

from runway_core.domain.amendments import Amendment
from runway_core.domain.papers import PaperKind, WorkingPaper


class Scenario(WorkingPaper):
    """A named set of amendments; its figures are computed anew from the books of the day."""

    paper_kind: ClassVar[PaperKind] = PaperKind.SCENARIO

    name: str
    note: str = ""
    amendments: tuple[Amendment, ...]
