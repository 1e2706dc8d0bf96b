"""The window of the vendor that reads banks accepts the vendor's own client, unmodified but for its address."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jwt
import msgspec
import plaid
import pytest
from plaid.api import plaid_api
from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.accounts_get_request import AccountsGetRequest
from plaid.model.item_get_request import ItemGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.products import Products
from plaid.model.sandbox_item_fire_webhook_request import SandboxItemFireWebhookRequest
from plaid.model.sandbox_item_reset_login_request import SandboxItemResetLoginRequest
from plaid.model.sandbox_public_token_create_request import SandboxPublicTokenCreateRequest
from plaid.model.transactions_sync_request import TransactionsSyncRequest
from plaid.model.webhook_verification_key_get_request import WebhookVerificationKeyGetRequest
from runway_sandbox.bank import BankFeed
from runway_sandbox.economy import EconomyCompany, build_company
from runway_sandbox.settings import ThrottleLimits

SAMPLES = Path("/work/shared/samples/plaid")
AS_OF = date(2026, 5, 5)
START = datetime(2026, 5, 5, 10, 0, tzinfo=UTC)  # a Tuesday; the bank was last read at 06:00
DAY_S = 86_400


@cache
def economy(index: int = 2) -> EconomyCompany:
    return build_company(index=index, seed=5, bills=60, as_of=AS_OF)


class Window:
    """The vendor's client against one running sandbox."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        rail = sandbox.ready["plaid"]
        self.rail = rail
        self.keys = {"client_id": rail["client_id"], "secret": rail["secret"]}
        configuration = plaid.Configuration(
            host=rail["base_url"], api_key={"clientId": rail["client_id"], "secret": rail["secret"]}
        )
        self.api = plaid_api.PlaidApi(plaid.ApiClient(configuration))
        self.token: str = rail["companies"][0]["access_token"]

    def post(self, path: str, **body: Any) -> httpx.Response:
        return httpx.post(self.rail["base_url"] + path, json={**self.keys, "access_token": self.token, **body})

    def page(self, cursor: str = "", *, count: int = 500, token: str | None = None) -> Any:
        request = TransactionsSyncRequest(access_token=token or self.token, cursor=cursor, count=count)
        return self.api.transactions_sync(request)

    def pay_bill(self, **fields: Any) -> None:
        """A person pays the first open bill today: by bank transfer, unless a cheque's number is given."""
        book = self.sandbox.world.book(self.sandbox.world.desks[0])
        bill = next(row for row in book.shelf("Bill").rows.values() if row.parse()["Balance"] > 0)
        change = {"company": book.realm_id, "op": "pay", "kind": "Bill", "id": bill.id}
        (done,) = self.sandbox.control("/mutate", [{**change, "fields": {"TxnDate": "2026-05-05", **fields}}])[
            "results"
        ]
        assert done["ok"]

    def read_all(self, cursor: str = "", *, count: int = 500) -> tuple[dict[str, Any], str]:
        held: dict[str, Any] = {}
        while True:
            page = self.page(cursor, count=count)
            held |= {one.transaction_id: one for one in (*page.added, *page.modified)}
            for gone in page.removed:
                held.pop(gone.transaction_id, None)
            cursor = page.next_cursor
            if not page.has_more:
                return held, cursor


@pytest.fixture
def window(serve: Any) -> Window:
    return Window(serve(economy(), start_at=START))


def feed_of(window: Window) -> BankFeed:
    return BankFeed(window.sandbox.world.book(window.sandbox.world.desks[0]))


def test_all_pages_together_are_the_statement_and_a_second_reading_brings_nothing(window: Window) -> None:
    held, cursor = window.read_all(count=100)
    read_at = datetime(2026, 5, 5, 6, 0, tzinfo=UTC)
    lines = feed_of(window).lines()

    posted = {one.transaction_id: one for one in held.values() if not one.pending}
    assert sum(Decimal(str(one.amount)) for one in posted.values()) == -sum(
        line.amount for line in lines if line.posted_at <= read_at
    )
    assert len(posted) == sum(line.posted_at <= read_at for line in lines) > 200
    again = window.page(cursor)
    assert (again.added, again.modified, again.removed, again.has_more) == ([], [], [], False)
    assert again.transactions_update_status.value == "HISTORICAL_UPDATE_COMPLETE"


def test_balances_are_those_of_the_last_fetch_or_live(window: Window) -> None:
    window.pay_bill(DocNumber="9001")
    (line,) = [one for one in feed_of(window).lines() if one.cheque_number == "9001"]
    window.sandbox.advance((line.posted_at - START).total_seconds() + 60)  # it posts at 11, the bank was read at 6
    cached = window.api.accounts_get(AccountsGetRequest(access_token=window.token))
    live = window.api.accounts_balance_get(AccountsBalanceGetRequest(access_token=window.token))

    assert [one.mask for one in cached.accounts] == [one.mask for one in live.accounts]
    assert {str(one.type) for one in live.accounts} == {"depository", "credit"}
    before = {one.account_id: Decimal(str(one.balances.current)) for one in cached.accounts}
    after = {one.account_id: Decimal(str(one.balances.current)) for one in live.accounts}
    assert before != after  # what posted since the last fetch is in the live one alone


def test_a_pending_line_goes_and_its_posted_one_comes_with_its_id(window: Window) -> None:
    window.pay_bill()
    window.sandbox.advance(DAY_S * 5 // 8)  # one in the morning: it was announced at seven in the evening
    before, cursor = window.read_all()
    window.sandbox.advance(3 * DAY_S)
    page = window.page(cursor)

    (pending,) = [one for one in before.values() if one.pending]
    (settled,) = page.added
    assert settled.pending_transaction_id == pending.transaction_id
    assert [one.transaction_id for one in page.removed] == [pending.transaction_id]
    assert (settled.pending, settled.amount) == (False, pending.amount)


def test_a_fetch_between_two_pages_refuses_the_second(window: Window) -> None:
    first = window.page(count=50)
    window.pay_bill()
    window.sandbox.advance(3 * DAY_S)
    with pytest.raises(plaid.ApiException) as refused:
        window.page(first.next_cursor, count=50)

    fault = msgspec.json.decode(refused.value.body)
    assert (refused.value.status, fault["error_type"]) == (400, "TRANSACTIONS_ERROR")
    assert fault["error_code"] == "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
    assert window.read_all()[0]


def test_a_new_item_has_no_data_then_a_month_then_everything(window: Window) -> None:
    name = window.sandbox.world.desks[0].name
    made = window.api.sandbox_public_token_create(
        SandboxPublicTokenCreateRequest(institution_id="ins_109508", initial_products=[Products("transactions")])
    )
    token = window.api.item_public_token_exchange(
        ItemPublicTokenExchangeRequest(public_token=made.public_token)
    ).access_token
    empty = window.page(token=token)
    window.sandbox.advance(20)
    month = window.page(token=token)
    window.sandbox.advance(60)
    rest = window.page(month.next_cursor, token=token)

    assert name
    assert (empty.next_cursor, empty.added, empty.transactions_update_status.value) == ("", [], "NOT_READY")
    assert month.transactions_update_status.value == "INITIAL_UPDATE_COMPLETE"
    assert month.added
    assert min(one.date for one in month.added) >= AS_OF - timedelta(days=31)
    assert min(one.date for one in rest.added) < AS_OF - timedelta(days=300)


def test_a_lost_login_fails_every_reading_until_it_is_repaired(window: Window) -> None:
    window.api.sandbox_item_reset_login(SandboxItemResetLoginRequest(access_token=window.token))
    with pytest.raises(plaid.ApiException) as refused:
        window.page()
    told = window.api.item_get(ItemGetRequest(access_token=window.token))
    window.sandbox.control("/mutate", [{"rail": "plaid", "company": economy().realm_id, "op": "repair_login"}])

    assert msgspec.json.decode(refused.value.body)["error_code"] == "ITEM_LOGIN_REQUIRED"
    assert told.item.error.error_code == "ITEM_LOGIN_REQUIRED"
    assert window.page().added


def test_events_are_signed_by_a_key_that_can_be_fetched(window: Window, receiver: Any) -> None:
    window.sandbox.control("/webhooks", {"rail": "plaid", "url": receiver.url})
    window.read_all()
    window.pay_bill()
    window.sandbox.advance(DAY_S * 5 // 8)
    events = {}
    for _ in range(2):
        headers, body = receiver.received.get(timeout=5)
        kid = jwt.get_unverified_header(headers["plaid-verification"])["kid"]
        answer = window.api.webhook_verification_key_get(WebhookVerificationKeyGetRequest(key_id=kid))
        key = jwt.PyJWK({k: v for k, v in answer.key.to_dict().items() if k in {"alg", "crv", "kty", "x", "y", "kid"}})
        claims = jwt.decode(headers["plaid-verification"], key.key, algorithms=["ES256"], options={"verify_iat": False})
        assert claims["request_body_sha256"] == hashlib.sha256(body).hexdigest()
        event = msgspec.json.decode(body)
        events[event["webhook_code"]] = event

    assert set(events) == {"DEFAULT_UPDATE", "SYNC_UPDATES_AVAILABLE"}
    assert events["SYNC_UPDATES_AVAILABLE"]["historical_update_complete"] is True


def test_before_the_first_sync_only_the_legacy_event_comes(window: Window, receiver: Any) -> None:
    window.sandbox.control("/webhooks", {"rail": "plaid", "url": receiver.url})
    window.api.accounts_get(AccountsGetRequest(access_token=window.token))
    window.pay_bill()
    window.sandbox.advance(DAY_S * 5 // 8)
    _, body = receiver.received.get(timeout=5)

    assert msgspec.json.decode(body)["webhook_code"] == "DEFAULT_UPDATE"
    assert window.sandbox.control("/webhooks?rail=plaid")["waiting"] == 0


def test_a_refused_event_is_repeated_after_half_a_minute(window: Window, receiver: Any) -> None:
    receiver.statuses.append(500)
    window.read_all()
    window.sandbox.control("/webhooks", {"rail": "plaid", "url": receiver.url})
    window.api.sandbox_item_fire_webhook(
        SandboxItemFireWebhookRequest(access_token=window.token, webhook_code="SYNC_UPDATES_AVAILABLE")
    )
    _, first = receiver.received.get(timeout=5)
    window.sandbox.advance(31)
    _, second = receiver.received.get(timeout=5)

    assert first == second


def test_wrong_keys_tokens_cursors_and_addresses_are_refused_in_the_vendors_words(window: Window) -> None:
    cursor = window.page(count=50).next_cursor
    made = window.post(
        "/sandbox/public_token/create", institution_id="ins_1", initial_products=["transactions"]
    ).json()["public_token"]
    other = window.post("/item/public_token/exchange", public_token=made).json()["access_token"]
    window.sandbox.advance(120)
    refusals = [
        window.post("/transactions/sync", secret="wrong"),
        window.post("/transactions/sync", access_token="access-sandbox-none"),
        window.post("/transactions/sync", access_token=other, cursor=cursor),
        window.post("/transactions/sync", cursor=cursor, options={"account_id": "x"}),
        window.post("/transactions/sync", count=501),
        window.post("/accounts/get", options={"account_ids": ["x"]}),
        window.post("/transactions/everything"),
        httpx.post(window.rail["base_url"] + "/accounts/get", content=b"{"),
    ]

    assert [(one.status_code, one.json()["error_code"]) for one in refusals] == [
        (400, "INVALID_API_KEYS"),
        (400, "INVALID_ACCESS_TOKEN"),
        (400, "INVALID_FIELD"),
        (400, "INVALID_FIELD"),
        (400, "INVALID_FIELD"),
        (400, "INVALID_ACCOUNT_ID"),
        (404, "NOT_FOUND"),
        (400, "INVALID_BODY"),
    ]
    window.api.item_remove(ItemRemoveRequest(access_token=other))
    assert window.post("/item/get", access_token=other).json()["error_code"] == "INVALID_ACCESS_TOKEN"


def test_too_many_calls_of_one_item_are_refused_without_saying_when_to_return(serve: Any) -> None:
    window = Window(serve(economy(), start_at=START, throttle=ThrottleLimits()))
    answers = [window.post("/accounts/balance/get") for _ in range(6)]

    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert answers[-1].json()["error_type"] == "RATE_LIMIT_EXCEEDED"
    assert "retry-after" not in answers[-1].headers


def test_calls_are_counted_by_rail_and_the_truth_names_what_is_one_thing(window: Window) -> None:
    held, _ = window.read_all()
    calls = {(one["rail"], one["endpoint"]): one["calls"] for one in window.sandbox.control("/calls")}
    (company,) = window.sandbox.control("/truth")["companies"]
    known = {one["records"][1]["id"] for one in (*company["same"], *company["differences"])}

    assert calls["plaid", "transactions/sync"] >= 1
    assert {one.transaction_id for one in held.values() if not one.pending} <= known


@pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded payloads are not on this machine")
@pytest.mark.parametrize(
    ("path", "sample"),
    [
        ("/accounts/get", "accounts_get"),
        ("/accounts/balance/get", "accounts_balance_get"),
        ("/item/get", "item_get"),
        ("/transactions/sync", "transactions_sync"),
    ],
)
def test_answers_have_every_member_of_the_recorded_ones(window: Window, path: str, sample: str) -> None:
    recorded = msgspec.json.decode((SAMPLES / f"{sample}.json").read_bytes())
    ours = window.post(path, count=10).json() if "sync" in path else window.post(path).json()

    assert find_missing(recorded, ours) == []


def find_missing(recorded: Any, ours: Any, where: str = "") -> list[str]:
    if isinstance(recorded, dict):
        if not isinstance(ours, dict):
            return [] if ours is None else [where]
        absent = [f"{where}.{name}" for name in recorded if name not in ours]
        return absent + [
            one
            for name in recorded
            if name in ours
            for one in find_missing(recorded[name], ours[name], f"{where}.{name}")
        ]
    if isinstance(recorded, list) and recorded and isinstance(ours, list) and ours:
        return find_missing(recorded[0], ours[0], where + "[]")
    return []
