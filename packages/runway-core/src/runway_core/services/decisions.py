"""Decisions about bills: proposed by policy, made and approved by people, told to the client, and seen in the books.

No payment is executed here, and none is said to be: a release tells the client to pay, and what was paid is read from
the ledger and, where one is connected, from the rail that moves money. Each step is one save of one paper, which is
logged with it: what was saved stands, whatever happens next.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from runway_core.calculators.decided import OBSERVER, find_lapses, find_needs, move_decision, plan_observed, read_facts
from runway_core.calculators.policy.judge import JudgedPayment, Payment, judge_payments
from runway_core.calculators.proposal import find_proposed
from runway_core.calculators.proposed_decisions import (
    BatchCheck,
    ProposedDecisions,
    check_batch,
    propose_decisions,
)
from runway_core.calculators.what_if import read_figures
from runway_core.domain.books import Books
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.decisions import (
    Approval,
    Decision,
    DecisionOutcome,
    DecisionState,
    DecisionStep,
    PaymentPart,
    RuleResult,
)
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import to_amount
from runway_core.domain.policy import Role, Ruling
from runway_core.errors import ApprovalLapsed, InvalidRequest, NotFound, PolicyBlocked, SignInNeeded, StaleRevision
from runway_core.services.books import BooksService
from runway_core.services.findings import FindingService
from runway_core.services.papers import PaperDesk, clean_text, demand_version, name_by
from runway_core.services.scope import Scope

MOST_PARTS = 24
"""A bill split into more parts is a loan."""

TOLD = "told the client, to be paid by hand"


class DecisionService:
    """Keeps decisions. At most one decision of a bill is open at a time."""

    def __init__(self, scope: Scope, books: BooksService, findings: FindingService) -> None:
        self._scope = scope
        self._books = books
        self._findings = findings
        self._desk = PaperDesk(scope)

    async def list(
        self, company_id: CompanyId, *, include_closed: bool = False, limit: int | None = None
    ) -> Sequence[Decision]:
        """The decisions of a company, the last changed first; recorded and withdrawn ones only on request.

        Raises:
            NotFound: no such company in this firm.
        """
        return await self._desk.list(company_id, Decision, include_closed=include_closed, limit=limit)

    async def get(self, company_id: CompanyId, decision_id: str) -> Decision:
        """One decision, closed or not.

        Raises:
            NotFound: no such company in this firm, or no such decision.
        """
        return await self._desk.read(company_id, Decision, decision_id)

    async def propose(self, company_id: CompanyId) -> ProposedDecisions:
        """What policy would do with each ready bill, in the order in which they are to be paid. Writes nothing.

        Raises:
            NotFound: no such company in this firm.
        """
        return propose_decisions(await self._books.read(company_id), await self._findings.list(company_id))

    async def check(self, company_id: CompanyId, payments: Sequence[Payment]) -> BatchCheck:
        """Judge payments together, beside everything else as it is proposed. Writes nothing.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: there is none, or one cannot be.
        """
        if not payments:
            raise InvalidRequest("name at least one payment to check")
        return check_batch(await self.propose(company_id), payments)

    async def move(self, company_id: CompanyId, bill_id: str, on: date, *, amount: Decimal | None = None) -> BatchCheck:
        """What it would be like if an open bill, or `amount` of it, were paid on a day. Writes nothing.

        Raises:
            NotFound: no such company in this firm, or no such open bill.
            InvalidRequest: the amount cannot be.
        """
        proposed = await self.propose(company_id)
        payable = proposed.ground.payables.get(bill_id)
        if payable is None:
            raise NotFound(f"{proposed.books.company.name!r} has no open bill {bill_id!r}")
        return check_batch(proposed, [Payment(bill_id, on, payable.balance if amount is None else to_amount(amount))])

    async def decide(
        self,
        company_id: CompanyId,
        bill_id: str,
        outcome: DecisionOutcome,
        *,
        actor: str,
        payments: Sequence[PaymentPart] = (),
        reason: str = "",
        escalated_to: str | None = None,
        version: int | None = None,
    ) -> Decision:
        """Decide about a ready bill, or decide anew while it is not released. The same decision again is harmless.

        Without `payments` a bill is paid or delayed as proposed. `version` is that of the bill's open decision, nil
        when it has none.

        Raises:
            NotFound: no such company in this firm, or no such open bill.
            InvalidRequest: the bill needs data, is released already, or payments, reason or person are amiss.
            PolicyBlocked: a rule blocks it; the message names each with what would free it.
            StaleRevision: it was decided about since `version`, or meanwhile.
        """
        actor = self._scope.name_actor(actor)
        reason, to = clean_text(reason, "the reason"), clean_text(escalated_to or "", "the person") or None
        proposed = await self.propose(company_id)
        held, decision_id = await self._find_open(company_id, bill_id)
        if not payments and held is not None and held.outcome is outcome:
            payments = held.payments
        parts = _choose_payments(proposed, bill_id, outcome, payments)
        _demand_sense(outcome, parts, reason=reason, escalated_to=to, books=proposed.books)
        if held is not None and _is_same(held, outcome, parts, reason=reason, escalated_to=to):
            return held
        if held is not None:
            demand_version(held, version)
        elif version:
            raise StaleRevision("the bill has no open decision any more: look again, then decide")
        checked = check_batch(proposed, _as_payments(bill_id, parts)) if parts else None
        results = merge_results(checked.judged) if checked else _results_of(proposed, bill_id)
        _refuse_blocked(results if parts else ())
        before = read_figures(proposed.ground.outlook)
        at = self._scope.clock.now()
        values = describe_ground(proposed, bill_id) | {
            "outcome": outcome,
            "payments": tuple(parts),
            "reason": reason,
            "escalated_to": to if outcome is DecisionOutcome.ESCALATE else None,
            "before": before,
            "after": checked.after if checked else before,
            "results": tuple(results),
        }
        if held is None:
            step = DecisionStep(state=DecisionState.DECIDED, at=at, by=actor, note=reason)
            decided = self._desk.make(
                Decision, decision_id, actor=actor, values={"bill_id": bill_id, "steps": (step,), **values}
            )
        else:
            decided = move_decision(
                self._desk.change(held, values), DecisionState.DECIDED, at=at, by=actor, note=reason
            )
        return await self._desk.save(company_id, decided, actor=actor)

    async def approve(
        self,
        company_id: CompanyId,
        decision_id: str,
        *,
        actor: str,
        role: Role,
        note: str = "",
        version: int | None = None,
    ) -> Decision:
        """Say yes as `role`. With the last yes that the rules want, the decision is approved; repeating is harmless.

        Raises:
            NotFound: no such company in this firm, or no such decision.
            InvalidRequest: it is not waiting for approval: escalated, released or closed.
            SignInNeeded: the firm has people, and none of them asks.
            ApprovalLapsed: the bill is no longer what was decided about; nothing is approved.
            PolicyBlocked: a rule blocks it now, such as the one of two people; nothing is approved.
            StaleRevision: it was changed since `version`, or meanwhile.
        """
        if self._scope.caller is None and await self._scope.store.people.has_people(self._scope.firm_id):
            raise SignInNeeded("people of the firm approve under their own name: sign in, or set RUNWAY_API_KEY")
        actor, role = self._scope.name_actor(actor), self._scope.name_role(role)
        if role is Role.VIEWER:
            raise InvalidRequest("a viewer approves nothing")
        decision = await self._desk.read(company_id, Decision, decision_id, version=version)
        if any(held.by == actor and held.role is role for held in decision.approvals):
            return decision
        if decision.outcome is DecisionOutcome.ESCALATE or decision.state is not DecisionState.DECIDED:
            raise InvalidRequest(f"nothing to approve: the decision is {_say_standing(decision)}")
        at = self._scope.clock.now()
        approval = Approval(by=actor, role=role, at=at, note=clean_text(note, "the note"))
        approvals = (*decision.approvals, approval)
        results = await self._judge_again(company_id, decision, approvals)
        _refuse_blocked(results)
        decision = decision.model_copy(update={"approvals": approvals, "results": tuple(results)})
        if not find_needs(results, approvals):
            decision = move_decision(decision, DecisionState.APPROVED, at=at, by=actor, note=approval.note)
        return await self._desk.save(company_id, decision, actor=actor)

    async def withdraw(
        self, company_id: CompanyId, decision_id: str, *, actor: str, reason: str = "", version: int | None = None
    ) -> Decision:
        """Take a decision back before its release; the bill is ready again. Repeating is harmless.

        Raises:
            NotFound: no such company in this firm, or no such decision.
            InvalidRequest: it is released or recorded already.
            StaleRevision: it was changed since `version`, or meanwhile.
        """
        actor = self._scope.name_actor(actor)
        decision = await self._desk.read(company_id, Decision, decision_id, version=version)
        if decision.state is DecisionState.WITHDRAWN:
            return decision
        note = clean_text(reason, "the reason")
        gone = move_decision(decision, DecisionState.WITHDRAWN, at=self._scope.clock.now(), by=actor, note=note)
        return await self._desk.save(company_id, gone, actor=actor)

    async def release(
        self, company_id: CompanyId, decision_id: str, *, actor: str, version: int | None = None
    ) -> Decision:
        """Tell the client to pay what was approved, by hand: Runway moves no money. Repeating is harmless.

        Everything is checked again. Where the bill or a rule changed since the approval, the approval is taken back
        and kept so, and the decision waits to be made anew.

        Raises:
            NotFound: no such company in this firm, or no such decision.
            InvalidRequest: it is not approved.
            ApprovalLapsed: it was approved on other facts; the message names them.
            StaleRevision: it was changed since `version`, or meanwhile.
        """
        actor = self._scope.name_actor(actor)
        decision = await self._desk.read(company_id, Decision, decision_id, version=version)
        if decision.state is DecisionState.RELEASED:
            return decision
        if decision.state is not DecisionState.APPROVED:
            raise InvalidRequest(f"only an approved decision is released: this one is {_say_standing(decision)}")
        at = self._scope.clock.now()
        proposed = await self.propose(company_id)
        lapses = _find_lapses(proposed, decision, decision.approvals)
        if lapses:
            note = f"approved on other facts: {'; '.join(lapses)}"
            stopped = decision.model_copy(update={"approvals": ()})
            stopped = move_decision(stopped, DecisionState.DECIDED, at=at, by=OBSERVER, note=note)
            await self._desk.save(company_id, stopped, actor=actor)
            raise ApprovalLapsed(f"bill {decision.bill_id!r} was {note}: look at it, then decide again")
        told = decision.model_copy(update={"told_client": True})
        told = move_decision(told, DecisionState.RELEASED, at=at, by=actor, note=TOLD)
        return await self._desk.save(company_id, told, actor=actor)

    async def observe(self, company_id: CompanyId) -> Sequence[Decision]:
        """Move decisions on as the books show it, after a read; returns those that moved. Repeating moves nothing.

        Raises:
            NotFound: no such company in this firm.
        """
        held = await self._desk.list(company_id, Decision)
        if not held:
            return []
        books = await self._books.read(company_id)
        at = self._scope.clock.now()
        moved = plan_observed(books, held, at=at)
        if not moved:
            return []
        by = Attribution(cause=Cause.CASCADE, actor=OBSERVER, correlation_id=self._scope.new_id())
        try:
            return await self._scope.store.papers.save_papers(company_id, moved, attribution=by, at=at)
        except StaleRevision:
            return []  # a person was faster: the next read looks again

    async def _find_open(self, company_id: CompanyId, bill_id: str) -> tuple[Decision | None, str]:
        """The bill's open decision, and the id that it has or that the next one gets."""
        number = 1
        while True:
            decision_id = name_decision(bill_id, number)
            held = await self._desk.find(company_id, Decision, decision_id)
            if held is None or not held.is_closed:
                return held, decision_id
            number += 1

    async def _judge_again(
        self, company_id: CompanyId, decision: Decision, approvals: Sequence[Approval]
    ) -> Sequence[RuleResult]:
        proposed = await self.propose(company_id)
        payable = proposed.ground.payables.get(decision.bill_id)
        facts = None if payable is None else read_facts(proposed.books, payable.bill)
        changed = find_lapses(decision, facts, (), approvals)
        if changed:
            raise ApprovalLapsed(f"bill {decision.bill_id!r} was decided on other facts: {'; '.join(changed)}")
        return _judge(proposed, decision, approvals)


def describe_ground(proposed: ProposedDecisions, bill_id: str) -> dict[str, object]:
    """What a decision about a bill rests on, and that nobody said yes to it yet."""
    return {
        "facts": read_facts(proposed.books, proposed.ground.payables[bill_id].bill),
        "policy_version": proposed.books.policy.version,
        "firm_policy_version": proposed.books.policy.firm_version,
        "log_sequence": proposed.books.log_sequence,
        "approvals": (),
        "told_client": False,
    }


def name_decision(bill_id: str, number: int) -> str:
    """The id of the nth decision about a bill: two people who decide at once want the same one, and one is refused."""
    return name_by("decision", bill_id, str(number))


def _choose_payments(
    proposed: ProposedDecisions, bill_id: str, outcome: DecisionOutcome, payments: Sequence[PaymentPart]
) -> Sequence[PaymentPart]:
    """The payments of a decision: those given, else the proposed one.

    Raises:
        NotFound: no such open bill.
        InvalidRequest: the bill needs data, or nothing is proposed that could stand for the payments.
    """
    readiness = {readiness.bill_id: readiness for readiness in proposed.readiness}.get(bill_id)
    if readiness is None:
        raise NotFound(f"{proposed.books.company.name!r} has no open bill {bill_id!r}")
    if not readiness.is_ready:
        raise InvalidRequest(f"bill {bill_id!r} needs data before anyone decides: {'; '.join(readiness.reasons)}")
    if outcome is DecisionOutcome.ESCALATE or payments:
        return sorted(payments, key=lambda part: (part.on, part.amount))
    planned = find_proposed(proposal=proposed.proposal).get(bill_id)
    if outcome is DecisionOutcome.SPLIT or planned is None or planned.on is None:
        raise InvalidRequest("no day is proposed: say how much is paid on which day")
    return [PaymentPart(on=planned.on, amount=planned.amount)]


def _demand_sense(
    outcome: DecisionOutcome, parts: Sequence[PaymentPart], *, reason: str, escalated_to: str | None, books: Books
) -> None:
    match outcome:
        case DecisionOutcome.ESCALATE:
            if parts or escalated_to is None or not reason:
                raise InvalidRequest("escalating needs a person and a reason, and no payments")
        case DecisionOutcome.SPLIT:
            if not 2 <= len(parts) <= MOST_PARTS:
                raise InvalidRequest(f"a split has 2 to {MOST_PARTS} parts")
        case DecisionOutcome.PAY | DecisionOutcome.DELAY:
            if len(parts) != 1:
                raise InvalidRequest("one payment is one part: split the bill for more")
            if outcome is DecisionOutcome.DELAY and not reason:
                raise InvalidRequest("delaying needs a reason: say why the vendor can wait")
    if any(part.on < books.as_of for part in parts):
        raise InvalidRequest(f"a payment lies in the past: give a day from {books.as_of} on")


def _is_same(
    held: Decision,
    outcome: DecisionOutcome,
    parts: Sequence[PaymentPart],
    *,
    reason: str,
    escalated_to: str | None,
) -> bool:
    wanted = (outcome, tuple(parts), reason, escalated_to if outcome is DecisionOutcome.ESCALATE else None)
    return wanted == (held.outcome, held.payments, held.reason, held.escalated_to)


def _as_payments(bill_id: str, parts: Sequence[PaymentPart]) -> list[Payment]:
    return [Payment(bill_id, part.on, part.amount) for part in parts]


def merge_results(judged: Sequence[JudgedPayment]) -> list[RuleResult]:
    """One result a rule over the parts of a bill: the strictest, the earliest part's where they agree."""
    columns = zip(*(one.results for one in judged), strict=True)
    return [max(column, key=lambda result: result.ruling.rank) for column in columns]


def _results_of(proposed: ProposedDecisions, bill_id: str) -> Sequence[RuleResult]:
    planned = find_proposed(proposed.proposal).get(bill_id)
    return planned.results if planned is not None else ()


def _refuse_blocked(results: Sequence[RuleResult]) -> None:
    blocked = [result for result in results if result.ruling is Ruling.BLOCK]
    if blocked:
        raise PolicyBlocked("; ".join(f"{result.reason}. {result.remedy}" for result in blocked))


def _judge(proposed: ProposedDecisions, decision: Decision, approvals: Sequence[Approval]) -> list[RuleResult]:
    people = tuple(approval.by for approval in approvals)
    payments = _as_payments(decision.bill_id, decision.payments)
    return merge_results(judge_payments(proposed.planned, payments, approvers={decision.bill_id: people}))


def _find_lapses(proposed: ProposedDecisions, decision: Decision, approvals: Sequence[Approval]) -> list[str]:
    payable = proposed.ground.payables.get(decision.bill_id)
    if payable is None:
        return find_lapses(decision, None, (), approvals)
    facts = read_facts(proposed.books, payable.bill)
    if facts != decision.facts:
        return find_lapses(decision, facts, (), approvals)
    return find_lapses(decision, facts, _judge(proposed, decision, approvals), approvals)


def _say_standing(decision: Decision) -> str:
    if decision.outcome is DecisionOutcome.ESCALATE and not decision.is_closed:
        return f"escalated to {decision.escalated_to}: decide again"
    return decision.state.value
