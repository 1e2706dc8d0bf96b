"""Jobs on the real databases: a fixed number of statements, no job taken twice, and no row walked in vain."""

import asyncio
from datetime import timedelta

import pytest
from runway_core.domain.jobs import JobState, Lane
from runway_store_sql import SqlStore
from runway_store_sql.job_claims import Asked, find_due
from runway_store_sql.tables import jobs
from runway_testkit.job_queue_contract import FIRM, add_companies, claim, make_job
from runway_testkit.store_desk import START
from sqlalchemy import Connection, func, select

from tests.store.statements import counted, explain


async def test_enqueuing_takes_two_statements_whatever_the_number(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        await add_companies(store, "acme")
        counts = []
        for size in (1, 500):
            with counted() as statements:
                await store.jobs.enqueue([make_job(f"{size}-{n}") for n in range(size)], now=START)
            counts.append(len(statements))

    assert counts == [2, 2]


async def test_claiming_takes_five_statements_and_looking_in_vain_one(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        await add_companies(store, *(f"c{n}" for n in range(40)))
        with counted() as in_vain:
            await claim(store)
        await store.jobs.enqueue([make_job("position", company=f"c{n}") for n in range(40)], now=START)
        with counted() as statements:
            taken = await claim(store, limit=30)

    assert (len(taken), len(in_vain)) == (30, 1)
    assert len(statements) == 1 + 5


async def test_workers_of_several_processes_never_get_one_job(database_url: str) -> None:
    """Each store has connections of its own, as processes have."""
    companies = [f"c{n}" for n in range(30)]
    async with SqlStore(database_url) as one, SqlStore(database_url) as two, SqlStore(database_url) as three:
        await add_companies(one, *companies)
        for lane in (Lane.POLL, Lane.WEBHOOK):
            await one.jobs.enqueue(
                [make_job(f"pull:{name}-{lane}", company=name, lane=lane) for name in companies for _ in range(2)],
                now=START,
            )

        async def work(store: SqlStore, worker: str) -> list[str]:
            done: list[str] = []
            while claims := await claim(store, limit=3, worker=worker):
                for taken in claims:
                    await store.jobs.finish(taken, now=START + timedelta(seconds=1))
                    done.append(taken.job.job_id)
            return done

        done = await asyncio.gather(*(work(store, f"w{n}") for n, store in enumerate([one, two, three] * 2)))
        states = await one.database.read(
            lambda sql: sql.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state)).all()
        )

    taken_by_all = [job_id for of_worker in done for job_id in of_worker]
    assert len(taken_by_all) == len(set(taken_by_all)) == 60
    assert [tuple(row) for row in states] == [(JobState.DONE.value, 60)]


async def test_enqueuing_and_claiming_side_by_side_loses_nothing(database_url: str) -> None:
    """If this fails: a claim and an enqueue that join one another's rows must not wait in a ring."""
    names = [f"c{n}" for n in range(12)]
    async with SqlStore(database_url) as store, SqlStore(database_url) as other:
        await add_companies(store, *names)

        async def fill(lane: Lane) -> int:
            added = 0
            for n in range(15):
                run_at = START - timedelta(seconds=n)
                new = [make_job("position", company=name, lane=lane, run_at=run_at) for name in names]
                added += (await store.jobs.enqueue(new, now=START)).added
            return added

        async def drain(holder: SqlStore) -> int:
            done = 0
            for n in range(25):
                for taken in await claim(holder, limit=5):
                    if n % 3:
                        await holder.jobs.finish(taken, now=START)
                        done += 1
                    else:
                        await holder.jobs.retry(taken, run_at=START, error_code="x", error="y", now=START)
            return done

        await asyncio.gather(fill(Lane.POLL), fill(Lane.WEBHOOK), drain(store), drain(other))
        while claims := await claim(store):
            for taken in claims:
                await store.jobs.finish(taken, now=START)
        depths = await store.jobs.depths(FIRM, now=START)

    assert {what: depths.count(what) for what in ("waiting", "due", "running", "dead")} == dict.fromkeys(
        ("waiting", "due", "running", "dead"), 0
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_next_jobs_of_a_lane_are_read_in_the_order_of_an_index(database_url: str) -> None:
    query = (
        select(jobs.c.job_id)
        .where(jobs.c.state == "waiting", jobs.c.lane == 5, jobs.c.run_at <= 1)
        .order_by(jobs.c.turn_at)
        .limit(5)
    )
    async with SqlStore(database_url) as store:
        await add_companies(store, "acme")
        plan = await store.database.read(lambda sql: explain(sql, query))

        def look(sql: Connection) -> bool:
            return find_due(sql, Asked(now=START, limit=1))

        found = await store.database.read(look)

    assert "ix_jobs_turn" in plan
    assert "SCAN" not in plan
    assert not found
