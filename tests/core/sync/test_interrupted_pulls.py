"""A pull that stops at any page, by a cancellation, a kill or a lost lease, and what the next one makes of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.company import ConnectionState
from runway_core.domain.identity import DEFAULT_FIRM, RecordKey, RecordKind
from runway_core.domain.sync_run import RunOutcome
from runway_core.errors import RailUnavailable
from runway_core.sync.orchestrator import LEASE_SECONDS, PullRequest
from runway_core.sync.schedule import FIRST_RETRY, Intervals, plan_polls

from tests.core.desk import FirmDesk, Killed, PageHook, bank, bills, books_of

PAGES = 4  # of eight records, three a page, and the page that ends a whole reading

Stop = Callable[[FirmDesk, int], Awaitable[None]]


def at_page(wanted: int, act: Callable[[], Awaitable[None]]) -> PageHook:
    async def hook(page: int) -> None:
        if page == wanted:
            await act()

    return hook


async def cancel_at(desk: FirmDesk, page: int) -> None:
    """Pull until a page was read, then cancel the task while it waits."""
    reached, never = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        reached.set()
        await never.wait()

    desk.factory.hooks["Acme"] = at_page(page, wait)
    (acme,) = await desk.runway.companies.list()
    task = asyncio.create_task(desk.runway.sync(acme.company_id))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    desk.factory.hooks.clear()


async def kill_at(desk: FirmDesk, page: int) -> None:
    """Pull until a page was read, then be gone without a word."""

    async def die() -> None:
        raise Killed

    desk.factory.hooks["Acme"] = at_page(page, die)
    (acme,) = await desk.runway.companies.list()
    with pytest.raises(Killed):
        await desk.runway.sync(acme.company_id)
    desk.factory.hooks.clear()
    desk.later(seconds=LEASE_SECONDS)  # until its lease has run out


async def break_at(desk: FirmDesk, page: int) -> None:
    """Pull until a page was read, then lose the rail."""

    async def fail() -> None:
        raise RailUnavailable("memory: no answer", rail="memory")

    desk.factory.hooks["Acme"] = at_page(page, fail)
    await desk.runway.sync_all()
    desk.factory.hooks.clear()


async def open_desk() -> FirmDesk:
    desk = FirmDesk()
    await desk.connect("Acme", bank(), *bills(7))
    return desk


@given(
    stops=st.lists(st.tuples(st.integers(0, PAGES - 1), st.sampled_from((cancel_at, kill_at, break_at))), max_size=4)
)
async def test_a_pull_that_stopped_goes_on_as_if_it_had_not(
    stops: list[tuple[int, Stop]],
) -> None:
    whole, desk = await open_desk(), await open_desk()
    (acme,) = await desk.runway.companies.list()
    await whole.runway.sync_all()
    for page, stop in stops:
        # What is left gets shorter with every try: the last page is always there to be stopped at.
        await stop(desk, min(page, await pages_left(desk) - 1))
    calls = desk.ledger("Acme").calls
    await desk.runway.sync_all()

    assert await desk.mirror(acme) == await whole.mirror(acme) == books_of(desk.ledger("Acme"))
    assert await desk.trail(acme) == await whole.trail(acme)
    held = await desk.connection(acme)
    assert await desk.store.mirror.cursor(held.connection_id, acme.company_id) == await whole.store.mirror.cursor(
        held.connection_id, acme.company_id
    )
    assert desk.ledger("Acme").calls - calls <= PAGES
    assert (await desk.runway.verify_log(acme.company_id)).is_sound


async def pages_left(desk: FirmDesk) -> int:
    (acme,) = await desk.runway.companies.list()
    return PAGES - -(-len(await desk.mirror(acme)) // desk.factory.page_size)


@pytest.mark.parametrize("page", range(PAGES))
async def test_a_cancelled_pull_lets_go_at_once_and_costs_only_the_pages_left(page: int) -> None:
    desk = await open_desk()
    (acme,) = await desk.runway.companies.list()
    await cancel_at(desk, page)
    connection = await desk.connection(acme)
    calls = desk.ledger("Acme").calls
    (run,) = (await desk.runway.sync(acme.company_id)).runs

    assert (connection.state, connection.last_error_code) == (ConnectionState.FAILING, "rail-unavailable")
    assert "stopped before its end" in (connection.last_error or "")
    assert (run.outcome, desk.ledger("Acme").calls - calls) == (RunOutcome.SUCCEEDED, PAGES - page)


@pytest.mark.parametrize("page", range(PAGES))
async def test_a_killed_pull_leaves_whole_pages_and_a_lease_that_runs_out(page: int) -> None:
    desk = await open_desk()
    (acme,) = await desk.runway.companies.list()

    async def die() -> None:
        raise Killed

    desk.factory.hooks["Acme"] = at_page(page, die)
    with pytest.raises(Killed):
        await desk.runway.sync(acme.company_id)
    desk.factory.hooks.clear()
    kept = await desk.mirror(acme)
    (early,) = (await desk.runway.sync(acme.company_id)).runs
    desk.later(seconds=LEASE_SECONDS)
    (later,) = (await desk.runway.sync(acme.company_id)).runs

    assert len(kept) == min(page * desk.factory.page_size, 8)
    assert (early.error_code, later.error_code) == ("lease-held", None)
    assert await desk.mirror(acme) == books_of(desk.ledger("Acme"))


async def test_of_two_pulls_at_once_one_is_told_that_the_other_is_at_it() -> None:
    desk = await open_desk()
    (acme,) = await desk.runway.companies.list()
    other_process = desk.open(DEFAULT_FIRM)
    told: list[str | None] = []

    async def pull_too() -> None:
        (run,) = (await other_process.sync(acme.company_id)).runs
        told.append(run.error_code)

    desk.factory.hooks["Acme"] = at_page(1, pull_too)
    (run,) = (await desk.runway.sync(acme.company_id)).runs

    assert (told, run.error_code) == (["lease-held"], None)
    assert await desk.mirror(acme) == books_of(desk.ledger("Acme"))
    assert len([what for _, _, what in await desk.trail(acme) if what == "created"]) == 8


async def test_a_lease_that_ran_out_and_was_taken_over_commits_nothing_more() -> None:
    desk = await open_desk()
    (acme,) = await desk.runway.companies.list()
    other_process = desk.open(DEFAULT_FIRM)
    seen: list[dict[RecordKey, bytes]] = []

    async def oversleep() -> None:
        desk.factory.hooks.clear()
        desk.later(seconds=LEASE_SECONDS + 1)
        await other_process.sync(acme.company_id)
        desk.ledger("Acme").delete(RecordKey(RecordKind.BILL, "B00"))
        await other_process.sync(acme.company_id)
        seen.append(await desk.mirror(acme))

    desk.factory.hooks["Acme"] = at_page(2, oversleep)
    (run,) = (await desk.runway.sync(acme.company_id)).runs

    assert run.error_code == "lease-lost"
    assert seen == [await desk.mirror(acme)] == [books_of(desk.ledger("Acme"))]
    assert (await desk.connection(acme)).state is ConnectionState.ACTIVE  # the other's result stands
    assert (await desk.runway.verify_log(acme.company_id)).is_sound


async def test_a_slow_rail_keeps_its_lease_while_nobody_takes_it() -> None:
    desk = await open_desk()
    (acme,) = await desk.runway.companies.list()

    async def dawdle(page: int) -> None:
        desk.clock.advance(timedelta(seconds=LEASE_SECONDS * (2 if page == 1 else 0.7)))

    desk.factory.hooks["Acme"] = dawdle
    (run,) = (await desk.runway.sync(acme.company_id)).runs

    assert (run.error_code, run.counts.created) == (None, 8)


async def test_a_full_read_that_stopped_retires_nothing() -> None:
    desk = await open_desk()
    (acme,) = await desk.runway.companies.list()
    await desk.runway.sync(acme.company_id)
    before = await desk.mirror(acme)
    desk.later(minutes=1)
    del desk.ledger("Acme").records[RecordKey(RecordKind.BILL, "B00")]

    async def die() -> None:
        raise Killed

    desk.factory.hooks["Acme"] = at_page(2, die)
    with pytest.raises(Killed):
        await desk.runway.sync(acme.company_id, request=PullRequest(full=True))
    desk.factory.hooks.clear()
    kept = await desk.mirror(acme)
    desk.later(seconds=LEASE_SECONDS)
    await desk.runway.sync(acme.company_id)  # goes on with the whole reading, and ends it

    assert kept == before
    assert await desk.mirror(acme) == books_of(desk.ledger("Acme"))


async def test_a_pull_that_was_stopped_is_due_again_in_half_a_minute() -> None:
    """A deployment stops pulls, and a silent rail has them stopped: neither costs a quarter of an hour."""
    desk = await open_desk()
    await desk.runway.sync_all()
    desk.later(minutes=15)
    await cancel_at(desk, 0)
    (connection,) = await desk.runway.connections.list()
    assert connection.last_attempt_at is not None
    at_once = plan_polls([connection], now=connection.last_attempt_at, intervals=Intervals())
    soon = plan_polls([connection], now=connection.last_attempt_at + FIRST_RETRY, intervals=Intervals())

    assert (len(at_once), len(soon)) == (0, 1)
