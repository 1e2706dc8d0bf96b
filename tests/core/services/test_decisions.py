"""Decisions from proposal to record: who may do what, what is kept, and what stops a release."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from runway_core.calculators.policy.judge import Payment
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.company import Company
from runway_core.domain.decisions import Decision, DecisionOutcome, DecisionState, PaymentPart
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.parties import Vendor
from runway_core.domain.policy import Role, RuleName, Ruling
from runway_core.errors import ApprovalLapsed, InvalidRequest, NotFound, PolicyBlocked, StaleRevision
from runway_testkit.sample import AS_OF

from tests.core.desk import OTHERS, FirmDesk, bank, bill

PAY, DELAY = DecisionOutcome.PAY, DecisionOutcome.DELAY
DUE = date(2026, 3, 16)


def amount(value: int) -> Decimal:
    return Decimal(value).quantize(Decimal("0.0001"))


def paid_before(vendor_id: str = "V1") -> BillPayment:
    link = DocumentLink(kind=RecordKind.BILL, external_id="old", amount=amount(50))
    return BillPayment(
        external_id="BP0",
        vendor_id=vendor_id,
        document_date=AS_OF - timedelta(days=90),
        currency="USD",
        total=amount(50),
        method=PaymentMethod.CHECK,
        account_id="A1",
        applied=(link,),
    )


VENDOR = Vendor(external_id="V1", name="Norton Lumber", currency="USD", balance=amount(0))


def part(on: date, value: int) -> PaymentPart:
    return PaymentPart(on=on, amount=amount(value))


async def desk_with_a_bill(total: int = 5_000, *, cash: int = 20_000, **more: Any) -> tuple[FirmDesk, Company]:
    """A bill of a vendor that was paid before, and cash."""
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(cash), VENDOR, paid_before(), bill("B1", total, **more))
    await desk.runway.sync(acme.company_id)
    return desk, acme


async def decide(desk: FirmDesk, acme: Company, outcome: DecisionOutcome = PAY, **more: Any) -> Decision:
    return await desk.runway.decisions.decide(acme.company_id, "B1", outcome, actor="ben", **more)


async def approve(
    desk: FirmDesk, acme: Company, decision: Decision, *, actor: str = "ada", role: Role = Role.CONTROLLER
) -> Decision:
    return await desk.runway.decisions.approve(acme.company_id, decision.paper_id, actor=actor, role=role)


async def test_a_bill_is_paid_as_proposed_and_everything_it_rests_on_is_kept() -> None:
    desk, acme = await desk_with_a_bill()
    decision = await decide(desk, acme, reason="usual")

    assert decision.state is DecisionState.DECIDED
    assert decision.payments == (part(date(2026, 3, 13), 5_000),)  # released on Tuesday
    assert [result.rule for result in decision.results] == list(RuleName)
    assert (decision.before.runway_days, decision.after.runway_days) == (None, None)
    assert decision.before.low_28_days == decision.after.low_28_days
    assert (decision.facts.open_balance, decision.facts.due_date) == (amount(5_000), DUE)
    assert decision.log_sequence > 0
    assert [(step.state, step.by, step.note) for step in decision.steps] == [(DecisionState.DECIDED, "ben", "usual")]


async def test_the_same_decision_again_is_harmless_and_another_one_replaces_it() -> None:
    desk, acme = await desk_with_a_bill()
    first = await decide(desk, acme)

    assert await decide(desk, acme) == first
    second = await decide(desk, acme, DELAY, payments=[part(date(2026, 3, 20), 5_000)], reason="the vendor agreed")

    assert (second.paper_id, second.version, second.outcome) == (first.paper_id, 2, DELAY)
    assert await desk.runway.decisions.list(acme.company_id) == [second]


async def test_two_people_who_decide_at_once_do_not_both_win() -> None:
    desk, acme = await desk_with_a_bill()
    first = await decide(desk, acme)

    with pytest.raises(StaleRevision):
        await decide(
            desk, acme, DELAY, reason="later", payments=[part(date(2026, 3, 20), 5_000)], version=first.version + 1
        )


async def test_a_decided_bill_leaves_on_the_decided_day() -> None:
    desk, acme = await desk_with_a_bill()
    later = part(date(2026, 3, 26), 5_000)
    await decide(desk, acme, DELAY, payments=[later], reason="the vendor agreed")

    view = await desk.runway.outlook(acme.company_id)

    assert [event.on for event in view.outlook.events if event.source == RecordKey(RecordKind.BILL, "B1")] == [later.on]


async def test_the_role_that_the_amount_wants_approves() -> None:
    desk, acme = await desk_with_a_bill(12_000)
    decision = await decide(desk, acme)

    one = await approve(desk, acme, decision)
    again = await approve(desk, acme, decision)
    both = await approve(desk, acme, decision, actor="eve", role=Role.OWNER)

    assert (one.state, again) == (DecisionState.DECIDED, one)
    assert both.state is DecisionState.APPROVED
    assert [approval.by for approval in both.approvals] == ["ada", "eve"]


async def test_one_person_is_not_two() -> None:
    desk, acme = await desk_with_a_bill(12_000)
    decision = await decide(desk, acme)
    await approve(desk, acme, decision, role=Role.OWNER)

    same = await approve(desk, acme, decision, role=Role.CONTROLLER)

    assert same.state is DecisionState.DECIDED


async def test_a_bookkeepers_yes_is_not_a_controllers() -> None:
    desk, acme = await desk_with_a_bill()
    decision = await decide(desk, acme)

    assert (await approve(desk, acme, decision, role=Role.BOOKKEEPER)).state is DecisionState.DECIDED
    assert (await approve(desk, acme, decision, role=Role.OWNER)).state is DecisionState.APPROVED


async def test_a_new_vendor_waits_for_the_call_back() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(20_000), VENDOR, bill("B1", 500))
    await desk.runway.sync(acme.company_id)
    decision = await decide(desk, acme)

    waiting = await approve(desk, acme, decision)
    await desk.runway.call_backs.note(acme.company_id, "V1", spoke_to="Ed", number_called="555-0100", actor="ada")
    called = await approve(desk, acme, decision, actor="eve")

    assert waiting.state is DecisionState.DECIDED
    assert called.state is DecisionState.APPROVED


async def test_what_a_rule_blocks_is_not_decided_and_the_remedy_is_told() -> None:
    desk, acme = await desk_with_a_bill(5_000, cash=4_000)

    with pytest.raises(PolicyBlocked, match=r"below nil.*Pay after"):
        await decide(desk, acme, payments=[part(date(2026, 3, 13), 5_000)])

    assert await desk.runway.decisions.list(acme.company_id) == []


async def test_what_no_day_allows_is_escalated_or_split() -> None:
    desk, acme = await desk_with_a_bill(5_000, cash=4_000)
    with pytest.raises(InvalidRequest, match="no day is proposed"):
        await decide(desk, acme)
    parts = [part(date(2026, 3, 13), 4_000), part(date(2026, 4, 14), 1_000)]

    escalated = await decide(desk, acme, DecisionOutcome.ESCALATE, reason="cash is short", escalated_to="eve")
    split = await decide(desk, acme, DecisionOutcome.SPLIT, payments=parts)

    assert (escalated.escalated_to, escalated.payments) == ("eve", ())
    assert split.payments == tuple(parts)
    assert split.after.low_28_days.amount == 0


@pytest.mark.parametrize(
    ("outcome", "more", "message"),
    [
        (DELAY, {}, "needs a reason"),
        (DecisionOutcome.ESCALATE, {"reason": "short"}, "needs a person"),
        (DecisionOutcome.SPLIT, {"payments": [PaymentPart(on=DUE, amount=Decimal(1))]}, "2 to"),
        (PAY, {"payments": [PaymentPart(on=DUE, amount=Decimal(5_001))]}, "more than"),
        (PAY, {"payments": [PaymentPart(on=date(2026, 3, 1), amount=Decimal(1))]}, "in the past"),
    ],
)
async def test_a_decision_that_says_too_little_is_refused(
    outcome: DecisionOutcome, more: dict[str, Any], message: str
) -> None:
    desk, acme = await desk_with_a_bill()

    with pytest.raises(InvalidRequest, match=message):
        await decide(desk, acme, outcome, **more)


async def test_a_bill_that_needs_data_is_not_decided() -> None:
    desk, acme = await desk_with_a_bill(due_date=None)

    with pytest.raises(InvalidRequest, match="needs data"):
        await decide(desk, acme)


async def test_a_bill_that_is_not_there_is_not_found() -> None:
    desk, acme = await desk_with_a_bill()

    with pytest.raises(NotFound):
        await desk.runway.decisions.decide(acme.company_id, "gone", PAY, actor="ben")


async def approved(total: int = 5_000, **more: Any) -> tuple[FirmDesk, Company, Decision]:
    desk, acme = await desk_with_a_bill(total, **more)
    return desk, acme, await approve(desk, acme, await decide(desk, acme))


async def release(desk: FirmDesk, acme: Company, decision: Decision) -> Decision:
    return await desk.runway.decisions.release(acme.company_id, decision.paper_id, actor="ada")


async def read_again(desk: FirmDesk, acme: Company, *records: Any) -> None:
    desk.later(minutes=15)
    desk.ledger("Acme").put(*records)
    await desk.runway.sync(acme.company_id)


async def test_a_release_tells_the_client_and_pays_nothing() -> None:
    desk, acme, decision = await approved()
    released = await release(desk, acme, decision)

    assert released.state is DecisionState.RELEASED
    assert released.told_client
    assert released.steps[-1].note == "told the client, to be paid by hand"
    assert await release(desk, acme, decision) == released
    assert not any("payment" in what for _, _, what in await desk.trail(acme))


async def test_only_what_is_approved_is_released() -> None:
    desk, acme = await desk_with_a_bill()
    decision = await decide(desk, acme)

    with pytest.raises(InvalidRequest, match="only an approved"):
        await release(desk, acme, decision)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"total": amount(5_001), "open_balance": amount(5_001)}, "open balance was 5,000.00, is 5,001.00"),
        ({"due_date": date(2026, 3, 17)}, "due date was 2026-03-16"),
        ({"vendor_id": "V2"}, "vendor id was V1, is V2"),
    ],
    ids=["amount", "due date", "vendor"],
)
async def test_a_release_stops_when_it_was_approved_on_other_facts(changed: dict[str, Any], message: str) -> None:
    desk, acme, decision = await approved()
    await read_again(desk, acme, bill("B1", 5_000).model_copy(update=changed))

    with pytest.raises(ApprovalLapsed, match=message):
        await release(desk, acme, decision)

    held = await desk.runway.decisions.get(acme.company_id, decision.paper_id)
    assert (held.state, held.approvals) == (DecisionState.DECIDED, ())
    assert "approved on other facts" in held.steps[-1].note


async def test_a_release_stops_when_the_cash_is_gone_meanwhile() -> None:
    desk, acme, decision = await approved()
    await read_again(desk, acme, bank(4_000))

    with pytest.raises(ApprovalLapsed, match="minimum cash"):
        await release(desk, acme, decision)


async def test_an_approval_of_other_facts_is_refused() -> None:
    desk, acme = await desk_with_a_bill()
    decision = await decide(desk, acme)
    await read_again(desk, acme, bill("B1", 6_000))

    with pytest.raises(ApprovalLapsed, match="decided on other facts"):
        await approve(desk, acme, decision)


async def test_the_ledger_records_what_was_paid_by_hand() -> None:
    desk, acme, decision = await approved()
    await release(desk, acme, decision)
    await read_again(desk, acme, bill("B1", 5_000, open_balance=amount(0)))

    (held,) = await desk.runway.decisions.list(acme.company_id, include_closed=True)

    assert (held.state, held.is_closed) == (DecisionState.RECORDED, True)
    assert [(step.state.value, step.by) for step in held.steps] == [
        ("decided", "ben"),
        ("approved", "ada"),
        ("released", "ada"),
        ("recorded", "runway"),
    ]


async def test_a_part_payment_in_the_ledger_records_nothing_yet() -> None:
    desk, acme, decision = await approved()
    await release(desk, acme, decision)
    await read_again(desk, acme, bill("B1", 5_000, open_balance=amount(1)))

    assert (await desk.runway.decisions.get(acme.company_id, decision.paper_id)).state is DecisionState.RELEASED


async def test_what_was_paid_without_a_release_is_withdrawn_and_the_next_bill_is_decided_anew() -> None:
    desk, acme, decision = await approved()
    await read_again(desk, acme, bill("B1", 5_000, open_balance=amount(0)))
    withdrawn = await desk.runway.decisions.get(acme.company_id, decision.paper_id)
    await read_again(desk, acme, bill("B1", 5_000))

    anew = await decide(desk, acme)

    assert (withdrawn.state, withdrawn.is_closed) == (DecisionState.WITHDRAWN, True)
    assert anew.paper_id != decision.paper_id


async def test_a_decision_taken_back_makes_the_bill_ready_again() -> None:
    desk, acme, decision = await approved()
    before = (await desk.runway.decisions.propose(acme.company_id)).proposal

    gone = await desk.runway.decisions.withdraw(acme.company_id, decision.paper_id, actor="ada", reason="wrong vendor")
    after = (await desk.runway.decisions.propose(acme.company_id)).proposal

    assert (gone.state, gone.steps[-1].note) == (DecisionState.WITHDRAWN, "wrong vendor")
    assert ([p.bill_id for p in before.payments], [p.bill_id for p in after.payments]) == ([], ["B1"])
    with pytest.raises(InvalidRequest, match="withdrawn"):
        await release(desk, acme, decision)


async def test_what_is_released_cannot_be_taken_back_or_decided_anew() -> None:
    desk, acme, decision = await approved()
    await release(desk, acme, decision)

    with pytest.raises(InvalidRequest, match="cannot become withdrawn"):
        await desk.runway.decisions.withdraw(acme.company_id, decision.paper_id, actor="ada")
    with pytest.raises(InvalidRequest, match="cannot become decided"):
        await decide(desk, acme, DELAY, payments=[part(date(2026, 3, 20), 5_000)], reason="no")


async def test_payments_are_checked_as_a_whole() -> None:
    desk, acme = await desk_with_a_bill(5_000, cash=9_000)
    await read_again(desk, acme, bill("B2", 4_500, number="7781", due_date=date(2026, 4, 20)))
    both = [Payment("B1", date(2026, 3, 13), amount(5_000)), Payment("B2", date(2026, 3, 13), amount(4_500))]

    checked = await desk.runway.decisions.check(acme.company_id, both)

    assert checked.ruling is Ruling.BLOCK
    assert checked.before.low_28_days.amount == 4_000
    assert checked.after.low_28_days.amount == -500
    assert await desk.runway.decisions.list(acme.company_id) == []


async def test_another_firms_decision_is_not_found() -> None:
    desk, acme, decision = await approved()
    others = desk.open(OTHERS)

    with pytest.raises(NotFound):
        await others.decisions.get(acme.company_id, decision.paper_id)
    with pytest.raises(NotFound):
        await others.decisions.release(acme.company_id, decision.paper_id, actor="mallory")


async def test_another_program_goes_on_where_the_first_was_killed() -> None:
    desk, acme, decision = await approved()
    second = desk.open(desk.runway.scope.firm_id)

    released = await second.decisions.release(acme.company_id, decision.paper_id, actor="ada")

    assert [step.state.value for step in released.steps] == ["decided", "approved", "released"]
    assert (await desk.runway.verify_log(acme.company_id)).is_sound


async def test_each_part_of_a_split_bill_leaves_on_its_day_and_the_rest_when_due() -> None:
    desk, acme = await desk_with_a_bill()
    parts = [part(date(2026, 3, 10), 1_000), part(date(2026, 4, 14), 3_000)]
    await decide(desk, acme, DecisionOutcome.SPLIT, payments=parts)

    view = await desk.runway.outlook(acme.company_id)
    leaving = [event for event in view.outlook.events if event.source == RecordKey(RecordKind.BILL, "B1")]

    assert [(event.on, -event.amount) for event in leaving] == [
        (date(2026, 3, 10), amount(1_000)),
        (DUE, amount(1_000)),
        (date(2026, 4, 14), amount(3_000)),
    ]
