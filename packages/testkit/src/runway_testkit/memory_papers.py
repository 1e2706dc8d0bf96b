"""Working papers in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from runway_core.domain.announcements import find_paper_news
from runway_core.domain.changes import Attribution
from runway_core.domain.identity import CompanyId
from runway_core.domain.paper_changes import plan_papers
from runway_core.domain.paper_kinds import FOLLOWING_PAPERS
from runway_core.domain.papers import Paper, PaperKey, WorkingPaper
from runway_core.domain.people import firm_of_chain, is_firm_chain
from runway_core.errors import NotFound

from runway_testkit.memory_people import MemoryChain
from runway_testkit.memory_state import CompanyState
from runway_testkit.memory_subscriptions import MemorySubscriptionStore


class MemoryWorkingPapers:
    """The `WorkingPapers` in memory."""

    def __init__(
        self,
        states: dict[CompanyId, CompanyState],
        firms: dict[CompanyId, MemoryChain],
        subscriptions: MemorySubscriptionStore,
    ) -> None:
        self._states = states
        self._firms = firms
        self._subscriptions = subscriptions

    def _held(self, owner: CompanyId) -> dict[PaperKey, WorkingPaper]:
        found = self._firms.get(owner) if is_firm_chain(owner) else self._states.get(owner)
        return {} if found is None else found.papers

    async def save_papers(
        self, company_id: CompanyId, papers: Sequence[Paper], *, attribution: Attribution, at: datetime
    ) -> Sequence[Paper]:
        """Store papers and log each change; see the port."""
        if is_firm_chain(company_id):
            chain = self._firms.setdefault(company_id, MemoryChain())
            plan = plan_papers(chain.papers, papers, attribution=attribution, at=at)
            news = find_paper_news(company_id, chain.papers, plan.changed, at=at)
            self._subscriptions.announce(firm_of_chain(company_id), news, at=at)
            chain.papers.update({paper.key: paper for paper in plan.changed})
            chain.append(company_id, plan.drafts)
            return plan.results
        state = self._states.get(company_id)
        if state is None or state.erased is not None:
            raise NotFound(f"no company {company_id!r}")
        plan = plan_papers(state.papers, papers, attribution=attribution, at=at)
        news = find_paper_news(company_id, state.papers, plan.changed, at=at)
        self._subscriptions.announce(state.company.firm_id, news, at=at)
        state.papers.update({paper.key: paper for paper in plan.changed})
        is_due = any(paper.paper_kind not in FOLLOWING_PAPERS for paper in plan.changed)
        state.append(list(plan.drafts), is_due=is_due)
        return plan.results

    async def papers(
        self, company_id: CompanyId, kind: type[Paper], *, include_closed: bool = False, limit: int | None = None
    ) -> Sequence[Paper]:
        """The papers of one kind, the last changed first, then by id."""
        held = self._held(company_id).values()
        found = [p for p in held if isinstance(p, kind) and (include_closed or not p.is_closed)]
        found.sort(key=lambda paper: paper.paper_id)
        return sorted(found, key=lambda paper: paper.changed_at, reverse=True)[:limit]

    async def papers_of(
        self, company_id: CompanyId, kind: type[Paper], paper_ids: Sequence[str]
    ) -> Mapping[str, Paper]:
        """The papers of these ids that are there, closed or not, by id."""
        held, wanted = self._held(company_id).values(), set(paper_ids)
        return {paper.paper_id: paper for paper in held if isinstance(paper, kind) and paper.paper_id in wanted}

    async def paper(self, company_id: CompanyId, kind: type[Paper], paper_id: str) -> Paper | None:
        """One paper, closed or not."""
        held = self._held(company_id).values()
        return next((p for p in held if isinstance(p, kind) and p.paper_id == paper_id), None)
