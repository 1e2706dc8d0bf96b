"""`/v1/companies/{id}/decisions`: deciding about bills, approving and releasing; no payment is executed here."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from runway_core.calculators.decided import find_needs
from runway_core.calculators.policy.judge import Payment
from runway_core.calculators.proposed_decisions import BatchCheck
from runway_core.domain.decisions import (
    Decision,
    DecisionOutcome,
    DecisionState,
    Figures,
    PaymentPart,
    RuleResult,
)
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import to_amount
from runway_core.domain.outlook import OutlookDay
from runway_core.domain.policy import Role, Ruling
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway
from runway_core.services.decision_batches import MOST_BILLS, BillChoice, DecidedBatch
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor, name_actor
from runway_app_http.api.amounts import SentAmount
from runway_app_http.api.answers import answer
from runway_app_http.api.versions import IfMatch, tag_of
from runway_app_http.following import follow_change

router = APIRouter(prefix="/companies/{company_id}/decisions", tags=["decisions"])


class PartBody(BaseModel):
    """One payment: its cash is gone on `on`, the day it arrives. `amount` is in the bill's currency."""

    model_config = ConfigDict(extra="forbid")

    on: date
    amount: SentAmount


class NewDecision(BaseModel):
    """What is decided about one bill. Without `payments` it is paid or delayed as proposed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "bill_id": "B2",
                "outcome": "delay",
                "payments": [{"on": "2026-03-13", "amount": "3200.00"}],
                "reason": "the vendor agreed",
            }
        },
    )

    bill_id: str = Field(max_length=128)
    outcome: DecisionOutcome
    payments: list[PartBody] = Field(default_factory=list, max_length=24)
    reason: str = Field("", max_length=2000, description="Needed to delay and to escalate.")
    escalated_to: str | None = Field(None, max_length=200, description="Who decides instead, to escalate.")
    by: str | None = Field(None, max_length=100, description="Who decides; taken on trust where nobody signs in.")


class DecisionApproval(BaseModel):
    """One person's yes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"by": "ada", "role": "controller"}})

    by: str = Field("", max_length=100, description="Who approves, where nobody signs in; else it is whoever asks.")
    role: Role | None = Field(None, description="In which role, where nobody signs in; else it is the person's own.")
    note: str = Field("", max_length=2000)


class DecisionStepBody(BaseModel):
    """Who takes a step, and why."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"by": "ada"}})

    by: str | None = Field(None, max_length=100, description="Who does it; taken on trust where nobody signs in.")
    reason: str = Field("", max_length=2000, description="Kept with a withdrawal.")


class PaymentToCheck(PartBody):
    """One payment of a batch."""

    bill_id: str = Field(max_length=128)


class BatchToCheck(BaseModel):
    """Payments that would all be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"payments": [{"bill_id": "B2", "on": "2026-03-10", "amount": "3200.00"}]}},
    )

    payments: list[PaymentToCheck] = Field(min_length=1, max_length=200)


class ChosenBill(BaseModel):
    """One bill of a batch; without a day or an amount as proposed."""

    model_config = ConfigDict(extra="forbid")

    bill_id: str = Field(max_length=128)
    on: date | None = None
    amount: SentAmount | None = None


class BatchToDecide(BaseModel):
    """Ready bills to be decided about together."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"bills": [{"bill_id": "B2"}, {"bill_id": "B5"}]}}
    )

    bills: list[ChosenBill] = Field(min_length=1, max_length=MOST_BILLS)
    reason: str = Field("", max_length=2000, description="Needed where one arrives after its due day.")
    by: str | None = Field(None, max_length=100, description="Who decides, where nobody is signed in.")


class BillDecided(View):
    """What became of one bill: its decision, or why there is none."""

    bill_id: str
    decision: Decision | None
    error: str | None
    error_code: str | None


class DecidedBatchAnswer(View):
    """What became of each bill, and the figures before and with what was decided."""

    outcomes: tuple[BillDecided, ...]
    before: Figures
    after: Figures

    @classmethod
    def of(cls, batch: DecidedBatch) -> "DecidedBatchAnswer":
        """The answer about a batch."""
        return cls(
            outcomes=tuple(
                BillDecided(
                    bill_id=one.choice.bill_id,
                    decision=one.decision,
                    error=None if one.error is None else str(one.error),
                    error_code=None if one.error is None else one.error.code,
                )
                for one in batch.outcomes
            ),
            before=batch.before,
            after=batch.after,
        )


class DecisionAnswer(View):
    """A decision, and what is wanting before it is approved."""

    decision: Decision
    needs: tuple[str, ...]

    @classmethod
    def of(cls, decision: Decision) -> "DecisionAnswer":
        """The answer about one decision."""
        is_waiting = decision.state is DecisionState.DECIDED and bool(decision.payments)
        return cls(
            decision=decision,
            needs=tuple(find_needs(decision.results, decision.approvals)) if is_waiting else (),
        )


class CheckedPayment(View):
    """What the rules say of one payment beside the others."""

    bill_id: str
    on: date
    amount: Decimal
    ruling: Ruling
    results: tuple[RuleResult, ...]


class BatchAnswer(View):
    """Payments judged as a whole; the days are those with all of them."""

    company: CompanyHeading
    as_of: date
    books_read_at: AwareDatetime
    policy_version: int
    ruling: Ruling
    payments: tuple[CheckedPayment, ...]
    before: Figures
    after: Figures
    days: tuple[OutlookDay, ...]

    @classmethod
    def of(cls, checked: BatchCheck) -> "BatchAnswer":
        """The answer about a batch."""
        books = checked.proposed.books
        return cls(
            company=CompanyHeading.of(books.company),
            as_of=books.as_of,
            books_read_at=books.read_at,
            policy_version=books.policy.version,
            ruling=checked.ruling,
            payments=tuple(
                CheckedPayment(
                    bill_id=judged.payment.bill_id,
                    on=judged.payment.on,
                    amount=judged.payment.amount,
                    ruling=judged.ruling,
                    results=judged.results,
                )
                for judged in checked.judged
            ),
            before=checked.before,
            after=checked.after,
            days=checked.outlook.days,
        )


async def decide_bill(
    runway: Runway, company_id: CompanyId, decision: NewDecision, *, actor: str, version: int | None = None
) -> Decision:
    """Decide about a bill, and bring the position up to date: what the API, the pages and the commands share.

    Raises:
        InvalidRequest, NotFound, PolicyBlocked, StaleRevision: as `DecisionService.decide`.
    """
    decided = await runway.decisions.decide(
        company_id,
        decision.bill_id,
        decision.outcome,
        actor=decision.by or actor,
        payments=[PaymentPart(on=part.on, amount=to_amount(part.amount)) for part in decision.payments],
        reason=decision.reason,
        escalated_to=decision.escalated_to,
        version=version,
    )
    await follow_change(runway, company_id)
    return decided


async def find_decision(runway: Runway, company_id: CompanyId, name: str) -> Decision:
    """A decision by its id, or the open one of the bill that `name` is the id of.

    Raises:
        NotFound: no such company in this firm, or no such decision.
    """
    for decision in await runway.decisions.list(company_id):
        if name in (decision.paper_id, decision.bill_id):
            return decision
    return await runway.decisions.get(company_id, name)


@router.post("", response_model=DecisionAnswer)
async def post_decision(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    decision: NewDecision,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Pay a bill on a day, delay it with a reason, split it, or escalate it. The same decision again is harmless."""
    decided = await decide_bill(runway, company_id, decision, actor=actor, version=if_match)
    return await _answer(runway, company_id, decided)


@router.post("/check", response_model=BatchAnswer)
async def check_batch(company_id: CompanyInPath, runway: RunwayOfApp, *, batch: BatchToCheck) -> Response:
    """Judge payments as a whole, beside everything else as it is proposed. Nothing is kept."""
    company = await runway.companies.get(company_id)
    checked = await runway.decisions.check(company_id, read_payments(batch.payments))
    return answer(BatchAnswer.of(checked), currency=company.home_currency)


@router.post("/batch", response_model=DecidedBatchAnswer)
async def decide_batch(
    company_id: CompanyInPath, runway: RunwayOfApp, *, batch: BatchToDecide, actor: ApiActor
) -> Response:
    """Decide about ready bills, judged as a whole: what a rule blocks is left out, the rest is one transaction."""
    company = await runway.companies.get(company_id)
    choices = [BillChoice(bill.bill_id, on=bill.on, amount=bill.amount) for bill in batch.bills]
    decided = await runway.decision_batches.decide(company_id, choices, actor=batch.by or actor, reason=batch.reason)
    await follow_change(runway, company_id)
    return answer(DecidedBatchAnswer.of(decided), currency=company.home_currency)


def read_payments(bodies: Sequence[PaymentToCheck]) -> list[Payment]:
    """Payments in the rules' words.

    Raises:
        InvalidRequest: an amount that cannot be kept.
    """
    return [Payment(bill_id=body.bill_id, on=body.on, amount=to_amount(body.amount)) for body in bodies]


@router.get("/{decision_id}", response_model=DecisionAnswer)
async def read_decision(company_id: CompanyInPath, runway: RunwayOfApp, *, decision_id: str) -> Response:
    """One decision with everything it rests on, its approvals and its dated steps."""
    found = await runway.decisions.get(company_id, require_id(decision_id, "decision"))
    return await _answer(runway, company_id, found)


@router.post("/{decision_id}/approve", response_model=DecisionAnswer, dependencies=[Depends(name_actor)])
async def approve_decision(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    decision_id: str,
    approval: DecisionApproval,
    if_match: IfMatch,
) -> Response:
    """Say yes in a role. With the last yes that the rules want, the decision is approved."""
    by, role = approval.by.strip(), approval.role
    if runway.scope.caller is None and (not by or role is None):
        raise InvalidRequest("nobody signs in here: say who approves (by), and in which role (role)")
    approved = await runway.decisions.approve(
        company_id,
        require_id(decision_id, "decision"),
        actor=by,
        role=role or Role.VIEWER,  # a caller's own role counts instead
        note=approval.note,
        version=if_match,
    )
    await follow_change(runway, company_id)
    return await _answer(runway, company_id, approved)


@router.post("/{decision_id}/release", response_model=DecisionAnswer)
async def release_decision(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    decision_id: str,
    step: DecisionStepBody,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Tell the client to pay it by hand, after everything was checked again. No money is moved."""
    released = await runway.decisions.release(
        company_id, require_id(decision_id, "decision"), actor=step.by or actor, version=if_match
    )
    await follow_change(runway, company_id)
    return await _answer(runway, company_id, released)


@router.post("/{decision_id}/withdraw", response_model=DecisionAnswer)
async def withdraw_decision(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    decision_id: str,
    step: DecisionStepBody,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Take a decision back before its release; the bill is ready again."""
    gone = await runway.decisions.withdraw(
        company_id, require_id(decision_id, "decision"), actor=step.by or actor, reason=step.reason, version=if_match
    )
    await follow_change(runway, company_id)
    return await _answer(runway, company_id, gone)


async def _answer(runway: Runway, company_id: CompanyId, decision: Decision) -> Response:
    company = await runway.companies.get(company_id)
    return answer(DecisionAnswer.of(decision), currency=company.home_currency, headers=tag_of(decision))
