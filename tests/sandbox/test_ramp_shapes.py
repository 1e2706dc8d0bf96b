"""Every documented example of the vendor that pays bills is a test of shape; the files stay where they are kept."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from runway_sandbox.settings import RampRules

from tests.sandbox.ramp_window import START, RampWindow, economy

SAMPLES = Path("/work/shared/samples/ramp")
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the documented payloads are not on this machine")


def sample(name: str) -> Any:
    return msgspec.json.decode((SAMPLES / f"{name}.json").read_bytes())


def find_missing(recorded: Any, ours: Any, where: str = "") -> list[str]:
    """Name members that the example has and ours lacks; what is null on either side has no members."""
    if recorded is None or ours is None:
        return []
    if isinstance(recorded, dict):
        if not isinstance(ours, dict):
            return [where]
        missing = [f"{where}.{name}" for name in recorded if name not in ours]
        shared = [name for name in recorded if name in ours]
        return missing + [one for name in shared for one in find_missing(recorded[name], ours[name], f"{where}.{name}")]
    if isinstance(recorded, list):
        return find_missing(recorded[0], ours[0], f"{where}[]") if recorded and ours else []
    return []


@pytest.fixture
def window(serve: Any) -> RampWindow:
    return RampWindow(serve(economy(0), start_at=START, ramp=RampRules(accounting="api", tells_scope=True)))


LISTS = {
    "bills": "bills_list_page",
    "vendors": "vendors_list_page",
    "transactions": "transactions_list_page",
    "entities": "entities_page",
    "business": "business",
    "accounting/all-connections": "accounting_connections_all",
    "accounting/vendors": "accounting_vendors_page",
    "accounting/accounts": "accounting_gl_accounts_page",
    "users": "users_page",
}
RECORDS = {
    "bill_get": "bills",
    "vendor_get": "vendors",
    "vendor_create_response_detail": "vendors",
    "transaction_get": "transactions",
    "transaction_demo_facebook_ads": "transactions",
}


def test_lists_have_every_member_of_the_documented_ones(window: RampWindow) -> None:
    missing = {path: find_missing(sample(name), window.get(path)) for path, name in LISTS.items()}

    assert {path: names for path, names in missing.items() if names} == {}


def test_single_records_have_every_member_of_the_documented_ones(window: RampWindow) -> None:
    first = {path: window.get(path)["data"][0]["id"] for path in RECORDS.values()}
    missing = {name: find_missing(sample(name), window.get(f"{path}/{first[path]}")) for name, path in RECORDS.items()}

    assert {name: members for name, members in missing.items() if members} == {}


def test_a_token_answer_has_the_documented_members_of_its_grant(window: RampWindow) -> None:
    form = sample("token_request_all_fields")
    keys = (window.rail["client_id"], window.rail["client_secret"])
    query = {"response_type": "code", "client_id": keys[0], "scope": "business:read", "state": "s"}
    sent = window.http.get(window.rail["authorize_url"], params={**query, "redirect_uri": form["redirect_uri"]})
    code = httpx.URL(sent.headers["location"]).params["code"]
    answer = window.ask_token(
        keys, grant_type="authorization_code", code=code, redirect_uri=str(form["redirect_uri"])
    ).json()

    assert find_missing(sample("token_response"), answer) == []
    assert answer["access_token"].startswith("ramp_tok_")
    own = window.sign_in("business:read")
    assert find_missing({**sample("token_response"), "refresh_token": None}, {**own, "refresh_token": None}) == []


def test_a_refused_page_size_is_the_documented_answer(window: RampWindow) -> None:
    ours = window.call("GET", "bills", params={"page_size": "1"}).json()
    ours["error_v2"].pop("error_id")  # seen live, and not documented

    assert ours == sample("error_422_page_size")


def test_the_next_page_is_a_whole_address_with_the_documented_members(window: RampWindow) -> None:
    theirs = httpx.URL(sample("page_next")["page"]["next"])
    ours = httpx.URL(window.get("bills", page_size=3)["page"]["next"])

    assert set(theirs.params) == set(ours.params)
    assert ours.path.endswith("/developer/v1/bills")


def test_the_documented_new_bill_is_taken_in_major_units(window: RampWindow) -> None:
    body = sample("bill_create_request")
    held = {"vendor_id": window.get("vendors")["data"][0]["id"], "entity_id": window.get("entities")["data"][0]["id"]}
    bill = window.post("bills", {**body, **held, "enable_accounting_sync": True}, status=201)

    assert bill["amount"] == {"amount": 21_000, "currency_code": "USD", "minor_unit_conversion_rate": 100}
    assert (bill["approval_status"], bill["status"]) == ("APPROVED", "PAID")  # it skips every approval
    assert bill["payment"]["details"] == {"manual_payment_method": "CASH"}


def test_the_documented_change_of_a_bill_is_taken(window: RampWindow) -> None:
    bills = window.read_all("bills", status_summaries="PAYMENT_NOT_INSTRUCTED")
    bill = next(one for one in bills if not one["payments"])
    body = {name: value for name, value in sample("bill_update_request").items() if name != "vendor_id"}
    answer = window.call("PATCH", f"bills/{bill['id']}", json=body)

    assert answer.status_code == 200, answer.text
    lines = [Decimal(str(line["amount"])) for line in body.get("line_items") or []]
    if lines:
        assert answer.json()["line_items"][0]["amount"]["amount"] == lines[0] * 100


def test_the_documented_new_vendor_is_taken(window: RampWindow) -> None:
    body = sample("vendor_create_request")
    answer = window.post("vendors", body)

    assert window.get(f"vendors/{answer['id']}")["name"] == body.get("name", answer["name"])


def test_the_documented_change_of_a_vendor_is_taken(window: RampWindow) -> None:
    vendor = window.get("vendors")["data"][0]
    answer = window.call("PATCH", f"vendors/{vendor['id']}", json=sample("vendor_update_request"))

    assert (answer.status_code, answer.json()["is_active"]) == (200, True)


def test_the_documented_sync_report_is_understood(window: RampWindow) -> None:
    body = {**sample("accounting_sync_request"), "sync_type": "BILL_SYNC"}
    bills = window.read_all("bills")[:2]
    for one, bill in zip(body["successful_syncs"], bills, strict=True):
        one["id"] = bill["id"]

    assert set(window.post("accounting/syncs", body, status=201)) == {"sync_id"}


def test_a_subscription_and_its_events_have_the_documented_members(window: RampWindow, receiver: Any) -> None:
    body = {**sample("webhook_create_request"), "endpoint_url": receiver.url, "event_types": ["bills.approved"]}
    made = window.post("webhooks", body, status=201)
    _, challenge = receiver.received.get(timeout=5)
    proof = {name: msgspec.json.decode(challenge)[name] for name in sample("webhook_verify_request")}
    window.post(f"webhooks/{made['id']}/verify", proof)
    window.person("approve", window.read_all("bills", approval_status="PENDING")[0]["id"])
    headers, event = receiver.received.get(timeout=5)

    assert find_missing(sample("webhook_subscription_with_secret"), made) == []
    assert headers["x-custom-header"] == body["additional_headers"]["X-Custom-Header"]
    for name in ("webhook_event_transactions_cleared", "webhook_event_reimbursements_ready_to_sync"):
        assert set(sample(name)) == set(msgspec.json.decode(event))
