"""Workers under Celery: words get lost, doubled and late, workers and Redis are killed, and every company is pulled."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from runway_core.domain.company import Connection
from runway_core.domain.identity import CompanyId
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.runway import Runway
from runway_queue_celery import CeleryBroker
from runway_queue_celery.broker import QUEUE, WAITING_AT_MOST
from runway_rail_sample.rail import SampleRailFactory
from runway_store_sql import SqlStore

from tests.queue.conftest import RedisServer, Start

BOOKS = Path(__file__).parents[2] / "packages" / "rail-sample" / "books"
COMPANIES = 12
KEY = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="
PATIENCE_SECONDS = 240  # a pull that is killed holds its connection for two minutes, and is planned again within one


async def connect_companies(url: str, folder: Path) -> None:
    async with Runway.open(store=SqlStore(url, secret_key=KEY), rails=[SampleRailFactory()]) as runway:
        for number in range(COMPANIES):
            books = shutil.copytree(BOOKS, folder / f"books-{number}")
            company = await runway.companies.add(f"Company {number}", home_currency="USD", time_zone="UTC")
            await runway.connections.add(
                company.company_id, rail="sample", settings={"folder": str(books), "company_name": "x"}, secrets={}
            )


async def look(url: str) -> tuple[Sequence[Connection], Sequence[SyncRun], dict[CompanyId, int]]:
    """Every connection, every pull, and how many records are held of each company."""
    async with Runway.open(store=SqlStore(url, secret_key=KEY), rails=[SampleRailFactory()]) as runway:
        connections = await runway.connections.list()
        runs = [
            run
            for company in await runway.companies.list()
            for run in await runway.scope.store.registry.runs(runway.scope.firm_id, company.company_id, limit=100)
        ]
        mirror = runway.scope.store.mirror
        held = {one.company_id: sum((await mirror.count_records(one.company_id)).values()) for one in connections}
        return connections, runs, held


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"


def pulled(url: str) -> int:
    connections, _, _ = asyncio.run(look(url))
    return sum(connection.last_success_at is not None for connection in connections)


def test_every_company_is_pulled_though_a_worker_and_redis_are_killed_and_all_words_lost(
    postgres: Callable[..., str], redis: RedisServer, start: Start, tmp_path: Path
) -> None:
    url = postgres()
    asyncio.run(connect_companies(url, tmp_path))
    settings = {"RUNWAY_DATABASE_URL": url, "RUNWAY_SECRET_KEY": KEY, "RUNWAY_COMPANIES_AT_ONCE": "1"}
    settings |= {"RUNWAY_BROKER_URL": redis.url}
    first = start("worker", **settings)
    start("worker", "--processes", "2", **settings)
    start("scheduler", "--plan-only", **settings)
    wait_until(lambda: pulled(url) >= 1)
    os.killpg(first.pid, signal.SIGKILL)
    redis.say("FLUSHALL")
    redis.kill()
    redis.start()
    wait_until(lambda: pulled(url) == COMPANIES)
    connections, runs, held = asyncio.run(look(url))

    assert {connection.state.value for connection in connections} == {"active"}
    by_company: dict[CompanyId, list[SyncRun]] = {}
    for run in sorted(runs, key=lambda run: run.started_at):
        by_company.setdefault(run.company_id, []).append(run)
    for company_id, company_runs in by_company.items():
        whole = [run for run in company_runs if run.outcome is RunOutcome.SUCCEEDED]
        assert whole
        assert all(run.ended_at is not None for run in whole)
        assert sum(run.counts.created for run in company_runs) == held[company_id]  # nothing twice


def test_a_worker_that_is_asked_to_stop_ends_by_itself(
    postgres: Callable[..., str], redis: RedisServer, start: Start, tmp_path: Path
) -> None:
    url = postgres()
    asyncio.run(connect_companies(url, tmp_path))
    settings = {"RUNWAY_DATABASE_URL": url, "RUNWAY_SECRET_KEY": KEY, "RUNWAY_BROKER_URL": redis.url}
    worker = start("worker", **settings)
    start("scheduler", "--plan-only", **settings)
    wait_until(lambda: pulled(url) >= 1)
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=60) == 0


async def test_words_never_pile_up(redis: RedisServer) -> None:
    broker = CeleryBroker(redis.url)
    first = await broker.announce(1000)
    second = await broker.announce(1000)
    few = redis.say("LLEN", QUEUE)
    broker.close()

    assert (first, second, few) == (WAITING_AT_MOST, 0, f":{WAITING_AT_MOST}\r\n".encode())
    assert await CeleryBroker(redis.url).announce(0) == 0


async def test_a_broker_that_is_down_is_noted_and_costs_nothing(redis: RedisServer) -> None:
    redis.kill()
    broker = CeleryBroker(redis.url)

    assert await broker.announce(5) == 0


def test_a_broker_of_an_unknown_kind_is_refused_with_what_to_do(start: Start, tmp_path: Path) -> None:
    settings = {"RUNWAY_BROKER_URL": "carrier-pigeon://loft", "RUNWAY_DATABASE_URL": f"sqlite:///{tmp_path / 'b.db'}"}
    worker = start("worker", **settings)

    assert worker.wait(timeout=60) == 2
