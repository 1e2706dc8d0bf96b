"""Released bills are put before the people who approve payments at the rail: once, after a yes, and never paid."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from runway_core.calculators.submission_plan import plan_submission
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.company import Company
from runway_core.domain.decisions import Decision, DecisionOutcome, DecisionState, PaymentPart
from runway_core.domain.documents import DocumentLine, DocumentLink, LineKind
from runway_core.domain.execution import ExecutionBill, ExecutionState
from runway_core.domain.identity import DEFAULT_FIRM, RecordKind
from runway_core.domain.parties import Vendor
from runway_core.domain.policy import Role
from runway_core.domain.submissions import Submission, SubmissionState
from runway_core.errors import InvalidRequest, NotFound, RailRefused, RailUnavailable
from runway_core.runway import Runway
from runway_core.services.submissions import SETTLING
from runway_testkit.memory_payer import MemoryPayerFactory
from runway_testkit.memory_rail import MemoryLedger
from runway_testkit.sample import AS_OF

from tests.core.desk import FirmDesk, bank, bill

VENDOR = Vendor(external_id="V1", name="Norton Lumber", currency="USD", balance=Decimal(0))


def amount(value: int) -> Decimal:
    return Decimal(value).quantize(Decimal("0.0001"))


def lines(*amounts: int) -> tuple[DocumentLine, ...]:
    return tuple(DocumentLine(line_kind=LineKind.ACCOUNT, amount=amount(one), description="Oak") for one in amounts)


PAID_BEFORE = BillPayment(
    external_id="BP0",
    vendor_id="V1",
    document_date=AS_OF - timedelta(days=90),
    currency="USD",
    total=amount(50),
    method=PaymentMethod.CHECK,
    account_id="A1",
    applied=(DocumentLink(kind=RecordKind.BILL, external_id="old", amount=amount(50)),),
)


@dataclass
class Desk:
    """A company whose bills are paid through a rail, and one decision about a bill of it."""

    firm: FirmDesk
    payer: MemoryPayerFactory
    runway: Runway
    company: Company
    decision: Decision

    @property
    def at_rail(self) -> MemoryLedger:
        return self.payer.ledgers["Acme"]

    @property
    def bills_there(self) -> list[ExecutionBill]:
        return [one for one in self.at_rail.records.values() if isinstance(one, ExecutionBill)]

    async def approve(self) -> None:
        approved = await self.runway.decisions.approve(
            self.company.company_id, self.decision.paper_id, actor="ada", role=Role.CONTROLLER
        )
        assert approved.state is DecisionState.APPROVED

    async def release(self) -> None:
        await self.approve()
        await self.runway.decisions.release(self.company.company_id, self.decision.paper_id, actor="ben")

    async def submit(self) -> Submission:
        return await self.runway.submissions.submit(self.company.company_id, self.decision.paper_id, actor="ben")


async def open_desk(*, is_connected: bool = True, **more: Any) -> Desk:
    firm, payer = FirmDesk(), MemoryPayerFactory()
    runway = firm.open(DEFAULT_FIRM, payer)
    fields = {"lines": lines(4_000, 1_000), **more}
    acme = await firm.connect("Acme", bank(20_000), VENDOR, PAID_BEFORE, bill("B1", 5_000, **fields), runway=runway)
    payer.ledgers["Acme"] = MemoryLedger(now=firm.clock.now())
    if is_connected:
        await runway.connections.add(acme.company_id, rail="payer", settings={"books": "Acme"}, secrets={})
    await runway.sync(acme.company_id)
    decision = await runway.decisions.decide(acme.company_id, "B1", DecisionOutcome.PAY, actor="ben")
    return Desk(firm, payer, runway, acme, decision)


async def test_a_released_bill_waits_for_people_at_the_rail_with_its_lines() -> None:
    desk = await open_desk()
    await desk.release()
    submission = await desk.submit()

    (there,) = desk.bills_there
    assert (submission.state, submission.rail_bill_id) == (SubmissionState.SUBMITTED, there.external_id)
    assert submission.approved_by == ("ada",)
    assert (there.state, there.total, there.ledger_bill_id) == (
        ExecutionState.AWAITING_APPROVAL,
        amount(5_000),
        "B1",
    )


async def test_nothing_is_submitted_before_somebody_said_yes_and_it_was_released() -> None:
    desk = await open_desk()
    with pytest.raises(InvalidRequest, match="approved and released"):
        await desk.submit()
    await desk.approve()
    with pytest.raises(InvalidRequest, match="approved and released"):
        await desk.submit()

    assert desk.bills_there == []
    assert await desk.runway.submissions.list(desk.company.company_id) == []


async def test_submitting_again_is_the_same_submission() -> None:
    desk = await open_desk()
    await desk.release()
    first = await desk.submit()
    calls = desk.at_rail.calls

    assert await desk.submit() == first
    assert desk.at_rail.calls == calls
    assert await desk.runway.submissions.list(desk.company.company_id) == [first]


async def test_the_intent_is_logged_before_the_rail_is_asked_and_its_answer_after() -> None:
    desk = await open_desk()
    await desk.release()
    before = await desk.runway.log_length(desk.company.company_id)
    submission = await desk.submit()

    assert await desk.runway.log_length(desk.company.company_id) == before + 2
    assert submission.version == 2
    assert submission.changed_by == "ben"


async def test_a_lost_answer_is_unknown_and_resolved_by_looking_once_it_has_settled() -> None:
    desk = await open_desk()
    await desk.release()
    desk.payer.loses_answers = True
    lost = await desk.submit()
    soon = await desk.submit()
    desk.payer.loses_answers = False
    desk.firm.clock.advance(SETTLING)
    found = await desk.submit()

    assert (lost.state, lost.error_code) == (SubmissionState.UNKNOWN, "outcome-unknown")
    assert soon == lost  # it may still be on its way
    assert found.state is SubmissionState.SUBMITTED
    assert [one.external_id for one in desk.bills_there] == [found.rail_bill_id]


async def test_a_rail_that_does_not_answer_leaves_it_unknown_because_it_does_not_say_when_it_fell_silent() -> None:
    desk = await open_desk()
    await desk.release()
    desk.at_rail.fail_next(RailUnavailable("no answer", rail="payer"))

    assert (await desk.submit()).state is SubmissionState.UNKNOWN
    assert desk.bills_there == []


async def test_a_refusal_is_kept_with_its_reason_and_may_be_tried_again_at_once() -> None:
    desk = await open_desk()
    await desk.release()
    desk.at_rail.fail_next(RailRefused("no such vendor there", rail="payer"))
    refused = await desk.submit()
    again = await desk.submit()

    assert (refused.state, refused.error) == (SubmissionState.REFUSED, "no such vendor there")
    assert (again.state, again.error, again.paper_id) == (SubmissionState.SUBMITTED, None, refused.paper_id)


async def test_without_a_rail_that_pays_bills_the_client_is_told_by_hand() -> None:
    desk = await open_desk(is_connected=False)
    await desk.release()
    with pytest.raises(NotFound, match="by hand"):
        await desk.submit()


async def test_what_waits_there_is_seen_in_the_books_after_the_next_pull() -> None:
    desk = await open_desk()
    await desk.release()
    submission = await desk.submit()
    await desk.runway.sync(desk.company.company_id, rail="payer")
    books = await desk.runway.books.read(desk.company.company_id)

    assert [(one.external_id, one.bill_id, one.is_paid) for one in books.rail_bills] == [
        (submission.rail_bill_id, "B1", False)
    ]


# What is submitted


async def released(**more: Any) -> Decision:
    desk = await open_desk(**more)
    await desk.release()
    return await desk.runway.decisions.get(desk.company.company_id, desk.decision.paper_id)


async def test_lines_that_do_not_add_up_become_one_of_the_total() -> None:
    decision = await released()
    plan = plan_submission(bill("B1", 5_000, lines=lines(4_000)), decision)

    assert [(line.amount, line.memo) for line in plan.lines] == [(amount(5_000), None)]
    assert [line.amount for line in plan_submission(bill("B1", 5_000, lines=lines(4_000, 1_000)), decision).lines] == [
        amount(4_000),
        amount(1_000),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"open_balance": amount(4_000)}, "whole bills"),
        ({"total": amount(6_000), "open_balance": amount(6_000)}, "whole bills"),
        ({"number": None}, "no number"),
        ({"vendor_id": None}, "no vendor"),
        ({"due_date": None, "number": None}, "no number and no due date"),
    ],
)
async def test_a_bill_that_a_rail_cannot_be_given_whole_is_for_people(change: dict[str, Any], reason: str) -> None:
    decision = await released()
    changed = bill("B1", 5_000, lines=lines(5_000)).model_copy(update=change)
    with pytest.raises(InvalidRequest, match=reason):
        plan_submission(changed, decision)


async def test_a_split_bill_is_paid_by_hand() -> None:
    decision = await released()
    halves = tuple(PaymentPart(on=date(2026, 3, day), amount=amount(2_500)) for day in (13, 20))
    with pytest.raises(InvalidRequest, match="whole bills"):
        plan_submission(bill("B1", 5_000), decision.model_copy(update={"payments": halves}))
