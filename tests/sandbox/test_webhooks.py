from __future__ import annotations

from typing import Any

import msgspec
from runway_sandbox.webhooks import sign

REALM = "4620816365000001"
UPDATE = {"company": REALM, "op": "update", "kind": "Bill", "id": "10", "fields": {"PrivateNote": "seen"}}


def test_events_come_as_cloud_events_and_are_signed(sandbox: Any, receiver: Any) -> None:
    sandbox.control("/webhooks", {"rail": "qbo", "url": receiver.url})
    sandbox.control("/mutate", [UPDATE])
    headers, body = receiver.received.get(timeout=5)

    (event,) = msgspec.json.decode(body)
    assert (event["type"], event["intuitentityid"], event["intuitaccountid"]) == ("qbo.bill.updated.v1", "10", REALM)
    assert event["time"].endswith("000Z")
    assert headers["intuit-signature"] == sign(body, sandbox.rail["webhook_verifier_token"])
    assert headers["intuit-notification-schema-version"] == "0.1"
    assert sandbox.quickbooks().validate_webhook_signature(
        body.decode(), headers["intuit-signature"], sandbox.rail["webhook_verifier_token"]
    )


def test_events_come_in_the_legacy_form(sandbox: Any, receiver: Any) -> None:
    sandbox.control("/webhooks", {"url": receiver.url, "form": "legacy"})
    sandbox.control("/mutate", [{**UPDATE, "op": "pay", "fields": {}}])
    _, body = receiver.received.get(timeout=5)

    (notification,) = msgspec.json.decode(body)["eventNotifications"]
    entities = [(one["name"], one["operation"]) for one in notification["dataChangeEvent"]["entities"]]
    assert notification["realmId"] == REALM
    assert entities == [("BillPayment", "Create"), ("Bill", "Update")]


def test_a_refused_delivery_holds_back_the_rest_and_is_repeated(sandbox: Any, receiver: Any) -> None:
    receiver.statuses.extend([500, 503])
    sandbox.control("/webhooks", {"url": receiver.url})
    sandbox.control("/mutate", [UPDATE])
    _, first = receiver.received.get(timeout=5)
    sandbox.control("/mutate", [{**UPDATE, "id": "11"}])
    sandbox.advance(10)
    _, second = receiver.received.get(timeout=5)
    sandbox.advance(20)
    _, third = receiver.received.get(timeout=5)
    _, fourth = receiver.received.get(timeout=5)

    assert first == second == third
    assert msgspec.json.decode(fourth)[0]["intuitentityid"] == "11"


def test_late_events_wait_for_the_clock(sandbox: Any, receiver: Any) -> None:
    sandbox.control("/chaos", {"profile": "late_webhooks", "webhook_lost": 0, "webhook_doubled": 1})
    sandbox.control("/webhooks", {"url": receiver.url})
    sandbox.control("/mutate", [UPDATE])

    assert sandbox.control("/webhooks")["waiting"] == 2
    assert receiver.received.empty()
    sandbox.advance(300)
    _, body = receiver.received.get(timeout=5)
    assert len(msgspec.json.decode(body)) == 2


def test_lost_events_are_never_sent(sandbox: Any, receiver: Any) -> None:
    sandbox.control("/chaos", {"profile": "late_webhooks", "webhook_lost": 1})
    sandbox.control("/webhooks", {"url": receiver.url})
    sandbox.control("/mutate", [UPDATE])

    state = sandbox.control("/webhooks")
    assert (state["lost"], state["waiting"]) == (1, 0)
