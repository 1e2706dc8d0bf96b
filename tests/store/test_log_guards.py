"""The database itself refuses to change the log."""

import pytest
from runway_core.errors import StoreUnavailable
from runway_store_sql import SqlStore
from runway_testkit.store_desk import StoreDesk, make_bill
from sqlalchemy import text

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
        refusal = "syntax error" if statement.startswith(foreign) else "append-only"
        with pytest.raises(StoreUnavailable, match=refusal):
            await store.database.write(lambda connection: connection.execute(text(statement)))

        assert await desk.check_chain() == 3
