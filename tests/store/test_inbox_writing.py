"""Deliveries that come side by side share a commit, and one that cannot be kept spoils no other."""

import asyncio
from collections.abc import Callable

from runway_core.errors import StoreError
from runway_store_sql import SqlStore
from runway_store_sql.inbox_writing import BATCH
from runway_testkit.inbox_contract import make_delivery, make_event

from tests.store.statements import counted


async def test_a_storm_takes_few_statements(database_url: str) -> None:
    deliveries = [make_delivery(str(number), make_event(str(number))) for number in range(200)]
    async with SqlStore(database_url) as store:
        with counted() as statements:
            news = await asyncio.gather(*(store.inbox.accept(delivery) for delivery in deliveries))
        kept = await store.inbox.unread(limit=1000)

    assert all(news)
    assert len(kept) == 200
    assert len(statements) < 5 * (2 + 200 // BATCH)


async def test_one_that_cannot_be_kept_spoils_no_other(postgres: Callable[..., str]) -> None:
    bad = make_delivery("bad", make_event("a\x00b"))  # no text of PostgreSQL holds it
    good = [make_delivery(str(number), make_event(str(number))) for number in range(5)]
    async with SqlStore(postgres()) as store:
        outcomes = await asyncio.gather(
            *(store.inbox.accept(delivery) for delivery in [*good[:2], bad, *good[2:]]), return_exceptions=True
        )
        kept = await store.inbox.unread()

    assert isinstance(outcomes[2], StoreError)
    assert [outcome for place, outcome in enumerate(outcomes) if place != 2] == [True] * 5
    assert len(kept) == 5
