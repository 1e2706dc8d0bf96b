"""Migrations build exactly the tables, and versions that do not fit are refused."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from runway_core.errors import SchemaMismatch, StoreUnavailable
from runway_store_sql import SqlStore
from runway_store_sql.tables import metadata
from sqlalchemy import Connection, text


def find_differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
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
