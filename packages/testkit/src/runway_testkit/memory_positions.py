"""Positions, findings and views in memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from runway_core.domain.announcements import find_finding_news, find_status_news
from runway_core.domain.changes import Attribution
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.kept_views import KeptView
from runway_core.domain.position import Position
from runway_core.domain.record import encode_plain
from runway_core.errors import NotFound
from runway_core.ports.position_store import FindingCount

from runway_testkit.memory_state import CompanyState, draft_act
from runway_testkit.memory_subscriptions import MemorySubscriptionStore

_States = dict[CompanyId, CompanyState]


class MemoryPositionStore:
    """The `PositionStore` in memory."""

    def __init__(self, states: _States, subscriptions: MemorySubscriptionStore) -> None:
        self._states = states
        self._subscriptions = subscriptions
        self._views: dict[tuple[CompanyId, str], KeptView] = {}

    async def save_position(self, position: Position, findings: Sequence[TrackedFinding]) -> bool:
        """Store a position and its findings; false when a newer one is there."""
        state = self._states.get(position.company_id)
        if state is None or state.company.firm_id != position.firm_id or state.erased is not None:
            raise NotFound(f"no company {position.company_id!r} in this firm")
        if state.position is not None and state.position.log_sequence > position.log_sequence:
            return False
        before = None if state.position is None else state.position.status
        state.position = position
        fresh = {tracked.finding_id: tracked for tracked in findings}
        for finding_id, tracked in state.findings.items():
            fresh.setdefault(finding_id, tracked.model_copy(update={"state": FindingState.FIXED}))
        known = {finding_id: tracked.state for finding_id, tracked in state.findings.items()}
        state.findings = fresh
        at = position.computed_at
        news = find_finding_news(position.company_id, known, fresh.values(), at=at)
        self._subscriptions.announce(position.firm_id, [*find_status_news(before, position), *news], at=at)
        return True

    async def position(self, firm_id: FirmId, company_id: CompanyId) -> Position | None:
        """The stored position of a company."""
        state = self._states.get(company_id)
        return state.position if state is not None and state.company.firm_id == firm_id else None

    async def positions(self, firm_id: FirmId) -> Sequence[Position]:
        """The stored positions of a firm, by company id."""
        return [
            state.position
            for _, state in sorted(self._states.items())
            if state.company.firm_id == firm_id and state.position is not None
        ]

    async def findings(
        self, company_id: CompanyId, *, states: frozenset[FindingState] | None = None
    ) -> Sequence[TrackedFinding]:
        """The tracked findings of a company, by severity, then id."""
        state = self._states.get(company_id)
        found = [] if state is None else [t for t in state.findings.values() if states is None or t.state in states]
        return sorted(found, key=lambda tracked: (tracked.finding.severity.rank, tracked.finding_id))

    async def findings_of_firm(
        self, firm_id: FirmId, *, check: str, states: frozenset[FindingState]
    ) -> Sequence[tuple[CompanyId, TrackedFinding]]:
        """The findings of one check of all companies of a firm, by company, then id."""
        return [
            (company_id, tracked)
            for company_id, tracked in self._found(firm_id, states)
            if tracked.finding.check == check
        ]

    async def count_findings(self, firm_id: FirmId, *, states: frozenset[FindingState]) -> Sequence[FindingCount]:
        """How many findings each company of a firm has by check and severity, in that order."""
        counted = Counter(
            (company_id, tracked.finding.check, tracked.finding.severity.rank)
            for company_id, tracked in self._found(firm_id, states)
        )
        return [FindingCount(*of, count) for of, count in sorted(counted.items())]

    def _found(self, firm_id: FirmId, states: frozenset[FindingState]) -> Iterator[tuple[CompanyId, TrackedFinding]]:
        for company_id, state in sorted(self._states.items()):
            if state.company.firm_id == firm_id:
                for _, tracked in sorted(state.findings.items()):
                    if tracked.state in states:
                        yield company_id, tracked

    async def decide_finding(
        self, company_id: CompanyId, tracked: TrackedFinding, *, attribution: Attribution, at: datetime
    ) -> None:
        """Store what a person decided about a finding, and log it; the position is due again."""
        await self.decide_findings(company_id, [tracked], attribution=attribution, at=at)

    async def decide_findings(
        self, company_id: CompanyId, tracked: Sequence[TrackedFinding], *, attribution: Attribution, at: datetime
    ) -> None:
        """The same for several findings, all of them or none."""
        state = self._states.get(company_id)
        held = {} if state is None else state.findings
        for item in tracked:
            if item.finding_id not in held:
                raise NotFound(f"no finding {item.finding_id!r} of company {company_id!r}")
        drafts = []
        for item in tracked:
            draft = draft_act("finding_decided", "finding", item.finding_id, value=item, by=attribution, at=at)
            changed = encode_plain({"state": (held[item.finding_id].state.value, item.state.value)})
            drafts.append(draft._replace(changed=changed))
        known = {finding_id: one.state for finding_id, one in held.items()}
        held.update({item.finding_id: item for item in tracked})
        if state is not None:
            state.append(drafts, is_due=True)
            news = find_finding_news(company_id, known, tracked, at=at)
            self._subscriptions.announce(state.company.firm_id, news, at=at)

    async def save_view(self, view: KeptView) -> None:
        """Keep one view of a company in place of the one of that name."""
        state = self._states.get(view.company_id)
        if state is None or state.company.firm_id != view.firm_id or state.erased is not None:
            raise NotFound(f"no company {view.company_id!r} in this firm")
        self._views[view.company_id, view.name] = view

    def drop_views(self, company_id: CompanyId) -> None:
        """Let go of the views of a company."""
        for key in [key for key in self._views if key[0] == company_id]:
            del self._views[key]

    async def view(self, firm_id: FirmId, company_id: CompanyId, name: str) -> KeptView | None:
        """The view of that name that was kept last."""
        held = self._views.get((company_id, name))
        return held if held is not None and held.firm_id == firm_id else None
