"""Conflicts between rails: comparing, and what people decide about what differs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from runway_core.calculators.reconciliation.compare import reconcile
from runway_core.domain.aliases import NameAlias
from runway_core.domain.conflicts import (
    Conflict,
    ConflictDecision,
    ConflictKind,
    ConflictState,
    MatchSuggestion,
    Resolution,
    TrackedConflict,
)
from runway_core.domain.findings import FindingState
from runway_core.domain.identity import CompanyId
from runway_core.domain.papers import WorkingPaper
from runway_core.domain.reconciliation import Reconciliation
from runway_core.errors import InvalidRequest, NotFound, StaleRevision
from runway_core.services.aliases import AliasService
from runway_core.services.books import BooksService
from runway_core.services.findings import FindingService
from runway_core.services.papers import PaperDesk, clean_text
from runway_core.services.past import PastService
from runway_core.services.positions import PositionService
from runway_core.services.scope import Scope


class ConflictService:
    """Compares a company's rails and keeps what people decided. Nothing is written to a rail.

    A conflict that is a finding is decided there: accepting one accepts the other.
    """

    def __init__(self, scope: Scope, books: BooksService, *, past: PastService, positions: PositionService) -> None:
        self._scope = scope
        self._books = books
        self._findings = FindingService(scope)
        self._past = past
        self._positions = positions
        self._aliases = AliasService(scope)
        self._desk = PaperDesk(scope)

    async def reconcile(self, company_id: CompanyId, *, known_at: datetime | None = None) -> Reconciliation:
        """Compare the rails of a company, as they are or as they were known at a moment. Never calls a rail.

        Raises:
            NotFound: no such company in this firm, or it was not known yet.
            InvalidRequest: the moment lies ahead.
            LogBroken: an entry of the log cannot be read.
        """
        if known_at is not None:
            past = await self._past.read(company_id, known_at)
            return reconcile(past.books, past.findings)
        books = await self._books.read(company_id)
        return reconcile(books, await self._findings.list(company_id, states=None))

    async def list(self, company_id: CompanyId) -> Sequence[TrackedConflict]:
        """Every conflict of a company, resolved ones too: those that wait first, then the worst.

        Raises:
            NotFound: no such company in this firm.
        """
        return (await self.reconcile(company_id)).conflicts

    async def get(self, company_id: CompanyId, conflict_id: str) -> TrackedConflict:
        """One conflict.

        Raises:
            NotFound: no such company in this firm, or no such conflict.
        """
        for one in await self.list(company_id):
            if one.conflict_id == conflict_id:
                return one
        company = await self._scope.company(company_id)
        raise NotFound(f"{company.name!r} has no conflict {conflict_id!r}: it may have been mended")

    async def resolve(
        self,
        company_id: CompanyId,
        conflict_id: str,
        resolution: Resolution,
        *,
        actor: str,
        reason: str = "",
        match: int | None = None,
        version: int | None = None,
    ) -> TrackedConflict:
        """Say that records are one (or whom a name means), or accept a conflict as it is. Repeating is harmless.

        What is said to be one is proof for every later comparison. `match` is the number of one of the conflict's
        matches, counted from 1; it may be left out where only one can be confirmed.

        Raises:
            NotFound: no such company in this firm, or no such conflict.
            InvalidRequest: no reason for an acceptance, no match to confirm, or a state only a read can set.
            StaleRevision: somebody decided about it since `version`.
        """
        held = await self.get(company_id, conflict_id)
        _demand_version(held, version)
        reason = clean_text(reason, "the reason", is_needed=resolution is Resolution.ACCEPTED)
        conflict = held.conflict
        if resolution is Resolution.FIXED:
            raise InvalidRequest("a conflict is fixed when the next read no longer shows it: mend it on one side")
        if resolution is Resolution.ACCEPTED:
            if conflict.finding_id is None:
                await self._keep(company_id, conflict, resolution, reason=reason, actor=actor)
            elif held.resolution is not Resolution.ACCEPTED or held.reason != reason:
                accepted = FindingState.ACCEPTED
                await self._findings.decide(company_id, conflict.finding_id, accepted, actor=actor, reason=reason)
        else:
            chosen = _choose_match(conflict, match)
            await self._confirm(company_id, conflict, chosen, resolution, reason=reason, actor=actor)
        return await self._find_after(company_id, held)

    async def reopen(
        self, company_id: CompanyId, conflict_id: str, *, actor: str, version: int | None = None
    ) -> TrackedConflict:
        """Take a decision back: what it confirmed is no proof any more, and the conflict waits again if it stands.

        Raises:
            NotFound: no such company in this firm, or no such conflict.
            InvalidRequest: nothing was decided about it.
            StaleRevision: somebody decided about it since `version`.
        """
        held = await self.get(company_id, conflict_id)
        _demand_version(held, version)
        paper = await self._desk.find(company_id, ConflictDecision, conflict_id)
        is_accepted = held.conflict.finding_id is not None and held.resolution is Resolution.ACCEPTED
        if paper is None or paper.is_closed:
            if not is_accepted:
                raise InvalidRequest("nothing was decided about this conflict that could be taken back")
        else:
            papers: list[WorkingPaper] = [self._desk.change(paper, {"is_closed": True})]
            if paper.alias_form is not None:
                papers += await self._take_back_alias(company_id, paper)
            await self._desk.save_all(company_id, papers, actor=actor)
        if is_accepted:
            await self._findings.decide(company_id, conflict_id, FindingState.OPEN, actor=actor)
        if paper is not None:
            await self._positions.recompute(company_id)
        return await self._find_after(company_id, held)

    async def _confirm(
        self,
        company_id: CompanyId,
        conflict: Conflict,
        chosen: MatchSuggestion,
        resolution: Resolution,
        *,
        reason: str,
        actor: str,
    ) -> None:
        is_name = conflict.kind is ConflictKind.NAME_DIFFERS
        if resolution is Resolution.ALIAS and not is_name:
            raise InvalidRequest("no name is in question here: say that the records are one with 'matched'")
        others: list[WorkingPaper] = []
        values: dict[str, Any] = {}
        if is_name:
            name = conflict.name or ""
            alias, standing = await self._aliases.prepare(company_id, name, chosen.here[0], actor=actor)
            others.append(alias)
            meant = None if standing is None or standing.party == chosen.here[0] else standing.party
            values = {"alias_form": alias.paper_id, "alias_meant": meant}
        else:
            values = {"pairs": tuple((there, here) for there in chosen.there for here in chosen.here)}
        await self._keep(
            company_id,
            conflict,
            Resolution.ALIAS if is_name else Resolution.MATCHED,
            reason=reason,
            actor=actor,
            values=values,
            others=others,
        )
        await self._positions.recompute(company_id)

    async def _keep(
        self,
        company_id: CompanyId,
        conflict: Conflict,
        resolution: Resolution,
        *,
        reason: str,
        actor: str,
        values: dict[str, Any] | None = None,
        others: Sequence[WorkingPaper] = (),
    ) -> None:
        """Save the decision, and what it brings with it, in one transaction."""
        before = await self._desk.find(company_id, ConflictDecision, conflict.conflict_id)
        standing = before if before is not None and not before.is_closed else None
        said: dict[str, Any] = {"pairs": (), "alias_form": None, "alias_meant": None} | (values or {})
        if standing is not None and standing.resolution is resolution:
            # A conflict over many lines is matched one after the other; each of them is one thing only.
            named = {there for there, _ in said["pairs"]}
            said["pairs"] = (*(pair for pair in standing.pairs if pair[0] not in named), *said["pairs"])
            said["alias_meant"] = standing.alias_meant or said["alias_meant"]
        all_values = {
            "resolution": resolution,
            "reason": reason,
            "basis": conflict.basis,
            "conflict": conflict,
            "is_closed": False,
            **said,
        }
        made = self._desk.make(ConflictDecision, conflict.conflict_id, actor=actor, values=all_values)
        paper = made if before is None else self._desk.change(before, all_values)
        papers: list[WorkingPaper] = [paper, *others]
        await self._desk.save_all(company_id, papers, actor=actor)

    async def _take_back_alias(self, company_id: CompanyId, paper: ConflictDecision) -> Sequence[WorkingPaper]:
        alias = await self._desk.find(company_id, NameAlias, paper.alias_form or "")
        if alias is None:
            return []
        if paper.alias_meant is None:
            return [self._desk.change(alias, {"is_closed": True})]
        return [self._desk.change(alias, {"party": paper.alias_meant, "is_closed": False})]

    async def _find_after(self, company_id: CompanyId, before: TrackedConflict) -> TrackedConflict:
        """The conflict as it stands now; one that a decision made go away is resolved."""
        for one in await self.list(company_id):
            if one.conflict_id == before.conflict_id:
                return one
        return before.model_copy(update={"state": ConflictState.RESOLVED, "resolution": Resolution.FIXED})


def _choose_match(conflict: Conflict, number: int | None) -> MatchSuggestion:
    usable = [match for match in conflict.matches if match.may_confirm]
    if number is not None:
        if not 1 <= number <= len(conflict.matches) or conflict.matches[number - 1] not in usable:
            raise InvalidRequest(f"match {number} is not one that can be confirmed: look at the conflict again")
        return conflict.matches[number - 1]
    if len(usable) != 1:
        why = "nothing that could be confirmed was found" if not usable else f"{len(usable)} matches fit: say which"
        raise InvalidRequest(f"{why}; or accept the conflict with a reason")
    return usable[0]


def _demand_version(held: TrackedConflict, version: int | None) -> None:
    if version is not None and version != held.version:
        raise StaleRevision(
            f"the decision about this conflict is at version {held.version}, yours is {version}: read it, then decide "
            "again"
        )
