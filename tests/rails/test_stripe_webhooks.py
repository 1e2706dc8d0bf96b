"""What Stripe sends is proved before it is read."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr
from runway_core.domain.identity import RecordKind
from runway_core.domain.webhooks import Delivery, RailEvent
from runway_core.errors import WebhookRefused
from runway_rail_stripe.webhooks import StripeWebhookReader

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = SecretStr("whsec_one")
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "charge.succeeded",
    "created": int(NOW.timestamp()),
    "account": "acct_1",
    "data": {"object": {"id": "ch_1", "object": "charge"}},
}


def sign(body: bytes, secret: str = "whsec_one", *, at: datetime = NOW, more: str = "") -> dict[str, str]:
    moment = int(at.timestamp())
    code = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={moment},{more}v1={code},v0={'1' * 64}"}


async def read(event: Any, *secrets: SecretStr, headers: dict[str, str] | None = None) -> Delivery:
    body = event if isinstance(event, bytes) else msgspec.json.encode(event)
    return await StripeWebhookReader().read(
        sign(body) if headers is None else headers, body, secrets=secrets or (SECRET,), now=NOW
    )


async def test_an_event_is_a_reason_to_read_its_thing_again() -> None:
    delivery = await read(EVENT)

    assert delivery == Delivery(
        events=(RailEvent("acct_1", RecordKind.CHARGE, "ch_1", "charge.succeeded", NOW),), delivery_id="evt_1"
    )


async def test_while_a_secret_is_rolled_any_of_both_proves() -> None:
    body = msgspec.json.encode(EVENT)
    headers = sign(body, "whsec_two", more=f"v1={'0' * 64},")

    assert (await read(EVENT, SecretStr("whsec_two"), SECRET, headers=headers)).events
    assert (await read(EVENT, SECRET, SecretStr("whsec_two"), headers=headers)).events


async def test_events_of_unknown_types_are_taken_and_kept() -> None:
    delivery = await read({**EVENT, "type": "brand.new", "data": {"object": {"id": "x", "object": "brand"}}})

    assert delivery.events == (RailEvent("acct_1", None, "", "brand.new", NOW),)


async def test_an_accounts_own_address_is_told_by_its_secret() -> None:
    own = {name: value for name, value in EVENT.items() if name != "account"}
    known = await read(own, SecretStr("acct_9:whsec_one"))
    unknown = await read(own)

    assert known.events[0].account == "acct_9"
    assert unknown.events == ()
    assert unknown.problem is not None
    assert "acct_" in unknown.problem


async def test_a_thin_event_names_its_account_in_its_context() -> None:
    thin = {
        "id": "evt_2",
        "object": "v2.core.event",
        "type": "v1.charge.succeeded",
        "created": "2026-03-02T12:00:00Z",
        "context": "org_1/acct_5",
        "related_object": {"id": "ch_1", "type": "charge", "url": "/v1/charges/ch_1"},
    }
    (event,) = (await read(thin)).events

    assert (event.account, event.kind, event.at) == ("acct_5", None, NOW)


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        ({}, (SECRET,)),
        ({"stripe-signature": "t=1,v1="}, (SECRET,)),
        ({"stripe-signature": "v1=" + "0" * 64}, (SECRET,)),
        (sign(b"another body"), (SECRET,)),
        (sign(msgspec.json.encode(EVENT), "whsec_two"), (SECRET,)),
        (sign(msgspec.json.encode(EVENT), ""), (SecretStr(""),)),
        (sign(msgspec.json.encode(EVENT)), (SecretStr("acct_1:"),)),
        (sign(msgspec.json.encode(EVENT), at=NOW - timedelta(seconds=301)), (SECRET,)),
        (sign(msgspec.json.encode(EVENT), at=NOW + timedelta(seconds=301)), (SECRET,)),
    ],
)
async def test_what_is_not_proved_or_is_replayed_is_refused(
    headers: dict[str, str], secrets: tuple[SecretStr, ...]
) -> None:
    with pytest.raises(WebhookRefused):
        await read(EVENT, *secrets, headers=headers)


async def test_without_a_secret_nothing_is_proved() -> None:
    body = msgspec.json.encode(EVENT)
    with pytest.raises(WebhookRefused, match="no signing secret"):
        await StripeWebhookReader().read(sign(body), body, secrets=(), now=NOW)


async def test_a_version_zero_signature_proves_nothing() -> None:
    body = msgspec.json.encode(EVENT)
    headers = {"stripe-signature": sign(body)["stripe-signature"].replace("v1=", "v2=")}
    with pytest.raises(WebhookRefused):
        await read(EVENT, headers=headers)


async def test_five_minutes_are_young_enough_and_a_proved_body_that_is_no_event_is_a_problem() -> None:
    body = msgspec.json.encode(EVENT)
    edge = await read(EVENT, headers=sign(body, at=NOW - timedelta(seconds=300)))
    odd = await read(b"[]")

    assert edge.events
    assert odd.problem is not None


def test_the_account_is_found_in_a_connections_settings() -> None:
    reader = StripeWebhookReader()

    assert reader.account_of({"account_id": "acct_1"}) == "acct_1"
    assert reader.account_of({}) is None
    assert RecordKind.PROCESSOR_ENTRY not in reader.announces
