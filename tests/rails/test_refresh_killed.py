"""A refresh of tokens that is cut off at any of its steps: the next process finds a pair that the vendor takes.

Tried with the rails whose tokens turn, QuickBooks and Ramp, as they come from their own factories. The vendor turns its
refresh token with each use, and takes the one before until the new one is used, as vendors do that expect answers to
get lost. The vault is a real one, opened anew by each process; nothing else outlives a process.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from runway_core.domain.identity import CompanyId, ConnectionId
from runway_core.ports.ledger_rail import CompanyProfile, RailContext
from runway_rail_plaid import PlaidRailFactory
from runway_rail_qbo import QboRailFactory
from runway_rail_ramp import RampRailFactory
from runway_rail_stripe import StripeRailFactory
from runway_store_sql import SqlStore
from runway_testkit.store_desk import StoreDesk

from tests.rails.paper_qbo import BASE_URL, SETTINGS, StillClock

RAMP = "/developer/v1/"


class Killed(BaseException):
    """The process is gone: nobody tidies up behind it."""


@dataclass(frozen=True)
class Window:
    """How one vendor is spoken to: who reads it, with which settings, and what it answers."""

    factory: Callable[..., Any]
    settings: Mapping[str, Any]
    token_path: str
    refusal: httpx.Response  # of a refresh token that is worth nothing
    company: Any  # what the call that proves the access is answered with


WINDOWS = {
    "qbo": Window(
        QboRailFactory,
        SETTINGS,
        "/oauth2/token",
        httpx.Response(400, json={"error": "invalid_grant"}),
        {"QueryResponse": {"CompanyInfo": [{"Id": "1", "CompanyName": "Acme"}]}, "time": "2026-05-05T10:00:00Z"},
    ),
    "ramp": Window(
        RampRailFactory,
        {"base_url": BASE_URL, "business_id": "b-1"},
        f"{RAMP}token",
        httpx.Response(404, json={"error_v2": {"error_code": "DEVELOPER_7002", "message": "No."}, "error": {}}),
        {"id": "b-1", "business_name_legal": "Acme"},
    ),
}


class TurningVendor:
    """Gives pairs; a refresh token that was followed by a used one is worth nothing."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self.number = 0
        self.taken = {"r0"}

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != self._window.token_path:
            is_open = request.headers["authorization"] in {f"Bearer a{n}" for n in range(1, self.number + 1)}
            return httpx.Response(200, json=self._window.company) if is_open else httpx.Response(401, json={})
        form = request.content.decode()
        pair: dict[str, Any] = {"expires_in": 3600}
        if "grant_type=client_credentials" not in form:
            shown = form.rpartition("refresh_token=")[2]
            if shown not in self.taken:
                return self._window.refusal
            self.taken = {shown, f"r{self.number + 1}"}
            pair["refresh_token"] = f"r{self.number + 1}"
        self.number += 1
        return httpx.Response(200, json={**pair, "access_token": f"a{self.number}"})


class Process:
    """One process with the vault of a database, killed at a step of its refresh; `None` lets it live."""

    def __init__(
        self, store: SqlStore, connection_id: ConnectionId, vendor: TurningVendor, dies_at: str | None, window: Window
    ) -> None:
        self._vault = store.vault
        self._vendor = vendor
        self._window = window
        self._dies_at = dies_at
        self._has_pair = False
        factory = window.factory(http_transport=httpx.MockTransport(self._respond))
        self._rail = factory.open(
            RailContext(
                company_id=CompanyId("acme"),
                connection_id=connection_id,
                home_currency="USD",
                settings=window.settings,
                vault=self,
                clock=StillClock(),
                calls=None,
            )
        )

    async def work(self) -> CompanyProfile:
        """Ask the vendor for something, which takes a token that works."""
        profile: CompanyProfile = await asyncio.wait_for(self._rail.check_connection(), 5)
        return profile

    def _die(self, step: str) -> None:
        if self._dies_at == step:
            raise Killed

    def _respond(self, request: httpx.Request) -> httpx.Response:
        is_for_token = request.url.path == self._window.token_path
        if is_for_token:
            self._die("before the vendor is asked")
        elif request.headers["authorization"] != "Bearer a0":
            self._die("before the new pair is used")
        answer = self._vendor.respond(request)
        if is_for_token:
            self._die("before the answer came")
        return answer

    async def load(self, connection_id: ConnectionId) -> Mapping[str, SecretStr]:
        self._die("before the vault is read")
        return await self._vault.load(connection_id)

    async def save(self, connection_id: ConnectionId, secrets: Mapping[str, SecretStr]) -> None:
        is_dropping = "refresh_token" in secrets and "previous_refresh_token" not in secrets
        what = "the old token is dropped" if is_dropping else "the pair is kept"
        self._die(f"before {what}")
        await self._vault.save(connection_id, secrets)
        self._die(f"after {what}")

    async def forget(self, connection_id: ConnectionId) -> None:
        await self._vault.forget(connection_id)


STEPS = (
    "before the vault is read",
    "before the vendor is asked",
    "before the answer came",
    "before the pair is kept",
    "after the pair is kept",
    "before the new pair is used",
    "before the old token is dropped",
    "after the old token is dropped",
)
DONE = {"after the pair is kept", "after the old token is dropped"}
"""What was done once is found by the next process, and not done again."""


async def connect(url: str, **secrets: str) -> ConnectionId:
    async with SqlStore(url) as store:
        connection_id = (await StoreDesk(store).open()).connection.connection_id
        await store.vault.save(connection_id, {name: SecretStr(text) for name, text in secrets.items()})
    return connection_id


async def work_and_die(
    url: str, connection_id: ConnectionId, vendor: TurningVendor, window: Window, *, step: str, times: int
) -> int:
    """Processes one after another, each with the database opened anew; says how many of them died."""
    deaths = 0
    for _ in range(times):
        async with SqlStore(url) as store:
            try:
                await Process(store, connection_id, vendor, step, window).work()
            except Killed:
                deaths += 1
    return deaths


@pytest.mark.parametrize("rail", WINDOWS)
@pytest.mark.parametrize("step", STEPS)
async def test_a_refresh_cut_off_twice_leaves_a_pair_that_works(
    tmp_path: Path, sqlite: Callable[[Path], str], step: str, rail: str
) -> None:
    url, window = sqlite(tmp_path / "books.db"), WINDOWS[rail]
    vendor = TurningVendor(window)
    connection_id = await connect(url, client_id="app", client_secret="hush", access_token="a0", refresh_token="r0")
    deaths = await work_and_die(url, connection_id, vendor, window, step=step, times=2)
    async with SqlStore(url) as store:
        profile = await Process(store, connection_id, vendor, None, window).work()
        held = await store.vault.load(connection_id)

    assert deaths == (1 if step in DONE else 2)
    assert profile.name == "Acme"
    assert held["access_token"].get_secret_value() == f"a{vendor.number}"
    assert held["refresh_token"].get_secret_value() in vendor.taken
    assert "previous_refresh_token" not in held


@pytest.mark.parametrize("step", [step for step in STEPS if "old token" not in step])
async def test_an_app_that_signs_in_for_itself_does_so_again_wherever_it_was_cut_off(
    tmp_path: Path, sqlite: Callable[[Path], str], step: str
) -> None:
    """A company's own app at Ramp holds no refresh token: what gets lost is a token that can be had again."""
    url, window = sqlite(tmp_path / "books.db"), WINDOWS["ramp"]
    vendor = TurningVendor(window)
    connection_id = await connect(url, client_id="app", client_secret="hush")
    deaths = await work_and_die(url, connection_id, vendor, window, step=step, times=2)
    async with SqlStore(url) as store:
        profile = await Process(store, connection_id, vendor, None, window).work()
        held = await store.vault.load(connection_id)

    assert deaths == (1 if step in DONE else 2)
    assert profile.name == "Acme"
    assert held["access_token"].get_secret_value() == f"a{vendor.number}"
    assert set(held) == {"client_id", "client_secret", "access_token", "access_expires_at"}


class ReadOnlyVault:
    """A vault into which nothing may be put."""

    def __init__(self, **secrets: str) -> None:
        self._secrets = {name: SecretStr(text) for name, text in secrets.items()}

    async def load(self, connection_id: ConnectionId) -> Mapping[str, SecretStr]:
        return self._secrets

    async def save(self, connection_id: ConnectionId, secrets: Mapping[str, SecretStr]) -> None:
        raise AssertionError(f"{connection_id} has nothing that turns")

    async def forget(self, connection_id: ConnectionId) -> None:
        raise AssertionError(f"{connection_id} has nothing to forget")


@pytest.mark.parametrize(
    ("factory", "settings", "secrets", "company"),
    [
        (
            PlaidRailFactory,
            {"base_url": BASE_URL, "item_id": "i-1"},
            {"client_id": "app", "secret": "hush", "access_token": "access-1"},
            {"item": {"item_id": "i-1", "institution_name": "Acme"}, "status": {}, "request_id": "q"},
        ),
        (
            StripeRailFactory,
            {"account_id": "acct_1", "base_url": BASE_URL},
            {"secret_key": "rk_test_1"},
            {"id": "acct_1", "object": "account", "business_profile": {"name": "Acme"}},
        ),
    ],
)
async def test_keys_and_tokens_that_do_not_turn_are_read_and_never_written(
    factory: Callable[..., Any], settings: dict[str, Any], secrets: dict[str, str], company: Any
) -> None:
    """Plaid's access tokens and Stripe's keys last until a person changes them: there is no refresh to be cut off."""
    context = RailContext(
        company_id=CompanyId("acme"),
        connection_id=ConnectionId("acme-1"),
        home_currency="USD",
        settings=settings,
        vault=ReadOnlyVault(**secrets),
        clock=StillClock(),
        calls=None,
    )
    made = factory(http_transport=httpx.MockTransport(lambda _: httpx.Response(200, json=company)))

    assert (await made.open(context).check_connection()).name == "Acme"
