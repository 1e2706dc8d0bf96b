"""Deciding about many ready bills at once: judged as a whole, decided in one transaction, each reported on its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from runway_core.calculators.policy.judge import JudgedPayment, Payment, find_strictest
from runway_core.calculators.proposal import find_proposed
from runway_core.calculators.proposed_decisions import BatchCheck, ProposedDecisions, check_batch
from runway_core.domain.decisions import (
    Decision,
    DecisionOutcome,
    DecisionState,
    DecisionStep,
    Figures,
    PaymentPart,
    ProposedPayment,
)
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import to_amount
from runway_core.domain.policy import Ruling
from runway_core.errors import InvalidRequest, PolicyBlocked, RunwayError
from runway_core.services.decisions import DecisionService, describe_ground, merge_results, name_decision
from runway_core.services.papers import PaperDesk, clean_text
from runway_core.services.scope import Scope

MOST_BILLS = 200
"""So many bills are checked or decided at once."""


@dataclass(frozen=True, slots=True)
class BillChoice:
    """One bill of a batch: paid so that it arrives on a day, and how much of it; `None` is as proposed."""

    bill_id: str
    on: date | None = None
    amount: Decimal | None = None  # in the bill's currency


@dataclass(frozen=True, slots=True)
class BillOutcome:
    """What became of one choice: the decision, or why there is none."""

    choice: BillChoice
    decision: Decision | None = None
    error: RunwayError | None = None


@dataclass(frozen=True, slots=True)
class DecidedBatch:
    """A batch with its outcomes, in the order of the choices, and the figures before and with what was decided."""

    outcomes: Sequence[BillOutcome]
    before: Figures
    after: Figures


class DecisionBatchService:
    """Checks and decides batches of bills. Bills that are decided already are left as they are."""

    def __init__(self, scope: Scope, decisions: DecisionService) -> None:
        self._scope = scope
        self._decisions = decisions
        self._desk = PaperDesk(scope)

    async def check(self, company_id: CompanyId, bills: Sequence[BillChoice]) -> BatchCheck:
        """Judge bills together, each as chosen or as proposed, beside the others as proposed. Writes nothing.

        A bill that a person is to be asked about has no proposed day: its day in the outlook stands in.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: none, too many, one twice, one that is not ready, or a payment that cannot be.
        """
        _demand_choices(bills)
        proposed = await self._decisions.propose(company_id)
        planned = find_proposed(proposed.proposal)
        days = {one.bill_id: one.pay_date for one in proposed.readiness}
        payments = []
        for choice in bills:
            plan = planned.get(choice.bill_id)
            if plan is None:
                raise InvalidRequest(_say_not_ready(proposed, choice.bill_id))
            payments.append(_as_payment(choice, plan, otherwise=days[choice.bill_id]))
        return check_batch(proposed, payments)

    async def decide(
        self, company_id: CompanyId, bills: Sequence[BillChoice], *, actor: str, reason: str = ""
    ) -> DecidedBatch:
        """Decide about ready bills, all in one transaction. What a rule blocks is left out, and the rest judged anew.

        A bill that arrives after its due day is delayed, which needs a reason: the proposal's own where it proposed the
        day.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: none, too many, one twice, or a payment that cannot be; nothing is decided.
            StaleRevision: somebody decided about one of them meanwhile; nothing is decided.
        """
        _demand_choices(bills)
        reason, actor = clean_text(reason, "the reason"), self._scope.name_actor(actor)
        proposed = await self._decisions.propose(company_id)
        planned = find_proposed(proposed.proposal)
        wanted: dict[str, _Wanted] = {}
        errors: dict[str, RunwayError] = {}
        for choice in bills:
            plan = planned.get(choice.bill_id)
            if plan is None:
                errors[choice.bill_id] = InvalidRequest(_say_not_ready(proposed, choice.bill_id))
                continue
            try:
                wanted[choice.bill_id] = _want(proposed, choice, plan, reason=reason)
            except InvalidRequest as error:
                errors[choice.bill_id] = error
        checked = _check_unblocked(proposed, wanted, errors)
        made = await self._make(company_id, checked, wanted, actor=actor) if checked is not None else []
        saved = {decision.bill_id: decision for decision in await self._desk.save_all(company_id, made, actor=actor)}
        outcomes = [BillOutcome(c, saved.get(c.bill_id), errors.get(c.bill_id)) for c in bills]
        before = proposed.proposal.before
        return DecidedBatch(outcomes, before=before, after=before if checked is None else checked.after)

    async def _make(
        self, company_id: CompanyId, checked: BatchCheck, wanted: "Mapping[str, _Wanted]", *, actor: str
    ) -> list[Decision]:
        at = self._scope.clock.now()
        ids = await self._name(company_id, [judged.payment.bill_id for judged in checked.judged])
        made = []
        for judged in checked.judged:
            bill_id = judged.payment.bill_id
            one = wanted[bill_id]
            values = describe_ground(checked.proposed, bill_id) | {
                "bill_id": bill_id,
                "outcome": one.outcome,
                "payments": (PaymentPart(on=one.payment.on, amount=one.payment.amount),),
                "reason": one.reason,
                "before": checked.before,
                "after": checked.after,
                "results": tuple(merge_results([judged])),
                "steps": (DecisionStep(state=DecisionState.DECIDED, at=at, by=actor, note=one.reason),),
            }
            made.append(self._desk.make(Decision, ids[bill_id], actor=actor, values=values))
        return made

    async def _name(self, company_id: CompanyId, bill_ids: Sequence[str]) -> dict[str, str]:
        """The id of each bill's next decision: one query for all, and one more for bills that were decided before."""
        ids: dict[str, str] = {}
        left, number = list(bill_ids), 1
        while left:
            names = {bill_id: name_decision(bill_id, number) for bill_id in left}
            taken = await self._desk.find_all(company_id, Decision, list(names.values()))
            ids |= {bill_id: name for bill_id, name in names.items() if name not in taken}
            left = [bill_id for bill_id, name in names.items() if name in taken]
            number += 1
        return ids


@dataclass(frozen=True, slots=True)
class _Wanted:
    payment: Payment
    outcome: DecisionOutcome
    reason: str


def _demand_choices(choices: Sequence[BillChoice]) -> None:
    if not 0 < len(choices) <= MOST_BILLS:
        raise InvalidRequest(f"choose 1 to {MOST_BILLS} bills at once")
    if len({choice.bill_id for choice in choices}) < len(choices):
        raise InvalidRequest("a bill is chosen twice")


def _say_not_ready(proposed: ProposedDecisions, bill_id: str) -> str:
    readiness = {one.bill_id: one for one in proposed.readiness}.get(bill_id)
    if readiness is None:
        return f"{proposed.books.company.name!r} has no open bill {bill_id!r}"
    return f"bill {bill_id!r} is not ready: {'; '.join(readiness.reasons) or 'it is decided already'}"


def _as_payment(choice: BillChoice, plan: ProposedPayment, *, otherwise: date | None = None) -> Payment:
    on = choice.on or plan.on or otherwise
    if on is None:
        raise InvalidRequest(f"no day is proposed for bill {choice.bill_id!r}: say on which it is paid")
    return Payment(choice.bill_id, on, plan.amount if choice.amount is None else to_amount(choice.amount))


def _want(proposed: ProposedDecisions, choice: BillChoice, plan: ProposedPayment, *, reason: str) -> _Wanted:
    payment = _as_payment(choice, plan)
    if payment.on < proposed.books.as_of:
        raise InvalidRequest(f"a payment lies in the past: give a day from {proposed.books.as_of} on")
    due = proposed.ground.payables[choice.bill_id].bill.due_date
    if due is None or payment.on <= due:
        return _Wanted(payment, DecisionOutcome.PAY, reason)
    if not reason and payment.on != plan.on:
        raise InvalidRequest("delaying needs a reason: say why the vendor can wait")
    return _Wanted(payment, DecisionOutcome.DELAY, reason or plan.reason)


def _check_unblocked(
    proposed: ProposedDecisions, wanted: Mapping[str, _Wanted], errors: dict[str, RunwayError]
) -> BatchCheck | None:
    """Judge the batch without what a rule blocks in it; each round leaves bills out, so that it ends."""
    left = list(wanted)
    while left:
        checked = check_batch(proposed, [wanted[bill_id].payment for bill_id in left])
        blocked = [judged for judged in checked.judged if judged.ruling is Ruling.BLOCK]
        if not blocked:
            return checked
        errors |= {judged.payment.bill_id: _refuse(judged) for judged in blocked}
        left = [bill_id for bill_id in left if bill_id not in errors]
    return None


def _refuse(judged: JudgedPayment) -> PolicyBlocked:
    strict = find_strictest(judged.results)
    told = [f"{result.reason}. {result.remedy}" for result in judged.results if result.ruling is strict]
    return PolicyBlocked("; ".join(told))
