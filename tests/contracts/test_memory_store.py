"""The fake store keeps the promises of a store."""

from collections.abc import AsyncIterator

import pytest
from runway_testkit.memory_store import MemoryStore
from runway_testkit.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[MemoryStore]:
        async with MemoryStore() as store:
            yield store
