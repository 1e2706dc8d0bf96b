"""Which class holds which kind of working paper: the one table that stores and services share."""

from runway_core.domain.across import AcrossAct
from runway_core.domain.aliases import NameAlias
from runway_core.domain.collections import CollectionNote
from runway_core.domain.conflicts import ConflictDecision
from runway_core.domain.decisions import Decision
from runway_core.domain.firm_digests import FirmDigest
from runway_core.domain.fixes import Fix
from runway_core.domain.forecasts import KeptForecast
from runway_core.domain.papers import PaperKind, WorkingPaper
from runway_core.domain.planned_items import PlannedItem
from runway_core.domain.policy import CallBack, Earmark, Policy
from runway_core.domain.questions import ClientQuestion
from runway_core.domain.saved_views import SavedView
from runway_core.domain.scenarios import Scenario
from runway_core.domain.sent_digests import SentDigest
from runway_core.domain.submissions import Submission

PAPER_CLASSES: dict[PaperKind, type[WorkingPaper]] = {
    cls.paper_kind: cls
    for cls in (
        PlannedItem,
        Policy,
        Decision,
        Scenario,
        CollectionNote,
        NameAlias,
        Earmark,
        CallBack,
        ConflictDecision,
        ClientQuestion,
        Fix,
        Submission,
        KeptForecast,
        SentDigest,
        FirmDigest,
        SavedView,
        AcrossAct,
    )
}
"""Every kind of working paper."""

FOLLOWING_PAPERS = frozenset({PaperKind.FORECAST})
"""Those that are kept once a position is computed. Were it due for them, computing it would never be done."""

BOOKS_PAPERS: dict[PaperKind, str] = {
    PaperKind.PLANNED_ITEM: "planned_items",
    PaperKind.DECISION: "decisions",
    PaperKind.COLLECTION: "collection_notes",
    PaperKind.ALIAS: "aliases",
    PaperKind.EARMARK: "earmarks",
    PaperKind.CALL_BACK: "call_backs",
    PaperKind.CONFLICT: "conflict_decisions",
}
"""Which of them calculators see, by the field of `Books`; the policy stands alone as `Books.policy`."""
