"""The ticker: who is due when, and what it survives."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_app_http.scheduler import Ticker, find_last_moment, find_phase, is_due
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.errors import RailAccessLost, RailUnavailable
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_testkit.clock import FixedClock
from runway_testkit.memory_rail import MemoryLedger, MemoryRailFactory
from runway_testkit.store_desk import make_account, make_bill

INTERVAL = timedelta(minutes=15)
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
IDS = [CompanyId(f"company-{number}") for number in range(100)]
MOMENTS = st.integers(0, 20 * 366 * 86_400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def make_connection(
    tried: datetime | None,
    *,
    company_id: CompanyId = IDS[0],
    state: ConnectionState = ConnectionState.ACTIVE,
    failures: int = 0,
) -> Connection:
    return Connection(
        connection_id=ConnectionId("c"),
        company_id=company_id,
        firm_id=FirmId("own"),
        rail="memory",
        settings={},
        state=state,
        created_at=START,
        last_attempt_at=tried,
        failures_in_a_row=failures,
    )


def due(connection: Connection, now: datetime) -> bool:
    return is_due(connection, now=now, interval=INTERVAL)


def test_a_hundred_companies_spread_over_the_interval() -> None:
    minutes = [find_phase(company_id, INTERVAL) // timedelta(minutes=1) for company_id in IDS]

    assert set(minutes) == set(range(15))
    assert max(minutes.count(minute) for minute in range(15)) <= 15


@given(
    MOMENTS,
    st.text(min_size=1, max_size=40),
    st.integers(1, 1440),
)
def test_a_companys_moments_are_an_interval_apart(now: datetime, name: str, minutes: int) -> None:
    interval = timedelta(minutes=minutes)
    company_id = CompanyId(name)

    last = find_last_moment(company_id, now=now, interval=interval)

    assert timedelta(0) <= now - last < interval
    assert find_last_moment(company_id, now=last, interval=interval) == last
    assert find_last_moment(company_id, now=last + interval, interval=interval) == last + interval


@given(MOMENTS, st.sampled_from(IDS))
def test_a_company_is_due_once_in_every_interval(now: datetime, company_id: CompanyId) -> None:
    connection = make_connection(now, company_id=company_id)
    beats = [now + timedelta(seconds=5 * count) for count in range(1, 15 * 12 + 1)]

    first = next(beat for beat in beats if due(connection, beat))
    pulled = make_connection(first, company_id=company_id)

    assert not any(due(pulled, beat) for beat in beats if first <= beat < now + INTERVAL)


def test_what_was_never_tried_is_due_and_what_waits_for_a_person_is_not() -> None:
    assert due(make_connection(None), START)
    assert not due(make_connection(None, state=ConnectionState.RECONNECT_NEEDED), START)
    assert not due(make_connection(None, state=ConnectionState.DISCONNECTED), START)


def test_a_failing_company_is_tried_ever_more_seldom_but_always_again() -> None:
    def wait(failures: int) -> timedelta:
        connection = make_connection(START, state=ConnectionState.FAILING, failures=failures)
        moments = (START + timedelta(minutes=count) for count in range(1, 24 * 60))
        return next(moment for moment in moments if due(connection, moment)) - START

    waits = [wait(failures) for failures in range(1, 12)]

    assert waits == sorted(waits)
    assert waits[0] <= INTERVAL
    assert timedelta(hours=1) < waits[-1] <= timedelta(hours=2)


@pytest.fixture
async def firm(tmp_path: Path) -> AsyncIterator[tuple[Runway, dict[str, MemoryLedger], FixedClock]]:
    clock = FixedClock(START)
    ledgers = {name: MemoryLedger(name=name, now=START - timedelta(minutes=1)) for name in ("ada", "bob", "cyd")}
    store = SqlStore(f"sqlite:///{tmp_path / 'books.db'}", clock=clock)
    async with Runway.open(store=store, rails=[MemoryRailFactory(ledgers)], clock=clock) as runway:
        for name, ledger in ledgers.items():
            ledger.put(make_account("35"), make_bill("145"))
            company = await runway.companies.add(name, home_currency="USD", time_zone="America/Chicago")
            await runway.connections.add(company.company_id, rail="memory", settings={"books": name}, secrets={})
        yield runway, ledgers, clock


def make_ticker(runway: Runway) -> Ticker:
    return Ticker(runway, interval_minutes=15, at_once=2)


async def states(runway: Runway) -> dict[str, ConnectionState]:
    names = {company.company_id: company.name for company in await runway.companies.list()}
    return {names[c.company_id]: c.state for c in await runway.connections.list()}


async def test_a_tick_pulls_what_is_due_and_the_next_one_nothing(
    firm: tuple[Runway, dict[str, MemoryLedger], FixedClock],
) -> None:
    runway, ledgers, clock = firm
    ticker = make_ticker(runway)

    begun = await ticker.pull_due()
    again = await ticker.pull_due()  # they are being pulled already
    await ticker.wait_for_pulls()

    assert len(begun) == 3
    assert again == []
    assert (ticker.pulls, ticker.failures) == (3, 0)
    assert await ticker.pull_due() == []
    calls = {name: ledger.calls for name, ledger in ledgers.items()}
    clock.advance(INTERVAL)
    await ticker.pull_due()
    await ticker.wait_for_pulls()
    assert {name: ledger.calls - calls[name] for name, ledger in ledgers.items()} == {"ada": 1, "bob": 1, "cyd": 1}


async def test_one_companys_trouble_delays_no_neighbour(
    firm: tuple[Runway, dict[str, MemoryLedger], FixedClock],
) -> None:
    runway, ledgers, clock = firm
    ledgers["ada"].fail_next(RailUnavailable("down", rail="memory"))
    ledgers["bob"].fail_next(RailAccessLost("gone", rail="memory"))
    ticker = make_ticker(runway)

    await ticker.pull_due()
    await ticker.wait_for_pulls()

    assert await states(runway) == {
        "ada": ConnectionState.FAILING, "bob": ConnectionState.RECONNECT_NEEDED, "cyd": ConnectionState.ACTIVE,
    }  # fmt: skip
    assert (ticker.pulls, ticker.failures) == (3, 2)
    clock.advance(INTERVAL)
    await ticker.pull_due()
    await ticker.wait_for_pulls()
    assert (await states(runway))["ada"] is ConnectionState.ACTIVE


async def test_a_new_local_day_moves_every_position_even_without_access(
    firm: tuple[Runway, dict[str, MemoryLedger], FixedClock],
) -> None:
    runway, _, clock = firm
    ticker = make_ticker(runway)
    await ticker.pull_due()
    await ticker.wait_for_pulls()

    assert await ticker.begin_days() == []
    clock.advance(timedelta(hours=16))  # past midnight UTC, not yet in Chicago
    assert await ticker.begin_days() == []
    clock.advance(timedelta(hours=2))
    assert len(await ticker.begin_days()) == 3
    assert {position.as_of.day for position in await runway.positions.all()} == {5}


async def test_the_log_is_anchored_every_quarter_of_an_hour_while_chains_move(
    firm: tuple[Runway, dict[str, MemoryLedger], FixedClock],
) -> None:
    runway, _, clock = firm
    ticker = make_ticker(runway)

    first = await ticker.anchor_due()
    clock.advance(timedelta(minutes=15))
    await ticker.pull_due()
    await ticker.wait_for_pulls()
    second = await ticker.anchor_due()

    assert first is not None
    assert second is not None
    assert [first.number, second.number] == [1, 2]
    assert await ticker.anchor_due() is None


async def test_a_ticker_starts_pulls_at_once_and_stops_cleanly(
    firm: tuple[Runway, dict[str, MemoryLedger], FixedClock],
) -> None:
    runway, _, _ = firm
    ticker = make_ticker(runway)

    await ticker.pull_due()
    await ticker.start()
    await ticker.wait_for_pulls()
    await ticker.stop()
    await ticker.stop()

    assert ticker.pulls == 3
