"""Findings of a company: listing them, and what people decide about them."""

from collections.abc import Sequence
from datetime import date

from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.errors import InvalidRequest, NotFound
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
        company = await self._scope.company(company_id)
        now = self._scope.clock.now()
        reason = (reason or "").strip() or None
        if state is FindingState.FIXED:
            raise InvalidRequest("a finding is fixed when the next read no longer shows it: mend it in the ledger")
        if state is FindingState.ACCEPTED and reason is None:
            raise InvalidRequest("accepting a finding needs a reason: say why the books are right")
        if state is FindingState.SNOOZED and (until is None or until <= local_day(now, company)):
            raise InvalidRequest("snoozing a finding needs a day after today")
        held = {t.finding_id: t for t in await self._scope.store.positions.findings(company_id)}
        tracked = held.get(finding_id)
        if tracked is None:
            raise NotFound(f"{company.name!r} has no finding {finding_id!r}: it may have been fixed and forgotten")
        decided = tracked.model_copy(
            update={
                "state": state,
                "reason": reason,
                "snoozed_until": until if state is FindingState.SNOOZED else None,
                "decided_by": self._scope.name_actor(actor),
                "decided_at": now,
                "accepted_basis": tracked.finding.basis if state is FindingState.ACCEPTED else None,
            }
        )
        await self._scope.store.positions.decide_finding(
            company_id, decided, attribution=self._scope.by_person(actor), at=now
        )
        return decided
