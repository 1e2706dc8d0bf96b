"""What a pull does to the mirror, and what it leaves when its rail is in trouble."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from runway_core.domain.changes import Cause
from runway_core.domain.company import ConnectionState
from runway_core.domain.identity import DEFAULT_FIRM, RecordKey, RecordKind
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.errors import NotFound, RailAccessLost, RailThrottled, RailUnavailable, StoreUnavailable
from runway_core.plugins.registry import RailRegistry
from runway_core.sync.orchestrator import PullRequest, SyncOrchestrator
from runway_core.sync.reports import SyncProgress, SyncReport
from runway_core.sync.smart_sync import SmartSyncService
from runway_testkit.memory_rail import MemoryLedger

from tests.core.desk import FirmDesk, HookedRailFactory, bank, bill, bills, books_of

DOWN = RailUnavailable("memory: no answer", rail="memory")


def only(report: SyncReport) -> SyncRun:
    (run,) = report.runs
    return run


async def test_the_first_pull_brings_the_books_and_an_idle_one_costs_one_call() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), *bills(7))

    first = only(await desk.runway.sync(acme.company_id))
    length = await desk.runway.log_length(acme.company_id)
    desk.later(minutes=15)
    idle = only(await desk.runway.sync(acme.company_id))

    assert await desk.mirror(acme) == books_of(desk.ledger("Acme"))
    assert (first.outcome, first.counts.created, first.counts.pages, first.calls) == (RunOutcome.SUCCEEDED, 8, 4, 4)
    assert (idle.outcome, idle.counts.changed, idle.counts.pages, idle.calls) == (RunOutcome.SUCCEEDED, 0, 1, 1)
    assert await desk.runway.log_length(acme.company_id) == length


async def test_the_data_is_as_old_as_the_rails_answer_not_as_our_clock() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    await desk.runway.sync(acme.company_id)
    connection = await desk.connection(acme)

    assert connection.source_read_at == desk.clock.now() - timedelta(minutes=2)
    assert connection.last_success_at == connection.last_full_at == desk.clock.now()
    assert connection.state is ConnectionState.ACTIVE


async def test_edits_deletions_and_returns_reach_mirror_and_log() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bill("B1"), bill("B2"))
    ledger = desk.ledger("Acme")
    await desk.runway.sync(acme.company_id)
    ledger.put(bill("B1", 100, open_balance=Decimal(40)))
    ledger.delete(RecordKey(RecordKind.BILL, "B2"))
    edited = only(await desk.runway.sync(acme.company_id))
    ledger.put(bill("B2", memo="back"))
    await desk.runway.sync(acme.company_id)

    assert (edited.counts.created, edited.counts.updated, edited.counts.deleted) == (0, 1, 1)
    assert await desk.mirror(acme) == books_of(ledger)
    assert (await desk.trail(acme))[2:] == [
        ("bill", "B1", "updated"),
        ("bill", "B2", "deleted"),
        ("bill", "B2", "restored"),
    ]


async def test_a_rail_that_is_down_leaves_the_mirror_and_labels_it() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), *bills(4))
    await desk.runway.sync(acme.company_id)
    before = await desk.mirror(acme)
    desk.later(hours=5)
    desk.ledger("Acme").fail_next(DOWN)
    run = only(await desk.runway.sync(acme.company_id))
    digest = await desk.runway.digest(acme.company_id)

    assert (run.outcome, run.error_code, run.counts.pages) == (RunOutcome.FAILED, "rail-unavailable", 0)
    assert await desk.mirror(acme) == before
    (label,) = digest.freshness
    assert (label.note, label.is_stale) == ("last pull failed; read 5 hours ago", True)
    assert (await desk.connection(acme)).failures_in_a_row == 1


async def test_a_rail_that_comes_back_clears_its_label() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    desk.ledger("Acme").fail_next(DOWN, RailThrottled("memory: slow down", rail="memory"))
    codes = [only(await desk.runway.sync(acme.company_id)).error_code for _ in range(3)]
    connection = await desk.connection(acme)

    assert codes == ["rail-unavailable", "rail-throttled", None]
    assert (connection.state, connection.failures_in_a_row, connection.last_error) == (ConnectionState.ACTIVE, 0, None)


async def test_a_failed_pull_is_no_position_of_an_empty_company() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    desk.ledger("Acme").fail_next(DOWN)
    await desk.runway.sync(acme.company_id)
    digest = await desk.runway.digest(acme.company_id)

    assert digest.verdict == "Never read yet"
    assert digest.status.value == "grey"


async def test_one_company_in_trouble_stops_no_neighbour() -> None:
    desk = FirmDesk()
    companies = [await desk.connect(name, bank(), *bills(4)) for name in ("Acme", "Birch", "Cedar")]
    desk.ledger("Birch").fail_next(DOWN)
    reports = await desk.runway.sync_all()

    assert [report.company.name for report in reports] == ["Acme", "Birch", "Cedar"]
    assert [bool(report.failed) for report in reports] == [False, True, False]
    for company in (companies[0], companies[2]):
        assert await desk.mirror(company) == books_of(desk.ledger(company.name))


async def test_a_rail_with_a_bug_is_its_companys_trouble_only() -> None:
    desk = FirmDesk()
    acme, birch = [await desk.connect(name, bank(), *bills(4)) for name in ("Acme", "Birch")]

    async def stumble(page: int) -> None:
        if page == 1:
            raise KeyError("TxnDate")

    desk.factory.hooks["Acme"] = stumble
    reports = await desk.runway.sync_all()
    del desk.factory.hooks["Acme"]
    await desk.runway.sync(acme.company_id)

    assert [only(report).error_code for report in reports] == ["rail-error", None]
    assert "KeyError, which is a fault of the rail" in (only(reports[0]).error or "")
    assert only(reports[0]).counts.pages == 1
    assert await desk.mirror(acme) == books_of(desk.ledger("Acme"))
    assert await desk.mirror(birch) == books_of(desk.ledger("Birch"))


async def test_lost_access_parks_the_connection_and_costs_no_further_calls() -> None:
    desk = FirmDesk()
    acme, birch = [await desk.connect(name, bank()) for name in ("Acme", "Birch")]
    desk.ledger("Acme").fail_next(RailAccessLost("memory: consent withdrawn", rail="memory"))
    await desk.runway.sync_all()
    calls = desk.ledger("Acme").calls
    desk.later(minutes=15)
    reports = await desk.runway.sync_all()
    parked = await desk.connection(acme)

    assert parked.state is ConnectionState.RECONNECT_NEEDED
    assert [report.company for report in reports] == [birch]
    assert desk.ledger("Acme").calls == calls


async def test_a_person_who_authorised_again_unparks_it_with_the_next_pull() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    desk.ledger("Acme").fail_next(RailAccessLost("memory: consent withdrawn", rail="memory"))
    await desk.runway.sync(acme.company_id)
    await desk.runway.connections.replace_secrets(acme.company_id, "memory", {"token": "new"}, actor="ada")
    await desk.runway.sync(acme.company_id)

    assert (await desk.connection(acme)).state is ConnectionState.ACTIVE
    assert await desk.mirror(acme) == books_of(desk.ledger("Acme"))


async def test_a_connection_to_a_rail_that_is_not_installed_stops_no_neighbour() -> None:
    desk = FirmDesk()
    acme, birch = [await desk.connect(name, bank()) for name in ("Acme", "Birch")]
    richer = desk.open(DEFAULT_FIRM, HookedRailFactory(page_size=3, name="gone"))
    await richer.connections.add(acme.company_id, rail="gone", settings={}, secrets={})
    reports = await desk.runway.sync_all()

    assert [[run.error_code for run in report.runs] for report in reports] == [["not-found", None], [None]]
    assert await desk.mirror(acme) == books_of(desk.ledger("Acme"))
    assert await desk.mirror(birch) == books_of(desk.ledger("Birch"))


async def test_bad_records_go_to_quarantine_while_the_others_go_on() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", *bills(4))
    bad = RecordKey(RecordKind.BILL, "B02")
    desk.ledger("Acme").spoil(bad, reason="no date", raw=b"{}")
    run = only(await desk.runway.sync(acme.company_id))
    (held,) = await desk.runway.quarantine(acme.company_id)
    desk.ledger("Acme").put(bill("B02", memo="mended"))
    await desk.runway.sync(acme.company_id)

    assert (run.outcome, run.counts.created, held.external_id, held.reason) == (
        RunOutcome.SUCCEEDED,
        3,
        "B02",
        "no date",
    )
    assert await desk.runway.quarantine(acme.company_id) == []
    assert await desk.mirror(acme) == books_of(desk.ledger("Acme"))


async def test_a_full_read_retires_what_the_feed_never_told() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", *bills(6))
    await desk.runway.sync(acme.company_id)
    ledger = desk.ledger("Acme")
    desk.later(minutes=1)
    del ledger.records[RecordKey(RecordKind.BILL, "B03")]
    idle = only(await desk.runway.sync(acme.company_id))
    full = only(await desk.runway.sync(acme.company_id, request=PullRequest(full=True)))

    assert idle.counts.changed == 0
    assert (full.counts.deleted, full.counts.unchanged, full.cause) == (1, 5, Cause.FULL_READ)
    assert await desk.mirror(acme) == books_of(ledger)


async def test_far_too_much_missing_retires_nothing_until_a_person_says_so() -> None:
    desk = FirmDesk(page_size=50)
    acme = await desk.connect("Acme", *bills(40))
    await desk.runway.sync(acme.company_id)
    before = await desk.mirror(acme)
    desk.later(minutes=1)
    desk.ledger("Acme").records.clear()
    refused = only(await desk.runway.sync(acme.company_id, request=PullRequest(full=True)))
    kept = await desk.mirror(acme)
    accepted = only(
        await desk.runway.sync(acme.company_id, request=PullRequest(full=True, accept_missing=True, actor="ada"))
    )

    assert (refused.error_code, kept) == ("suspicious-absence", before)
    assert (accepted.counts.deleted, await desk.mirror(acme)) == (40, {})


async def test_what_is_entered_while_everything_is_read_is_not_retired() -> None:
    desk = FirmDesk(page_size=2)
    acme = await desk.connect("Acme", *bills(5))

    def enter(ledger: MemoryLedger) -> None:
        ledger.put(bill(f"A{ledger.calls}", 900 + ledger.calls))  # sorts before what was read

    desk.ledger("Acme").on_page = enter
    await desk.runway.sync(acme.company_id)
    desk.ledger("Acme").on_page = None
    await desk.runway.sync(acme.company_id)

    assert await desk.mirror(acme) == books_of(desk.ledger("Acme"))


async def test_progress_is_told_page_by_page() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", *bills(7))
    told: list[SyncProgress] = []
    await desk.runway.sync(acme.company_id, on_progress=told.append)

    assert [step.counts.created for step in told] == [3, 6, 7, 7, 7]
    assert [step.is_done for step in told] == [False] * 4 + [True]


async def test_only_the_companies_and_rails_asked_for_are_pulled() -> None:
    desk = FirmDesk()
    acme, birch = [await desk.connect(name, bank()) for name in ("Acme", "Birch")]
    chosen = await desk.runway.sync_all(only=frozenset({birch.company_id}))
    by_rail = await desk.runway.sync_all(rail="another")

    assert [report.company for report in chosen] == [birch]
    assert by_rail == []
    with pytest.raises(NotFound):
        await desk.runway.sync(acme.company_id, rail="another")


async def test_companies_are_pulled_side_by_side_but_no_more_than_allowed() -> None:
    desk = FirmDesk()
    names = [f"Company {index}" for index in range(6)]
    inside: set[str] = set()
    most = 0

    for name in names:
        await desk.connect(name, bank())

        async def look(page: int, name: str = name) -> None:
            nonlocal most
            inside.add(name)
            most = max(most, len(inside))
            for _ in range(5):
                await asyncio.sleep(0)
            inside.discard(name)

        desk.factory.hooks[name] = look
    await desk.runway.sync_all(at_once=2)

    assert most == 2


async def test_a_database_that_is_gone_is_raised_and_stops_the_rest() -> None:
    """Rails fail one by one; without a database there is nothing to go on with."""
    desk = FirmDesk()
    work = []
    for name in ("Acme", "Birch"):
        company = await desk.connect(name, bank())
        work.append((company, [await desk.connection(company)]))

    async def after(company_id: str, moved: bool) -> None:
        raise StoreUnavailable("the disk is full")

    orchestrator = SyncOrchestrator(desk.store, RailRegistry([desk.factory]), desk.clock, lambda: "id")
    service = SmartSyncService(orchestrator, desk.clock, lambda: "id", after)

    with pytest.raises(StoreUnavailable, match="full"):
        await service.sync_companies(work)
