"""Migrations build exactly the tables, and versions that do not fit are refused."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from runway_core.errors import SchemaMismatch, StoreUnavailable
from runway_store_sql import SqlStore
from runway_store_sql.schema import LOCK_WAIT_MILLISECONDS, configure_migrations
from runway_store_sql.tables import metadata
from sqlalchemy import Column, Connection, MetaData, insert, inspect, text

GUARDED = {"log_pieces", "job_turns"}  # one takes only rows of which the log tells, the other has its one row

PARTS = "log_entries_"


def is_of_tables(name: str | None, kind: str, _parents: Any) -> bool:
    """Parts of the log are no tables of their own."""
    return kind != "table" or not (name or "").startswith(PARTS)


def find_differences(connection: Connection) -> list[Any]:
    opts = {"compare_type": True, "compare_server_default": True, "include_name": is_of_tables}
    context = MigrationContext.configure(connection, opts=opts)
    return list(compare_metadata(context, metadata))


async def test_migrations_build_exactly_the_tables(database_url: str) -> None:
    async with SqlStore(database_url, secret_key="k" * 40) as store:
        differences = await store.database.read(find_differences)
        health = await store.check()

    assert differences == []
    assert (health.is_current, health.warnings) == (True, ())


async def test_upgrading_again_is_harmless(database_url: str) -> None:
    store = SqlStore(database_url)
    await store.upgrade()
    async with store:
        await store.upgrade()


def read_revisions() -> list[str]:
    """Every version of the schema that there was, oldest first."""
    scripts = ScriptDirectory.from_config(configure_migrations()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def put_rows(connection: Connection, tables: set[str]) -> None:
    """One row in each table, as it is at that version: whatever its columns take."""
    looked_at = MetaData()
    looked_at.reflect(connection, only=sorted(tables))
    for table in looked_at.sorted_tables:
        values = {column.name: make_value(column) for column in table.columns if not column.nullable}
        connection.execute(insert(table).values(values))


def move_on(connection: Connection, *, revision: str, held: frozenset[str]) -> set[str]:
    """Go to a version, and put a row into each table that it brought; says which."""
    command.upgrade(configure_migrations(connection), revision)
    names = {name for name in inspect(connection).get_table_names() if is_of_tables(name, "table", None)}
    new = names - held - {"alembic_version", *GUARDED}
    put_rows(connection, new)
    return new


def make_value(column: Column[Any]) -> object:
    kind = column.type.python_type
    return {str: "x", int: 1, bytes: b"x", bool: False}[kind]


def count_rows(connection: Connection, tables: set[str]) -> dict[str, int]:
    return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in sorted(tables)}


async def test_a_database_of_every_version_goes_on_with_its_rows(postgres: Callable[..., str], tmp_path: Path) -> None:
    """With a row in each table before it is moved, from one to the next: all upgrades are made of these steps."""
    for url in (f"sqlite:///{tmp_path / 'old.db'}", postgres(migrated=False)):
        filled: set[str] = set()
        store = SqlStore(url)
        await store.database.open()
        for revision in read_revisions():
            filled |= await store.database.migrate(partial(move_on, revision=revision, held=frozenset(filled)))
        counts = await store.database.read(partial(count_rows, tables=filled))
        await store.database.close()
        await store.upgrade()
        async with store:
            differences = await store.database.read(find_differences)

        assert differences == []
        assert len(filled) >= 50
        assert set(counts.values()) == {1}, counts


async def test_an_upgrade_beside_a_long_reading_holds_up_no_other_reader(postgres: Callable[..., str]) -> None:
    """It would wait for the long one with a lock that keeps all others waiting behind it."""
    url = postgres(migrated=False)
    store = SqlStore(url)
    await store.database.open()
    await store.database.migrate(lambda c: command.upgrade(configure_migrations(c), "0002"))
    await store.database.close()
    long, short = await asyncpg.connect(url), await asyncpg.connect(url)
    await long.execute("BEGIN")
    tables = [row[0] for row in await long.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for table in tables:
        await long.fetch(f"SELECT * FROM {table}")
    upgrading = asyncio.ensure_future(SqlStore(url).upgrade())
    waited = []
    until = perf_counter() + 3 * LOCK_WAIT_MILLISECONDS / 1000
    while perf_counter() < until:
        began = perf_counter()
        for table in tables:
            await asyncio.wait_for(short.fetch(f"SELECT * FROM {table}"), 10)
        waited.append(perf_counter() - began)
    was_done = upgrading.done()
    await long.execute("ROLLBACK")
    await asyncio.wait_for(upgrading, 30)
    await long.close()
    await short.close()

    assert not was_done
    assert max(waited) < 5 * LOCK_WAIT_MILLISECONDS / 1000
    async with SqlStore(url) as current:
        assert (await current.check()).is_current


async def test_a_database_newer_than_the_code_is_refused(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        await store.database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))

    with pytest.raises(SchemaMismatch, match="newer than this code: upgrade Runway"):
        async with SqlStore(database_url):
            pass
    with pytest.raises(SchemaMismatch, match="newer"):
        await SqlStore(database_url).upgrade()


async def test_a_database_that_is_not_migrated_is_refused(postgres: Callable[..., str], tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE notes (text)")
    empty = postgres(migrated=False)
    with pytest.raises(SchemaMismatch, match="run `runway db upgrade`"):
        async with SqlStore(empty):
            pass
    with pytest.raises(SchemaMismatch, match="run `runway db upgrade`"):
        async with SqlStore(f"sqlite:///{tmp_path / 'other.db'}"):
            pass

    health = await SqlStore(empty).check()
    assert (health.is_current, health.schema_revision) == (False, None)


async def test_a_file_that_is_not_there_is_made_unless_told_otherwise(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    with pytest.raises(StoreUnavailable, match="does not exist"):
        async with SqlStore(url, create=False):
            pass
    with pytest.raises(StoreUnavailable, match="does not exist"):
        await SqlStore(url).check()
    async with SqlStore(url) as store:
        assert (await store.check()).is_current
