"""What people decide about differences between rails, through the facade: kept, logged, proof for later, taken back."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from runway_core.domain.company import Company
from runway_core.domain.conflicts import ConflictKind, ConflictState, Resolution, TrackedConflict
from runway_core.domain.execution import ExecutionBill, ExecutionState
from runway_core.domain.findings import FindingState
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.papers import PaperKey, PaperKind
from runway_core.domain.parties import Vendor
from runway_core.domain.people import GRANTS, Caller
from runway_core.domain.policy import Role
from runway_core.domain.record import Record
from runway_core.errors import InvalidRequest, NotAllowed, NotFound, StaleRevision
from runway_core.experiences.reconciliation import ConflictQuery

from tests.core.desk import OTHERS, FirmDesk, bank, bill


def at_rail(external_id: str = "R1", **more: Any) -> ExecutionBill:
    """A bill at the rail that pays bills, which nobody joined to the ledger's."""
    values: dict[str, Any] = {
        "feed": "ramp",
        "number": "9917",
        "vendor_id": "RV1",
        "vendor_name": "Norton Lumber",
        "ledger_vendor_id": "V1",
        "document_date": date(2026, 2, 17),
        "currency": "USD",
        "total": Decimal(100),
        "open_balance": Decimal(100),
        "state": ExecutionState.APPROVED,
    }
    return ExecutionBill(external_id=external_id, **(values | more))


async def desk_with(*records: Record) -> tuple[FirmDesk, Company]:
    desk = FirmDesk()
    vendor = Vendor(external_id="V1", name="Norton Lumber", currency="USD", balance=Decimal(0))
    acme = await desk.connect("Acme", bank(), vendor, bill("B1"), *records)
    await desk.runway.sync(acme.company_id)
    return desk, acme


async def only(desk: FirmDesk, company: Company) -> TrackedConflict:
    (found,) = await desk.runway.conflicts.list(company.company_id)
    return found


async def test_a_confirmed_match_is_proof_from_then_on_and_can_be_taken_back() -> None:
    desk, acme = await desk_with(at_rail())
    conflicts = desk.runway.conflicts
    doubt = await only(desk, acme)
    done = await conflicts.resolve(
        acme.company_id, doubt.conflict_id, Resolution.MATCHED, actor="ann", reason="seen it"
    )
    linked = (await desk.runway.books.read(acme.company_id)).rail_bills[0].bill_id
    view = await desk.runway.reconcile(acme.company_id)
    back = await conflicts.reopen(acme.company_id, doubt.conflict_id, actor="bob")
    loose = (await desk.runway.books.read(acme.company_id)).rail_bills[0].bill_id

    assert doubt.conflict.kind is ConflictKind.AMBIGUOUS_MATCH
    assert (done.state, done.resolution, done.decided_by) == (ConflictState.RESOLVED, Resolution.MATCHED, "ann")
    assert (linked, view.matched, view.waiting) == ("B1", 1, 0)
    assert (back.state, back.conflict.kind, loose) == (ConflictState.OPEN, ConflictKind.AMBIGUOUS_MATCH, None)


async def test_a_match_that_turns_out_to_differ_is_a_finding_at_once() -> None:
    desk, acme = await desk_with(at_rail(due_date=date(2026, 4, 1)))
    doubt = await only(desk, acme)
    await desk.runway.conflicts.resolve(acme.company_id, doubt.conflict_id, Resolution.MATCHED, actor="ann")
    found = {one.conflict.kind: one for one in await desk.runway.conflicts.list(acme.company_id)}

    assert found[ConflictKind.DATE_DIFFERS].conflict.finding_id is not None
    assert found[ConflictKind.DATE_DIFFERS].state is ConflictState.OPEN
    assert found[ConflictKind.AMBIGUOUS_MATCH].state is ConflictState.RESOLVED


async def test_a_name_that_is_confirmed_becomes_an_alias_and_goes_with_it() -> None:
    desk, acme = await desk_with(at_rail(ledger_bill_id="B1", vendor_name="NRTN LMBR", ledger_vendor_id=None))
    runway, key = desk.runway, RecordKey(RecordKind.VENDOR, "V1")
    spelled = await only(desk, acme)
    before = (await desk.store.log.head(acme.company_id)).sequence
    done = await runway.conflicts.resolve(acme.company_id, spelled.conflict_id, Resolution.ALIAS, actor="ann")
    said = [(alias.paper_id, alias.party) for alias in await runway.aliases.list(acme.company_id)]
    logged = [entry.draft.what async for entry in desk.store.log.entries(acme.company_id) if entry.sequence > before]
    await runway.conflicts.reopen(acme.company_id, spelled.conflict_id, actor="ann")

    assert spelled.conflict.kind is ConflictKind.NAME_DIFFERS
    assert (done.state, done.resolution) == (ConflictState.RESOLVED, Resolution.ALIAS)
    assert said == [("nrtn lmbr", key)]
    assert logged[:2] == ["conflict_added", "alias_added"]
    assert list(await runway.aliases.list(acme.company_id)) == []
    assert (await only(desk, acme)).state is ConflictState.OPEN


async def test_taking_a_name_back_brings_back_whom_it_meant_before() -> None:
    other = Vendor(external_id="V2", name="Other Works", currency="USD", balance=Decimal(0))
    desk, acme = await desk_with(at_rail(ledger_bill_id="B1", vendor_name="NRTN LMBR", ledger_vendor_id=None), other)
    meant = RecordKey(RecordKind.VENDOR, "V2")
    await desk.runway.aliases.confirm(acme.company_id, "NRTN LMBR", meant, actor="ann")
    spelled = next(
        one
        for one in await desk.runway.conflicts.list(acme.company_id)
        if one.conflict.kind is ConflictKind.NAME_DIFFERS
    )
    await desk.runway.conflicts.resolve(acme.company_id, spelled.conflict_id, Resolution.MATCHED, actor="ann")
    await desk.runway.conflicts.reopen(acme.company_id, spelled.conflict_id, actor="ann")

    assert [alias.party for alias in await desk.runway.aliases.list(acme.company_id)] == [meant]


async def test_what_is_accepted_stays_until_its_values_change() -> None:
    desk, acme = await desk_with(at_rail(total=Decimal(70), open_balance=Decimal(70)))
    missing = await only(desk, acme)
    conflicts = desk.runway.conflicts
    accept: dict[str, Any] = {"actor": "ann", "reason": "entered next month"}
    first = await conflicts.resolve(acme.company_id, missing.conflict_id, Resolution.ACCEPTED, **accept)
    again = await conflicts.resolve(acme.company_id, missing.conflict_id, Resolution.ACCEPTED, **accept)
    desk.ledger("Acme").put(at_rail(total=Decimal(75), open_balance=Decimal(75), revision="2"))
    desk.later(minutes=30)
    await desk.runway.sync(acme.company_id)
    returned = await only(desk, acme)
    history = await desk.store.log.history(acme.company_id, PaperKey(PaperKind.CONFLICT, missing.conflict_id))

    assert missing.conflict.kind is ConflictKind.MISSING_IN_LEDGER
    assert (first.state, first.reason) == (ConflictState.RESOLVED, "entered next month")
    assert again == first
    assert [entry.draft.attribution.actor for entry in history] == ["ann"]
    assert (returned.state, returned.reason) == (ConflictState.REOPENED, "entered next month")


async def test_deciding_a_conflict_that_is_a_finding_decides_the_finding() -> None:
    desk, acme = await desk_with(at_rail(ledger_bill_id="B1", due_date=date(2026, 4, 1)))
    (differs,) = [one for one in await desk.runway.conflicts.list(acme.company_id) if one.conflict.finding_id]
    conflicts, findings = desk.runway.conflicts, desk.runway.findings
    await conflicts.resolve(
        acme.company_id, differs.conflict_id, Resolution.ACCEPTED, actor="ann", reason="a plan over months"
    )
    (accepted,) = [one for one in await findings.list(acme.company_id) if one.finding_id == differs.conflict_id]
    shown = await conflicts.get(acme.company_id, differs.conflict_id)
    back = await conflicts.reopen(acme.company_id, differs.conflict_id, actor="ann")

    assert (accepted.state, accepted.reason) == (FindingState.ACCEPTED, "a plan over months")
    assert (shown.state, shown.resolution, shown.decided_by) == (
        ConflictState.RESOLVED,
        Resolution.ACCEPTED,
        "ann",
    )
    assert back.state is ConflictState.OPEN


@pytest.mark.parametrize(
    ("resolution", "more", "said"),
    [
        (Resolution.ACCEPTED, {}, "the reason is missing"),
        (Resolution.FIXED, {"reason": "done"}, "the next read"),
        (Resolution.ALIAS, {}, "no name is in question"),
        (Resolution.MATCHED, {"match": 2}, "match 2 is not one"),
        (Resolution.MATCHED, {"match": 0}, "match 0 is not one"),
    ],
)
async def test_what_cannot_be_decided_is_refused_with_the_reason(
    resolution: Resolution, more: dict[str, Any], said: str
) -> None:
    desk, acme = await desk_with(at_rail())
    doubt = await only(desk, acme)

    with pytest.raises(InvalidRequest, match=said):
        await desk.runway.conflicts.resolve(acme.company_id, doubt.conflict_id, resolution, actor="ann", **more)


async def test_where_two_fit_one_must_be_named() -> None:
    desk, acme = await desk_with(at_rail(), bill("B2", number="N-77"))
    doubt = await only(desk, acme)
    conflicts = desk.runway.conflicts
    with pytest.raises(InvalidRequest, match="2 matches fit"):
        await conflicts.resolve(acme.company_id, doubt.conflict_id, Resolution.MATCHED, actor="ann")
    await conflicts.resolve(acme.company_id, doubt.conflict_id, Resolution.MATCHED, actor="ann", match=2)
    books = await desk.runway.books.read(acme.company_id)

    assert [one.bill_id for one in books.rail_bills] == ["B2"]


async def test_a_decision_thought_out_on_another_version_is_refused() -> None:
    desk, acme = await desk_with(at_rail())
    doubt = await only(desk, acme)
    conflicts, reason = desk.runway.conflicts, "it is none"
    accepted = await conflicts.resolve(
        acme.company_id, doubt.conflict_id, Resolution.ACCEPTED, actor="ann", reason=reason, version=0
    )

    assert accepted.version == 1
    for call in (
        conflicts.resolve(acme.company_id, doubt.conflict_id, Resolution.MATCHED, actor="bob", version=0),
        conflicts.reopen(acme.company_id, doubt.conflict_id, actor="bob", version=0),
    ):
        with pytest.raises(StaleRevision):
            await call


async def test_nothing_decided_is_nothing_to_take_back() -> None:
    desk, acme = await desk_with(at_rail())
    doubt = await only(desk, acme)

    with pytest.raises(InvalidRequest, match="nothing was decided"):
        await desk.runway.conflicts.reopen(acme.company_id, doubt.conflict_id, actor="ann")
    with pytest.raises(NotFound, match="no conflict 'x'"):
        await desk.runway.conflicts.get(acme.company_id, "x")
    with pytest.raises(NotFound):
        await desk.open(OTHERS).conflicts.get(acme.company_id, doubt.conflict_id)


async def test_who_may_only_look_decides_nothing() -> None:
    desk, acme = await desk_with(at_rail())
    doubt = await only(desk, acme)
    reader = desk.runway.for_caller(Caller("viv", Role.VIEWER, GRANTS[Role.VIEWER], None))

    assert (await reader.reconcile(acme.company_id)).waiting == 1
    with pytest.raises(NotAllowed):
        await reader.conflicts.resolve(acme.company_id, doubt.conflict_id, Resolution.MATCHED, actor="viv")


async def test_the_page_filters_by_state_and_kind_and_counts_all() -> None:
    desk, acme = await desk_with(at_rail(), at_rail("R2", number="55", total=Decimal(70), open_balance=Decimal(70)))
    missing = ConflictQuery(kind=ConflictKind.MISSING_IN_LEDGER)
    resolved = ConflictQuery(states=frozenset({ConflictState.RESOLVED}))
    whole = await desk.runway.reconcile(acme.company_id)
    some = await desk.runway.reconcile(acme.company_id, missing)
    none = await desk.runway.reconcile(acme.company_id, resolved)

    assert (whole.waiting, len(whole.conflicts), whole.headline) == (2, 2, "2 conflicts between rails")
    assert [row.tracked.conflict.kind for row in some.conflicts] == [ConflictKind.MISSING_IN_LEDGER]
    assert none.conflicts == ()
    assert [row.age_days for row in some.conflicts] == [13]


async def test_books_of_a_past_moment_are_compared_as_they_were_then() -> None:
    desk, acme = await desk_with(at_rail())
    then = desk.clock.now()
    doubt = await only(desk, acme)
    desk.later(minutes=30)
    await desk.runway.conflicts.resolve(acme.company_id, doubt.conflict_id, Resolution.MATCHED, actor="ann")
    now = await desk.runway.reconcile(acme.company_id)
    past = await desk.runway.reconcile(acme.company_id, known_at=then)

    assert (now.waiting, past.waiting) == (0, 1)
    assert [row.conflict_id for row in past.conflicts] == [doubt.conflict_id]
