"""Whatever comes from outside is read, set aside or refused in the family's own words; nothing of it is a crash.

Hypothesis makes the bytes up and keeps the seeds (`derandomize`): a failure is found again by the same run.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from runway_core.domain.changes import Cursor
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKind
from runway_core.errors import InvalidRequest, RecordRejected, RunwayError
from runway_core.ports.ledger_rail import RailContext
from runway_rail_kit import HttpTransport, Pauses
from runway_rail_plaid import PlaidRailFactory
from runway_rail_plaid.mapping import to_bank_account, to_bank_line
from runway_rail_plaid.webhooks import PlaidWebhookReader
from runway_rail_qbo import QboRailFactory
from runway_rail_qbo.cursor import read_cursor
from runway_rail_qbo.mapping import KINDS, find_company_name, find_id, map_rows, read_company
from runway_rail_qbo.webhooks import read_events
from runway_rail_ramp import RampRailFactory
from runway_rail_ramp.cursor import read_place as read_ramp_place
from runway_rail_ramp.mapping import to_bill, to_payments, to_purchase, to_vendor
from runway_rail_sample.rail import SampleRail
from runway_rail_sample.settings import SampleSettings
from runway_rail_stripe import StripeRailFactory
from runway_rail_stripe.cursor import read_place as read_stripe_place
from runway_rail_stripe.mapping import map_row, to_charge, to_dispute, to_entry, to_payout, to_refund
from runway_testkit.clock import FixedClock

from tests.any_bytes import bodies, documents, json_values, write
from tests.rails.paper_qbo import BASE_URL, SETTINGS, DrawerVault, no_sleep
from tests.rails.test_plaid_mapping import account, line
from tests.rails.test_plaid_webhooks import BODY, KEYS, Vendor
from tests.rails.test_ramp_mapping import bill, payment, purchase
from tests.rails.test_stripe_mapping import encode

NOW = datetime(2026, 5, 5, 12, tzinfo=UTC)
PAYLOADS = Path(__file__).parent / "payloads"
BOOKS = Path(__file__).parents[2] / "packages" / "rail-sample" / "books"
QBO_ANSWERS = [json.loads((PAYLOADS / name).read_bytes()) for name in ("lists.json", "transactions.json")]
QBO_ROWS = {
    kind.name: rows for kind in KINDS for answer in QBO_ANSWERS if (rows := answer["QueryResponse"].get(kind.name))
}
STRIPE_ROW = json.loads(
    encode(
        status="succeeded", fee=66, net=1184, available_on=1_772_600_000, type="charge", arrival_date=1_772_600_000,
        reason="general", charge="ch_1", customer={"id": "cus_1"}, billing_details={"name": "A"}, payment_intent="pi_1",
    )
)  # fmt: skip
RAMP_BILL = json.loads(bill(payment=payment(), vendor={"id": "v1", "name": "Norton"}, invoice_number="7"))

READERS: dict[str, tuple[Callable[[bytes], object], list[Any]]] = {
    "Plaid's accounts": (
        lambda raw: to_bank_account(raw, institution="Bank", read_at=NOW), [json.loads(account())]
    ),
    "Plaid's lines": (to_bank_line, [json.loads(line())]),
    "Ramp's bills": (to_bill, [RAMP_BILL]),
    "Ramp's payments": (to_payments, [RAMP_BILL]),
    "Ramp's vendors": (to_vendor, [{"id": "v1", "name": "Norton", "is_active": True, "created_at": "2026-05-01"}]),
    "Ramp's purchases": (to_purchase, [json.loads(purchase())]),
    "Stripe's charges": (lambda raw: map_row(raw, RecordKind.CHARGE, lambda r: to_charge(r, numbers={})), [STRIPE_ROW]),
    "Stripe's refunds": (lambda raw: map_row(raw, RecordKind.REFUND, to_refund), [STRIPE_ROW]),
    "Stripe's disputes": (lambda raw: map_row(raw, RecordKind.DISPUTE, to_dispute), [STRIPE_ROW]),
    "Stripe's payouts": (lambda raw: map_row(raw, RecordKind.PAYOUT, to_payout), [STRIPE_ROW]),
    "Stripe's entries": (lambda raw: map_row(raw, RecordKind.PROCESSOR_ENTRY, to_entry), [STRIPE_ROW]),
    "QuickBooks' company": (
        lambda raw: (read_company(raw, raw), find_company_name(raw)),
        [{"CompanyName": "Acme", "FiscalYearStartMonth": "January", "Country": "US"}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("of", READERS)
@given(data=st.data())
def test_a_row_of_any_shape_is_read_or_rejected(of: str, data: st.DataObject) -> None:
    read, samples = READERS[of]
    raw = data.draw(documents(*samples))

    with suppress(RecordRejected):
        read(raw)


@settings(max_examples=150)
@given(data=st.data())
def test_a_row_of_quickbooks_is_read_or_set_aside_with_a_reason(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([kind for kind in KINDS if kind.name in QBO_ROWS]))
    raw = data.draw(documents(*QBO_ROWS[kind.name]))
    mapped = map_rows(kind, [msgspec.Raw(raw)], home_currency="USD")

    assert len(mapped) == 1
    assert all(one.reason for one in mapped.rejected)
    find_id(raw)


@given(body=bodies([], {"eventNotifications": [{"realmId": "1", "dataChangeEvent": {"entities": [{"id": "1"}]}}]}))
def test_a_delivery_of_quickbooks_is_read_or_refused(body: bytes) -> None:
    with suppress(InvalidRequest):
        read_events(body)


EVENTS: dict[str, Any] = {
    "ramp": {
        "id": "e1", "type": "bills.paid", "created_at": "2026-05-05T11:59:00Z", "business_id": "b",
        "object": {"id": "1"},
    },
    "stripe": {
        "id": "e1", "type": "charge.succeeded", "created": int(NOW.timestamp()), "account": "a",
        "data": {"object": {"id": "ch_1", "object": "charge"}},
    },
    "plaid": json.loads(BODY),
    "qbo": [
        {"id": "1", "type": "qbo.bill.updated.v1", "time": "2026-05-05T10:14:55Z", "intuitentityid": "145",
         "intuitaccountid": "9"},
    ],
}  # fmt: skip


def sign(rail: str, body: bytes, vendor: Vendor) -> dict[str, str]:
    """The headers with which a vendor proves that a body is its own."""
    if rail == "plaid":
        return vendor.sign(body, at=NOW)
    prefix = f"{int(NOW.timestamp())}.".encode() if rail == "stripe" else b""
    digest = hmac.new(b"hush", prefix + body, hashlib.sha256)
    if rail == "stripe":
        return {"stripe-signature": f"t={int(NOW.timestamp())},v1={digest.hexdigest()}"}
    if rail == "ramp":
        return {"x-ramp-webhook-signature": digest.hexdigest()}
    return {"intuit-signature": msgspec.json.encode(digest.digest()).decode().strip('"')}


def open_reader(rail: str, vendor: Vendor) -> Any:
    if rail == "plaid":
        return PlaidWebhookReader(HttpTransport(transport=httpx.MockTransport(vendor.answer)))
    factory = {"ramp": RampRailFactory, "stripe": StripeRailFactory, "qbo": QboRailFactory}[rail]
    return factory().webhook_reader


@pytest.mark.parametrize("rail", EVENTS)
@given(data=st.data())
async def test_whatever_a_vendor_signed_is_kept_or_refused(rail: str, data: st.DataObject) -> None:
    """A signature says who sent it, and nothing of what it is."""
    body = data.draw(bodies(EVENTS[rail]))
    vendor = Vendor()
    secrets = KEYS if rail == "plaid" else [SecretStr("hush")]

    with suppress(RunwayError):
        await open_reader(rail, vendor).read(sign(rail, body, vendor), body, secrets=secrets, now=NOW)


@pytest.mark.parametrize("rail", EVENTS)
@given(
    stated=st.text(max_size=40)
    | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))
    | st.sampled_from(
        ["t=,v1=", "t=99999999999999999999,v1=00", "t=1,v1=é", "sha256=", "a.b.c", "eyJhbGciOiJFUzI1NiJ9.e30.AA"]
    )
)
async def test_a_signature_of_any_text_is_refused(rail: str, stated: str) -> None:
    names = ("plaid-verification", "x-ramp-webhook-signature", "stripe-signature", "intuit-signature")
    secrets = KEYS if rail == "plaid" else [SecretStr("hush")]

    with pytest.raises(RunwayError):
        await open_reader(rail, Vendor()).read(dict.fromkeys(names, stated), BODY, secrets=secrets, now=NOW)


FACTORIES: dict[str, tuple[Any, Mapping[str, Any], dict[str, str]]] = {
    "qbo": (
        QboRailFactory, SETTINGS,
        {"client_id": "a", "client_secret": "b", "access_token": "c", "refresh_token": "d"},
    ),
    "ramp": (RampRailFactory, {"base_url": BASE_URL, "business_id": "b1"}, {"client_id": "a", "client_secret": "b"}),
    "plaid": (
        PlaidRailFactory, {"base_url": BASE_URL, "item_id": "i1"},
        {"client_id": "a", "secret": "b", "access_token": "c"},
    ),
    "stripe": (StripeRailFactory, {"base_url": BASE_URL, "account_id": "acct_1"}, {"secret_key": "rk_test_1"}),
}  # fmt: skip
ANSWERS: dict[str, list[Any]] = {
    "qbo": QBO_ANSWERS,
    "ramp": [{"data": [RAMP_BILL], "page": {"next": None}}, {"access_token": "t", "expires_in": 3600}],
    "plaid": [
        {"added": [json.loads(line())], "modified": [], "removed": [], "next_cursor": "n", "has_more": False,
         "accounts": [json.loads(account())], "transactions_update_status": "HISTORICAL_UPDATE_COMPLETE"},
        {"item": {"item_id": "i1", "institution_name": "Bank"}, "status": {}},
    ],
    "stripe": [{"object": "list", "data": [STRIPE_ROW], "has_more": False}, {"id": "acct_1", "object": "account"}],
}  # fmt: skip
TOKEN = {"access_token": "t", "expires_in": 3600, "refresh_token": "r"}
MOST_CALLS = 200


@pytest.mark.parametrize("rail", FACTORIES)
@given(data=st.data())
async def test_an_answer_of_any_bytes_is_read_or_told_in_the_familys_words(rail: str, data: st.DataObject) -> None:
    """The first answers are made up, the rest is the same again: a reading ends, whatever the vendor says."""
    factory, held, secrets = FACTORIES[rail]
    made_up = data.draw(st.lists(bodies(*ANSWERS[rail]), min_size=1, max_size=4))
    statuses = data.draw(
        st.lists(st.sampled_from([200, 200, 200, 204, 400, 401, 403, 404, 429, 500]), min_size=1, max_size=4)
    )
    kind = data.draw(st.sampled_from(["application/json", "application/json;charset=UTF-8", "text/html", ""]))
    has_token = data.draw(st.booleans())
    calls = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        assert calls < MOST_CALLS
        if has_token and "token" in request.url.path:
            return httpx.Response(200, json=TOKEN)
        at = min(calls, len(made_up)) - 1
        headers = {"content-type": kind} if kind else {}
        return httpx.Response(statuses[min(calls, len(statuses)) - 1], content=made_up[at], headers=headers)

    context = RailContext(
        company_id=CompanyId("acme"), connection_id=ConnectionId("acme-1"), home_currency="USD", settings=held,
        vault=DrawerVault(secrets), clock=FixedClock(NOW), calls=None,
    )  # fmt: skip
    made = factory(http_transport=httpx.MockTransport(answer), pauses=Pauses(sleep=no_sleep, jitter=lambda: 0.0))
    opened = made.open(context)
    for cursor in (None, Cursor(data.draw(st.text(max_size=20) | json_values.map(lambda v: write(v).decode())))):
        calls = 0
        with suppress(RunwayError):
            await opened.check_connection()
        with suppress(RunwayError):
            async with aclosing(opened.changes_since(cursor)) as pages:
                async for _ in pages:
                    pass
    await made.aclose()


@given(
    text=st.text(max_size=30) | json_values.map(lambda value: write(value).decode()) | st.sampled_from(["[" * 50_000])
)
@example('{"phase":"since","realm_id":"1","since":"x"}')
def test_a_cursor_of_any_text_is_one_or_none(text: str) -> None:
    for read in (lambda c: read_cursor(c, realm_id="1"), read_ramp_place, read_stripe_place):
        read(Cursor(text))


FILES = {path.name: path.read_bytes() for path in BOOKS.iterdir() if path.suffix == ".csv"}


@st.composite
def csv_bytes(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file of a spreadsheet with another cell, another line end, or bytes of any kind in it."""
    lines = whole.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    cells = lines[at].split(b",")
    cells[draw(st.integers(0, len(cells) - 1))] = draw(
        st.binary(max_size=12)
        | st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass"))
        | st.sampled_from(
            [b"", b'"', b"1e400", b"9" * 40, b"2026-02-30", b"=1+1", b"\x00", b"Infinity", b"NaN", b'"a""b\n"']
        )
    )
    lines[at] = b",".join(cells)
    return b"\n".join(lines)


@given(data=st.data())
async def test_a_folder_of_any_files_is_read_or_told_in_the_familys_words(tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FILES)))
    for other, content in FILES.items():
        (tmp_path / other).write_bytes(content)
    (tmp_path / name).write_bytes(data.draw(csv_bytes(FILES[name]) | st.binary(max_size=80)))
    rail = SampleRail(SampleSettings(folder=tmp_path, company_name="Sample", page_size=50), clock=FixedClock(NOW))

    with suppress(RunwayError):
        async for page in rail.changes_since(None):
            assert all(one.reason for one in page.rejected)
