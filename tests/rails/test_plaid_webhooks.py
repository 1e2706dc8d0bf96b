"""What Plaid sends is proved by a key that Plaid gives out, and nothing else gets in."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from runway_core.domain.identity import RecordKind
from runway_core.errors import StoreUnavailable, WebhookRefused
from runway_rail_kit import HttpTransport
from runway_rail_plaid.webhooks import PlaidWebhookReader
from runway_sandbox.plaid.signing import Signer

NOW = datetime(2026, 5, 5, 12, tzinfo=UTC)
KEYS = [SecretStr("client:secret")]
BODY = json.dumps(
    {
        "webhook_type": "TRANSACTIONS",
        "webhook_code": "SYNC_UPDATES_AVAILABLE",
        "item_id": "iTem1",
        "environment": "production",
    }
).encode()


class Vendor:
    """Gives out keys as the vendor does, and counts who asks."""

    def __init__(self) -> None:
        self.signer = Signer(seed=1, now=int(NOW.timestamp()))
        self.asked: list[str] = []
        self.is_down = False
        self.spoiled: httpx.Response | None = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("down")
        if self.spoiled is not None:
            return self.spoiled
        assert request.headers["plaid-client-id"] == "client"
        key_id = json.loads(request.content)["key_id"]
        self.asked.append(key_id)
        key = self.signer.find(key_id)
        if key is None:
            return httpx.Response(400, json={"error_code": "INVALID_FIELD", "error_type": "INVALID_REQUEST"})
        return httpx.Response(200, json={"key": key.as_jwk(), "request_id": "r"})

    def sign(self, body: bytes = BODY, *, at: datetime = NOW) -> dict[str, str]:
        return {"plaid-verification": self.signer.sign(body, now=int(at.timestamp()))}


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
async def reader(vendor: Vendor) -> AsyncIterator[PlaidWebhookReader]:
    http = HttpTransport(transport=httpx.MockTransport(vendor.answer))
    yield PlaidWebhookReader(http)
    await http.aclose()


async def test_a_signed_event_names_its_login_and_its_key_is_fetched_once(
    reader: PlaidWebhookReader, vendor: Vendor
) -> None:
    first = await reader.read(vendor.sign(), BODY, secrets=KEYS, now=NOW)
    await reader.read(vendor.sign(), BODY, secrets=KEYS, now=NOW)

    (event,) = first.events
    assert (event.account, event.kind, event.operation) == (
        "iTem1",
        RecordKind.BANK_TRANSACTION,
        "sync_updates_available",
    )
    assert len(vendor.asked) == 1
    assert reader.account_of({"item_id": "iTem1"}) == "iTem1"


async def test_two_events_of_one_body_are_two_and_one_sent_again_is_one(
    reader: PlaidWebhookReader, vendor: Vendor
) -> None:
    first = await reader.read(vendor.sign(), BODY, secrets=KEYS, now=NOW)
    again = await reader.read(vendor.sign(), BODY, secrets=KEYS, now=NOW + timedelta(seconds=30))
    other = await reader.read(vendor.sign(at=NOW + timedelta(seconds=9)), BODY, secrets=KEYS, now=NOW)

    assert first.delivery_id == again.delivery_id != other.delivery_id


def forge(**header: Any) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode({"iat": int(NOW.timestamp())}, key, algorithm="ES256", headers=header)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "no token",
        jwt.encode({"iat": 1}, "shared" * 8, algorithm="HS256", headers={"kid": "k"}),
        jwt.encode({"iat": 1}, "", algorithm="none", headers={"kid": "k"}),
        forge(),
        forge(kid="k" * 65),
        forge(kid="made-up"),
    ],
)
async def test_what_is_not_signed_by_plaid_is_refused(reader: PlaidWebhookReader, token: str) -> None:
    with pytest.raises(WebhookRefused):
        await reader.read({"plaid-verification": token}, BODY, secrets=KEYS, now=NOW)


async def test_for_a_token_of_another_algorithm_plaid_is_not_even_asked(
    reader: PlaidWebhookReader, vendor: Vendor
) -> None:
    token = jwt.encode({"iat": 1}, "shared" * 8, algorithm="HS256", headers={"kid": "k"})
    with pytest.raises(WebhookRefused, match="not signed in the way"):
        await reader.read({"plaid-verification": token}, BODY, secrets=KEYS, now=NOW)

    assert vendor.asked == []


async def test_a_forged_token_under_a_real_key_id_is_refused(reader: PlaidWebhookReader, vendor: Vendor) -> None:
    real = jwt.get_unverified_header(vendor.sign()["plaid-verification"])["kid"]
    with pytest.raises(WebhookRefused, match="not signed with Plaid's key"):
        await reader.read({"plaid-verification": forge(kid=real)}, BODY, secrets=KEYS, now=NOW)


async def test_another_body_a_replay_and_an_expired_key_are_refused(reader: PlaidWebhookReader, vendor: Vendor) -> None:
    headers = vendor.sign()
    with pytest.raises(WebhookRefused, match="another body"):
        await reader.read(headers, BODY + b" ", secrets=KEYS, now=NOW)
    with pytest.raises(WebhookRefused, match="five minutes"):
        await reader.read(headers, BODY, secrets=KEYS, now=NOW + timedelta(minutes=6))
    with pytest.raises(WebhookRefused, match="no app keys"):
        await reader.read(headers, BODY, secrets=[], now=NOW)
    vendor.signer.rotate(int(NOW.timestamp()))
    fresh = PlaidWebhookReader(HttpTransport(transport=httpx.MockTransport(vendor.answer)))
    with pytest.raises(WebhookRefused, match="not any more"):
        await fresh.read(headers, BODY, secrets=KEYS, now=NOW)
    assert (await fresh.read(vendor.sign(), BODY, secrets=KEYS, now=NOW + timedelta(seconds=10))).events


async def test_a_flood_of_made_up_keys_asks_plaid_once_in_five_seconds(
    reader: PlaidWebhookReader, vendor: Vendor
) -> None:
    for number in range(50):
        with pytest.raises(WebhookRefused):
            await reader.read({"plaid-verification": forge(kid=f"k{number}")}, BODY, secrets=KEYS, now=NOW)

    assert len(vendor.asked) == 1


async def test_while_plaid_gives_out_no_keys_the_event_must_be_sent_again(
    reader: PlaidWebhookReader, vendor: Vendor
) -> None:
    vendor.is_down = True
    with pytest.raises(StoreUnavailable, match="send it again"):
        await reader.read(vendor.sign(), BODY, secrets=KEYS, now=NOW)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503, content=b"<html>"),
        httpx.Response(429, json={"error_code": "RATE_LIMIT"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=b'{"key": {"ki'),
        httpx.Response(200, json={}),
    ],
)
async def test_a_true_event_is_not_refused_because_its_key_came_spoiled(
    reader: PlaidWebhookReader, vendor: Vendor, answer: httpx.Response
) -> None:
    vendor.spoiled = answer
    with pytest.raises(StoreUnavailable, match="send it again"):
        await reader.read(vendor.sign(), BODY, secrets=KEYS, now=NOW)
    vendor.spoiled = None

    assert (await reader.read(vendor.sign(), BODY, secrets=KEYS, now=NOW)).events


async def test_a_proved_body_that_makes_no_sense_is_acknowledged_with_its_problem(
    reader: PlaidWebhookReader, vendor: Vendor
) -> None:
    delivery = await reader.read(vendor.sign(b"[]"), b"[]", secrets=KEYS, now=NOW)

    assert (delivery.events, bool(delivery.problem)) == ((), True)
