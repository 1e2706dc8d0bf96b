"""Erased companies in memory.

What is sealed elsewhere is plainly let go of here: the bytes of entries stay for their hashes, and what was read from
them does not.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from runway_core.domain.changes import Attribution
from runway_core.domain.company import CompanySettings
from runway_core.domain.erasure import ERASED_NAME, Erasure, ErasureSurvey
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import LogDraft, LogEntry, is_to_be_sealed
from runway_core.domain.papers import PaperKind
from runway_core.domain.people import firm_chain
from runway_core.errors import NotFound

from runway_testkit.memory_answers import MemoryAnsweredCalls
from runway_testkit.memory_people import MemoryChain
from runway_testkit.memory_positions import MemoryPositionStore
from runway_testkit.memory_state import CompanyState
from runway_testkit.memory_subscriptions import MemorySubscriptionStore


class MemoryErasures:
    """The `CompanyErasures` in memory."""

    def __init__(
        self,
        states: dict[CompanyId, CompanyState],
        firms: dict[CompanyId, MemoryChain],
        positions: MemoryPositionStore,
        answers: MemoryAnsweredCalls,
        subscriptions: MemorySubscriptionStore,
    ) -> None:
        self._states = states
        self._firms = firms
        self._positions = positions
        self._answers = answers
        self._subscriptions = subscriptions

    def _owned(self, firm_id: FirmId, company_id: CompanyId) -> CompanyState:
        state = self._states.get(company_id)
        if state is None or state.company.firm_id != firm_id:
            raise NotFound(f"no company {company_id!r} in this firm")
        return state

    async def survey(self, firm_id: FirmId, company_id: CompanyId) -> ErasureSurvey:
        """Count what erasing a company would take."""
        state = self._owned(firm_id, company_id)
        rows = {"connections": len(state.connections), "findings": len(state.findings)}
        rows |= {"working_papers": len(state.papers), "quarantine": len(state.quarantine)}
        for key in state.records:
            rows[key.kind.value] = rows.get(key.kind.value, 0) + 1
        return ErasureSurvey(
            company_id=company_id,
            rows={name: count for name, count in rows.items() if count},
            entries=state.head.sequence,
            clear_entries=0,
        )

    async def erase(self, firm_id: FirmId, company_id: CompanyId, *, attribution: Attribution, at: datetime) -> None:
        """Let go of everything but the chain."""
        state = self._owned(firm_id, company_id)
        if state.erased is not None:
            return
        husk = {"name": ERASED_NAME, "owner": None, "tags": (), "settings": CompanySettings()}
        left = CompanyState(state.company.model_copy(update=husk), entries=_seal(state.entries), head=state.head)
        left.erased = Erasure(company_id=company_id, erased_at=at, erased_by=attribution.actor, is_finished=False)
        mark = LogDraft(
            seen_at=at, rail="", kind="company", external_id=company_id, what="company_erased", attribution=attribution
        )
        left.append([mark])
        house = firm_chain(firm_id)
        chain = self._firms.setdefault(house, MemoryChain())
        chain.papers = {key: paper for key, paper in chain.papers.items() if key.kind is not PaperKind.FIRM_DIGEST}
        chain.entries = _seal(chain.entries, kinds={PaperKind.FIRM_DIGEST.value})
        chain.append(house, [mark])
        self._positions.drop_views(company_id)
        self._answers.forget(firm_id)
        self._subscriptions.erase(company_id)
        self._states[company_id] = left

    async def finish(self, firm_id: FirmId, company_id: CompanyId, *, at: datetime) -> None:  # noqa: ARG002 - of files alone
        """There are no files."""
        state = self._owned(firm_id, company_id)
        if state.erased is not None:
            state.erased = state.erased.model_copy(update={"is_finished": True})

    async def erased(self, firm_id: FirmId) -> Sequence[Erasure]:
        """The companies of a firm that were erased, the first one first."""
        own = (state.erased for state in self._states.values() if state.company.firm_id == firm_id)
        return sorted((one for one in own if one is not None), key=lambda one: (one.erased_at, one.company_id))


def _seal(entries: Iterable[LogEntry], kinds: set[str] | None = None) -> list[LogEntry]:
    return [
        entry._replace(draft=entry.draft._replace(content=b"", raw=b"", changed=b"", is_sealed=True))
        if is_to_be_sealed(entry.draft) and (kinds is None or entry.draft.kind in kinds)
        else entry
        for entry in entries
    ]
