"""A refresh of tokens that is cut off at any of its steps: the next process finds a pair that the vendor takes.

The vendor turns its refresh token with each use, and takes the one before until the new one is used, as vendors do that
expect answers to get lost. The vault is a real one, opened anew by each process; nothing else outlives a process.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from runway_core.domain.identity import ConnectionId
from runway_rail_kit import AccessTokens, HttpTransport, OAuthClient
from runway_store_sql import SqlStore
from runway_testkit.store_desk import StoreDesk

from tests.rails.paper_qbo import StillClock


class Killed(BaseException):
    """The process is gone: nobody tidies up behind it."""


class TurningVendor:
    """Gives pairs; a refresh token that was followed by a used one is worth nothing."""

    def __init__(self) -> None:
        self.number = 0
        self.taken = {"r0"}

    def respond(self, request: httpx.Request) -> httpx.Response:
        shown = request.content.decode().rpartition("refresh_token=")[2]
        if shown not in self.taken:
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.number += 1
        self.taken = {shown, f"r{self.number}"}
        pair = {"access_token": f"a{self.number}", "refresh_token": f"r{self.number}", "expires_in": 3600}
        return httpx.Response(200, json=pair)


class Process:
    """One process with the vault of a database, killed at a step of its refresh; `None` lets it live."""

    def __init__(
        self, store: SqlStore, connection_id: ConnectionId, vendor: TurningVendor, dies_at: str | None
    ) -> None:
        self._vault = store.vault
        self._vendor = vendor
        self._dies_at = dies_at
        http = HttpTransport(transport=httpx.MockTransport(self._respond))
        client = OAuthClient(http, token_url="https://vendor.test/token", rail="acme", title="Acme")
        self.tokens = AccessTokens(
            connection_id, client=client, vault=self, clock=StillClock(), rail="acme", title="Acme"
        )

    def _die(self, step: str) -> None:
        if self._dies_at == step:
            raise Killed

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self._die("before the vendor is asked")
        answer = self._vendor.respond(request)
        self._die("before the answer came")
        return answer

    async def load(self, connection_id: ConnectionId) -> Mapping[str, SecretStr]:
        self._die("before the vault is read")
        return await self._vault.load(connection_id)

    async def save(self, connection_id: ConnectionId, secrets: Mapping[str, SecretStr]) -> None:
        self._die("before the pair is kept")
        await self._vault.save(connection_id, secrets)
        self._die("after the pair is kept")

    async def forget(self, connection_id: ConnectionId) -> None:
        await self._vault.forget(connection_id)


STEPS = (
    "before the vault is read",
    "before the vendor is asked",
    "before the answer came",
    "before the pair is kept",
    "after the pair is kept",
)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("step", STEPS)
async def test_a_refresh_cut_off_leaves_a_pair_that_works(tmp_path: Path, step: str, times: int) -> None:
    url, vendor = f"sqlite:///{tmp_path / 'books.db'}", TurningVendor()
    async with SqlStore(url) as store:
        connection_id = (await StoreDesk(store).open()).connection.connection_id
        first = {"client_id": "app", "client_secret": "hush", "access_token": "a0", "refresh_token": "r0"}
        await store.vault.save(connection_id, {name: SecretStr(text) for name, text in first.items()})
    deaths = 0
    for _ in range(times):
        async with SqlStore(url) as store:
            try:
                await Process(store, connection_id, vendor, step).tokens.renew("a0")
            except Killed:
                deaths += 1
    async with SqlStore(url) as store:
        alive = Process(store, connection_id, vendor, None).tokens
        renewed = await asyncio.wait_for(alive.renew("a0"), 5)
        await alive.confirm()
        held = await store.vault.load(connection_id)

    assert deaths == (1 if step == "after the pair is kept" else times)  # a kept pair is found, not asked for again
    assert renewed == held["access_token"].get_secret_value() == f"a{vendor.number}"
    assert held["refresh_token"].get_secret_value() in vendor.taken
    assert "previous_refresh_token" not in held
