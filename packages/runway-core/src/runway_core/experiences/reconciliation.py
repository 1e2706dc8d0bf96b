"""Reconciliation: "do the rails tell the same?" What is one thing, what is left over, and what differs."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime

from runway_core.domain.conflicts import ConflictKind, ConflictState, TrackedConflict
from runway_core.domain.findings import Severity
from runway_core.domain.identity import CompanyId
from runway_core.domain.reconciliation import AccountDrift, RailPair
from runway_core.experiences.evidence import date_evidence, find_readings
from runway_core.experiences.view import CompanyHeading, CompanyView, View
from runway_core.orchestrators.reconciliation import ReconciliationData, ReconciliationDataOrchestrator
from runway_core.sync.freshness import label_freshness

UNRESOLVED = frozenset({ConflictState.OPEN, ConflictState.REOPENED})
"""States in which a conflict waits for someone."""


class ConflictQuery(View):
    """Which conflicts to show. By default those that wait for someone."""

    states: frozenset[ConflictState] = UNRESOLVED
    kind: ConflictKind | None = None
    severity: Severity | None = None


class ConflictRow(View):
    """One conflict, ready to show. `age_days` counts from the day of its oldest record, where one is told."""

    conflict_id: str
    tracked: TrackedConflict
    age_days: int | None


class ConflictStateCount(View):
    """How many conflicts stand in one state, whatever the filters."""

    state: ConflictState
    count: int


class ReconciliationView(CompanyView):
    """The page."""

    headline: str
    matched: int
    suggested: int
    unmatched: int
    waiting: int  # conflicts that wait for someone, whatever the filters
    pairs: tuple[RailPair, ...]
    drifts: tuple[AccountDrift, ...]
    notes: tuple[str, ...]
    states: tuple[ConflictStateCount, ...]
    conflicts: tuple[ConflictRow, ...]


class ReconciliationExperience:
    """Shows one company's rails side by side."""

    def __init__(self, data: ReconciliationDataOrchestrator) -> None:
        self._data = data

    async def show(
        self, company_id: CompanyId, query: ConflictQuery | None = None, known_at: datetime | None = None
    ) -> ReconciliationView:
        """The rails of one company, as they are or as they were known at a moment.

        Raises:
            NotFound: no such company in this firm, or it was not known yet.
            InvalidRequest: the moment lies ahead.
        """
        return lay_out_reconciliation(await self._data.gather(company_id, known_at), query or ConflictQuery())


def lay_out_reconciliation(data: ReconciliationData, query: ConflictQuery) -> ReconciliationView:
    """Filter the conflicts, which come in their order, and add up what was compared."""
    compared = data.compared
    counts = Counter(one.state for one in compared.conflicts)
    read_at = find_readings(data.connections)
    waiting = sum(counts[state] for state in UNRESOLVED)
    return ReconciliationView(
        company=CompanyHeading.of(data.company),
        as_of=compared.as_of,
        books_read_at=data.now,
        freshness=label_freshness(data.connections, data.now),
        headline=_say_headline(compared.pairs, waiting),
        matched=sum(pair.matched for pair in compared.pairs),
        suggested=sum(pair.suggested for pair in compared.pairs),
        unmatched=sum(pair.left_here + pair.left_there for pair in compared.pairs),
        waiting=waiting,
        pairs=compared.pairs,
        drifts=compared.drifts,
        notes=compared.notes,
        states=tuple(ConflictStateCount(state=state, count=counts[state]) for state in ConflictState),
        conflicts=tuple(
            lay_out_conflict(one, as_of=compared.as_of, read_at=read_at)
            for one in compared.conflicts
            if one.state in query.states
            and (query.kind is None or one.conflict.kind is query.kind)
            and (query.severity is None or one.conflict.severity is query.severity)
        ),
    )


def lay_out_conflict(one: TrackedConflict, *, as_of: date, read_at: dict[str, datetime]) -> ConflictRow:
    """A conflict with its age, and with when the rails were read that tell of it."""
    conflict = one.conflict
    dated = conflict.model_copy(update={"evidence": date_evidence(conflict.evidence, read_at)})
    return ConflictRow(
        conflict_id=conflict.conflict_id,
        tracked=one.model_copy(update={"conflict": dated}),
        age_days=None if conflict.since is None else max((as_of - conflict.since).days, 0),
    )


def _say_headline(pairs: Iterable[RailPair], waiting: int) -> str:
    if not tuple(pairs):
        return "One rail tells alone: connect another to compare"
    if not waiting:
        return "The rails tell the same"
    return f"{waiting} conflict between rails" if waiting == 1 else f"{waiting} conflicts between rails"
