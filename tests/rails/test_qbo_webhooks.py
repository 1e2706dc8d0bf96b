"""Both forms of QuickBooks' webhooks say the same."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from runway_core.domain.identity import RecordKind
from runway_core.domain.webhooks import RailEvent
from runway_core.errors import InvalidRequest, WebhookRefused
from runway_core.ports.webhooks import find_webhook_reader
from runway_rail_kit import verify_hmac
from runway_rail_qbo import QboRailFactory
from runway_rail_qbo.webhooks import QboWebhookReader, WebhookEvent, read_events

NOW = datetime(2026, 5, 5, 10, 15, tzinfo=UTC)
SAMPLES = Path("/work/shared/samples/qbo")


def legacy(*entities: dict[str, Any], realm_id: str = "93414500") -> bytes:
    notification = {"realmId": realm_id, "dataChangeEvent": {"entities": list(entities)}}
    return json.dumps({"eventNotifications": [notification]}).encode()


def cloud(**members: Any) -> dict[str, Any]:
    event = {
        "specversion": "1.0",
        "id": "0f2c-Bill-145",
        "type": "qbo.bill.updated.v1",
        "time": "2026-05-05T10:14:55Z",
        "intuitentityid": "145",
        "intuitaccountid": "93414500",
    }
    return {**event, **members}


def test_both_forms_say_the_same() -> None:
    at = datetime(2026, 5, 5, 10, 14, 55, tzinfo=UTC)
    expected = [WebhookEvent("93414500", RecordKind.BILL, "145", "update", at)]
    entity = {"name": "Bill", "id": "145", "operation": "Update", "lastUpdated": "2026-05-05T03:14:55-07:00"}

    assert read_events(legacy(entity)) == expected
    assert read_events(json.dumps([cloud()]).encode()) == expected


@pytest.mark.parametrize("word", ["void", "voided"])
def test_a_void_is_a_void_however_it_is_spelt(word: str) -> None:
    [event] = read_events(json.dumps([cloud(type=f"qbo.invoice.{word}.v1")]).encode())

    assert (event.kind, event.operation) == (RecordKind.INVOICE, "void")


def test_a_merge_names_the_record_that_went() -> None:
    entity = {
        "name": "Vendor",
        "id": "56",
        "operation": "Merge",
        "deletedId": "61",
        "lastUpdated": "2026-05-05T10:00:00Z",
    }
    [old] = read_events(legacy(entity))
    [new] = read_events(json.dumps([cloud(type="qbo.vendor.merged.v1", data={"deletedid": "61"})]).encode())

    assert (old.operation, old.replaced_id) == ("merge", "61")
    assert (new.operation, new.replaced_id) == ("merge", "61")


def test_nine_decimals_of_a_second_are_read() -> None:
    [event] = read_events(json.dumps([cloud(time="2026-05-05T21:31:25.179851517Z")]).encode())

    assert event.at is not None
    assert event.at.replace(microsecond=0) == datetime(2026, 5, 5, 21, 31, 25, tzinfo=UTC)


def test_a_kind_that_is_not_mirrored_and_a_time_that_is_none_are_no_obstacle() -> None:
    [event] = read_events(json.dumps([cloud(type="qbo.estimate.created.v1", time="soon")]).encode())

    assert (event.kind, event.at, event.operation) == (None, None, "create")


def test_several_companies_may_share_a_delivery() -> None:
    events = read_events(
        json.dumps([cloud(), cloud(intuitaccountid="77"), {"odd": 1}, "odd", cloud(type="x")]).encode()
    )

    assert [event.realm_id for event in events] == ["93414500", "77"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"7", b'{"eventNotifications": 7}', b"\xff"])
def test_a_body_of_neither_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_events(body)


@given(st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["eventNotifications", "dataChangeEvent", "entities", "realmId", "id", "type", "data"]), inner
    ),
))  # fmt: skip
def test_whatever_comes_is_read_or_refused(payload: Any) -> None:
    try:
        events = read_events(json.dumps(payload).encode())
    except InvalidRequest:
        return
    assert isinstance(events, list)


def test_a_signed_delivery_is_verified() -> None:
    body = legacy({"name": "Bill", "id": "1", "operation": "Create"})
    signature = base64.b64encode(hmac.new(b"verifier", body, hashlib.sha256).digest()).decode()

    assert verify_hmac(body, signature, secret=SecretStr("verifier"))


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="SAMPLES are not part of this checkout")
def test_recorded_deliveries_are_read() -> None:
    for path in sorted(SAMPLES.glob("*webhook*.json")):
        if "headers" not in path.name:
            assert read_events(path.read_bytes()), path


VERIFIERS = [SecretStr("today"), SecretStr("yesterday")]


def signed(body: bytes, verifier: str) -> dict[str, str]:
    code = hmac.new(verifier.encode(), body, hashlib.sha256).digest()
    return {"intuit-signature": base64.b64encode(code).decode()}


@pytest.mark.parametrize("verifier", ["today", "yesterday"])
@pytest.mark.parametrize("form", ["legacy", "cloud"])
async def test_a_delivery_in_either_form_is_proved_by_either_verifier(verifier: str, form: str) -> None:
    entity = {"name": "Bill", "id": "145", "operation": "Update", "lastUpdated": "2026-05-05T10:14:55Z"}
    body = legacy(entity) if form == "legacy" else json.dumps([cloud()]).encode()

    delivery = await QboWebhookReader().read(signed(body, verifier), body, secrets=VERIFIERS, now=NOW)

    assert delivery.events == (
        RailEvent("93414500", RecordKind.BILL, "145", "update", datetime(2026, 5, 5, 10, 14, 55, tzinfo=UTC)),
    )
    assert (delivery.delivery_id, delivery.problem) == (None, None)


@pytest.mark.parametrize("headers", [{}, signed(b"other", "today"), signed(b"[]", "guessed"), signed(b"[]", "")])
async def test_a_delivery_that_is_not_proved_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused):
        await QboWebhookReader().read(headers, b"[]", secrets=VERIFIERS, now=NOW)
    with pytest.raises(WebhookRefused):
        await QboWebhookReader().read(headers, b"[]", secrets=[SecretStr("")], now=NOW)


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b"\xff", b"null"])
async def test_a_proved_body_of_another_form_is_told_as_a_problem(body: bytes) -> None:
    delivery = await QboWebhookReader().read(signed(body, "today"), body, secrets=VERIFIERS, now=NOW)

    assert delivery.events == ()
    assert delivery.problem


def test_the_account_of_a_connection_is_its_realm() -> None:
    assert find_webhook_reader(QboRailFactory()) is not None
    assert QboWebhookReader().account_of({"realm_id": "93414500"}) == "93414500"
    assert QboWebhookReader().account_of({}) is None
