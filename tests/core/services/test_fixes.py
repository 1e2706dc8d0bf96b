"""Fixes: told beforehand, written once, waited for, confirmed by the next read, and taken back within a day."""

from datetime import date, timedelta

import pytest
from runway_core.domain.company import Company
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.fixes import FieldWrite, Fix, FixState
from runway_core.domain.papers import PaperKey, PaperKind
from runway_core.errors import (
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    RailAccessLost,
    RailRefused,
    RailUnavailable,
)
from runway_core.services.fixes import FixChoice, FixOutcome
from runway_testkit.sample import AS_OF

from tests.core.desk import FirmDesk, bank, bill

BILL = bill("B1").key


async def desk_with_undated_bills(*ids: str) -> tuple[FirmDesk, Company]:
    """Bills without a due date: finding AP01 suggests one."""
    desk = FirmDesk()
    undated = [bill(one, 100 + 7 * n, number=f"{4711 + 97 * n}", due_date=None) for n, one in enumerate(ids or ("B1",))]
    acme = await desk.connect("Acme", bank(), *undated)
    await desk.runway.sync(acme.company_id)
    return desk, acme


async def undated(desk: FirmDesk, company: Company) -> list[TrackedFinding]:
    """The findings about missing due dates that are open, by bill."""
    found = await desk.runway.findings.list(company.company_id)
    return sorted((t for t in found if t.finding.check == "AP01"), key=lambda t: t.finding.subjects)


async def apply(desk: FirmDesk, company: Company) -> FixOutcome:
    [tracked] = await undated(desk, company)
    [outcome] = await desk.runway.fixes.apply(company.company_id, [FixChoice(tracked.finding_id)], actor="ada")
    return outcome


def fix_of(outcome: FixOutcome) -> Fix:
    assert outcome.fix is not None, outcome.error
    return outcome.fix


def writes_at(desk: FirmDesk) -> int:
    """How often the bill was entered or edited at the vendor, beyond its first entry."""
    return desk.ledger("Acme").revisions[BILL]


async def test_a_plan_says_what_it_will_write_where_and_writes_nothing() -> None:
    desk, acme = await desk_with_undated_bills()
    [tracked] = await undated(desk, acme)
    length = await desk.runway.log_length(acme.company_id)
    plan = await desk.runway.fixes.plan(acme.company_id, tracked.finding_id)
    due = tracked.finding.fixes[0].fields["due_date"]

    assert (plan.rail, plan.record, plan.state, plan.version) == ("memory", BILL, FixState.INTENDED, 0)
    assert plan.writes == (FieldWrite(field="due_date", before=None, after=due),)
    assert (writes_at(desk), await desk.runway.log_length(acme.company_id)) == (0, length)


async def test_a_fix_is_written_waits_for_the_ledger_and_is_confirmed_by_the_next_read() -> None:
    desk, acme = await desk_with_undated_bills()
    [tracked] = await undated(desk, acme)
    fix = fix_of(await apply(desk, acme))
    waiting = list(await desk.runway.fixes.list(acme.company_id))
    history = await desk.store.log.history(acme.company_id, PaperKey(PaperKind.FIX, fix.paper_id))
    desk.later(minutes=15)
    await desk.runway.sync(acme.company_id)
    confirmed = await desk.runway.fixes.get(acme.company_id, fix.paper_id)
    found = await desk.runway.findings.list(acme.company_id, states=None)
    [after] = [t for t in found if t.finding_id == tracked.finding_id]

    assert (fix.state, fix.written_revision, fix.changed_by) == (FixState.WAITING, "1", "ada")
    assert waiting == [fix]
    assert [entry.draft.what for entry in history] == ["fix_added", "fix_updated"]
    assert b'"state":["intended","waiting"]' in history[1].draft.changed
    assert list(desk.ledger("Acme").written) == [fix.paper_id]
    assert (confirmed.state, confirmed.is_closed, confirmed.changed_by) == (FixState.CONFIRMED, True, "runway")
    assert list(await desk.runway.fixes.list(acme.company_id)) == []
    assert after.state is FindingState.FIXED


async def test_asking_twice_writes_once() -> None:
    desk, acme = await desk_with_undated_bills()
    first, again = fix_of(await apply(desk, acme)), fix_of(await apply(desk, acme))

    assert again == first
    assert writes_at(desk) == 1


async def test_a_record_that_moved_is_not_overwritten_and_may_be_planned_anew() -> None:
    desk, acme = await desk_with_undated_bills()
    desk.ledger("Acme").put(bill("B1", due_date=None, memo="edited by the client"))
    refused = fix_of(await apply(desk, acme))
    await desk.runway.sync(acme.company_id)
    written = fix_of(await apply(desk, acme))

    assert (refused.state, refused.error_code, refused.is_closed) == (FixState.REFUSED, "stale-revision", True)
    assert (written.state, written.paper_id != refused.paper_id) == (FixState.WAITING, True)
    assert desk.ledger("Acme").bill(BILL.external_id).memo == "edited by the client"


@pytest.mark.parametrize(
    "error", [RailRefused("no"), RailUnavailable("down"), RailAccessLost("gone")], ids=lambda error: str(error.code)
)
async def test_a_no_is_kept_with_its_reason_and_the_next_try_is_a_new_write(error: RailUnavailable) -> None:
    desk, acme = await desk_with_undated_bills()
    desk.ledger("Acme").fail_next(error)
    refused = fix_of(await apply(desk, acme))
    written = fix_of(await apply(desk, acme))

    assert (refused.state, refused.error_code, refused.error) == (FixState.REFUSED, error.code, str(error))
    assert written.state is FixState.WAITING
    assert list(desk.ledger("Acme").written) == [written.paper_id]


async def test_no_answer_is_resolved_by_reading_back_when_the_write_was_done() -> None:
    desk, acme = await desk_with_undated_bills()
    desk.factory.loses_answers = True
    unknown = fix_of(await apply(desk, acme))
    desk.factory.loses_answers = False
    again = fix_of(await apply(desk, acme))
    desk.later(minutes=15)
    await desk.runway.sync(acme.company_id)
    ended = await desk.runway.fixes.get(acme.company_id, unknown.paper_id)

    assert (unknown.state, unknown.error_code) == (FixState.UNKNOWN, "outcome-unknown")
    assert (again.paper_id, again.state) == (unknown.paper_id, FixState.WAITING)
    assert writes_at(desk) == 1
    assert ended.state is FixState.CONFIRMED


async def test_no_answer_and_no_write_is_believed_only_once_it_cannot_be_on_its_way() -> None:
    desk, acme = await desk_with_undated_bills()
    desk.ledger("Acme").fail_next(OutcomeUnknown("no answer"))
    unknown = fix_of(await apply(desk, acme))
    desk.later(minutes=5)
    soon = fix_of(await apply(desk, acme))
    desk.later(minutes=10)
    await desk.runway.sync(acme.company_id)
    ended = await desk.runway.fixes.get(acme.company_id, unknown.paper_id)
    written = fix_of(await apply(desk, acme))

    assert (soon.paper_id, soon.state) == (unknown.paper_id, FixState.UNKNOWN)
    assert (ended.state, ended.is_closed) == (FixState.REFUSED, True)
    assert written.state is FixState.WAITING
    assert writes_at(desk) == 1


async def test_a_fix_that_somebody_changed_again_does_not_wait_for_ever() -> None:
    desk, acme = await desk_with_undated_bills()
    fix = fix_of(await apply(desk, acme))
    desk.ledger("Acme").put(bill("B1", due_date=date(2026, 6, 1)))
    desk.later(minutes=15)
    await desk.runway.sync(acme.company_id)
    ended = await desk.runway.fixes.get(acme.company_id, fix.paper_id)

    assert (ended.state, ended.error) == (FixState.UNDONE, "the record was changed again since it was written")


async def test_a_fix_is_taken_back_within_a_day() -> None:
    desk, acme = await desk_with_undated_bills()
    desk.ledger("Acme").put(bill("B1", due_date=None, memo="x"))
    await desk.runway.sync(acme.company_id)
    tracked = (await undated(desk, acme))[0]
    fix = fix_of(await apply(desk, acme))
    desk.later(hours=23)
    await desk.runway.sync(acme.company_id)
    undoing = await desk.runway.fixes.undo(acme.company_id, fix.paper_id, actor="bob")
    again = await desk.runway.fixes.undo(acme.company_id, fix.paper_id, actor="bob")
    desk.later(minutes=15)
    await desk.runway.sync(acme.company_id)
    original = await desk.runway.fixes.get(acme.company_id, fix.paper_id)
    confirmed = await desk.runway.fixes.get(acme.company_id, undoing.paper_id)

    assert (undoing.state, undoing.undoes, undoing.writes[0].after) == (FixState.WAITING, fix.paper_id, None)
    assert again == undoing
    assert (original.state, confirmed.state) == (FixState.UNDONE, FixState.CONFIRMED)
    assert [t.finding_id for t in await undated(desk, acme)] == [tracked.finding_id]  # the finding is back


async def test_an_undoing_is_not_confirmed_by_the_version_from_before_the_fix() -> None:
    """The mirror still holds the bill from before both writes, and it says what the undoing wants."""
    desk, acme = await desk_with_undated_bills()
    fix = fix_of(await apply(desk, acme))
    undoing = await desk.runway.fixes.undo(acme.company_id, fix.paper_id, actor="bob")
    await desk.runway.fixes.follow_up(acme.company_id)

    assert (await desk.runway.fixes.get(acme.company_id, undoing.paper_id)).state is FixState.WAITING


async def test_an_undoing_never_overwrites_what_came_later() -> None:
    desk, acme = await desk_with_undated_bills()
    fix = fix_of(await apply(desk, acme))
    desk.ledger("Acme").put(bill("B1", due_date=date(2026, 6, 1)))
    undoing = await desk.runway.fixes.undo(acme.company_id, fix.paper_id, actor="bob")

    assert (undoing.state, undoing.error_code) == (FixState.REFUSED, "stale-revision")
    assert desk.ledger("Acme").bill(BILL.external_id).due_date == date(2026, 6, 1)


async def test_what_cannot_be_taken_back_says_why() -> None:
    desk, acme = await desk_with_undated_bills()
    desk.ledger("Acme").fail_next(RailRefused("no"))
    refused = fix_of(await apply(desk, acme))
    fix = fix_of(await apply(desk, acme))
    desk.later(hours=24, seconds=1)
    with pytest.raises(InvalidRequest, match="refused: only what was written"):
        await desk.runway.fixes.undo(acme.company_id, refused.paper_id, actor="bob")
    with pytest.raises(InvalidRequest, match="more than 24 hours"):
        await desk.runway.fixes.undo(acme.company_id, fix.paper_id, actor="bob")
    with pytest.raises(NotFound):
        await desk.runway.fixes.undo(acme.company_id, "none", actor="bob")

    assert writes_at(desk) == 1


async def test_each_of_many_is_reported_on_its_own() -> None:
    desk, acme = await desk_with_undated_bills(*(f"B{n:02}" for n in range(1, 8)))
    found = await undated(desk, acme)
    desk.ledger("Acme").put(bill("B03", 114, due_date=None, number="9", memo="moved"))
    choices = [FixChoice(t.finding_id) for t in found]
    outcomes = await desk.runway.fixes.apply(
        acme.company_id, [*choices, FixChoice("nothing"), FixChoice(found[0].finding_id, 9)], actor="ada"
    )
    desk.later(minutes=15)
    await desk.runway.sync(acme.company_id)

    assert [o.fix.state.value if o.fix else type(o.error).__name__ for o in outcomes] == [
        "waiting", "waiting", "refused", "waiting", "waiting", "waiting", "waiting", "NotFound", "NotFound",
    ]  # fmt: skip
    assert len(await undated(desk, acme)) == 1


@pytest.mark.parametrize("count", [0, 101])
async def test_no_more_than_a_hundred_at_once(count: int) -> None:
    desk, acme = await desk_with_undated_bills()

    with pytest.raises(InvalidRequest, match="1 to 100"):
        await desk.runway.fixes.apply(acme.company_id, [FixChoice("x")] * count, actor="ada")


async def test_what_no_rail_can_write_is_said_before() -> None:
    """Two bills alike: one of them is to be voided, which is done in the ledger."""
    desk = FirmDesk()
    twins = [bill(one, 500, number="4711") for one in ("B1", "B2")]
    acme = await desk.connect("Acme", bank(), *twins)
    await desk.runway.sync(acme.company_id)
    [double] = [t for t in await desk.runway.findings.list(acme.company_id) if t.finding.check == "AP06"]

    with pytest.raises(InvalidRequest, match="do it in the ledger"):
        await desk.runway.fixes.plan(acme.company_id, double.finding_id)


async def test_a_fix_that_the_mirror_shows_already_is_refused_before() -> None:
    desk, acme = await desk_with_undated_bills()
    [tracked] = await undated(desk, acme)
    due = date.fromisoformat(tracked.finding.fixes[0].fields["due_date"])
    desk.ledger("Acme").put(bill("B1", due_date=due))
    await desk.runway.sync(acme.company_id)
    outcomes = await desk.runway.fixes.apply(acme.company_id, [FixChoice(tracked.finding_id)], actor="ada")

    assert isinstance(outcomes[0].error, InvalidRequest)
    assert "done already" in str(outcomes[0].error)
    assert due > AS_OF - timedelta(days=400)
