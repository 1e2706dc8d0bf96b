"""Fixes: writes to the ledger that mend findings. Nothing is written twice, and nothing that was written is lost.

A fix is logged as an intent before the rail is asked; the rail knows it by the paper's id. What the rail answered is
logged; what it did not answer is found out by reading the record back, never by asking again. The next pull that shows
the new values confirms it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runway_core.calculators.fix_plan import (
    judge_waiting,
    name_fix,
    name_undoing,
    plan_writes,
    rail_fields,
    reverse,
    shows,
)
from runway_core.domain.changes import Attribution, Cause, Change
from runway_core.domain.company import Company
from runway_core.domain.findings import SuggestedFix, TrackedFinding
from runway_core.domain.fixes import ENDED, UNDO_HOURS, Fix, FixState
from runway_core.domain.identity import CompanyId, RecordKey
from runway_core.domain.people import Need
from runway_core.errors import (
    InvalidRequest,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    RailError,
    RecordGone,
    RecordRejected,
    RunwayError,
    StaleRevision,
)
from runway_core.ports.ledger_rail import RailCatalog, RecordFix
from runway_core.ports.mirror_store import MirroredRecord
from runway_core.services.opened_rails import OpenedRails
from runway_core.services.papers import PaperDesk
from runway_core.services.scope import Scope

MOST_AT_ONCE = 100
"""So many fixes may be asked for at once; each is reported on its own."""

SETTLING = timedelta(minutes=10)
"""A write that got no answer may still be on its way for so long; only then does the old value mean "not written"."""

_UNDECIDED = frozenset({FixState.INTENDED, FixState.UNKNOWN})
_TRIES = 3


@dataclass(frozen=True, slots=True)
class FixChoice:
    """Which of a finding's suggested fixes is wanted."""

    finding_id: str
    fix_index: int = 0


@dataclass(frozen=True, slots=True)
class FixOutcome:
    """What became of one choice: the fix as it stands, or why there is none."""

    choice: FixChoice
    fix: Fix | None = None
    error: RunwayError | None = None


class FixService:
    """Plans fixes, writes them through the rail that the record came from, follows them up, and takes them back."""

    def __init__(self, scope: Scope, rails: RailCatalog) -> None:
        self._scope = scope
        self._rails = rails
        self._desk = PaperDesk(scope)

    async def list(
        self, company_id: CompanyId, *, include_closed: bool = False, limit: int | None = 100
    ) -> Sequence[Fix]:
        """The fixes of a company, the last changed first; those that ended only on request.

        Raises:
            NotFound: no such company in this firm.
        """
        return await self._desk.list(company_id, Fix, include_closed=include_closed, limit=limit)

    async def get(self, company_id: CompanyId, fix_id: str) -> Fix:
        """One fix.

        Raises:
            NotFound: no such company in this firm, or no such fix.
        """
        return await self._desk.read(company_id, Fix, fix_id)

    async def plan(self, company_id: CompanyId, finding_id: str, fix_index: int = 0) -> Fix:
        """What a fix would write where, field by field. Nothing is written or kept.

        Raises:
            NotFound: no such company in this firm, no such finding or fix, or the record is not mirrored.
            InvalidRequest: the fix is none that can be written, or the record says already what it wants.
            NotSupported: the rail does not write such records.
        """
        (plan,) = await self.plan_all(company_id, [FixChoice(finding_id, fix_index)])
        if plan.error is not None:
            raise plan.error
        assert plan.fix is not None
        return plan.fix

    async def apply(self, company_id: CompanyId, choices: Sequence[FixChoice], *, actor: str) -> Sequence[FixOutcome]:
        """Write up to 100 fixes one after the other; each outcome is reported on its own, in the order of `choices`.

        Repeating is harmless: the same fix on the same version of a record is one write.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: no choice, or more than 100.
            StoreUnavailable: the database does not answer.
        """
        if not 0 < len(choices) <= MOST_AT_ONCE:
            raise InvalidRequest(f"choose 1 to {MOST_AT_ONCE} fixes at once")
        company = await self._scope.company(company_id)
        self._scope.demand(Need.DECIDE)
        await self.follow_up(company_id)
        outcomes = []
        async with OpenedRails(self._scope, self._rails, company) as rails:
            plans = await self.plan_all(company_id, choices)
            under_way = {fix.record: fix for fix in await self._desk.list(company_id, Fix)}
            for plan in plans:
                if plan.fix is None:
                    outcomes.append(plan)
                    continue
                try:
                    fix = await self._write(
                        plan.fix, under_way.get(plan.fix.record), rails, company=company, actor=actor
                    )
                except (RailError, InvalidRequest, NotFound) as error:
                    outcomes.append(FixOutcome(plan.choice, error=error))
                    continue
                outcomes.append(FixOutcome(plan.choice, fix))
                if not fix.is_closed:
                    under_way[fix.record] = fix
        return outcomes

    async def undo(self, company_id: CompanyId, fix_id: str, *, actor: str) -> Fix:
        """Write the old values back, within 24 hours, unless the record was changed since. Repeating is harmless.

        Returns:
            The fix that takes the other back; its state says how the rail answered.

        Raises:
            NotFound: no such company in this firm, or no such fix.
            InvalidRequest: it was not written, is undone already, or was written more than 24 hours ago.
        """
        company = await self._scope.company(company_id)
        fix = await self._desk.read(company_id, Fix, fix_id)
        attempt = 0
        while (done := await self._desk.find(company_id, Fix, name_undoing(fix, attempt=attempt))) is not None:
            if done.state is not FixState.REFUSED:
                return done
            attempt += 1
        reason = self._why_not_undoable(fix)
        if reason is not None:
            raise InvalidRequest(reason)
        assert fix.written_revision is not None
        undoing = self._desk.make(
            Fix,
            name_undoing(fix, attempt=attempt),
            actor=actor,
            values={
                "finding_id": fix.finding_id,
                "rail": fix.rail,
                "record": fix.record,
                "label": f"Take back: {fix.label}",
                "writes": reverse(fix.writes),
                "expected_revision": fix.written_revision,
                "undoes": fix.paper_id,
            },
        )
        waiting = await self._desk.list(company_id, Fix)
        under_way = next((one for one in waiting if one.record == fix.record), None)
        async with OpenedRails(self._scope, self._rails, company) as rails:
            return await self._write(undoing, under_way, rails, company=company, actor=actor)

    async def follow_up(self, company_id: CompanyId) -> Sequence[Fix]:
        """Move on the fixes that wait: confirm what the mirror shows, and read back what got no answer.

        Called after every pull; costs two queries when nothing waits. A rail that does not answer is asked next time.

        Returns:
            The fixes whose state moved.

        Raises:
            NotFound: no such company in this firm.
        """
        company = await self._scope.company(company_id)
        waiting = await self._scope.store.papers.papers(company_id, Fix)
        if not waiting:
            return []
        mirrored = await self._scope.store.mirror.read_records(company_id, [fix.record for fix in waiting])
        moved: list[Fix] = []
        async with OpenedRails(self._scope, self._rails, company) as rails:
            for fix in waiting:
                after = await self._look(company_id, fix, mirrored.get(fix.record), rails)
                moved += [] if after is None else [after]
        return moved

    def undoable(self, fixes: Sequence[Fix]) -> Sequence[Fix]:
        """Those that can be taken back now."""
        return [fix for fix in fixes if fix.undoes is None and self._why_not_undoable(fix) is None]

    def _why_not_undoable(self, fix: Fix) -> str | None:
        if fix.undoes is not None:
            return "this fix takes another back: apply the finding's fix again instead"
        if fix.state is FixState.UNDONE:
            return "this fix is taken back already"
        if fix.state not in (FixState.WAITING, FixState.CONFIRMED) or fix.written_at is None:
            return f"this fix is {fix.state.value}: only what was written can be taken back"
        if self._scope.clock.now() - fix.written_at > timedelta(hours=UNDO_HOURS):
            return f"more than {UNDO_HOURS} hours have passed since: change the record in the ledger"
        return None

    async def plan_all(self, company_id: CompanyId, choices: Sequence[FixChoice]) -> Sequence[FixOutcome]:
        """Plan each choice on its own, with one reading of findings, records and earlier fixes for all.

        Raises:
            NotFound: no such company in this firm.
        """
        company = await self._scope.company(company_id)
        store = self._scope.store
        findings = {t.finding_id: t for t in await store.positions.findings(company_id)}
        suggested: dict[FixChoice, SuggestedFix | RunwayError] = {
            choice: _find_suggested(company, findings.get(choice.finding_id), choice) for choice in choices
        }
        keys = {s.record for s in suggested.values() if isinstance(s, SuggestedFix) and s.record is not None}
        records = await store.mirror.read_records(company_id, sorted(keys))
        plans = {choice: self._plan_one(choice, suggested[choice], records, attempt=0) for choice in choices}
        attempt, left = 0, [plan for plan in plans.values() if plan.fix is not None]
        while left:  # one query, and one more for those that were refused or taken back on this very version before
            ids = [plan.fix.paper_id for plan in left if plan.fix is not None]
            known = await self._desk.find_all(company_id, Fix, ids)
            ended = {paper_id for paper_id, fix in known.items() if fix.state in (FixState.REFUSED, FixState.UNDONE)}
            attempt += 1
            again = [plan.choice for plan in left if plan.fix is not None and plan.fix.paper_id in ended]
            plans |= {one: self._plan_one(one, suggested[one], records, attempt=attempt) for one in again}
            left = [plans[choice] for choice in again]
        return [plans[choice] for choice in choices]

    def _plan_one(
        self,
        choice: FixChoice,
        suggested: SuggestedFix | RunwayError,
        records: dict[RecordKey, MirroredRecord],
        *,
        attempt: int,
    ) -> FixOutcome:
        if isinstance(suggested, RunwayError):
            return FixOutcome(choice, error=suggested)
        try:
            return FixOutcome(choice, self._plan_on(choice, suggested, records, attempt=attempt))
        except (InvalidRequest, NotFound, NotSupported) as error:
            return FixOutcome(choice, error=error)

    def _plan_on(
        self,
        choice: FixChoice,
        suggested: SuggestedFix,
        records: dict[RecordKey, MirroredRecord],
        *,
        attempt: int,
    ) -> Fix:
        key = suggested.record
        if key is None:
            raise InvalidRequest(f"{suggested.label!r} cannot be done from here: do it in the ledger")
        held = records.get(key)
        if held is None or held.is_deleted:
            raise NotFound(f"{key} is not in the mirror: pull the company, then look again")
        writes = plan_writes(held.record, suggested)
        factory = self._rails.factory(held.rail)
        if key.kind not in factory.abilities.writes:
            raise NotSupported(f"{factory.title} does not let a {key.kind.value} be written: do it there by hand")
        return self._desk.make(
            Fix,
            name_fix(choice.finding_id, held.record, writes, attempt=attempt),
            actor="",
            values={
                "finding_id": choice.finding_id,
                "rail": held.rail,
                "record": key,
                "label": suggested.label,
                "writes": writes,
                "expected_revision": held.record.revision,
            },
        )

    async def _write(
        self, planned: Fix, under_way: Fix | None, rails: OpenedRails, *, company: Company, actor: str
    ) -> Fix:
        """Log the intent, ask the rail once, log its answer. `under_way` is an open fix of the same record."""
        if under_way is not None and under_way.paper_id == planned.paper_id:
            return under_way  # asked for before: it waits for the ledger, or for its answer
        if under_way is not None and under_way.paper_id != planned.undoes:
            raise InvalidRequest(f"{under_way.label!r} of the same record is under way: look again shortly")
        by = self._scope.by_person(actor)
        rail = await rails.open(planned.rail)
        (fix,) = await self._scope.store.papers.save_papers(
            company.company_id, [planned], attribution=by, at=self._scope.clock.now()
        )
        try:
            change = await rail.apply_fix(
                RecordFix(fix.record, fix.expected_revision, rail_fields(fix.writes)), idempotency_key=fix.paper_id
            )
        except (OutcomeUnknown, RecordRejected) as error:  # it may have been written
            found = _failed(FixState.UNKNOWN, error)
        except (RailError, NotSupported) as error:
            found = _failed(FixState.REFUSED, error)
        else:
            found = _written(change, self._scope.clock.now())
        return await self._settle(company.company_id, fix, found, by)

    async def _look(
        self, company_id: CompanyId, fix: Fix, mirrored: MirroredRecord | None, rails: OpenedRails
    ) -> Fix | None:
        """Move one waiting fix on, if there is anything to say."""
        by = Attribution(cause=Cause.SYSTEM, actor="runway", correlation_id=self._scope.new_id())
        now = self._scope.clock.now()
        if fix.state is FixState.WAITING:
            found = None if mirrored is None else judge_waiting(fix, mirrored.record, is_deleted=mirrored.is_deleted)
        else:
            is_settled = now - fix.changed_at >= SETTLING
            if fix.state is FixState.INTENDED and not is_settled:
                return None  # somebody may be writing it this moment
            found = await _read_back(fix, rails, now=now, is_settled=is_settled)
        return None if found is None else await self._settle(company_id, fix, found, by)

    async def _settle(self, company_id: CompanyId, fix: Fix, values: dict[str, Any], by: Attribution) -> Fix:
        """Save what became of a fix, with the fix that it takes back; what is known to be written outdoes silence."""
        for _ in range(_TRIES):
            changed = self._desk.change(fix, values | {"is_closed": values["state"] in ENDED})
            papers = [changed]
            if changed.undoes is not None and changed.state is FixState.WAITING:
                undone = await self._desk.read(company_id, Fix, changed.undoes)
                papers.append(self._desk.change(undone, {"state": FixState.UNDONE, "is_closed": True}))
            try:
                saved = await self._scope.store.papers.save_papers(
                    company_id, papers, attribution=by, at=self._scope.clock.now()
                )
                return saved[0]
            except StaleRevision:
                fix = await self._desk.read(company_id, Fix, fix.paper_id)
                if changed.state is not FixState.WAITING or fix.state not in (*_UNDECIDED, FixState.REFUSED):
                    return fix
        return fix


def _find_suggested(company: Company, tracked: TrackedFinding | None, choice: FixChoice) -> SuggestedFix | RunwayError:
    if tracked is None:
        return NotFound(f"{company.name!r} has no finding {choice.finding_id!r}: it may have been fixed and forgotten")
    fixes = tracked.finding.fixes
    if not 0 <= choice.fix_index < len(fixes):
        return NotFound(f"{tracked.finding.summary!r} has {len(fixes)} suggested fixes: no number {choice.fix_index}")
    return fixes[choice.fix_index]


def _failed(state: FixState, error: RunwayError) -> dict[str, Any]:
    return {"state": state, "error_code": error.code, "error": str(error)}


def _written(change: Change, at: datetime) -> dict[str, Any]:
    return {
        "state": FixState.WAITING,
        "written_revision": change.record.revision,
        "written_at": at,
        "error_code": None,
        "error": None,
    }


async def _read_back(fix: Fix, rails: OpenedRails, *, now: datetime, is_settled: bool) -> dict[str, Any] | None:
    """Find out from the record itself whether a write without an answer was done."""
    try:
        rail = await rails.open(fix.rail)
        change = await rail.read_record(fix.record)
    except RecordGone as gone:
        return _failed(FixState.REFUSED, gone)
    except RunwayError:
        return None  # the rail does not answer, or waits for a person: asked again after the next pull
    if change.record.revision != fix.expected_revision and shows(change.record, fix.writes):
        return _written(change, now)
    if not is_settled:
        return None
    return {"state": FixState.REFUSED, "error": "no answer came, and the record does not show it: it was not written"}
