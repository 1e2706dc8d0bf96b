"""The key that secrets are kept under is changed while everything runs."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from runway_core.domain.subscriptions import SigningSecret
from runway_core.errors import InvalidRequest, StoreUnavailable
from runway_store_sql import SqlStore
from runway_testkit.answered_calls_contract import ANSWER, CALL, DAY, claim
from runway_testkit.people_contract import FIRM, make_person
from runway_testkit.store_desk import START, StoreDesk
from runway_testkit.subscriptions_contract import make_subscription

OLD, NEW = "o" * 40, "n" * 40
SIGNED_WITH = SigningSecret(secret=SecretStr("whsec_" + 43 * "s"))
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def opened(url: str, key: str | None, *others: str) -> SqlStore:
    return SqlStore(url, secret_key=key, other_secret_keys=[SecretStr(other) for other in others])


async def fill(store: SqlStore, *companies: str) -> list[StoreDesk]:
    desks = [await StoreDesk(store, company=company).open() for company in companies]
    for desk in desks:
        await store.vault.save(desk.connection.connection_id, {"token": SecretStr(f"of {desk.id}")})
    await store.people.save_person(make_person(), [])
    held = await store.people.credentials(FIRM, "ada")
    await store.people.save_credentials(held.model_copy(update={"totp_secret": SecretStr(TOTP)}), [])
    await claim(store, "first")
    await store.answered_calls.keep(CALL, "first", ANSWER, until=START + DAY)
    await store.subscriptions.save(make_subscription(desks[0]), [], secrets=[SIGNED_WITH])
    return desks


async def read(store: SqlStore, desks: list[StoreDesk]) -> list[str]:
    tokens = [(await store.vault.load(desk.connection.connection_id))["token"].get_secret_value() for desk in desks]
    factor = (await store.people.credentials(FIRM, "ada")).totp_secret
    assert (await claim(store, "again")).answer == ANSWER
    webhook = make_subscription(desks[0])
    assert await store.subscriptions.secrets(webhook.firm_id, webhook.subscription_id) == [SIGNED_WITH]
    return [*tokens, "" if factor is None else factor.get_secret_value()]


async def test_keys_from_settings_are_changed_in_steps_and_everything_opens_at_each(database_url: str) -> None:
    async with opened(database_url, OLD) as store:
        desks = await fill(store, "acme", "zenith")
        wanted = await read(store, desks)
    async with opened(database_url, OLD, NEW) as behind, opened(database_url, NEW, OLD) as ahead:
        assert await read(ahead, desks) == wanted  # before a row moved
        moved = await ahead.rotate_secrets()
        await ahead.vault.save(desks[0].connection.connection_id, {"token": SecretStr("renewed")})
        assert await read(behind, desks) == ["renewed", *wanted[1:]]  # a process that was not restarted yet
        assert await ahead.rotate_secrets() == 0
    async with opened(database_url, NEW) as store:
        assert await read(store, desks) == ["renewed", *wanted[1:]]
    async with opened(database_url, OLD) as store:
        with pytest.raises(StoreUnavailable, match="RUNWAY_OTHER_SECRET_KEYS"):
            await read(store, desks)

    assert moved == 7  # two connections, one factor, one answer, one webhook, the keys of two logs


async def test_a_rotation_that_was_cut_off_goes_on_where_it_was(database_url: str) -> None:
    async with opened(database_url, OLD) as store:
        desks = await fill(store, "acme", "bolt", "cedar")
        wanted = await read(store, desks)
    async with opened(database_url, NEW, OLD) as store:
        await store.vault.save(desks[1].connection.connection_id, {"token": SecretStr("of bolt")})  # one row is ahead
        assert await read(store, desks) == wanted
        moved = await store.rotate_secrets()
        assert await read(store, desks) == wanted

    assert moved == 8  # one of three connections was ahead; one factor, one answer, one webhook, the keys of three logs


async def test_a_server_that_runs_reads_a_key_that_was_put_into_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    async with SqlStore(url) as server:
        desks = await fill(server, "acme")
        wanted = await read(server, desks)
        async with SqlStore(url) as command:
            moved = await command.rotate_secrets(new_key=True)
        assert await read(server, desks) == wanted
    key_file = tmp_path / "books.db.key"
    lines = key_file.read_text().splitlines()
    key_file.write_text(lines[0] + "\n")  # the old key is thrown away
    async with SqlStore(url) as later:
        assert await read(later, desks) == wanted
        assert [entry.draft.is_sealed async for entry in later.log.entries(desks[0].id)] == [False, False]

    assert (moved, len(lines), key_file.stat().st_mode & 0o777) == (5, 2, 0o600)


async def test_a_new_key_is_not_put_beside_keys_from_settings(database_url: str) -> None:
    async with opened(database_url, OLD) as store:
        with pytest.raises(InvalidRequest, match="RUNWAY_OTHER_SECRET_KEYS"):
            await store.rotate_secrets(new_key=True)
