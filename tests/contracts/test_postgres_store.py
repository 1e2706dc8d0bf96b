"""The store on PostgreSQL keeps the promises of a store."""

from collections.abc import AsyncIterator, Callable

import pytest
from runway_store_sql import SqlStore
from runway_testkit.store_contract import StoreContract

SECRET_KEY = "a key for tests alone, of 32 characters and more"


class TestPostgresStore(StoreContract):
    @pytest.fixture
    async def store(self, postgres: Callable[..., str]) -> AsyncIterator[SqlStore]:
        async with SqlStore(postgres(), secret_key=SECRET_KEY) as store:
            yield store
