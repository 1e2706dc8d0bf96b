"""What people decide about findings, and what the next read makes of it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from runway_core.domain.company import Company
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import InvalidRequest, NotFound
from runway_core.experiences.tray import TrayQuery
from runway_testkit.sample import AS_OF

from tests.core.desk import FirmDesk, bank, bill

ALL = frozenset(FindingState)


async def desk_with_a_finding() -> tuple[FirmDesk, Company, TrackedFinding]:
    """A bill without a due date."""
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1", due_date=None))
    await desk.runway.sync(acme.company_id)
    found = await desk.runway.findings.list(acme.company_id)
    [missing] = [tracked for tracked in found if tracked.finding.check == "AP01"]
    return desk, acme, missing


async def state_of(desk: FirmDesk, company: Company, tracked: TrackedFinding) -> TrackedFinding:
    found = await desk.runway.findings.list(company.company_id, states=ALL)
    [held] = [one for one in found if one.finding_id == tracked.finding_id]
    return held


@pytest.mark.parametrize("reason", [None, "", "  \t"])
async def test_accepting_needs_a_reason(reason: str | None) -> None:
    desk, acme, tracked = await desk_with_a_finding()

    with pytest.raises(InvalidRequest, match="needs a reason"):
        await desk.runway.findings.decide(
            acme.company_id, tracked.finding_id, FindingState.ACCEPTED, actor="ada", reason=reason
        )


async def test_an_accepted_finding_leaves_the_tray_and_stays_accepted_over_reads() -> None:
    desk, acme, tracked = await desk_with_a_finding()
    await desk.runway.findings.decide(
        acme.company_id, tracked.finding_id, FindingState.ACCEPTED, actor="ada", reason=" paid on demand "
    )
    desk.later(minutes=15)
    desk.ledger("Acme").put(bank(9_000))
    await desk.runway.sync(acme.company_id)
    held = await state_of(desk, acme, tracked)
    tray = await desk.runway.tray(acme.company_id)

    assert (held.state, held.reason, held.decided_by) == (FindingState.ACCEPTED, "paid on demand", "ada")
    assert tracked.finding.check not in [group.check for group in tray.groups]


async def test_an_accepted_finding_returns_when_what_it_rests_on_changes() -> None:
    desk, acme, tracked = await desk_with_a_finding()
    await desk.runway.findings.decide(
        acme.company_id, tracked.finding_id, FindingState.ACCEPTED, actor="ada", reason="paid on demand"
    )
    desk.ledger("Acme").put(bill("B1", due_date=None, document_date=AS_OF - timedelta(days=5)))
    await desk.runway.sync(acme.company_id)
    held = await state_of(desk, acme, tracked)

    assert (held.state, held.reason, held.decided_by) == (FindingState.OPEN, None, None)
    assert held.first_seen_at == tracked.first_seen_at


@pytest.mark.parametrize("days", [None, -1, 0])
async def test_a_snooze_needs_a_day_to_come(days: int | None) -> None:
    desk, acme, tracked = await desk_with_a_finding()
    until = None if days is None else AS_OF + timedelta(days=days)

    with pytest.raises(InvalidRequest, match="a day after today"):
        await desk.runway.findings.decide(
            acme.company_id, tracked.finding_id, FindingState.SNOOZED, actor="ada", until=until
        )


async def test_a_snoozed_finding_is_quiet_until_its_day_and_then_returns() -> None:
    desk, acme, tracked = await desk_with_a_finding()
    await desk.runway.findings.decide(
        acme.company_id, tracked.finding_id, FindingState.SNOOZED, actor="ada", until=AS_OF + timedelta(days=2)
    )
    states = []
    for _ in range(3):
        await desk.runway.sync(acme.company_id)
        states.append((await state_of(desk, acme, tracked)).state)
        desk.later(days=1)

    assert states == [FindingState.SNOOZED, FindingState.SNOOZED, FindingState.OPEN]


async def test_a_mended_finding_is_fixed_and_opens_again_when_the_fault_returns() -> None:
    desk, acme, tracked = await desk_with_a_finding()
    ledger = desk.ledger("Acme")
    ledger.put(bill("B1"))
    await desk.runway.sync(acme.company_id)
    mended = await state_of(desk, acme, tracked)
    standing = await desk.runway.findings.list(acme.company_id)
    ledger.put(bill("B1", due_date=None))
    await desk.runway.sync(acme.company_id)
    returned = await state_of(desk, acme, tracked)

    assert mended.state is FindingState.FIXED
    assert tracked.finding_id not in [one.finding_id for one in standing]
    assert (returned.state, returned.first_seen_at) == (FindingState.OPEN, tracked.first_seen_at)


async def test_a_finding_about_a_bill_that_is_gone_is_fixed() -> None:
    desk, acme, tracked = await desk_with_a_finding()
    desk.ledger("Acme").delete(RecordKey(RecordKind.BILL, "B1"))
    await desk.runway.sync(acme.company_id)

    assert (await state_of(desk, acme, tracked)).state is FindingState.FIXED


async def test_nobody_declares_a_finding_fixed() -> None:
    desk, acme, tracked = await desk_with_a_finding()

    with pytest.raises(InvalidRequest, match="mend it in the ledger"):
        await desk.runway.findings.decide(acme.company_id, tracked.finding_id, FindingState.FIXED, actor="ada")
    with pytest.raises(NotFound):
        await desk.runway.findings.decide(acme.company_id, "no such", FindingState.ASKED, actor="ada")


async def test_a_question_to_the_company_keeps_the_finding_in_the_tray_and_reopening_takes_it_back() -> None:
    desk, acme, tracked = await desk_with_a_finding()
    asked = await desk.runway.findings.decide(acme.company_id, tracked.finding_id, FindingState.ASKED, actor="ada")
    tray = await desk.runway.tray(acme.company_id, TrayQuery(check="AP01"))
    opened = await desk.runway.findings.decide(acme.company_id, tracked.finding_id, FindingState.OPEN, actor="bo")

    assert [row.tracked for group in tray.groups for row in group.rows] == [asked]
    assert (opened.state, opened.decided_by) == (FindingState.OPEN, "bo")


async def test_every_decision_is_logged_with_who_and_why() -> None:
    desk, acme, tracked = await desk_with_a_finding()
    length = await desk.runway.log_length(acme.company_id)
    await desk.runway.findings.decide(
        acme.company_id, tracked.finding_id, FindingState.ACCEPTED, actor="ada", reason="paid on demand"
    )
    [entry] = await desk.runway.log_entries(acme.company_id, after=length)

    assert (entry.draft.what, entry.draft.external_id) == ("finding_decided", tracked.finding_id)
    assert (entry.draft.attribution.cause.value, entry.draft.attribution.actor) == ("person", "ada")
    assert b"paid on demand" in entry.draft.content
    assert entry.draft.changed == b'{"state":["open","accepted"]}'


async def test_evidence_is_written_with_the_digits_of_its_currency() -> None:
    desk = FirmDesk()
    twins = [
        bill(f"{currency}{copy}", 8_000, currency=currency, number=f"7{currency}", open_balance=Decimal(rest))
        for currency, rest in (("USD", "8000"), ("JPY", "8000"), ("KWD", "8000"), ("CAD", "0.0050"))
        for copy in (1, 2)
    ]
    acme = await desk.connect("Acme", bank(), *twins)
    await desk.runway.sync(acme.company_id)
    rests = {
        evidence.record.external_id: evidence.value
        for tracked in await desk.runway.findings.list(acme.company_id)
        for evidence in tracked.finding.evidence
        if evidence.name == "open_balance" and evidence.record is not None
    }

    assert {name: rest for name, rest in rests.items() if name.endswith("1")} == {
        "USD1": "8000.00",
        "JPY1": "8000",
        "KWD1": "8000.000",
        "CAD1": "0.0050",  # nothing is rounded away
    }
