"""The store on a SQLite file keeps the promises of a store."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from runway_store_sql import SqlStore
from runway_testkit.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture
    async def store(self, sqlite: Callable[[Path], str], tmp_path: Path) -> AsyncIterator[SqlStore]:
        async with SqlStore(sqlite(tmp_path / "books.db")) as store:
            yield store
