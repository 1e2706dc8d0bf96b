"""Whatever is wrong with a database comes out as one line that says what to do."""

import asyncio
import os
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from runway_core.errors import InvalidRequest, StoreError, StoreUnavailable
from runway_store_sql import SqlStore
from runway_store_sql.engine import PostgresDatabase, parse_url
from runway_store_sql.sqlite import SqliteDatabase, is_affected
from runway_testkit.store_desk import StoreDesk, make_bill
from sqlalchemy import Connection, text


async def open_and_close(url: str) -> None:
    async with SqlStore(url):
        pass


async def refusal_of(url: str) -> str:
    with pytest.raises(StoreError) as caught:
        await open_and_close(url)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("url", ["mysql://host/db", "sqlite://", "sqlite:///:memory:", "books.db", ""])
def test_an_address_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        SqlStore(url)


def test_a_password_is_never_shown() -> None:
    store = SqlStore("postgresql://ann:hunter2@db.example/books", secret_key="x" * 40)

    assert "hunter2" not in repr(store)
    assert "xxxx" not in repr(store) + repr(store.vault) + repr(vars(store.vault))


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "does not exist: create it" in await refusal_of(f"sqlite:///{tmp_path / 'no' / 'books.db'}")


async def test_a_folder_instead_of_a_file(tmp_path: Path) -> None:
    assert "cannot be opened" in await refusal_of(f"sqlite:///{tmp_path}")


async def test_a_file_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Ann, " * 200)

    assert "is not a SQLite database" in await refusal_of(f"sqlite:///{tmp_path / 'letter.db'}")


OPEN_AS_NOBODY = """
import asyncio, os, sys
from runway_core.errors import StoreUnavailable
from runway_store_sql import SqlStore
if os.getuid() == 0:  # root may write anything: become nobody
    os.setuid(65534)
async def main():
    try:
        async with SqlStore(sys.argv[1]) as store:
            await store.upgrade()
    except StoreUnavailable as error:
        print(error)
asyncio.run(main())
"""


@pytest.mark.parametrize("is_there", [True, False], ids=["a read-only file", "an unwritable path"])
async def test_what_cannot_be_written(tmp_path: Path, is_there: bool) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if stat.S_IMODE(folder.stat().st_mode) == 0o700:  # as pytest makes its own
            folder.chmod(0o755)
    url = f"sqlite:///{tmp_path / 'books.db'}"
    if is_there:
        await SqlStore(url).upgrade()
        (tmp_path / "books.db").chmod(0o444)
    tmp_path.chmod(0o555)  # noqa: ASYNC240 - a test may wait for its disk
    child = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", OPEN_AS_NOBODY, url], capture_output=True, text=True, check=False
    )

    assert child.stdout.count("\n") == 1, child.stderr
    assert ("is read-only" if is_there else "cannot be opened") in child.stdout


async def test_a_disk_that_is_full(tmp_path: Path) -> None:
    async with SqlStore(f"sqlite:///{tmp_path / 'books.db'}") as store:
        desk = await StoreDesk(store).open()
        pages = await store.database.write(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one())
        await store.database.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}").close())
        with pytest.raises(StoreUnavailable, match="the disk is full: free some space"):
            await desk.put(*(make_bill(str(n), memo="m" * 500) for n in range(100)))
        await store.database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count=100000").close())
        receipt = await desk.put(make_bill())

        assert receipt.counts.created == 1
        assert await desk.read_mirror() == await desk.fold_log()


async def test_a_server_that_does_not_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    assert "does not answer: start the server" in await refusal_of(f"postgresql://ann@127.0.0.1:{port}/books")


async def test_a_database_that_the_server_does_not_know(postgres: Callable[..., str]) -> None:
    url = postgres().replace("/test_", "/unknown_")

    assert "does not exist: create it with `createdb`" in await refusal_of(url)


async def test_a_server_that_may_lose_commits_is_refused(postgres: Callable[..., str]) -> None:
    url = postgres()
    name = parse_url(url).database
    async with SqlStore(url) as store:
        await store.database.write(
            lambda connection: connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        )

    assert "may lose commits" in await refusal_of(url)


async def test_a_closed_store_says_so(database_url: str) -> None:
    store = SqlStore(database_url)
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.mirror.companies_due()
    async with store:
        pass
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.mirror.discard_quarantined("a", "b", act=None)  # type: ignore[arg-type]  # any id will do


async def test_a_transaction_undone_for_anothers_sake_is_tried_again(postgres: Callable[..., str]) -> None:
    tries = []

    def work(connection: Connection) -> int:
        tries.append(1)
        if len(tries) < 3:
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"))
        return len(tries)

    async with SqlStore(postgres()) as store:
        assert await store.database.write(work) == 3


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 9), False),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_the_versions_with_the_race_are_known(version: tuple[int, int, int], affected: bool) -> None:
    assert is_affected(version) is affected


async def test_an_affected_sqlite_warns_and_lets_one_process_write(tmp_path: Path) -> None:
    url = parse_url(f"sqlite:///{tmp_path / 'books.db'}")
    await SqlStore(f"sqlite:///{tmp_path / 'books.db'}").upgrade()
    first, second = SqliteDatabase(url, module=sqlite3), SqliteDatabase(url, module=sqlite3)
    count = text("SELECT count(*) FROM companies")
    await first.open()
    await second.open()
    try:
        await first.write(lambda connection: connection.execute(text("DELETE FROM companies")).close())
        if is_affected(sqlite3.sqlite_version_info):  # the interpreter's own; a newer one may be mended
            with pytest.raises(StoreUnavailable, match=f"process {os.getpid()} is writing .* or install pysqlite3"):
                await second.write(lambda connection: connection.execute(text("DELETE FROM companies")).close())

            assert "install pysqlite3" in (await first.report()).warnings[0]
        else:
            await second.write(lambda connection: connection.execute(text("DELETE FROM companies")).close())

            assert (await first.report()).warnings == ()
        assert await second.read(lambda connection: connection.scalar(count)) == 0
    finally:
        await first.close()
        await second.close()


async def test_two_stores_may_write_one_file_with_a_mended_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    async with SqlStore(url) as first, SqlStore(url) as second:
        here, there = StoreDesk(first), StoreDesk(second, company="zenith")
        await asyncio.gather(here.open(), there.open())
        for number in range(20):
            await asyncio.gather(here.put(make_bill(str(number))), there.put(make_bill(str(number))))

        assert await here.check_chain() == await there.check_chain() == 22


async def test_a_transaction_that_takes_too_long_is_given_up_and_the_next_one_works(
    postgres: Callable[..., str],
) -> None:
    """A server whose machine vanished never answers: a worker that waited for it would do nothing any more."""
    database = PostgresDatabase(parse_url(postgres()), longest_wait=timedelta(seconds=1))
    await database.open()
    for work in (database.read, database.write):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await work(lambda connection: connection.execute(text("SELECT pg_sleep(60)")))

    assert await database.read(lambda connection: connection.scalar(text("SELECT 1"))) == 1
    await database.close()


async def test_a_session_that_sleeps_within_a_transaction_frees_what_it_holds(postgres: Callable[..., str]) -> None:
    """A worker that is suspended while it claims would have all others wait for as long as it sleeps."""
    database = PostgresDatabase(parse_url(postgres()))
    await database.open()
    setting = text("SHOW idle_in_transaction_session_timeout")
    limits = await asyncio.gather(*(database.write(lambda sql: sql.scalar(setting)) for _ in range(3)))
    with pytest.raises(StoreUnavailable):
        await database.write(_sleep_within)
    limits.append(await database.write(lambda sql: sql.scalar(setting)))
    while_migrating = await database.migrate(lambda sql: sql.scalar(setting))
    limits.append(await database.write(lambda sql: sql.scalar(setting)))
    await database.close()

    assert set(limits) == {"30s"}
    assert while_migrating == "0"


def _sleep_within(connection: Connection) -> None:
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '10ms'"))
    for _ in range(2_000_000):  # longer than that
        pass
    connection.execute(text("SELECT 1"))
