"""Submitting released bills to an execution rail, where people approve and pay them. No payment is executed here.

A submission is logged as an intent before the rail is asked, and the rail's answer after. What got no answer is looked
for at the rail before it is sent again, which every execution rail does by itself: a bill is there once or not at all.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from runway_core.calculators.submission_plan import plan_submission
from runway_core.domain.bills import Bill
from runway_core.domain.changes import Attribution
from runway_core.domain.decisions import Decision
from runway_core.domain.identity import CompanyId
from runway_core.domain.people import Need
from runway_core.domain.submissions import BillSubmission, Submission, SubmissionState
from runway_core.errors import NotFound, NotSupported, OutcomeUnknown, RailError, RailUnavailable, RecordRejected
from runway_core.ports.execution_rail import ExecutionRail
from runway_core.ports.ledger_rail import RailCatalog, RailRole
from runway_core.services.opened_rails import OpenedRails
from runway_core.services.papers import PaperDesk, name_by
from runway_core.services.scope import Scope

SETTLING = timedelta(minutes=10)
"""A call that got no answer may still be on its way for so long: it is not made again before."""

_UNDECIDED = frozenset({SubmissionState.INTENDED, SubmissionState.UNKNOWN})


class SubmissionService:
    """Keeps submissions: at most one of a decision."""

    def __init__(self, scope: Scope, rails: RailCatalog) -> None:
        self._scope = scope
        self._rails = rails
        self._desk = PaperDesk(scope)

    async def list(self, company_id: CompanyId, *, limit: int = 100) -> Sequence[Submission]:
        """The submissions of a company, the last changed first.

        Raises:
            NotFound: no such company in this firm.
        """
        return await self._desk.list(company_id, Submission, include_closed=True, limit=limit)

    async def submit(self, company_id: CompanyId, decision_id: str, *, actor: str) -> Submission:
        """Put the bill of a released decision before the people who approve payments at the company's rail.

        Repeating is harmless: a bill is submitted once, and one without an answer not again within ten minutes.

        Returns:
            The submission; its state says how the rail answered.

        Raises:
            NotFound: no such company in this firm, no such decision or bill, or no execution rail is connected.
            InvalidRequest: the decision is not released, or does not pay the whole bill.
            NotSupported: the connected rail takes no bills.
            StaleRevision: somebody else submits it this moment.
        """
        actor = self._scope.name_actor(actor)
        company = await self._scope.company(company_id)
        self._scope.demand(Need.DECIDE)
        decision = await self._desk.read(company_id, Decision, decision_id)
        paper_id = name_by("submission", decision_id)
        held = await self._desk.find(company_id, Submission, paper_id)
        if held is not None and (held.state is SubmissionState.SUBMITTED or self._is_under_way(held)):
            return held
        bill = await self._read_bill(company_id, decision)
        planned = plan_submission(bill, decision)
        rail_name = await self._find_rail(company_id)
        values: dict[str, Any] = {
            "decision_id": decision_id,
            "bill_id": decision.bill_id,
            "rail": rail_name,
            "approved_by": tuple(approval.by for approval in decision.approvals),
            "state": SubmissionState.INTENDED,
        }
        intent = (
            self._desk.make(Submission, paper_id, actor=actor, values=values)
            if held is None
            else self._desk.change(held, values)
        )
        by = self._scope.by_person(actor)
        async with OpenedRails(self._scope, self._rails, company) as rails:
            rail = await rails.open(rail_name)
            if not isinstance(rail, ExecutionRail):
                title = self._rails.factory(rail_name).title
                raise NotSupported(f"{title} takes no bills: tell the client to pay by hand")
            (intended,) = await self._scope.store.papers.save_papers(
                company_id, [intent], attribution=by, at=self._scope.clock.now()
            )
            found = await self._ask(rail, planned)
        return await self._settle(company_id, intended, found, by)

    def _is_under_way(self, held: Submission) -> bool:
        return held.state in _UNDECIDED and self._scope.clock.now() - held.changed_at < SETTLING

    async def _read_bill(self, company_id: CompanyId, decision: Decision) -> Bill:
        mirrored = await self._scope.store.mirror.read_records(company_id, [decision.bill_key])
        held = mirrored.get(decision.bill_key)
        if held is None or held.is_deleted or not isinstance(held.record, Bill):
            raise NotFound(
                f"bill {decision.bill_id!r} is not in the mirror any more: pull the company, then look again"
            )
        return held.record

    async def _find_rail(self, company_id: CompanyId) -> str:
        """The connected rail of the execution role; by name, should there be several."""
        connected = sorted(one.rail for one in await self._scope.connections(company_id))
        for name in connected:
            if RailRole.EXECUTION in self._rails.factory(name).roles:
                return name
        raise NotFound("no rail that pays bills is connected: connect one, or tell the client to pay by hand")

    async def _ask(self, rail: ExecutionRail, planned: BillSubmission) -> dict[str, Any]:
        try:
            change = await rail.submit_bill(planned)
        except (OutcomeUnknown, RecordRejected) as error:  # it may be there
            return {"state": SubmissionState.UNKNOWN, "error_code": error.code, "error": str(error)}
        except RailUnavailable as error:  # a read before or after the writes failed: which, it does not say
            return {"state": SubmissionState.UNKNOWN, "error_code": error.code, "error": str(error)}
        except (RailError, NotSupported) as error:
            return {"state": SubmissionState.REFUSED, "error_code": error.code, "error": str(error)}
        return {
            "state": SubmissionState.SUBMITTED,
            "rail_bill_id": change.record.external_id,
            "submitted_at": self._scope.clock.now(),
            "error_code": None,
            "error": None,
        }

    async def _settle(
        self, company_id: CompanyId, intended: Submission, found: dict[str, Any], by: Attribution
    ) -> Submission:
        ended = found["state"] is SubmissionState.SUBMITTED
        settled = self._desk.change(intended, found | {"is_closed": ended})
        (saved,) = await self._scope.store.papers.save_papers(
            company_id, [settled], attribution=by, at=self._scope.clock.now()
        )
        return saved
