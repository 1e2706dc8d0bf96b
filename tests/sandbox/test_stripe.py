"""The window of the vendor that takes card payments accepts the vendor's own client, unmodified but for its address."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import stripe
from runway_sandbox.bank import BankFeed
from runway_sandbox.economy import EconomyCompany, build_company
from runway_sandbox.settings import ThrottleLimits

SAMPLES = Path("/work/shared/samples/stripe")
AS_OF = date(2026, 5, 5)
START = datetime(2026, 5, 5, 10, 0, tzinfo=UTC)
DAY_S = 86_400
HTTP = httpx.Client(trust_env=False)
SDK_HTTP = stripe.HTTPXClient(allow_sync_methods=True)
TILL, INVOICES, NO_CARDS = 3, 5, 2  # a shop, a software company, a contractor


@cache
def economy(index: int = TILL) -> EconomyCompany:
    return build_company(index=index, seed=7, bills=100, as_of=AS_OF)


class Window:
    """The vendor's client against one running sandbox."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.rail = sandbox.ready["stripe"]
        self.account: str = self.rail["companies"][0]["account_id"]
        self.api = self.client(stripe_account=self.account)

    def client(self, key: str | None = None, **more: Any) -> Any:
        addresses: Any = {"api": self.rail["base_url"]}
        return stripe.StripeClient(
            key or self.rail["secret_key"],
            base_addresses=addresses,
            max_network_retries=0,
            http_client=SDK_HTTP,
            **more,
        )

    def all(self, service: Any, **params: Any) -> list[Any]:
        return list(service.list({"limit": 100, **params}).auto_paging_iter())

    def get(self, path: str, **headers: str) -> httpx.Response:
        key = {"authorization": f"Bearer {self.rail['secret_key']}", "stripe-account": self.account}
        return HTTP.get(self.rail["base_url"] + path, headers={**key, **headers})

    def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        key = {"authorization": f"Bearer {self.rail['secret_key']}", "stripe-account": self.account}
        return HTTP.post(self.rail["base_url"] + path, data=form, headers={**key, **headers})

    def change(self, operation: str, **fields: Any) -> dict[str, Any]:
        change = {"rail": "stripe", "company": self.sandbox.world.desks[0].realm_id, "op": operation, "fields": fields}
        (done,) = self.sandbox.control("/mutate", [change])["results"]
        assert done["ok"], done
        return dict(done)

    def truth(self) -> dict[str, Any]:
        (company,) = self.sandbox.control("/truth")["companies"]
        return dict(company)


@pytest.fixture
def window(serve: Any) -> Window:
    return Window(serve(economy(), start_at=START))


def test_a_payout_is_the_sum_of_its_parts_the_deposit_in_the_books_and_the_line_at_the_bank(window: Window) -> None:
    book = window.sandbox.world.book(window.sandbox.world.desks[0])
    lines = {line.document_id: line for line in BankFeed(book).lines() if line.kind == "Deposit"}
    truth = window.truth()
    deposits = {
        one["records"][1]["id"]: one["records"][0]["id"]
        for one in truth["same"]
        if one["records"][1]["kind"] == "payout"
    }
    wrong = {
        record["id"] for one in truth["differences"] if one["what"] == "payout sum wrong" for record in one["records"]
    }
    payouts = window.all(window.api.v1.payouts)

    assert len(payouts) > 60
    for payout in payouts[:12]:
        parts = window.all(window.api.v1.balance_transactions, payout=payout.id)
        net = sum(part.net for part in parts if part.type != "payout")
        line = lines[deposits[payout.id]]
        assert (net == payout.amount) is (payout.id not in wrong)
        assert payout.amount == line.amount * 100 == -next(part.net for part in parts if part.type == "payout")
        assert datetime.fromtimestamp(payout.arrival_date, UTC).date() == line.posts_on
        assert payout.trace_id.value in line.text
        assert all(part.net == part.amount - part.fee for part in parts)


def test_receipts_by_card_are_charges_with_their_invoices_and_fees_in_the_deposit(serve: Any) -> None:
    window = Window(serve(economy(INVOICES), start_at=START))
    book = window.sandbox.world.book(window.sandbox.world.desks[0])
    charges = {one.id: one for one in window.all(window.api.v1.charges)}
    pairs = [one["records"] for one in window.truth()["same"] if one["records"][1].get("kind") == "charge"]
    paid = window.all(window.api.v1.invoice_payments)
    numbers = {one.id: one.number for one in window.all(window.api.v1.invoices)}

    assert pairs
    for ours, theirs in pairs:
        charge = charges[theirs["id"]]
        assert book.find("Payment", ours["id"]).parse()["TotalAmt"] * 100 == charge.amount
        links = [one for one in paid if one.payment.payment_intent == charge.payment_intent]
        assert sum(one.amount_paid for one in links) == charge.amount
        assert all(numbers[one.invoice] in charge.description for one in links)
    deposits = [book.find("Deposit", name).parse() for name in book.card_batches if name]
    fees = [line for one in deposits for line in one["Line"] if line.get("Description") == "Stripe fees"]
    assert len(fees) == len(deposits)
    assert all(line["Amount"] < 0 for line in fees)


def test_a_company_without_cards_has_an_empty_account(serve: Any) -> None:
    window = Window(serve(economy(NO_CARDS), start_at=START))

    assert window.rail["companies"][0]["takes_cards"] is False
    assert window.all(window.api.v1.balance_transactions) == []
    assert [one.amount for one in window.api.v1.balance.retrieve().available] == [0]


def test_the_balance_is_what_all_movements_add_up_to(window: Window) -> None:
    held = window.api.v1.balance.retrieve()
    moved = Counter[str]()
    for one in window.all(window.api.v1.balance_transactions):
        moved[one.status] += one.net

    assert moved["pending"] == held.pending[0].amount > 0
    assert moved["available"] == held.available[0].amount


def test_lists_are_newest_first_and_paged_by_the_last_id_in_both_directions(window: Window) -> None:
    everything = [one.id for one in window.all(window.api.v1.charges)]
    first = window.api.v1.charges.list({"limit": 3})
    second = window.api.v1.charges.list({"limit": 3, "starting_after": first.data[-1].id})
    back = window.api.v1.charges.list({"limit": 2, "ending_before": second.data[1].id})
    last = window.api.v1.charges.list({"starting_after": everything[-2]})

    assert [one.id for one in (*first.data, *second.data)] == everything[:6]
    assert [one.id for one in back.data] == everything[2:4]
    assert (first.has_more, last.has_more, len(last.data)) == (True, False, 1)
    assert [one.created for one in first.data] == sorted((one.created for one in first.data), reverse=True)
    assert len(window.api.v1.charges.list().data) == 10


def test_created_bounds_and_expansion_hold_on_lists(window: Window) -> None:
    since = int(START.timestamp()) - 30 * DAY_S
    shown = window.all(window.api.v1.charges, created={"gte": since}, expand=["data.balance_transaction"])

    assert 0 < len(shown) < len(window.all(window.api.v1.charges))
    assert all(one.created >= since and one.balance_transaction.source == one.id for one in shown)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        window.api.v1.charges.list({"expand": ["data.amount"]})


def test_time_settles_what_was_pending_and_brings_what_was_on_its_way(window: Window) -> None:
    book = window.sandbox.world.book(window.sandbox.world.desks[0])
    due = next(iter(sorted(book.card_batches)))
    assert due == ""  # what the processor still holds
    made = window.change("charge", amount=50_000)["id"]
    window.sandbox.advance(3 * DAY_S)
    settled = window.api.v1.charges.retrieve(made, {"expand": ["balance_transaction"]})
    payout = window.change("pay_out")["id"]
    before = window.api.v1.payouts.retrieve(payout)
    with pytest.raises(stripe.InvalidRequestError) as early:
        window.api.v1.balance_transactions.list({"payout": payout})
    window.sandbox.advance(4 * DAY_S)
    after = window.api.v1.payouts.retrieve(payout)

    assert settled.balance_transaction.status == "available"
    assert (before.status, before.reconciliation_status) == ("pending", "in_progress")
    assert early.value.code == "payout_reconciliation_not_ready"
    assert (after.status, after.reconciliation_status) == ("paid", "completed")
    window.change("fail_payout", id=payout)
    failed = window.api.v1.payouts.retrieve(payout, {"expand": ["failure_balance_transaction"]})
    assert failed.status == "failed"
    assert failed.failure_balance_transaction.net == failed.amount


def test_a_payout_made_later_reaches_the_bank_before_anybody_books_it(window: Window) -> None:
    window.change("charge", amount=50_000)
    window.sandbox.advance(3 * DAY_S)
    paid, failed = window.change("pay_out", amount=9_000)["id"], window.change("pay_out", amount=8_000)["id"]
    window.change("fail_payout", id=failed)
    book = window.sandbox.world.book(window.sandbox.world.desks[0])
    (line,) = [one for one in BankFeed(book).lines() if one.kind == "Payout"]
    pairs = [one["records"] for one in window.truth()["same"] if one["records"][0]["id"] == paid]

    payout = window.api.v1.payouts.retrieve(paid)
    assert (line.document_id, line.amount * 100) == (paid, payout.amount)
    assert payout.trace_id.value in line.text
    assert line.posts_on == datetime.fromtimestamp(payout.arrival_date, UTC).date()
    assert [[one["rail"] for one in pair] for pair in pairs] == [["stripe", "plaid"]]


def test_a_payout_by_hand_lists_no_parts(window: Window) -> None:
    window.change("charge", amount=900_000)
    window.sandbox.advance(3 * DAY_S)
    payout = window.api.v1.payouts.create({"amount": 5_000, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="automatic transfers"):
        window.api.v1.balance_transactions.list({"payout": payout.id})

    assert (payout.automatic, payout.reconciliation_status) == (False, "not_applicable")


def test_disputes_move_nothing_then_the_amount_with_a_fee_and_back_without_it(window: Window) -> None:
    inquiry = window.change("dispute", id=window.change("charge", amount=7_000)["id"], is_inquiry=True)["id"]
    contested = window.change("dispute", id=window.change("charge", amount=8_000)["id"])["id"]
    opened = window.api.v1.disputes.retrieve(contested)
    window.change("close_dispute", id=contested, is_won=True)
    won = window.api.v1.disputes.retrieve(contested)

    assert window.api.v1.disputes.retrieve(inquiry).balance_transactions == []
    assert [(one.amount, one.fee) for one in opened.balance_transactions] == [(-8_000, 1_500)]
    assert [(one.amount, one.fee) for one in won.balance_transactions] == [(-8_000, 1_500), (8_000, 0)]
    assert (opened.status, won.status) == ("needs_response", "won")


def test_amounts_are_whole_units_of_currencies_with_no_or_three_decimals(window: Window) -> None:
    yen = window.change("charge", amount=1_500, currency="jpy")["id"]
    dinar = window.change("charge", amount=12_340, currency="kwd")["id"]
    entries = [
        window.api.v1.charges.retrieve(one, {"expand": ["balance_transaction"]}).balance_transaction
        for one in (yen, dinar)
    ]

    assert [(one.currency, one.amount, one.net + one.fee) for one in entries] == [
        ("jpy", 1_500, 1_500),
        ("kwd", 12_340, 12_340),
    ]
    assert entries[1].fee % 10 == 0


def test_what_happened_is_told_for_thirty_days_newest_first_by_kind(window: Window) -> None:
    charge = window.change("charge", amount=4_200)["id"]
    refund = window.api.v1.refunds.create({"charge": charge, "amount": 1_200})
    told = window.all(window.api.v1.events, types=["charge.*", "refund.created"])
    window.sandbox.advance(31 * DAY_S)
    later = {one.id for one in window.all(window.api.v1.events)}

    assert told[0].type in {"refund.created", "charge.refunded"}
    assert {one.data.object.id for one in told[:3]} == {charge, refund.id}
    assert min(one.created for one in told) >= int(START.timestamp()) - 30 * DAY_S
    assert not {one.id for one in told} & later
    assert {one.api_version for one in told} == {None, "2026-10-28.endive"}


def test_a_customer_that_was_deleted_answers_as_a_stub(window: Window) -> None:
    made = window.api.v1.customers.create({"name": "Ann", "email": "ann@example.invalid", "metadata": {"a": "b"}})
    window.api.v1.customers.update(made.id, {"name": "Anne"})
    renamed = window.api.v1.customers.retrieve(made.id)
    window.api.v1.customers.delete(made.id)
    (told,) = window.all(window.api.v1.events, type="customer.updated")

    assert (renamed.name, renamed.metadata["a"]) == ("Anne", "b")
    assert window.api.v1.customers.retrieve(made.id).deleted is True
    assert window.all(window.api.v1.customers) == []
    assert told.data.previous_attributes.name == "Ann"


def test_a_repeated_key_is_the_first_answer_and_never_another_request(window: Window) -> None:
    options: Any = {"idempotency_key": "one"}
    first = window.api.v1.customers.create({"name": "Bo"}, options)
    again = window.api.v1.customers.create({"name": "Bo"}, options)
    with pytest.raises(stripe.IdempotencyError):
        window.api.v1.customers.create({"name": "Bob"}, options)
    declined = [
        window.post(
            "/v1/charges",
            {"amount": "500", "currency": "usd", "source": "tok_chargeDeclined"},
            **{"idempotency-key": "two"},
        )
        for _ in range(2)
    ]

    assert first.id == again.id
    assert [one.status_code for one in declined] == [402, 402]
    assert declined[0].content == declined[1].content
    assert declined[1].headers["idempotent-replayed"] == "true"


def test_a_key_whose_first_request_is_under_way_is_a_conflict(window: Window) -> None:
    window.sandbox.control("/chaos", {"profile": "slow"})

    async def create_twice() -> list[int]:
        key = {"authorization": f"Bearer {window.rail['secret_key']}", "stripe-account": window.account}
        async with httpx.AsyncClient(base_url=window.rail["base_url"], headers=key) as client:
            asks = [
                client.post("/v1/customers", data={"name": "Cy"}, headers={"idempotency-key": "three"})
                for _ in range(2)
            ]
            return sorted(one.status_code for one in await asyncio.gather(*asks))

    assert asyncio.run(create_twice()) == [200, 409]


def test_every_refusal_has_the_vendors_words(window: Window) -> None:
    charge = window.api.v1.charges.list({"limit": 1}).data[0].id
    refusals = [
        window.get("/v1/charges", authorization=""),
        window.get("/v1/charges", authorization="Bearer sk_test_wrong"),
        window.get("/v1/charges", **{"stripe-account": "acct_nobody"}),
        window.get("/v1/charges/ch_nobody"),
        window.get("/v1/charges?starting_after=ch_nobody"),
        window.get("/v1/balance_transactions?payout=po_nobody"),
        window.get("/v1/charges?limit=0"),
        window.get("/v1/charges?limit=101"),
        window.get("/v1/charges?since=1"),
        window.get("/v1/everything"),
        window.post("/v1/refunds", {"charge": charge, "amount": "99999999"}),
        window.post("/v1/charges", {"currency": "usd", "source": "tok_visa"}),
    ]

    told = [(one.status_code, one.json()["error"].get("code"), one.json()["error"].get("param")) for one in refusals]
    assert told == [
        (401, None, None),
        (401, None, None),
        (403, "account_invalid", None),
        (404, "resource_missing", "id"),
        (400, "resource_missing", "starting_after"),
        (400, "resource_missing", "payout"),
        (400, "parameter_invalid_integer", "limit"),
        (400, "parameter_invalid_integer", "limit"),
        (400, "parameter_unknown", "since"),
        (404, None, None),
        (400, None, "amount"),
        (400, "parameter_missing", "amount"),
    ]
    assert all(one.headers["request-id"].startswith("req_") for one in refusals)


def test_a_key_of_the_companys_own_reads_that_company_alone_until_it_is_revoked(serve: Any) -> None:
    window = Window(serve(economy(), economy(INVOICES), start_at=START))
    mine, other = window.rail["companies"]
    own = window.client(mine["restricted_key"])
    with pytest.raises(stripe.PermissionError):
        window.client(mine["restricted_key"], stripe_account=other["account_id"]).v1.charges.list()
    name = own.v1.accounts.retrieve_current().business_profile.name
    theirs = window.client(stripe_account=other["account_id"]).v1.charges.list().data
    mine_too = {one.id for one in window.all(own.v1.charges)}
    window.change("forbid", resource="payouts")
    with pytest.raises(stripe.PermissionError, match="rak_payouts_read"):
        own.v1.payouts.list()
    window.change("revoke")
    with pytest.raises(stripe.PermissionError) as revoked:
        own.v1.charges.list()

    assert name == mine["name"]
    assert not {one.id for one in theirs} & mine_too
    assert msgspec.json.decode(revoked.value.http_body or "")["error"]["code"] == "account_invalid"


def test_more_than_twenty_five_calls_a_second_are_refused_without_saying_when_to_return(serve: Any) -> None:
    window = Window(serve(economy(NO_CARDS), start_at=START, throttle=ThrottleLimits()))
    answers = [window.get("/v1/balance") for _ in range(60)]
    refused = [one for one in answers if one.status_code == 429]

    assert refused
    assert refused[0].headers["stripe-rate-limited-reason"] == "global-rate"
    assert "retry-after" not in refused[0].headers
    window.sandbox.control("/chaos", {"profile": "none", "fault_ok": 1})
    window.sandbox.advance(2)
    locked = window.get("/v1/balance")
    assert (locked.status_code, locked.json()["error"]["code"]) == (429, "lock_timeout")
    assert "stripe-rate-limited-reason" not in locked.headers


def test_events_are_signed_for_the_vendors_own_verifier_also_while_the_secret_is_rolled(
    window: Window, receiver: Any
) -> None:
    secret = window.rail["webhook_secret"]
    window.sandbox.control("/webhooks", {"rail": "stripe", "url": receiver.url})
    charge = window.change("charge", amount=3_000)["id"]
    headers, body = receiver.received.get(timeout=5)
    event = stripe.Webhook.construct_event(body, headers["stripe-signature"], secret, tolerance=0)
    window.change("roll_secret", secret="whsec_new")
    window.change("refund", id=charge)
    headers, body = receiver.received.get(timeout=5)

    assert (event.type, event.data.object.id, event.account) == ("charge.succeeded", charge, window.account)
    for one in (secret, "whsec_new"):
        assert stripe.WebhookSignature.verify_header(body.decode(), headers["stripe-signature"], one, tolerance=0)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body.decode(), headers["stripe-signature"], "whsec_x", tolerance=0)


def test_payouts_are_told_when_their_day_comes_and_refused_events_come_again(window: Window, receiver: Any) -> None:
    window.change("charge", amount=60_000)
    window.sandbox.advance(3 * DAY_S)
    payout = window.change("pay_out")["id"]
    receiver.statuses.append(500)
    window.sandbox.control("/webhooks", {"rail": "stripe", "url": receiver.url})
    window.sandbox.advance(3 * DAY_S)
    first = [msgspec.json.decode(receiver.received.get(timeout=5)[1]) for _ in range(2)]
    missed = window.all(window.api.v1.events, delivery_success="false")
    window.sandbox.advance(120)
    again = msgspec.json.decode(receiver.received.get(timeout=5)[1])

    assert {one["type"] for one in first} >= {"payout.reconciliation_completed", "payout.paid"}
    assert [one.id for one in missed] == [first[0]["id"]]
    assert again == first[0]
    assert {one["data"]["object"]["id"] for one in first} == {payout}


def test_calls_are_counted_by_endpoint_and_the_planted_differences_are_named(window: Window) -> None:
    window.api.v1.charges.list()
    window.api.v1.charges.retrieve(window.api.v1.charges.list({"limit": 1}).data[0].id)
    calls = {one["endpoint"]: one["calls"] for one in window.sandbox.control("/calls") if one["rail"] == "stripe"}
    differences = [one for one in window.truth()["differences"] if one["records"][-1]["rail"] == "stripe"]

    assert calls == {"charges": 2, "charges/{id}": 1}
    assert {one["what"] for one in differences} == {
        "payout sum wrong",
        "payout booked as income",
        "fee not recorded",
    }
    assert all([one["rail"] for one in difference["records"]] == ["qbo", "stripe"] for difference in differences)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded payloads are not on this machine")
@pytest.mark.parametrize(
    ("path", "sample"),
    [
        ("/v1/charges", "charge"),
        ("/v1/refunds", "refund"),
        ("/v1/payouts", "payout"),
        ("/v1/disputes", "dispute"),
        ("/v1/balance_transactions", "balance_transaction"),
        ("/v1/events", "event"),
    ],
)
def test_answers_have_every_member_of_the_recorded_ones(window: Window, path: str, sample: str) -> None:
    recorded = msgspec.json.decode((SAMPLES / f"{sample}.json").read_bytes())
    ours = window.get(f"{path}?limit=1").json()["data"][0]
    # A sub-list that comes only when it is expanded, and members of payments that no card makes.
    left_out = {"charge": {"refunds"}, "refund": {"customer", "customer_account", "payment_method"}}

    assert recorded.keys() - ours.keys() == left_out.get(sample, set())
