"""What any HTTP rail needs: budgets, repeats, sign-in and signatures, with time standing still."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr
from runway_core.domain.identity import ConnectionId
from runway_core.errors import RailAccessLost, RailMisconfigured, RailThrottled, RailUnavailable, StoreUnavailable
from runway_rail_kit import (
    AccessTokens,
    CallBudget,
    HttpTransport,
    NoAnswer,
    OAuthClient,
    TransportLimits,
    Window,
    repeat_while_unavailable,
    verify_hmac,
)

from tests.rails.paper_qbo import DrawerVault, StillClock

# --- budget ---


class Stopwatch:
    """Seconds that pass only while someone sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def read(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


async def test_a_budget_lets_no_window_overflow() -> None:
    watch = Stopwatch()
    budget = CallBudget([Window(10, 60), Window(3, 1)], at_once=4, monotonic=watch.read, sleep=watch.sleep)
    sent: list[float] = []

    async def call() -> None:
        async with budget.spend_one():
            sent.append(watch.seconds)

    await asyncio.gather(*(call() for _ in range(25)))

    assert len(sent) == 25
    for calls, seconds in ((10, 60), (3, 1)):
        gaps = [after - before for before, after in zip(sent, sent[calls:], strict=False)]
        assert min(gaps) >= seconds


async def test_calls_that_arrive_late_do_not_meet_more_than_the_vendor_takes() -> None:
    """Calls held up on the way are counted by the vendor when they arrive, not when they were sent."""
    watch = Stopwatch()
    budget = CallBudget([Window(8, 1)], at_once=4, monotonic=watch.read, sleep=watch.sleep)
    arrived: list[float] = []

    async def call(delay_seconds: float) -> None:
        async with budget.spend_one():
            await watch.sleep(delay_seconds)
            arrived.append(watch.seconds)

    await asyncio.gather(*(call(1.5 if number < 4 else 0.01) for number in range(40)))

    assert len(arrived) == 40
    assert max(sum(1 for at in arrived if begin <= at < begin + 1) for begin in arrived) <= 8


async def test_a_budget_limits_how_many_are_under_way() -> None:
    budget = CallBudget([], at_once=4)
    under_way = most = 0

    async def call() -> None:
        nonlocal under_way, most
        async with budget.spend_one():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    await asyncio.gather(*(call() for _ in range(40)))

    assert most == 4


# --- repeats ---


def failing(*errors: Exception) -> Callable[[], "asyncio.Future[str]"]:
    left = list(errors)

    async def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call  # type: ignore[return-value] # a coroutine is awaited like a future


async def test_pauses_grow_with_full_jitter_and_end() -> None:
    paused: list[float] = []

    async def sleep(seconds: float) -> None:
        paused.append(seconds)

    errors = [RailUnavailable("down") for _ in range(9)]
    with pytest.raises(RailUnavailable):
        await repeat_while_unavailable(failing(*errors), attempts=5, sleep=sleep, jitter=lambda: 1.0)

    assert paused == [0.5, 1.0, 2.0, 4.0]


async def test_what_the_vendor_asks_for_is_kept() -> None:
    paused: list[float] = []

    async def sleep(seconds: float) -> None:
        paused.append(seconds)

    call = failing(RailThrottled("slow", retry_after_seconds=7), RailUnavailable("down", retry_after_seconds=3))

    assert await repeat_while_unavailable(call, sleep=sleep, jitter=lambda: 0.5) == "done"
    assert paused == [7.5, 3.5]


@pytest.mark.parametrize(
    "error",
    [
        RailThrottled("slow"),
        RailThrottled("slow", retry_after_seconds=60),
        RailMisconfigured("keys"),
        ValueError("bug"),
    ],
)
async def test_what_a_repeat_cannot_help_passes_at_once(error: Exception) -> None:
    with pytest.raises(type(error)):
        await repeat_while_unavailable(failing(error, error), attempts=2)


# --- transport ---


async def test_an_answer_is_read_whole_or_not_at_all() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"x" * int(request.url.params["size"]))

    http = HttpTransport(TransportLimits(largest_answer_bytes=100), transport=httpx.MockTransport(answer))

    assert len((await http.send("GET", "https://vendor.test/", params={"size": "100"})).body) == 100
    with pytest.raises(NoAnswer, match="more than 100 bytes"):
        await http.send("GET", "https://vendor.test/", params={"size": "101"})
    await http.aclose()
    await http.aclose()
    assert (await http.send("GET", "https://vendor.test/", params={"size": "1"})).body == b"x"


async def test_a_redirect_is_not_followed() -> None:
    http = HttpTransport(
        transport=httpx.MockTransport(lambda request: httpx.Response(302, headers={"location": "https://evil.test/"}))
    )

    assert (await http.send("GET", "https://vendor.test/", headers={"authorization": "Bearer x"})).status == 302


async def test_an_answer_cut_off_in_its_middle_is_none() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b'{"half":'
        raise httpx.ReadError("reset")

    http = HttpTransport(transport=httpx.MockTransport(lambda request: httpx.Response(200, content=broken())))

    with pytest.raises(NoAnswer, match="in the middle") as caught:
        await http.send("GET", "https://vendor.test/")
    assert caught.value.may_have_arrived


async def test_nothing_listening_means_that_nothing_was_sent() -> None:
    with pytest.raises(NoAnswer, match="could not be reached") as caught:
        await HttpTransport().send("GET", "http://127.0.0.1:9/")

    assert not caught.value.may_have_arrived


# --- sign-in ---


class SignIn:
    """A token address that counts, and notes what the vault held when a token was first used."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.vault = DrawerVault(
            {"client_id": "app", "client_secret": "hush", "access_token": "a0", "refresh_token": "r0"}
        )
        self.good = {"r0"}
        self.refreshes = 0
        self.answer: httpx.Response | None = None

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.refreshes += 1
        self.request = request
        if self.answer is not None:
            return self.answer
        token = request.content.decode().rpartition("refresh_token=")[2]
        if token not in self.good:
            return httpx.Response(400, json={"error": "invalid_grant"})
        number = self.refreshes
        self.good = {f"r{number}"}
        return httpx.Response(
            200, json={"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": 3600}
        )

    def tokens(self) -> AccessTokens:
        http = HttpTransport(transport=httpx.MockTransport(self.respond))
        client = OAuthClient(http, token_url="https://vendor.test/token", rail="acme", title="Acme")
        return AccessTokens(
            ConnectionId("k"), client=client, vault=self.vault, clock=self.clock, rail="acme", title="Acme"
        )

    def held(self, name: str) -> str | None:
        secret = self.vault.secrets.get(name)
        return None if secret is None else secret.get_secret_value()


async def test_an_access_token_whose_end_is_unknown_is_used() -> None:
    sign_in = SignIn()

    assert await sign_in.tokens().current() == "a0"
    assert sign_in.refreshes == 0


async def test_a_hundred_callers_share_one_refresh() -> None:
    sign_in = SignIn()
    tokens = sign_in.tokens()

    renewed = await asyncio.gather(*(tokens.renew("a0") for _ in range(100)))

    assert set(renewed) == {"a1"}
    assert sign_in.refreshes == 1


async def test_a_new_pair_is_in_the_vault_before_it_is_used_and_the_old_one_beside_it() -> None:
    sign_in = SignIn()
    tokens = sign_in.tokens()
    used = await tokens.renew("a0")

    assert used == sign_in.held("access_token") == "a1"
    assert sign_in.held("refresh_token") == "r1"
    assert sign_in.held("previous_refresh_token") == "r0"
    assert sign_in.held("client_secret") == "hush"
    await tokens.confirm()
    assert sign_in.held("previous_refresh_token") is None
    assert sign_in.held("refresh_token") == "r1"


async def test_a_token_is_refreshed_five_minutes_before_its_end() -> None:
    sign_in = SignIn()
    tokens = sign_in.tokens()
    await tokens.renew("a0")
    sign_in.clock.advance(timedelta(minutes=54))
    before = await tokens.current()
    sign_in.clock.advance(timedelta(minutes=1))
    after = await tokens.current()

    assert (before, after) == ("a1", "a2")


async def test_a_process_that_refreshed_is_followed_not_raced() -> None:
    """Two processes, one vault: the second finds the first one's pair and uses it."""
    sign_in = SignIn()
    first, second = sign_in.tokens(), sign_in.tokens()
    assert await second.current() == "a0"
    await first.renew("a0")

    assert await second.renew("a0") == "a1"
    assert sign_in.refreshes == 1


async def test_a_pair_that_never_worked_falls_back_on_the_one_before() -> None:
    """The answer was stored, and yet the vendor knows only the old token: it is still there."""
    sign_in = SignIn()
    tokens = sign_in.tokens()
    await tokens.renew("a0")
    sign_in.good = {"r0"}

    assert await tokens.renew("a1") == "a3"  # r1 was refused, r0 was taken


async def test_a_dead_grant_means_that_access_is_lost() -> None:
    sign_in = SignIn()
    sign_in.good = set()
    with pytest.raises(RailAccessLost, match="a person must connect the company again") as caught:
        await sign_in.tokens().renew("a0")

    assert caught.value.provider_code == "invalid_grant"
    assert sign_in.held("refresh_token") == "r0"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(400, json={"error": "invalid_client"}), RailMisconfigured),
        (httpx.Response(401, json={"error": "invalid_client"}), RailMisconfigured),
        (httpx.Response(401), RailMisconfigured),
        (httpx.Response(405), RailMisconfigured),
        (httpx.Response(503, text="<html>"), RailUnavailable),
        (httpx.Response(200, text="<html>"), RailUnavailable),
        (httpx.Response(200, json={"access_token": "a"}), RailUnavailable),
        (httpx.Response(200, json=["odd"]), RailUnavailable),
        (httpx.Response(429, headers={"retry-after": "5"}), RailUnavailable),
        (httpx.Response(400, json={"error": "invalid_grant", "error_description": "Incorrect"}), RailAccessLost),
    ],
)
async def test_every_answer_of_the_sign_in_has_its_error(answer: httpx.Response, expected: type[Exception]) -> None:
    sign_in = SignIn()
    sign_in.answer = answer
    with pytest.raises(expected) as caught:
        await sign_in.tokens().renew("a0")

    assert type(caught.value) is expected
    assert "hush" not in str(caught.value)


async def test_missing_keys_are_ours_to_mend() -> None:
    sign_in = SignIn()
    del sign_in.vault.secrets["client_secret"]

    with pytest.raises(RailMisconfigured, match="client secret is missing"):
        await sign_in.tokens().renew("a0")


async def test_a_pair_that_could_not_be_stored_is_not_used_and_not_lost() -> None:
    class FullVault(DrawerVault):
        is_full = True

        async def save(self, connection_id: ConnectionId, secrets: object) -> None:
            if self.is_full:
                raise StoreUnavailable("the disk is full")
            await super().save(connection_id, secrets)

    sign_in = SignIn()
    vault = FullVault({name: value.get_secret_value() for name, value in sign_in.vault.secrets.items()})
    sign_in.vault = vault
    tokens = sign_in.tokens()
    with pytest.raises(StoreUnavailable):
        await tokens.renew("a0")
    with pytest.raises(StoreUnavailable):
        await tokens.current()
    vault.is_full = False

    assert await tokens.current() == "a1"
    assert sign_in.held("refresh_token") == "r1"
    assert sign_in.refreshes == 1


async def test_the_apps_keys_go_in_the_header_alone() -> None:
    sign_in = SignIn()
    await sign_in.tokens().renew("a0")

    assert sign_in.request.headers["authorization"] == "Basic " + base64.b64encode(b"app:hush").decode()
    assert b"hush" not in sign_in.request.content


# --- signatures ---


def test_a_signature_over_the_raw_body_is_verified() -> None:
    body = b'{"eventNotifications": []}'
    digest = hmac.new(b"verifier", body, hashlib.sha256).digest()
    secret = SecretStr("verifier")

    assert verify_hmac(body, base64.b64encode(digest).decode(), secret=secret)
    assert verify_hmac(body, digest.hex(), secret=secret, encoding="hex")
    assert not verify_hmac(body + b" ", base64.b64encode(digest).decode(), secret=secret)
    assert not verify_hmac(body, base64.b64encode(digest).decode(), secret=SecretStr("other"))


@pytest.mark.parametrize("signature", ["", "x", "Größe", "=" * 44])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    assert not verify_hmac(b"body", signature, secret=SecretStr("verifier"))


def test_without_a_secret_nothing_is_verified() -> None:
    signature = base64.b64encode(hmac.new(b"", b"body", hashlib.sha256).digest()).decode()

    assert not verify_hmac(b"body", signature, secret=SecretStr(""))
