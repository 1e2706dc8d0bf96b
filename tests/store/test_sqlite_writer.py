"""One writer commits for many, and each still gets its own answer."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from runway_core.errors import InvalidRequest
from runway_store_sql import SqlStore
from runway_store_sql.engine import parse_url
from runway_store_sql.sqlite import SqliteDatabase
from runway_testkit.store_desk import BY, StoreDesk, make_bill
from sqlalchemy import Connection, text


def add_note(connection: Connection, *, n: int) -> int:
    return connection.execute(text("INSERT INTO notes VALUES (:n)"), {"n": n}).rowcount


async def test_many_companies_share_commits_and_one_failure_stays_its_own(tmp_path: Path) -> None:
    async with SqlStore(f"sqlite:///{tmp_path / 'books.db'}") as store:
        desks = [StoreDesk(store, company=f"company-{n:02}") for n in range(30)]
        await asyncio.gather(*(desk.open() for desk in desks))
        outcomes = await asyncio.gather(
            *(desk.put(make_bill()) for desk in desks),
            store.registry.add_company(desks[0].company, attribution=BY),
            return_exceptions=True,
        )

        assert isinstance(outcomes[-1], InvalidRequest)
        assert [outcome for outcome in outcomes[:-1] if isinstance(outcome, BaseException)] == []
        for desk in desks:
            assert await desk.check_chain() == 3


async def test_waiting_transactions_are_committed_together(tmp_path: Path) -> None:
    database = SqliteDatabase(parse_url(f"sqlite:///{tmp_path / 'books.db'}"))
    began: list[int] = []
    await database.open()
    try:
        await database.write(lambda connection: connection.execute(text("CREATE TABLE notes (n)")).close())

        def slow(connection: Connection) -> None:
            # A recursive query keeps the writer busy while the others queue up behind it.
            connection.execute(
                text(
                    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c LIMIT 900000) SELECT count(*) FROM c"
                )
            ).close()

        def note(connection: Connection) -> None:
            began.append(int(connection.in_nested_transaction()))
            connection.execute(text("INSERT INTO notes VALUES (1)"))

        await asyncio.gather(database.write(slow), *(database.write(note) for _ in range(20)))

        assert sum(began) >= 19
        assert await database.read(lambda c: c.scalar(text("SELECT count(*) FROM notes"))) == 20
    finally:
        await database.close()


async def test_a_bad_statement_among_others_fails_alone(tmp_path: Path) -> None:
    database = SqliteDatabase(parse_url(f"sqlite:///{tmp_path / 'books.db'}"))
    await database.open()
    try:
        await database.write(lambda connection: connection.execute(text("CREATE TABLE notes (n UNIQUE)")).close())
        outcomes = await asyncio.gather(
            *(database.write(partial(add_note, n=n)) for n in (1, 2, 2, 3)),
            return_exceptions=True,
        )

        assert [isinstance(outcome, Exception) for outcome in outcomes] == [False, False, True, False]
        assert await database.read(lambda c: c.scalar(text("SELECT count(*) FROM notes"))) == 3
    finally:
        await database.close()


async def test_commits_wait_for_the_disk(tmp_path: Path) -> None:
    async with SqlStore(f"sqlite:///{tmp_path / 'books.db'}") as store:
        settings = await store.database.write(
            lambda c: [c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")]
        )

    assert settings == [2, "wal"]


@pytest.mark.parametrize("tries", [3])
async def test_closing_finishes_what_waits(tmp_path: Path, tries: int) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    async with SqlStore(url) as store:
        desk = await StoreDesk(store).open()
        waiting = [asyncio.ensure_future(desk.put(make_bill(str(n)))) for n in range(tries)]
        await asyncio.gather(*waiting)
    async with SqlStore(url) as store:
        again = StoreDesk(store)

        assert await again.check_chain() == 2 + tries
