"""Health of a thousand companies takes as many queries as that of three."""

from pathlib import Path

import pytest
from runway_core.domain.company import Company, Connection
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, ConnectionId
from runway_core.domain.service_levels import FreshnessSample
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_store_sql.bulk import insert_rows
from runway_store_sql.registry import _company_row, _connection_row
from runway_store_sql.tables import companies, connections
from runway_testkit.clock import FixedClock
from runway_testkit.memory_rail import MemoryRailFactory
from runway_testkit.store_desk import START
from sqlalchemy import Connection as SqlConnection

from tests.store.statements import counted


async def add(store: SqlStore, count: int) -> None:
    """Companies with a connection each, written past the log: only their number matters here."""
    held = [
        Company(
            company_id=CompanyId(f"c{number:05}"),
            firm_id=DEFAULT_FIRM,
            name=f"Company {number}",
            home_currency="USD",
            time_zone="America/Chicago",
            created_at=START,
        )
        for number in range(count)
    ]
    linked = [
        Connection(
            connection_id=ConnectionId(f"{company.company_id}-memory"),
            company_id=company.company_id,
            firm_id=DEFAULT_FIRM,
            rail="memory",
            settings={"books": company.name},
            created_at=START,
            source_read_at=START,
        )
        for company in held
    ]
    rows = [tuple(_company_row(company).get(column.name) for column in companies.columns) for company in held]
    links = [tuple(_connection_row(one).get(column.name) for column in connections.columns) for one in linked]

    def write(sql: SqlConnection) -> None:
        insert_rows(sql, companies, rows)
        insert_rows(sql, connections, links)

    await store.database.write(write)


@pytest.mark.parametrize("count", [3, 1_000])
async def test_health_takes_a_fixed_number_of_queries(tmp_path: Path, count: int) -> None:
    clock = FixedClock(START)
    async with SqlStore(f"sqlite:///{tmp_path / 'books.db'}", clock=clock) as store:
        await add(store, count)
        runway = Runway.open(store=store, rails=[MemoryRailFactory()], clock=clock)
        with counted() as listing:
            health = await runway.health()
        with counted() as looking:
            service = await runway.watch.service()
        with counted() as watching:
            await runway.watch.watch()

    assert (len(health), service.counted) == (count, count)
    assert (len(listing), len(looking), len(watching)) == (8, 9, 11)


async def test_a_samples_row_is_one_a_minute_and_firm(tmp_path: Path) -> None:
    clock = FixedClock(START)
    async with SqlStore(f"sqlite:///{tmp_path / 'books.db'}", clock=clock) as store:
        runway = Runway.open(store=store, rails=[MemoryRailFactory()], clock=clock)
        for _ in range(3):
            await runway.watch.watch()
        sample = FreshnessSample(taken_at=START, counted=0, fresh=0, oldest_seconds=0)

        assert not await store.health.add_sample(DEFAULT_FIRM, sample)
