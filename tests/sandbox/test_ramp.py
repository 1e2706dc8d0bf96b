"""The window of the vendor that pays bills shows the same economy, by its own protocol."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from runway_sandbox.bank import BankFeed
from runway_sandbox.books import encode_wire
from runway_sandbox.settings import RampRules, ThrottleLimits

from tests.sandbox.ramp_window import DAY_S, START, RampWindow, economy


@pytest.fixture
def window(serve: Any) -> RampWindow:
    return RampWindow(serve(economy(), start_at=START))


def fault_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_v2"]["error_code"]


def test_every_bill_of_the_ledger_that_is_paid_through_it_is_there_and_says_whose_it_is(window: RampWindow) -> None:
    bills = window.read_all("bills")
    odd = {record["id"] for one in window.truth()["differences"] for record in one["records"]}
    linked = [one for one in bills if one["remote_id"] is not None and one["id"] not in odd]

    assert len(linked) > 15
    assert {one["status"] for one in linked} == {"OPEN", "PAID"}
    for one in linked:
        held = window.book.find("Bill", one["remote_id"]).parse()
        assert Decimal(one["amount"]["amount"]) == held["TotalAmt"] * 100
        assert sum(line["amount"]["amount"] for line in one["line_items"]) == one["amount"]["amount"]
        assert one["due_at"][:10] == held.get("DueDate", one["due_at"][:10])
        is_moving = one["status_summary"] == "PAYMENT_PROCESSING"
        assert (one["status"] == "PAID" or is_moving) is (held["Balance"] == 0)


def test_pages_are_walked_by_their_next_address_and_together_hold_each_bill_once(window: RampWindow) -> None:
    by_two = window.get("bills", page_size=2)
    rows, pages = by_two["data"], 1
    while by_two["page"]["next"] is not None:
        by_two = window.get(by_two["page"]["next"])
        rows += by_two["data"]
        pages += 1

    assert pages > 5
    assert [one["id"] for one in rows] == [one["id"] for one in window.read_all("bills")]
    assert len({one["id"] for one in rows}) == len(rows)


def test_a_page_of_another_size_is_refused_by_the_schema(window: RampWindow) -> None:
    for size in ("1", "101", "many"):
        answer = window.call("GET", "bills", params={"page_size": size})

        assert fault_of(answer) == (422, "DEVELOPER_7001")
        assert answer.json()["error_v2"]["additional_info"] == {"page_size": ["Value must be between 2 and 100"]}


def test_a_filter_with_a_typing_error_brings_everything(window: RampWindow) -> None:
    assert len(window.read_all("bills", payment_statu="PAID")) == len(window.read_all("bills"))
    assert 0 < len(window.read_all("bills", payment_status="PAID")) < len(window.read_all("bills"))


def test_a_payment_that_was_scheduled_is_debited_at_the_bank_and_arrives_days_later(window: RampWindow) -> None:
    bill = window.find_quiet_bill()
    window.person("schedule", bill["id"], on="2026-05-07")
    scheduled = window.get(f"bills/{bill['id']}")
    window.sandbox.advance(2 * DAY_S + 6 * 3600)
    moving = window.get(f"bills/{bill['id']}")
    (payment,) = window.book.find("Bill", bill["remote_id"]).parse()["LinkedTxn"]
    (line,) = [one for one in BankFeed(window.book).lines() if one.document_id == payment["TxnId"]]
    window.sandbox.advance(6 * DAY_S)
    paid = window.get(f"bills/{bill['id']}")

    assert (scheduled["status"], scheduled["status_summary"]) == ("OPEN", "PAYMENT_SCHEDULED")
    assert scheduled["payment"]["payment_date"] == "2026-05-07T00:00:00+00:00"
    assert scheduled["payment"]["effective_date"] is None
    assert (moving["status"], moving["status_summary"]) == ("OPEN", "PAYMENT_PROCESSING")
    assert moving["sync_status"] == "BILL_AND_PAYMENT_SYNCED"
    assert -line.amount * 100 == bill["amount"]["amount"]
    assert date(2026, 5, 7) < line.posts_on <= date(2026, 5, 11)
    assert (paid["status"], paid["status_summary"]) == ("PAID", "PAYMENT_COMPLETED")
    assert paid["paid_at"] > moving["payment"]["effective_date"]
    assert paid["payment"]["trace_id"]["descriptor"] == "ACH Trace ID"
    assert next(one for one in window.read_all("bills") if one["id"] == bill["id"])["payment"]["trace_id"] is None


def test_nothing_is_paid_through_a_window_that_nobody_opens(serve: Any) -> None:
    sandbox = serve(economy(), start_at=START)
    book = sandbox.world.book(sandbox.world.desks[0])
    before = len(book.shelf("BillPayment").rows)
    sandbox.control("/truth")
    sandbox.advance(40 * DAY_S)

    assert len(book.shelf("BillPayment").rows) == before
    RampWindow(sandbox).read_all("bills")
    assert len(book.shelf("BillPayment").rows) > before


def test_a_failed_payment_leaves_the_bill_open_and_the_ledger_alone(window: RampWindow) -> None:
    bill = window.find_quiet_bill()
    window.person("schedule", bill["id"], on="2026-05-06", fails=True)
    window.sandbox.advance(9 * DAY_S)
    failed = window.get(f"bills/{bill['id']}")

    assert (failed["status"], failed["status_summary"], failed["paid_at"]) == ("OPEN", "PAYMENT_ERROR", None)
    assert window.book.find("Bill", bill["remote_id"]).parse()["Balance"] > 0


def test_a_bill_that_was_paid_in_the_ledger_is_paid_outside_here(window: RampWindow) -> None:
    bill = window.find_quiet_bill()
    change = {"company": window.realm_id, "op": "pay", "kind": "Bill", "id": bill["remote_id"]}
    window.sandbox.control("/mutate", [{**change, "fields": {"TxnDate": "2026-05-04"}}])
    paid = window.get(f"bills/{bill['id']}")

    assert (paid["status"], paid["paid_at"][:10]) == ("PAID", "2026-05-04")
    assert paid["payment"]["payment_method"] == "PAID_MANUALLY"
    assert paid["payment"]["details"] == {"manual_payment_method": "PAID_IN_ERP"}


def test_an_archived_bill_is_listed_only_when_archived_ones_are_asked_for(window: RampWindow) -> None:
    bill = window.find_quiet_bill()
    deleted = window.call("DELETE", f"bills/{bill['id']}")
    paid = window.read_all("bills", payment_status="PAID")[0]

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert bill["id"] not in {one["id"] for one in window.read_all("bills")}
    assert [one["id"] for one in window.read_all("bills", is_archived="true")] == [bill["id"]]
    assert window.get(f"bills/{bill['id']}")["archived_at"] is not None
    assert window.call("DELETE", f"bills/{paid['id']}").status_code == 400


def draft_body(window: RampWindow, **more: Any) -> dict[str, Any]:
    vendor = window.read_all("vendors")[0]
    line = {"amount": "120.50", "memo": "Printing"}
    body = {
        "vendor_id": vendor["id"],
        "invoice_number": "INV-77",
        "invoice_currency": "USD",
        "issued_at": "2026-05-01",
        "due_at": "2026-05-31",
        "line_items": [line, {"amount": 100}],
    }
    return {**body, "remote_id": "rw-1", "enable_accounting_sync": True, **more}


def test_a_draft_waits_for_people_once_it_is_submitted(window: RampWindow) -> None:
    draft = window.post("bills/drafts", draft_body(window), status=201)
    listed = window.read_all("bills/drafts", remote_id="rw-1")
    bill = window.post(f"bills/drafts/{draft['id']}/submit", {})
    found = window.read_all("bills", remote_id="rw-1")
    window.person("approve", bill["id"])

    assert (draft["status"], draft["amount"]["amount"]) == ("DRAFT", 22050)  # major units in, minor units out
    assert [one["id"] for one in listed] == [draft["id"]]
    assert (bill["approval_status"], bill["status_summary"]) == ("PENDING", "APPROVAL_PENDING")
    assert bill["draft_bill_id"] == draft["id"]
    assert [one["id"] for one in found] == [bill["id"]]
    assert window.read_all("bills/drafts", remote_id="rw-1") == []
    assert window.get(f"bills/{bill['id']}")["status_summary"] == "PAYMENT_NOT_INSTRUCTED"


def test_the_vendor_keeps_two_drafts_of_one_remote_id_apart(window: RampWindow) -> None:
    for _ in range(2):
        window.post("bills/drafts", draft_body(window), status=201)

    assert len(window.read_all("bills/drafts", remote_id="rw-1")) == 2  # nothing there stops a repetition


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"line_items": [{"amount": {"amount": 12050, "currency_code": "USD"}}]}, "amount"),
    ({"line_items": [{"amount": "12.005"}]}, "amount"),
    ({"enable_accounting_sync": None}, "enable_accounting_sync"),
    ({"due_at": "05/31/2026"}, "due_at"),
    ({"payment": {}}, "payment"),
    ({"vendor_id": "none"}, "vendor_id"),
)


def test_what_a_draft_may_not_say_is_refused_by_name(window: RampWindow) -> None:
    for change, field in WRONG:
        answer = window.call("POST", "bills/drafts", json=draft_body(window, **change))

        assert fault_of(answer) == (422, "DEVELOPER_7001")
        assert field in answer.json()["error_v2"]["additional_info"]


def test_a_draft_that_lacks_what_a_bill_needs_cannot_be_submitted(window: RampWindow) -> None:
    vendor = window.read_all("vendors")[0]
    draft = window.post("bills/drafts", {"vendor_id": vendor["id"]}, status=201)
    answer = window.call("POST", f"bills/drafts/{draft['id']}/submit", json={})

    assert fault_of(answer) == (422, "DEVELOPER_7001")
    assert set(answer.json()["error"]) == {"invoice_number", "issued_at", "due_at", "line_items"}


def test_no_address_approves_or_pays_a_bill(window: RampWindow) -> None:
    bill = window.find_quiet_bill()
    tried = [f"bills/{bill['id']}/{verb}" for verb in ("approve", "pay", "payments", "release")]

    assert [fault_of(window.call("POST", path, json={})) for path in tried] == [(404, "DEVELOPER_7002")] * 4
    answer = window.call("PATCH", f"bills/{bill['id']}", json={"payment_details": {"manual_payment_method": "CASH"}})
    assert fault_of(answer) == (422, "DEVELOPER_7001")


def test_purchases_are_those_of_the_card_in_major_units_beside_minor_ones(window: RampWindow) -> None:
    purchases = window.read_all("transactions")
    declined = window.read_all("transactions", state="DECLINED")
    everything = window.read_all("transactions", state="ALL")
    same = {one["records"][1]["id"]: one["records"][0] for one in window.truth()["same"]}
    settled = [one for one in purchases if one["state"] == "CLEARED" and one["id"] in same]

    assert len(settled) > 5
    assert declined
    assert len(everything) == len(purchases) + len(declined)
    for one in settled:
        document = window.book.find(same[one["id"]]["kind"], same[one["id"]]["id"]).parse()
        (line,) = one["line_items"]
        assert Decimal(str(one["amount"])) == document["TotalAmt"]
        assert line["amount"]["amount"] == document["TotalAmt"] * 100


def test_only_purchases_that_changed_since_a_moment_are_brought_inclusively(window: RampWindow) -> None:
    purchases = window.read_all("transactions")
    newest = max(one["synced_at"] for one in purchases if one["synced_at"] is not None)
    since = window.read_all("transactions", updated_after=newest)

    assert 0 < len(since) < len(purchases)
    assert newest in {one["synced_at"] for one in since}
    assert window.read_all("transactions", updated_after=(START + timedelta(days=1)).isoformat()) == []


def test_a_token_that_opens_nothing_looks_like_an_object_that_is_not_there(window: RampWindow) -> None:
    bare = window.http.get(f"{window.rail['base_url']}/developer/v1/business")

    assert fault_of(window.call("GET", "bills", token="ramp_tok_none")) == (404, "DEVELOPER_7002")
    assert fault_of(window.call("GET", "bills/3e1e4b9e-0000-4000-8000-000000000000")) == (404, "DEVELOPER_7002")
    assert bare.status_code == 401
    window.sandbox.advance(11 * DAY_S)
    assert fault_of(window.call("GET", "bills")) == (401, "DEVELOPER_7028")


def test_a_scope_that_was_not_granted_is_left_out_silently_and_missed_at_the_call(window: RampWindow) -> None:
    window.person("grant", scopes=["business:read", "bills:read"])
    answer = window.sign_in("business:read transactions:read")

    assert "scope" not in answer
    assert "refresh_token" not in answer
    assert window.call("GET", "business", token=answer["access_token"]).status_code == 200
    assert fault_of(window.call("GET", "transactions", token=answer["access_token"])) == (403, "DEVELOPER_7100")
    assert fault_of(window.call("GET", "nowhere", token=answer["access_token"])) == (404, "DEVELOPER_7002")


def test_an_owner_consents_and_the_code_works_once(window: RampWindow) -> None:
    keys = (window.rail["client_id"], window.rail["client_secret"])
    query = {"response_type": "code", "client_id": keys[0], "scope": "business:read", "state": "s1"}
    sent = window.http.get(window.rail["authorize_url"], params={**query, "redirect_uri": "http://localhost/back"})
    back = httpx.URL(sent.headers["location"]).params
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": "http://localhost/back"}
    first, second = (window.ask_token(keys, **form) for _ in range(2))
    tokens = first.json()
    renewed = window.ask_token(keys, grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    assert back["state"] == "s1"
    assert window.call("GET", "business", token=tokens["access_token"]).json()["id"] == window.company["business_id"]
    assert fault_of(second) == (404, "DEVELOPER_7002")
    assert renewed.json()["refresh_token"] != tokens["refresh_token"]
    assert fault_of(window.ask_token(("nobody", "x"), **form)) == (401, "DEVELOPER_7002")


def test_two_hundred_calls_in_ten_seconds_are_enough_and_nothing_says_when_to_come_back(serve: Any) -> None:
    window = RampWindow(
        serve(economy(), start_at=START, throttle=ThrottleLimits(), ramp=RampRules(calls_per_window=20))
    )
    answers = [window.call("GET", "business") for _ in range(20)]

    assert [one.status_code for one in answers] == [200] * 19 + [429]  # the token was one of the twenty
    assert "retry-after" not in answers[-1].headers
    window.sandbox.advance(11)
    assert window.call("GET", "business").status_code == 200


def test_what_was_taken_into_the_ledger_is_reported_once_a_key(serve: Any) -> None:
    window = RampWindow(serve(economy(), start_at=START, ramp=RampRules(accounting="api")))
    (bill,) = [one for one in window.read_all("bills", sync_ready="true") if one["invoice_number"].startswith("RX")]
    done = [{"id": bill["id"], "reference_id": "9001"}]
    report = {"idempotency_key": "k1", "sync_type": "BILL_SYNC", "successful_syncs": done}
    window.post("accounting/syncs", report, status=201)

    assert window.get(f"bills/{bill['id']}")["sync_status"] == "BILL_SYNCED"
    assert window.get(f"bills/{bill['id']}")["remote_id"] == "9001"
    assert bill["id"] not in {one["id"] for one in window.read_all("bills", sync_ready="true")}
    assert fault_of(window.call("POST", "accounting/syncs", json=report)) == (400, "DEVELOPER_7005")


def test_a_direct_connection_takes_no_reports(window: RampWindow) -> None:
    report = {"idempotency_key": "k1", "sync_type": "BILL_SYNC", "successful_syncs": [{"id": "x", "reference_id": "1"}]}

    assert fault_of(window.call("POST", "accounting/syncs", json=report)) == (400, "DEVELOPER_7089")
    (connection,) = window.get("accounting/all-connections")["connections"]
    assert (connection["connection_type"], connection["is_active"]) == ("DIRECT", True)


def test_events_are_thin_signed_and_come_once_the_address_was_proved(window: RampWindow, receiver: Any) -> None:
    types = ["bills.approved", "bills.paid"]
    made = window.post("webhooks", {"endpoint_url": receiver.url, "event_types": types}, status=201)
    _, challenge = receiver.received.get(timeout=5)
    bill = window.find_quiet_bill()
    window.person("mark_paid", bill["id"])  # nobody hears of this one
    proof = {"challenge": msgspec.json.decode(challenge)["challenge"]}
    assert window.post(f"webhooks/{made['id']}/verify", {"challenge": "wrong"}) == {"success": False}
    assert window.post(f"webhooks/{made['id']}/verify", proof) == {"success": True}
    pending = window.read_all("bills", approval_status="PENDING")[0]
    window.person("approve", pending["id"])
    headers, body = receiver.received.get(timeout=5)

    event = msgspec.json.decode(body)
    assert (event["type"], event["object"], event["business_id"]) == (
        "bills.approved",
        {"id": pending["id"]},
        window.company["business_id"],
    )
    code = hmac.new(made["secret"].encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-ramp-webhook-signature"] == code
    assert "secret" not in window.get(f"webhooks/{made['id']}")
    assert window.call("DELETE", f"webhooks/{made['id']}").status_code == 204


def test_an_event_that_was_refused_for_good_never_comes_again(window: RampWindow, receiver: Any) -> None:
    window.sandbox.control("/webhooks", {"rail": "ramp", "url": receiver.url})
    receiver.statuses[:] = [401, 500, 200]
    waiting = window.read_all("bills", approval_status="PENDING")
    window.person("approve", waiting[0]["id"])
    refused = [msgspec.json.decode(receiver.received.get(timeout=5)[1])["id"] for _ in range(2)]
    window.sandbox.advance(120)
    again = msgspec.json.decode(receiver.received.get(timeout=5)[1])["id"]

    assert again == refused[1]  # 401 is an answer, 500 is none
    assert window.sandbox.control("/webhooks?rail=ramp")["lost"] == 1


def test_the_same_company_is_the_same_in_another_process(serve: Any) -> None:
    first, second = (RampWindow(serve(economy(), start_at=START)) for _ in range(2))

    assert first.read_all("bills") == second.read_all("bills")
    assert first.truth()["differences"] == second.truth()["differences"]


def test_differences_are_told_and_are_there(serve: Any) -> None:
    window = RampWindow(serve(economy(0), start_at=START))
    bills = {one["id"]: one for one in window.read_all("bills")}
    told = [one for one in window.truth()["differences"] if one["records"][-1]["rail"] == "ramp"]
    crossed = {"paid here, open there", "open here, paid there"}

    assert {one["what"] for one in told} == {
        *crossed,
        "amount off",
        "dates off",
        "vendor spelled differently",
        "missing there",
        "duplicate across rails",
        "paid by card, open",
    }
    for one in told:
        if len(one["records"]) < 2 or one["records"][1]["kind"] != "bill":
            continue
        shown = bills[one["records"][1]["id"]]
        held = window.book.find("Bill", one["records"][0]["id"]).parse()
        assert (shown["amount"]["amount"] != held["TotalAmt"] * 100) is (one["what"] == "amount off")
        assert (shown["due_at"][:10] != held.get("DueDate", shown["due_at"][:10])) is (one["what"] == "dates off")
        assert ((shown["status"] == "PAID") is (held["Balance"] != 0)) is (one["what"] in crossed)


def test_every_trouble_is_shown_as_the_vendor_would(window: RampWindow) -> None:
    seen = {}
    for member in ("server_error", "unavailable", "throttled", "html_ok", "expired"):
        window.sandbox.control("/chaos", {"profile": "none", member: 1.0})
        answer = window.call("GET", "business")
        seen[member] = (answer.status_code, answer.headers["content-type"].partition(";")[0])
    window.sandbox.control("/chaos", {"profile": "none", "unanswered": 1.0})
    with pytest.raises(httpx.HTTPError):
        RampWindow(window.sandbox).call("GET", "business")

    assert seen == {
        "server_error": (500, "application/json"),
        "unavailable": (504, "text/plain"),
        "throttled": (429, "application/json"),
        "html_ok": (200, "text/html"),
        "expired": (404, "application/json"),
    }


def test_a_purchase_is_told_when_it_is_made_and_when_it_clears(window: RampWindow, receiver: Any) -> None:
    window.sandbox.control("/webhooks", {"rail": "ramp", "url": receiver.url})
    same = [one["records"] for one in window.truth()["same"] if one["records"][1]["kind"] == "transaction"]
    held = next(window.book.find("Purchase", here["id"]) for here, _ in same if here["kind"] == "Purchase").parse()
    window.read_all("transactions")
    fields = {"TxnDate": "2026-05-05", "TotalAmt": 77}
    fields |= {name: held[name] for name in ("AccountRef", "PaymentType", "Line")}
    change = {"company": window.realm_id, "op": "create", "kind": "Purchase", "fields": fields}
    body = encode_wire([change])
    assert httpx.post(window.sandbox.control_url + "/mutate", content=body).json()["results"][0]["ok"]
    window.sandbox.advance(DAY_S)
    window.read_all("transactions")
    made = msgspec.json.decode(receiver.received.get(timeout=5)[1])
    window.sandbox.advance(5 * DAY_S)
    window.read_all("transactions")
    later = [msgspec.json.decode(receiver.received.get(timeout=5)[1])]
    while not receiver.received.empty():
        later.append(msgspec.json.decode(receiver.received.get()[1]))

    assert made["type"] == "transactions.authorized"
    assert ("transactions.cleared", made["object"]) in [(one["type"], one["object"]) for one in later]
