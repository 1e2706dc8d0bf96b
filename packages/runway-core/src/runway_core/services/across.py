"""Work across companies: shown before it is done, reported part by part, and taken back once."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from runway_core.domain.across import UNSETTLED, AcrossAct, AcrossItem, AcrossKind, AcrossOutcome
from runway_core.domain.company import Company
from runway_core.domain.findings import WAITING, FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.domain.people import Need
from runway_core.domain.record import encode_plain
from runway_core.errors import InvalidRequest, NotFound, RunwayError, StaleRevision
from runway_core.services.companies import CompanyService
from runway_core.services.findings import FindingService, demand_decidable
from runway_core.services.house_papers import HouseDesk
from runway_core.services.papers import build, clean_text, demand_version
from runway_core.services.scope import Scope, local_day

MOST_AT_ONCE = 100
"""So many companies, or findings, are done at once."""

LONGEST_OWNER = 200
STATE_AFTER = {
    AcrossKind.ACCEPT: FindingState.ACCEPTED,
    AcrossKind.SNOOZE: FindingState.SNOOZED,
    AcrossKind.ASK: FindingState.ASKED,
}


@dataclass(frozen=True, slots=True)
class AcrossWish:
    """What is to be done, and to which: companies to assign, or findings of one check."""

    act: AcrossKind
    company_ids: tuple[CompanyId, ...] = ()
    check: str = ""
    finding_ids: tuple[str, ...] = ()
    owner: str = ""  # empty: nobody
    reason: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One part as it would be done: `problem` says why it would not."""

    company: Company
    before: str
    after: str
    finding: TrackedFinding | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AcrossPlan:
    """All parts, and a seal of them: what was shown is what is done."""

    wish: AcrossWish
    parts: tuple[PlannedPart, ...]

    @property
    def ready(self) -> tuple[PlannedPart, ...]:
        """The parts that would be done."""
        return tuple(part for part in self.parts if not part.problem)

    @property
    def seal(self) -> str:
        """A hash of all that was shown."""
        shown = [
            (part.company.company_id, part.finding and part.finding.finding_id, part.before, part.after, part.problem)
            for part in self.parts
        ]
        return hashlib.sha256(encode_plain([self.wish.act, self.wish.reason, shown])).hexdigest()[:20]


class AcrossService:
    """Plans acts across companies, does them, and undoes each once.

    Assigning needs the right to manage, findings that to decide. Parts are done company by company, each in a
    transaction of its own: one that fails leaves the others done, and says why.
    """

    def __init__(self, scope: Scope, companies: CompanyService, findings: FindingService) -> None:
        self._scope = scope
        self._companies = companies
        self._findings = findings
        self._house = HouseDesk(scope)

    async def plan(self, wish: AcrossWish) -> AcrossPlan:
        """What would be done, in the order of the companies' names. Writes nothing.

        Raises:
            InvalidRequest: nothing is chosen, too much at once, no reason to accept, or no day to snooze until.
            NotAllowed: the caller may not do it.
        """
        self._scope.demand(Need.MANAGE if wish.act is AcrossKind.ASSIGN else Need.DECIDE)
        companies = {company.company_id: company for company in await self._companies.list()}
        if wish.act is AcrossKind.ASSIGN:
            return AcrossPlan(wish, _plan_owners(wish, companies))
        found = await self._findings.of_firm(wish.check, states=WAITING)
        return AcrossPlan(wish, self._plan_findings(wish, found, companies))

    def _plan_findings(
        self,
        wish: AcrossWish,
        found: Sequence[tuple[CompanyId, TrackedFinding]],
        companies: Mapping[CompanyId, Company],
    ) -> tuple[PlannedPart, ...]:
        wanted, state, now = frozenset(wish.finding_ids), STATE_AFTER[wish.act], self._scope.clock.now()
        _demand_some(len(wanted), "findings")
        parts = []
        for company_id, tracked in found:
            company = companies.get(company_id)
            if company is None or tracked.finding_id not in wanted:
                continue
            demand_decidable(state, reason=wish.reason.strip() or None, until=wish.until, today=local_day(now, company))
            problem = "asked already" if tracked.state is state else ""
            parts.append(PlannedPart(company, tracked.state.value, state.value, tracked, problem))
        if len(parts) < len(wanted):
            raise InvalidRequest(f"{len(wanted) - len(parts)} of the findings wait for nobody any more: look again")
        parts.sort(key=lambda part: (part.company.name.casefold(), part.company.company_id))
        return tuple(parts)

    async def do(self, wish: AcrossWish, *, seal: str, actor: str) -> AcrossAct:
        """Do what was shown under `seal`, and report on each part.

        Raises:
            StaleRevision: what would be done changed since it was shown.
            InvalidRequest: there is nothing to do.
            NotAllowed: the caller may not do it.
        """
        plan = await self.plan(wish)
        if plan.seal != seal:
            raise StaleRevision("what would be done changed since it was shown: look again")
        if not plan.ready:
            raise InvalidRequest("there is nothing to do: all of it is so already")
        now = self._scope.clock.now()
        values = {
            "paper_id": self._scope.new_id(),
            "changed_at": now,
            "changed_by": actor,
            "act": wish.act,
            "check": "" if wish.act is AcrossKind.ASSIGN else wish.check,
            "after": plan.ready[0].after,
            "items": tuple(_intend(part) for part in plan.ready),
            "begun_at": now,
            "begun_by": self._scope.name_actor(actor),
        }
        act = await self._house.save(build(AcrossAct, values), actor=actor)

        async def do_part(company_id: CompanyId, items: Sequence[AcrossItem]) -> None:
            if wish.act is AcrossKind.ASSIGN:
                await self._companies.change_details(company_id, owner=wish.owner, actor=actor)
                return
            ids = [item.finding_id or "" for item in items]
            state = STATE_AFTER[wish.act]
            await self._findings.decide_all(company_id, ids, state, actor=actor, reason=wish.reason, until=wish.until)

        items = await _carry_out(act.items, do_part, AcrossOutcome.DONE)
        return await self._house.save(build(AcrossAct, act.__dict__ | {"items": items}), actor=actor)

    async def get(self, act_id: str) -> AcrossAct:
        """One act, with those of its parts that the caller may see.

        Raises:
            NotFound: no such act, or none of its companies is assigned to the caller.
        """
        act = await self._house.find(AcrossAct, act_id)
        seen = () if act is None else tuple(item for item in act.items if self._scope.sees(item.company_id))
        if act is None or not seen:
            raise NotFound(f"no act across companies {act_id[:40]!r}")
        return build(AcrossAct, act.__dict__ | {"items": seen})

    async def list(self, *, limit: int = 1000) -> Sequence[AcrossAct]:
        """The last acts, the newest first, with the parts that the caller may see."""
        acts = await self._house.list(AcrossAct, limit=limit)
        return [
            build(AcrossAct, act.__dict__ | {"items": seen})
            for act in acts
            if (seen := tuple(item for item in act.items if self._scope.sees(item.company_id)))
        ]

    async def undo(self, act_id: str, *, actor: str, version: int | None = None) -> AcrossAct:
        """Put back what stood before, once; what somebody changed since is left as it is, and reported.

        How each part stands decides what is put back, so that what was cut off half-way is undone all the same.

        Raises:
            NotFound: no such act.
            InvalidRequest: it was undone before, or is in part about companies that are not assigned to the caller.
            NotAllowed: the caller may not do it.
            StaleRevision: it was undone meanwhile.
        """
        act = await self.get(act_id)
        self._scope.demand(Need.MANAGE if act.act is AcrossKind.ASSIGN else Need.DECIDE)
        demand_version(act, version)
        whole = await self._house.find(AcrossAct, act_id)
        if whole is None or len(whole.items) != len(act.items):
            raise InvalidRequest("some of its companies are not yours: who began it can undo it")
        if not act.is_undoable:
            raise InvalidRequest("it was undone before" if act.undone_at else "nothing of it was done")
        taken = {"undone_at": self._scope.clock.now()}
        act = await self._house.save(build(AcrossAct, act.__dict__ | taken), actor=actor)
        standing = await self._find_standing(act)

        async def undo_part(company_id: CompanyId, items: Sequence[AcrossItem]) -> None:
            if act.act is AcrossKind.ASSIGN:
                await self._companies.change_details(company_id, owner=items[0].before, actor=actor)
                return
            for before in sorted({item.before for item in items}):
                ids = [item.finding_id or "" for item in items if item.before == before]
                await self._findings.decide_all(company_id, ids, FindingState(before), actor=actor)

        marked = tuple(_look_at(item, standing, act.after) for item in act.items)
        items = await _carry_out(marked, undo_part, AcrossOutcome.UNDONE, of=AcrossOutcome.DONE)
        return await self._house.save(build(AcrossAct, act.__dict__ | {"items": items}), actor=actor)

    async def _find_standing(self, act: AcrossAct) -> Mapping[tuple[CompanyId, str | None], str]:
        """How each part of an act stands now: the owner, or the state of the finding."""
        if act.act is AcrossKind.ASSIGN:
            return {(company.company_id, None): company.owner or "" for company in await self._companies.list()}
        found = await self._findings.of_firm(act.check, states=frozenset(FindingState))
        return {(company_id, tracked.finding_id): tracked.state.value for company_id, tracked in found}


def _plan_owners(wish: AcrossWish, companies: Mapping[CompanyId, Company]) -> tuple[PlannedPart, ...]:
    _demand_some(len(set(wish.company_ids)), "companies")
    owner = clean_text(wish.owner, "the owner")
    if len(owner) > LONGEST_OWNER:
        raise InvalidRequest(f"the owner's name has {len(owner)} signs: at most {LONGEST_OWNER} fit")
    absent = [company_id for company_id in wish.company_ids if company_id not in companies]
    if absent:
        raise NotFound(f"no company {absent[0][:40]!r} in this firm")
    chosen = sorted(
        (companies[company_id] for company_id in dict.fromkeys(wish.company_ids)),
        key=lambda company: (company.name.casefold(), company.company_id),
    )
    return tuple(
        PlannedPart(company, company.owner or "", owner, problem="so already" if (company.owner or "") == owner else "")
        for company in chosen
    )


def _demand_some(count: int, what: str) -> None:
    if not count:
        raise InvalidRequest(f"tick the {what} that are meant")
    if count > MOST_AT_ONCE:
        raise InvalidRequest(f"{count} {what} are ticked: at most {MOST_AT_ONCE} are done at once")


def _intend(part: PlannedPart) -> AcrossItem:
    finding_id = None if part.finding is None else part.finding.finding_id
    return AcrossItem(company_id=part.company.company_id, finding_id=finding_id, before=part.before)


def _look_at(item: AcrossItem, standing: Mapping[tuple[CompanyId, str | None], str], after: str) -> AcrossItem:
    """What is to become of a part: it is to be put back, stands as before, or somebody changed it since."""
    if item.outcome not in UNSETTLED:
        return item
    stands = standing.get((item.company_id, item.finding_id))  # `None`: it is gone
    if stands == after:
        return item.model_copy(update={"outcome": AcrossOutcome.DONE})
    outcome = AcrossOutcome.UNDONE if stands == item.before else AcrossOutcome.KEPT
    return item.model_copy(update={"outcome": outcome})


async def _carry_out(
    items: Sequence[AcrossItem],
    do: Callable[[CompanyId, Sequence[AcrossItem]], Awaitable[None]],
    outcome: AcrossOutcome,
    *,
    of: AcrossOutcome = AcrossOutcome.INTENDED,
) -> tuple[AcrossItem, ...]:
    """Do the items that stand at `of`, company by company; what is refused says why, and keeps no other."""
    by_company: dict[CompanyId, list[AcrossItem]] = {}
    for item in items:
        if item.outcome is of:
            by_company.setdefault(item.company_id, []).append(item)
    became: dict[CompanyId, dict[str, object]] = {}
    for company_id, own in by_company.items():
        try:
            await do(company_id, own)
        except RunwayError as error:
            became[company_id] = {"outcome": AcrossOutcome.REFUSED, "error": str(error)}
        else:
            became[company_id] = {"outcome": outcome, "error": ""}
    return tuple(item.model_copy(update=became[item.company_id]) if item.outcome is of else item for item in items)
