"""The database itself refuses to change the log."""

from collections.abc import Callable
from pathlib import Path

import pytest
from runway_core.errors import StoreUnavailable
from runway_store_sql import SqlStore
from runway_testkit.store_desk import StoreDesk, make_bill
from sqlalchemy import Connection, text

SECRET_KEY = "a key for tests alone, of 32 characters and more"
COLUMNS = "company_id, sequence, seen_at, rail, kind, external_id, what, correlation_id, previous_hash, hash, canonical"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_entries SET what = 'never'",
        "DELETE FROM log_entries WHERE sequence = 3",
        f"INSERT OR REPLACE INTO log_entries ({COLUMNS}) SELECT {COLUMNS} FROM log_entries WHERE sequence = 3",
        "TRUNCATE log_entries",
    ],
    ids=["update", "delete", "replace", "truncate"],
)
async def test_the_log_cannot_be_changed(database_url: str, statement: str) -> None:
    foreign = "TRUNCATE" if database_url.startswith("sqlite") else "INSERT OR"
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_bill())
        refusal = "syntax error" if statement.startswith(foreign) else "append-only|not authorized"
        with pytest.raises(StoreUnavailable, match=refusal):
            await store.database.write(lambda connection: connection.execute(text(statement)))

        assert await desk.check_chain() == 3


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER log_entries_keep_delete",
        "DROP TABLE log_entries",
        "ALTER TABLE log_entries RENAME TO other",
        "ALTER TABLE log_entries DROP COLUMN what",
        "PRAGMA writable_schema=ON",
        "PRAGMA recursive_triggers=OFF",
        "DELETE FROM anchors",
        "UPDATE anchors SET made_at = 1",
    ],
)
async def test_no_statement_of_ours_can_lift_the_guard_on_sqlite(
    tmp_path: Path, sqlite: Callable[[Path], str], statement: str
) -> None:
    async with SqlStore(sqlite(tmp_path / "books.db")) as store:
        desk = await StoreDesk(store).open()
        with pytest.raises(StoreUnavailable, match="not authorized"):
            await store.database.write(lambda connection: connection.execute(text(statement)))

        assert await desk.check_chain() == 2


async def test_what_one_transaction_may_the_next_may_not(tmp_path: Path) -> None:
    """The guard stands again after a migration, also one that failed."""
    async with SqlStore(f"sqlite:///{tmp_path / 'books.db'}") as store:

        def fail(connection: Connection) -> None:
            connection.execute(text("DELETE FROM log_heads"))
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await store.database.migrate(fail)
        with pytest.raises(StoreUnavailable, match="not authorized"):
            await store.database.write(lambda c: c.execute(text("DROP TRIGGER log_entries_keep_delete")))


@pytest.fixture
async def serving(postgres: Callable[..., str]) -> str:
    """The address of a migrated database as a role that serves, and owns nothing."""
    url = postgres()
    role = f"serving_{url.partition('@/')[2].partition('?')[0]}"
    async with SqlStore(url, secret_key=SECRET_KEY) as owner:
        await owner.database.write(lambda c: c.execute(text(f"CREATE ROLE {role} LOGIN")))
        await owner.grant_app_role(role)
    return url.replace("postgres@", f"{role}@")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_entries SET what = 'never'",
        "DELETE FROM log_entries",
        "TRUNCATE log_entries",
        "TRUNCATE anchors",
        "DELETE FROM anchors",
        "ALTER TABLE log_entries DISABLE TRIGGER USER",
        "DROP TRIGGER log_entries_keep ON log_entries",
        "DROP TABLE log_entries",
        "SET session_replication_role = replica",
        "CREATE TABLE other (x int)",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
async def test_the_serving_role_may_only_add_to_the_log(serving: str, statement: str) -> None:
    async with SqlStore(serving, secret_key=SECRET_KEY) as store:
        with pytest.raises(StoreUnavailable, match="does not let this user"):
            await store.database.write(lambda connection: connection.execute(text(statement)))
