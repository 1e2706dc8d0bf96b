"""Findings of a company: listing them, and what people decide about them."""

from collections.abc import Sequence
from datetime import date

from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.errors import InvalidRequest, NotFound
from runway_core.ports.position_store import FindingCount
from runway_core.services.scope import Scope, local_day

STANDING = frozenset({FindingState.OPEN, FindingState.ASKED, FindingState.SNOOZED, FindingState.ACCEPTED})
"""Every state but fixed: what the tray may show."""


class FindingService:
    """Lists findings and records decisions about them. Deciding writes to our database only, never to a rail."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def list(
        self, company_id: CompanyId, *, states: frozenset[FindingState] | None = STANDING
    ) -> Sequence[TrackedFinding]:
        """The tracked findings of a company, worst first.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.positions.findings(company_id, states=states)

    async def of_firm(
        self, check: str, *, states: frozenset[FindingState]
    ) -> Sequence[tuple[CompanyId, TrackedFinding]]:
        """The findings of one check of all companies of the firm, in one query, by company, then id."""
        return await self._scope.findings_of_firm(check, states)

    async def count(self, *, states: frozenset[FindingState]) -> Sequence[FindingCount]:
        """How many findings each company of the firm has by check and severity, in one query."""
        return await self._scope.count_findings(states)

    async def decide(
        self,
        company_id: CompanyId,
        finding_id: str,
        state: FindingState,
        *,
        actor: str,
        reason: str | None = None,
        until: date | None = None,
    ) -> TrackedFinding:
        """Accept (with a reason), snooze (until a day), ask about, or reopen a finding. Repeating is harmless.

        Raises:
            NotFound: no such company in this firm, or no such finding.
            InvalidRequest: no reason for an acceptance, no future day for a snooze, or a state only a read can set.
        """
        (decided,) = await self.decide_all(company_id, [finding_id], state, actor=actor, reason=reason, until=until)
        return decided

    async def decide_all(
        self,
        company_id: CompanyId,
        finding_ids: Sequence[str],
        state: FindingState,
        *,
        actor: str,
        reason: str | None = None,
        until: date | None = None,
    ) -> Sequence[TrackedFinding]:
        """The same for several findings of a company in one transaction: all of them, or none.

        Raises:
            NotFound: no such company in this firm, or one of the findings is not there.
            InvalidRequest: no reason for an acceptance, no future day for a snooze, or a state only a read can set.
        """
        company = await self._scope.company(company_id)
        now = self._scope.clock.now()
        reason = (reason or "").strip() or None
        demand_decidable(state, reason=reason, until=until, today=local_day(now, company))
        held = {t.finding_id: t for t in await self._scope.store.positions.findings(company_id)}
        missing = [finding_id for finding_id in finding_ids if finding_id not in held]
        if missing:
            raise NotFound(f"{company.name!r} has no finding {missing[0]!r}: it may have been fixed and forgotten")
        decided = [
            held[finding_id].model_copy(
                update={
                    "state": state,
                    "reason": reason,
                    "snoozed_until": until if state is FindingState.SNOOZED else None,
                    "decided_by": self._scope.name_actor(actor),
                    "decided_at": now,
                    "accepted_basis": held[finding_id].finding.basis if state is FindingState.ACCEPTED else None,
                }
            )
            for finding_id in finding_ids
        ]
        await self._scope.store.positions.decide_findings(
            company_id, decided, attribution=self._scope.by_person(actor), at=now
        )
        return decided


def demand_decidable(state: FindingState, *, reason: str | None, until: date | None, today: date) -> None:
    """Refuse a decision that lacks what it needs.

    Raises:
        InvalidRequest: no reason for an acceptance, no future day for a snooze, or a state only a read can set.
    """
    if state is FindingState.FIXED:
        raise InvalidRequest("a finding is fixed when the next read no longer shows it: mend it in the ledger")
    if state is FindingState.ACCEPTED and reason is None:
        raise InvalidRequest("accepting a finding needs a reason: say why the books are right")
    if state is FindingState.SNOOZED and (until is None or until <= today):
        raise InvalidRequest("snoozing a finding needs a day after today")
