"""Secrets lie encrypted, and a row that was moved or altered does not open."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from runway_core.errors import InvalidRequest, StoreUnavailable
from runway_store_sql import SqlStore
from runway_testkit.store_desk import StoreDesk
from sqlalchemy import text

CANARY = "canary-6f1d0c"
KEY = "k" * 40


def open_store(url: str, key: str | None = KEY) -> SqlStore:
    return SqlStore(url, secret_key=key)


async def fill(store: SqlStore) -> tuple[StoreDesk, StoreDesk]:
    desks = await StoreDesk(store).open(), await StoreDesk(store, company="zenith").open()
    for desk in desks:
        await store.vault.save(desk.connection.connection_id, {"token": SecretStr(f"{CANARY}-{desk.id}")})
    return desks


async def test_no_secret_lies_open_in_the_database(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'books.db'}") as store:
        await fill(store)

    for path in tmp_path.iterdir():  # noqa: ASYNC240 - a test may wait for its disk
        assert CANARY.encode() not in path.read_bytes()


async def test_a_row_moved_to_another_connection_does_not_open(database_url: str) -> None:
    async with open_store(database_url) as store:
        desk, _ = await fill(store)
        swap = (
            "UPDATE secrets SET wrapped_key = (SELECT wrapped_key FROM secrets WHERE company_id = 'zenith'), "
            "ciphertext = (SELECT ciphertext FROM secrets WHERE company_id = 'zenith') WHERE company_id = 'acme'"
        )
        await store.database.write(lambda connection: connection.execute(text(swap)).close())
        with pytest.raises(StoreUnavailable, match="altered; connect again"):
            await store.vault.load(desk.connection.connection_id)


async def test_another_key_is_named(database_url: str) -> None:
    async with open_store(database_url) as store:
        desk, _ = await fill(store)
    async with open_store(database_url, "another key of more than 32 characters") as store:
        with pytest.raises(StoreUnavailable, match="set the RUNWAY_SECRET_KEY they were kept with"):
            await store.vault.load(desk.connection.connection_id)


async def test_an_embedded_database_keeps_its_own_key_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    async with open_store(url, None) as store:
        desk, _ = await fill(store)
    key_file = tmp_path / "books.db.key"
    async with open_store(url, None) as store:
        held = await store.vault.load(desk.connection.connection_id)

    assert key_file.stat().st_mode & 0o777 == 0o600
    assert held["token"].get_secret_value() == f"{CANARY}-acme"
    key_file.chmod(0o644)
    async with open_store(url, None) as store:
        with pytest.raises(StoreUnavailable, match="chmod 600"):
            await store.vault.load(desk.connection.connection_id)


async def test_a_server_without_a_key_keeps_no_secrets(postgres: Callable[..., str]) -> None:
    async with open_store(postgres(), None) as store:
        with pytest.raises(StoreUnavailable, match="set RUNWAY_SECRET_KEY"):
            await fill(store)


async def test_a_short_key_is_refused(database_url: str) -> None:
    async with open_store(database_url, "secret") as store:
        with pytest.raises(InvalidRequest, match="too short"):
            await fill(store)
