"""Working papers on the databases: how many statements a save takes, and databases from before they were kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from runway_core.domain.log_entry import GENESIS
from runway_core.domain.planned_items import PlannedItem
from runway_store_sql import SqlStore
from runway_store_sql.schema import configure_migrations
from runway_testkit.papers_contract import make_item, save
from runway_testkit.store_desk import StoreDesk, make_bill
from sqlalchemy import Connection, column, table

from tests.store.statements import counted


async def test_a_save_takes_as_many_statements_for_a_hundred_papers_as_for_one(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        with counted() as for_one:
            await save(desk, make_item("one"))
        with counted() as for_many:
            saved = await save(desk, *(make_item(f"{n:03}") for n in range(100)))
        with counted() as for_nothing:
            await save(desk, *saved)

    # The company, its chain, what is held, the key that seals; then log, papers and head. PostgreSQL takes many entries
    # by COPY, which is no statement of its own.
    assert len(for_one) == 7
    assert len(for_many) == (6 if store.database.is_embedded is False else 7)
    assert len(for_nothing) == 3
    assert all("company_id" in statement for statement in [*for_one, *for_many])


def add_company_of_the_first_release(connection: Connection) -> None:
    """The rows that the first release wrote for a company and its connection."""
    rows = {
        "companies": {
            "company_id": "acme",
            "firm_id": "own",
            "name": "Acme",
            "home_currency": "USD",
            "time_zone": "America/Chicago",
            "created_at": 1,
            "tags": "[]",
            "settings": "{}",
        },
        "connections": {
            "company_id": "acme",
            "connection_id": "acme-qbo",
            "firm_id": "own",
            "rail": "qbo",
            "settings": '{"books":"1"}',
            "state": "new",
            "created_at": 1,
            "failures_in_a_row": 0,
        },
        "log_heads": {"company_id": "acme", "sequence": 0, "hash": GENESIS, "due_sequence": 0},
    }
    for name, row in rows.items():
        connection.execute(table(name, *map(column, row)).insert(), row)


@pytest.mark.parametrize("is_sqlite", [True, False], ids=["sqlite", "postgresql"])
async def test_a_database_of_the_first_schema_keeps_its_books_and_takes_papers(
    is_sqlite: bool, tmp_path: Path, postgres: Callable[..., str]
) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'books.db'}" if is_sqlite else postgres(migrated=False))
    await store.database.open()
    try:
        await store.database.migrate(lambda connection: command.upgrade(configure_migrations(connection), "0001"))
        await store.database.migrate(add_company_of_the_first_release)
        await store.upgrade()
        desk = await StoreDesk(store).reopen()
        await desk.put(make_bill())
        (saved,) = await save(desk, make_item())

        assert await store.papers.paper(desk.id, PlannedItem, "rent") == saved
        assert (await desk.read_mirror()).keys() == {make_bill().key}
        assert (await store.check()).is_current
    finally:
        await store.database.close()
