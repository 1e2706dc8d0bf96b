"""Whatever people and the ledger do in any order, decisions move as they may and nothing of them is lost."""

import asyncio
import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from runway_core.domain.company import Company
from runway_core.domain.decisions import DECISION_MOVES, Decision, DecisionOutcome, DecisionState
from runway_core.domain.policy import Role
from runway_core.errors import ApprovalLapsed, InvalidRequest, NotFound, PolicyBlocked
from runway_core.runway import Runway

from tests.core.desk import FirmDesk, bill
from tests.core.services.test_decisions import amount, desk_with_a_bill

_REFUSALS = (ApprovalLapsed, InvalidRequest, NotFound, PolicyBlocked)
_PEOPLE = st.sampled_from(["ada", "ben", "eve"])


class DecisionMachine(RuleBasedStateMachine):
    """Each step is another program over the same database: the one before was killed."""

    desk: FirmDesk
    acme: Company

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.total = 12_000

    @initialize()
    def a_bill_is_there(self) -> None:
        self.desk, self.acme = self.runner.run(desk_with_a_bill(self.total, cash=50_000))

    def teardown(self) -> None:
        self.runner.close()

    @property
    def runway(self) -> Runway:
        return self.desk.open(self.desk.runway.scope.firm_id)

    def decisions(self) -> list[Decision]:
        return list(self.runner.run(self.runway.decisions.list(self.acme.company_id, include_closed=True)))

    def open_one(self) -> Decision | None:
        return next((decision for decision in self.decisions() if not decision.is_closed), None)

    @rule(outcome=st.sampled_from([DecisionOutcome.PAY, DecisionOutcome.DELAY, DecisionOutcome.ESCALATE]), who=_PEOPLE)
    def somebody_decides(self, outcome: DecisionOutcome, who: str) -> None:
        held = self.open_one()
        try:
            decided = self.runner.run(
                self.runway.decisions.decide(
                    self.acme.company_id, "B1", outcome, actor=who, reason="because", escalated_to="eve"
                )
            )
        except _REFUSALS:
            assert self.open_one() == held
        else:
            assert decided == held or decided.state is DecisionState.DECIDED

    @precondition(lambda self: self.open_one() is not None)
    @rule(who=_PEOPLE, role=st.sampled_from(Role))
    def somebody_approves(self, who: str, role: Role) -> None:
        held = self.open_one()
        assert held is not None
        try:
            after = self.runner.run(
                self.runway.decisions.approve(self.acme.company_id, held.paper_id, actor=who, role=role)
            )
        except _REFUSALS:
            assert self.open_one() == held
        else:
            if after.state is DecisionState.APPROVED:
                assert len({approval.by for approval in after.approvals}) >= 2

    @precondition(lambda self: self.open_one() is not None)
    @rule(who=_PEOPLE)
    def somebody_releases(self, who: str) -> None:
        held = self.open_one()
        assert held is not None
        try:
            after = self.runner.run(self.runway.decisions.release(self.acme.company_id, held.paper_id, actor=who))
        except ApprovalLapsed:
            stopped = self.open_one()
            assert stopped is not None
            assert (stopped.state, stopped.approvals) == (DecisionState.DECIDED, ())
        except InvalidRequest:
            assert self.open_one() == held
        else:
            assert held.state in (DecisionState.APPROVED, DecisionState.RELEASED)
            assert after.facts.open_balance == amount(self.total)

    @precondition(lambda self: self.open_one() is not None)
    @rule(who=_PEOPLE)
    def somebody_withdraws(self, who: str) -> None:
        held = self.open_one()
        assert held is not None
        try:
            self.runner.run(self.runway.decisions.withdraw(self.acme.company_id, held.paper_id, actor=who))
        except InvalidRequest:
            assert held.state is DecisionState.RELEASED

    @rule(total=st.sampled_from([12_000, 13_000]), is_paid=st.booleans())
    def the_ledger_is_edited_and_read(self, total: int, is_paid: bool) -> None:
        self.total = total
        self.desk.later(minutes=15)
        self.desk.ledger("Acme").put(bill("B1", total, open_balance=amount(0 if is_paid else total)))
        self.runner.run(self.runway.sync(self.acme.company_id))
        held = self.open_one()
        assert not is_paid or held is None or held.state is DecisionState.RELEASED

    @invariant()
    def decisions_move_as_they_may(self) -> None:
        if not hasattr(self, "desk"):
            return
        decisions = self.decisions()
        assert sum(not decision.is_closed for decision in decisions) <= 1
        for decision in decisions:
            states = [DecisionState.READY, *(step.state for step in decision.steps)]
            assert states[-1] is decision.state
            assert all(after in DECISION_MOVES[before] for before, after in itertools.pairwise(states))

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "desk"):
            verified = self.runner.run(self.desk.runway.verify_log(self.acme.company_id))
            kept = [entry for entry in self.runner.run(self._log()) if entry == "decision"]
            assert verified.is_sound
            assert len(kept) == sum(decision.version for decision in self.decisions())

    async def _log(self) -> list[str]:
        return [entry.draft.kind async for entry in self.desk.store.log.entries(self.acme.company_id)]


TestDecisionMoves = DecisionMachine.TestCase
TestDecisionMoves.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
