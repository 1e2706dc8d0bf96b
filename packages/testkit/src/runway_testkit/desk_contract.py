"""What the promises of a store are tried on."""

import pytest
from runway_core.domain.changes import Attribution, Cause
from runway_core.ports.store import Store

from runway_testkit.store_desk import StoreDesk

PERSON = Attribution(cause=Cause.PERSON, actor="ann", correlation_id="request-1")
OTHER_PERSON = Attribution(cause=Cause.PERSON, actor="bob", correlation_id="request-2")


class DeskContract:
    """One connected company in the store under test."""

    @pytest.fixture
    async def desk(self, store: Store) -> StoreDesk:
        """A connected company in the store under test."""
        return await StoreDesk(store).open()
