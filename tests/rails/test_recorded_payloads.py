"""Every recorded or documented payload of Plaid and Ramp is read as what it is, or refused, with the reason.

Those of Stripe are in `test_stripe_mapping.py`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import jwt
import msgspec
import pytest
from pydantic import SecretStr
from runway_core.domain.identity import RecordKind
from runway_core.errors import RailAccessLost, RailRefused, RecordRejected, WebhookRefused
from runway_rail_kit import Answer, HttpTransport
from runway_rail_plaid import mapping as plaid_mapping
from runway_rail_plaid import wire as plaid_wire
from runway_rail_plaid.faults import SET_MOVED, read_fault, to_error
from runway_rail_plaid.webhooks import PlaidWebhookReader
from runway_rail_ramp import faults as ramp_faults
from runway_rail_ramp import mapping as ramp_mapping
from runway_rail_ramp import wire as ramp_wire
from runway_sandbox.plaid.signing import Signer

SAMPLES = Path("/work/shared/samples")
NOW = datetime(2026, 5, 5, 12, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded payloads are not on this machine")

NOT_ASKED = "an answer of an address that the rail never asks"
FOR_WRITING = "a request, which the rail never sends"
PLAID_NOT_READ = {
    "auth_get": "account numbers, which Runway must not hold",
    **dict.fromkeys(("institutions_get_by_id", "transactions_refresh"), NOT_ASKED),
    **dict.fromkeys(
        ("item_access_token_invalidate", "item_public_token_exchange", "item_remove", "item_webhook_update"),
        "made by whoever links a bank, not by the rail",
    ),
    "link_token_create": "made by whoever links a bank, not by the rail",
    **dict.fromkeys(
        (
            "sandbox_item_fire_webhook",
            "sandbox_item_reset_login",
            "sandbox_public_token_create",
            "sandbox_transactions_create",
        ),
        "of the vendor's own sandbox",
    ),
}
PLAID_ROWS = {"accounts_get": 3, "accounts_balance_get": 3, "transactions_sync": 2}
PLAID_READ = {
    *PLAID_ROWS,
    "item_get",
    "error_400_item_login_required",
    "error_400_sync_mutation_during_pagination",
    "webhook_verification_key_get",
}
RAMP_RECORDS: Mapping[str, tuple[RecordKind, int]] = {
    "bill_get": (RecordKind.RAIL_BILL, 2),
    "bills_list_page": (RecordKind.RAIL_BILL, 2),
    "vendor_get": (RecordKind.RAIL_VENDOR, 1),
    "vendor_create_response_detail": (RecordKind.RAIL_VENDOR, 1),
    "vendors_list_page": (RecordKind.RAIL_VENDOR, 1),
    "transaction_get": (RecordKind.CARD_TRANSACTION, 1),
    "transaction_demo_facebook_ads": (RecordKind.CARD_TRANSACTION, 1),
    "transactions_list_page": (RecordKind.CARD_TRANSACTION, 1),
}
RAMP_READ = {
    *RAMP_RECORDS,
    "business",
    "page_next",
    "token_response",
    "error_422_page_size",
    "webhook_event_transactions_cleared",
    "webhook_event_reimbursements_ready_to_sync",
}
RAMP_NOT_READ = {
    **dict.fromkeys(
        (
            "accounting_connections_all",
            "accounting_custom_fields_page",
            "accounting_gl_account_upload_response",
            "accounting_gl_accounts_page",
            "accounting_vendor_upload_response",
            "accounting_vendors_page",
            "entities_page",
            "purchase_orders_page",
            "reimbursements_page",
            "statements_page",
            "users_page",
            "webhook_subscription_with_secret",
        ),
        NOT_ASKED,
    ),
    **dict.fromkeys(
        (
            "accounting_connection_create_request",
            "accounting_gl_account_upload_request",
            "accounting_sync_request",
            "accounting_vendor_upload_request",
            "bill_update_request",
            "vendor_create_request",
            "vendor_update_request",
            "webhook_create_request",
            "webhook_verify_request",
        ),
        FOR_WRITING,
    ),
    "bill_create_request": "it would make a bill that skips approval",
    "token_request_all_fields": "a form of which each grant sends a part",
}


def read(rail: str, name: str) -> bytes:
    return (SAMPLES / rail / f"{name}.json").read_bytes()


def names(rail: str) -> set[str]:
    return {path.stem for path in (SAMPLES / rail).glob("*.json")}


def rows_of(raw: bytes) -> list[msgspec.Raw]:
    """The rows of a page, else the payload itself."""
    held = msgspec.json.decode(raw)
    if isinstance(held, dict) and isinstance(held.get("data"), list):
        return msgspec.json.decode(raw, type=ramp_wire.Page).data
    return [msgspec.Raw(raw)]


def test_every_payload_has_its_place() -> None:
    events = {name for name in names("plaid") if name.startswith("webhook_") and "key" not in name}

    assert names("plaid") == PLAID_READ | events | PLAID_NOT_READ.keys()
    assert names("ramp") == RAMP_READ | RAMP_NOT_READ.keys()


@pytest.mark.parametrize("name", PLAID_ROWS)
def test_accounts_and_lines_are_mapped_row_by_row(name: str) -> None:
    raw = read("plaid", name)
    if name == "transactions_sync":
        accounts: list[msgspec.Raw] = []
        lines = list(msgspec.json.decode(raw, type=plaid_wire.SyncAnswer).shown)
    else:
        accounts, lines = msgspec.json.decode(raw, type=plaid_wire.AccountsAnswer).accounts, []
    changes, rejected = plaid_mapping.map_rows(accounts, lines, institution=None, read_at=NOW)

    assert rejected == []
    assert len(changes) == len(accounts) + len(lines) == PLAID_ROWS[name]


def test_a_recorded_login_says_how_current_it_is() -> None:
    answer = msgspec.json.decode(read("plaid", "item_get"), type=plaid_wire.ItemAnswer)

    assert answer.item.item_id
    assert answer.status is not None
    assert answer.status.transactions is not None
    assert answer.status.transactions.last_successful_update is not None


def test_recorded_refusals_of_the_bank_are_told_apart() -> None:
    lost, moved = (
        Answer(400, httpx.Headers(), read("plaid", f"error_400_{name}"))
        for name in ("item_login_required", "sync_mutation_during_pagination")
    )
    fault = read_fault(moved)

    assert type(to_error(lost, read_fault(lost), doing="x")) is RailAccessLost
    assert fault is not None
    assert fault.error_code == SET_MOVED


@pytest.mark.parametrize("name", PLAID_NOT_READ)
def test_what_the_bank_answers_to_others_is_no_page_of_changes(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(read("plaid", name), type=plaid_wire.SyncAnswer)


async def test_recorded_events_of_the_bank_are_taken_and_name_their_login() -> None:
    signer = Signer(seed=1, now=int(NOW.timestamp()))

    def give_key(request: httpx.Request) -> httpx.Response:
        key = signer.find(msgspec.json.decode(request.content)["key_id"])
        assert key is not None
        return httpx.Response(200, json={"key": key.as_jwk()})

    http = HttpTransport(transport=httpx.MockTransport(give_key))
    reader = PlaidWebhookReader(http)
    kinds: dict[str, RecordKind | None] = {}
    for name in sorted(one for one in names("plaid") if one.startswith("webhook_") and "key" not in one):
        body = read("plaid", name)
        headers = {"plaid-verification": signer.sign(body, now=int(NOW.timestamp()))}
        delivery = await reader.read(headers, body, secrets=[SecretStr("client:secret")], now=NOW)
        (event,) = delivery.events
        assert (event.account, delivery.problem) == (msgspec.json.decode(body)["item_id"], None)
        kinds[name] = event.kind
    await http.aclose()

    assert {name for name, kind in kinds.items() if kind is None} == {one for one in kinds if "webhook_item" in one}
    assert set(kinds.values()) == {None, RecordKind.BANK_TRANSACTION}


async def test_the_recorded_key_is_read_and_proves_nothing_that_another_signed() -> None:
    recorded = read("plaid", "webhook_verification_key_get")
    signer = Signer(seed=1, now=int(NOW.timestamp()))
    signed = signer.sign(b"{}", now=int(NOW.timestamp()))
    other = msgspec.json.decode(recorded)
    other["key"] |= {"kid": jwt.get_unverified_header(signed)["kid"], "expired_at": None}
    http = HttpTransport(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=other)))
    with pytest.raises(WebhookRefused, match="not signed with Plaid's key"):
        await PlaidWebhookReader(http).read(
            {"plaid-verification": signed}, b"{}", secrets=[SecretStr("client:secret")], now=NOW
        )
    await http.aclose()


@pytest.mark.parametrize("name", RAMP_RECORDS)
def test_documented_records_of_the_payer_are_mapped(name: str) -> None:
    kind, count = RAMP_RECORDS[name]
    changes, rejected = ramp_mapping.map_rows(kind, rows_of(read("ramp", name)))

    assert rejected == []
    assert len(changes) == count


def test_other_documented_answers_of_the_payer_are_read() -> None:
    refused = Answer(422, httpx.Headers(), read("ramp", "error_422_page_size"))

    assert msgspec.json.decode(read("ramp", "business"), type=ramp_wire.Business).id
    assert msgspec.json.decode(read("ramp", "token_response"))["access_token"]
    assert msgspec.json.decode(read("ramp", "page_next"))["page"]["next"].startswith("https://")
    assert type(ramp_faults.to_error(refused, doing="bills", is_write=False)) is RailRefused


@pytest.mark.parametrize("name", RAMP_NOT_READ)
def test_what_the_payer_answers_to_others_is_no_bill(name: str) -> None:
    for row in rows_of(read("ramp", name)):
        with pytest.raises(RecordRejected):
            ramp_mapping.to_bill(bytes(row))
