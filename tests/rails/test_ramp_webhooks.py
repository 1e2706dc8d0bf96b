"""An event of Ramp is believed for its signature, known by its id, and read as a nudge."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr
from runway_core.domain.identity import RecordKind
from runway_core.domain.webhooks import Delivery, RailEvent
from runway_core.errors import StoreUnavailable, WebhookRefused
from runway_rail_ramp import RampRailFactory

SAMPLES = Path("/work/shared/samples/ramp")
NOW = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)
SECRET = SecretStr("ramp_sec_one")
OTHER = SecretStr("ramp_sec_two")


def event(**more: Any) -> bytes:
    usual = {"id": "e1", "type": "bills.paid", "created_at": "2026-05-05T11:59:00Z", "business_id": "biz"}
    return msgspec.json.encode({**usual, "object": {"id": "b1"}, **more})


def sign(body: bytes, secret: SecretStr = SECRET) -> str:
    return hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()


async def read(
    body: bytes,
    *,
    signature: str | None = None,
    header: str = "x-ramp-webhook-signature",
    secrets: tuple[SecretStr, ...] = (SECRET,),
    now: datetime = NOW,
) -> Delivery:
    reader = RampRailFactory().webhook_reader
    return await reader.read({header: signature or sign(body)}, body, secrets=secrets, now=now)


@pytest.mark.parametrize("header", ["x-ramp-webhook-signature", "x-ramp-signature"])
@pytest.mark.parametrize("prefix", ["", "sha256="])
async def test_an_event_is_read_under_either_header_and_known_by_its_own_id(header: str, prefix: str) -> None:
    delivery = await read(event(), signature=prefix + sign(event()), header=header)

    assert delivery.delivery_id == "e1"
    assert delivery.events == (
        RailEvent("biz", RecordKind.RAIL_BILL, "b1", "paid", datetime(2026, 5, 5, 11, 59, tzinfo=UTC)),
    )


async def test_a_body_that_was_changed_or_signed_by_another_is_refused() -> None:
    with pytest.raises(WebhookRefused):
        await read(event(id="e2"), signature=sign(event()))
    with pytest.raises(WebhookRefused):
        await read(event(), signature=sign(event(), OTHER))
    with pytest.raises(WebhookRefused):
        await read(event(), header="another")


async def test_either_of_two_secrets_proves_while_one_is_replaced() -> None:
    delivery = await read(event(), signature=sign(event(), OTHER), secrets=(SECRET, OTHER))

    assert delivery.events


@pytest.mark.parametrize("secrets", [(), (SecretStr(""),)])
async def test_without_a_secret_it_is_asked_for_again_because_a_refusal_would_lose_it(
    secrets: tuple[SecretStr, ...],
) -> None:
    with pytest.raises(StoreUnavailable):
        await read(event(), secrets=secrets)


async def test_an_event_of_the_day_before_is_a_replay() -> None:
    assert (await read(event(), now=NOW + timedelta(hours=23))).events
    with pytest.raises(WebhookRefused, match="older than a day"):
        await read(event(), now=NOW + timedelta(hours=25))


async def test_what_is_no_event_is_acknowledged_with_its_reason() -> None:
    delivery = await read(b'{"hello": 1}')

    assert delivery.events == ()
    assert "no event" in str(delivery.problem)


async def test_an_event_of_a_kind_that_is_not_known_is_kept_as_one_of_the_business() -> None:
    (found,) = (await read(event(type="spend_requests.comment_created"))).events

    assert (found.account, found.kind, found.operation) == ("biz", None, "comment_created")


async def test_the_challenge_is_shown_to_whoever_must_answer_it() -> None:
    delivery = await read(event(type="webhooks.verification", object=None, challenge="ramp_challenge_1"))

    assert delivery.events == ()
    assert "ramp_challenge_1" in str(delivery.problem)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the documented payloads are not on this machine")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("webhook_event_transactions_cleared", RecordKind.CARD_TRANSACTION),
        ("webhook_event_reimbursements_ready_to_sync", None),
    ],
)
async def test_documented_events_are_understood(name: str, kind: RecordKind | None) -> None:
    body = (SAMPLES / f"{name}.json").read_bytes()
    (found,) = (await read(body, now=datetime(2025, 4, 1, 13, tzinfo=UTC))).events

    assert found.kind is kind
    assert found.account == "945c7d8f-6c35-4d63-9c1c-79e67c9cee73"


def test_a_connection_is_found_by_the_business_that_its_settings_name() -> None:
    reader = RampRailFactory().webhook_reader

    assert reader.account_of({"business_id": "biz"}) == "biz"
    assert reader.account_of({}) is None
    assert reader.announces == frozenset()
