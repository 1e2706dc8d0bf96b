"""Webhooks out in the databases: one transaction with their cause, sealed secrets, and what they cost."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from runway_core.domain.subscriptions import SigningSecret
from runway_core.errors import StoreError
from runway_store_sql import SqlStore
from runway_store_sql.subscription_tables import webhook_subscriptions
from runway_testkit.store_desk import START, StoreDesk, make_finding, make_position
from runway_testkit.subscriptions_contract import find_red, make_note, make_subscription, read_types, subscribe
from sqlalchemy import select, text

from tests.store.statements import counted

KEY = "a key for tests alone, of 32 characters and more"


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[StoreDesk]:
    async with SqlStore(database_url, secret_key=KEY) as store:
        yield await StoreDesk(store).open()


async def test_what_cannot_be_told_does_not_become_true(desk: StoreDesk) -> None:
    """If this fails: are deliveries written in the transaction of their cause?"""
    await subscribe(desk)
    store = desk.store
    assert isinstance(store, SqlStore)
    await store.database.write(lambda sql: sql.execute(text("ALTER TABLE webhook_deliveries RENAME TO elsewhere")))
    with pytest.raises(StoreError):
        await find_red(desk)
    await store.database.write(lambda sql: sql.execute(text("ALTER TABLE elsewhere RENAME TO webhook_deliveries")))

    assert await store.positions.position(desk.company.firm_id, desk.id) is None
    assert list(await store.positions.findings(desk.id)) == []
    assert await read_types(desk) == []


async def test_a_firm_without_webhooks_pays_one_look_for_a_position_however_many_findings(desk: StoreDesk) -> None:
    position = await make_position(desk)
    with counted() as few:
        await desk.store.positions.save_position(position, [make_finding(desk)])
    with counted() as many:
        await desk.store.positions.save_position(position, [make_finding(desk, str(number)) for number in range(30)])
    about = [[one for one in statements if "webhook_" in one] for statements in (few, many)]

    assert [len(looks) for looks in about] == [1, 1]
    assert all(looks[0].startswith("SELECT") for looks in about)


async def test_many_events_are_written_together(desk: StoreDesk) -> None:
    await subscribe(desk, "wh_1")
    await subscribe(desk, "wh_2")
    position = await make_position(desk)
    with counted() as statements:
        await desk.store.positions.save_position(position, [make_finding(desk, str(number)) for number in range(15)])

    assert len([one for one in statements if "webhook_" in one]) <= 2
    assert (
        await read_types(desk) == await read_types(desk, "wh_2") == ["finding.opened"] * 15 + ["runway.status_changed"]
    )


async def test_secrets_lie_sealed_and_move_to_a_new_key(database_url: str) -> None:
    secret = SigningSecret(secret=SecretStr("whsec_cGxhbnRlZCBzZWNyZXQ="))
    newer = "another key for tests alone, of 32 characters"
    async with SqlStore(database_url, secret_key=KEY) as store:
        desk = await StoreDesk(store).open()
        made = make_subscription(desk)
        await store.subscriptions.save(made, [make_note(made)], secrets=[secret])
        rows = await store.database.read(lambda sql: sql.execute(select(webhook_subscriptions)).all())
    async with SqlStore(database_url, secret_key=newer, other_secret_keys=[SecretStr(KEY)]) as store:
        moved = await store.subscriptions.rotate()
        again = await store.subscriptions.rotate()
    async with SqlStore(database_url, secret_key=newer) as store:
        opened = await store.subscriptions.secrets(desk.company.firm_id, made.subscription_id)

    assert "planted" not in repr(rows)
    assert "cGxhbnRlZCBzZWNyZXQ" not in repr(rows)
    assert (moved, again) == (1, 0)
    assert list(opened) == [secret]
    assert made.created_at == START
