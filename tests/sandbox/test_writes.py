from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runway_sandbox.books import Book, decode_wire, encode_wire
from runway_sandbox.service import Call, LedgerService
from runway_sandbox.settings import SandboxSettings, WireRules
from runway_sandbox.world import World

LINE = {
    "DetailType": "AccountBasedExpenseLineDetail",
    "Amount": 12.5,
    "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "19"}},
}
BILL = {"VendorRef": {"value": "2"}, "Line": [LINE]}


def _exact(response: httpx.Response) -> Any:
    return decode_wire(response.content)


def _error(response: httpx.Response) -> tuple[int, str, str]:
    error = response.json()["Fault"]["Error"][0]
    return response.status_code, error["code"], error.get("element") or ""


def assert_control_sums_hold(book: Book) -> None:
    def rows(kind: str) -> list[Any]:
        return [row.parse() for row in book.shelf(kind).rows.values()]

    accounts = {row["AccountType"]: row["CurrentBalance"] for row in rows("Account")}
    invoices = sum(row["Balance"] for row in rows("Invoice"))
    memos = sum(row["RemainingCredit"] for row in rows("CreditMemo"))
    unapplied = sum(row["UnappliedAmt"] for row in rows("Payment"))
    customers = sum(row["Balance"] for row in rows("Customer"))
    assert sum(row["Balance"] for row in rows("Vendor")) == -accounts["Accounts Payable"]
    assert customers == accounts["Accounts Receivable"]
    assert customers == invoices - memos - unapplied


def test_a_created_bill_has_the_recorded_shape(sandbox: Any) -> None:
    with sandbox.client() as client:
        bill = _exact(client.post("/bill", json={**BILL, "SalesTermRef": {"value": "3"}}))["Bill"]

    assert bill["TotalAmt"] == bill["Balance"] == Decimal("12.50")
    assert bill["APAccountRef"] == {"value": "5", "name": "Accounts Payable (A/P)"}
    assert bill["VendorRef"] == {"value": "2", "name": "Bob's Burger Joint"}
    assert (bill["TxnDate"], bill["DueDate"]) == ("2026-05-05", "2026-06-04")
    assert (bill["domain"], bill["sparse"], bill["SyncToken"]) == ("QBO", False, "0")
    assert bill["Line"][0]["Id"] == "1"
    assert bill["MetaData"]["CreateTime"].startswith("2026-05-05T03:00:")
    assert bill["MetaData"]["CreateTime"].endswith("-07:00")


def test_a_created_account_tells_no_update_time(sandbox: Any) -> None:
    with sandbox.client() as client:
        account = client.post("/account", json={"Name": "Till", "AccountType": "Bank"}).json()["Account"]

    assert account["AccountSubType"] == "CashOnHand"
    assert account["MetaData"].keys() == {"CreateTime"}


@pytest.mark.parametrize(
    ("path", "body", "status_code_element"),
    [
        ("/bill", {"Line": [LINE]}, (400, "2020", "VendorRef")),
        ("/bill", {"VendorRef": {"value": "1"}}, (400, "2020", "Line")),
        ("/bill", {**BILL, "VendorRef": {"value": "99"}}, (400, "2500", "")),
        ("/bill", {**BILL, "VendorRef": {"value": "3"}}, (400, "610", "")),
        ("/bill", {**BILL, "TxnDate": "soon"}, (400, "2090", "TxnDate")),
        ("/bill", {**BILL, "Line": [{**LINE, "Amount": "much"}]}, (400, "2060", "Amount")),
        ("/bill", {**BILL, "Line": [{**LINE, "Amount": 10**15}]}, (400, "2060", "Amount")),
        ("/bill", {**BILL, "Line": "none"}, (400, "2010", "")),
        ("/bill", {**BILL, "Line": [None]}, (400, "2010", "")),
        ("/bill", {**BILL, "frobnicate": 1}, (400, "2010", "")),
        ("/bill", {**BILL, "DocNumber": "1" * 22}, (400, "2050", "DocNumber")),
        ("/bill", {"Id": "999", "SyncToken": "0", **BILL}, (400, "610", "")),
        ("/bill", {"Id": "10", "SyncToken": "7", **BILL}, (400, "5010", "")),
        ("/bill", {"Id": "10", "SyncToken": "0", "sparse": True, "PrivateNote": "x"}, (400, "2020", "VendorRef")),
        ("/vendor", {"DisplayName": "Norton lumber"}, (400, "6240", "")),
        ("/purchase", {"AccountRef": {"value": "1"}, "Line": [LINE]}, (400, "2020", "PaymentType")),
        ("/bill?operation=void", {"Id": "10", "SyncToken": "0"}, (400, "500", "")),
        ("/vendor?operation=delete", {"Id": "1", "SyncToken": "0"}, (400, "500", "")),
        ("/frobnicate", {}, (400, "500", "")),
        ("/bill", [], (400, "2010", "")),
    ],
)
def test_refusals_carry_the_vendors_code(
    sandbox: Any, path: str, body: Any, status_code_element: tuple[int, str, str]
) -> None:
    with sandbox.client() as client:
        assert _error(client.post(path, json=body)) == status_code_element


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"null", b'{"Line":[{"Amount":1e999}]}', b"[" * 5000])
def test_malformed_bodies_are_faults_and_never_tracebacks(sandbox: Any, body: bytes) -> None:
    with sandbox.client() as client:
        for path in ("/bill", "/batch", "/upload"):
            response = client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert response.status_code == 400
            assert response.json()["Fault"]["Error"][0]["code"] in {"2010", "2020", "500", "2060"}


def test_a_sparse_update_keeps_and_a_full_update_clears(sandbox: Any) -> None:
    with sandbox.client() as client:
        made = client.post("/bill", json={**BILL, "PrivateNote": "keep", "DocNumber": "A-1"}).json()["Bill"]
        head = {"Id": made["Id"], "VendorRef": {"value": "2"}}
        sparse = client.post("/bill", json={**head, "SyncToken": "0", "sparse": True, "DueDate": "2026-07-01"}).json()[
            "Bill"
        ]
        full = client.post("/bill", json={**BILL, **head, "SyncToken": "1", "DocNumber": "A-2"}).json()["Bill"]

    assert (sparse["SyncToken"], sparse["PrivateNote"], sparse["DueDate"]) == ("1", "keep", "2026-07-01")
    assert (full["SyncToken"], full["DocNumber"]) == ("2", "A-2")
    assert "PrivateNote" not in full


def test_an_update_of_nothing_moves_nothing(sandbox: Any) -> None:
    with sandbox.client() as client:
        before = client.get("/bill/10").json()["Bill"]
        sandbox.advance(100)
        after = client.post(
            "/bill", json={"Id": "10", "SyncToken": "0", "sparse": True, "VendorRef": {"value": "1"}}
        ).json()["Bill"]

    assert after == before


def test_a_balance_moves_the_time_and_not_the_token(sandbox: Any) -> None:
    with sandbox.client() as client:
        before = client.get("/vendor/2").json()["Vendor"]
        client.post("/bill", json=BILL)
        after = client.get("/vendor/2").json()["Vendor"]

    assert after["Balance"] == 12.5
    assert after["SyncToken"] == before["SyncToken"]
    assert after["MetaData"]["LastUpdatedTime"] > before["MetaData"]["LastUpdatedTime"]


def test_a_paid_document_is_neither_deleted_nor_paid_twice(sandbox: Any) -> None:
    pay = {
        "VendorRef": {"value": "1"},
        "PayType": "CreditCard",
        "CreditCardPayment": {"CCAccountRef": {"value": "7"}},
        "TotalAmt": 100,
        "Line": [{"Amount": 100, "LinkedTxn": [{"TxnId": "10", "TxnType": "Bill"}]}],
    }
    with sandbox.client() as client:
        assert client.post("/billpayment", json=pay).status_code == 200
        assert _error(client.post("/billpayment", json=pay))[1] == "6000"
        assert _error(client.post("/bill?operation=delete", json={"Id": "10", "SyncToken": "1"}))[1] == "6000"
        assert client.get("/account/7").json()["Account"]["CurrentBalance"] == -257.72


def test_a_credit_memo_against_an_invoice_is_a_payment_of_nothing(sandbox: Any) -> None:
    line = {"DetailType": "SalesItemLineDetail", "Amount": 50, "SalesItemLineDetail": {"ItemRef": {"value": "1"}}}
    with sandbox.client() as client:
        memo = client.post("/creditmemo", json={"CustomerRef": {"value": "4"}, "Line": [line]}).json()["CreditMemo"]
        links = [("12", "Invoice"), (memo["Id"], "CreditMemo")]
        lines = [{"Amount": 50, "LinkedTxn": [{"TxnId": one, "TxnType": kind}]} for one, kind in links]
        paid = client.post("/payment", json={"CustomerRef": {"value": "4"}, "TotalAmt": 0, "Line": lines})

        assert paid.json()["Payment"]["UnappliedAmt"] == 0
        assert client.get("/invoice/12").json()["Invoice"]["Balance"] == 450
        assert client.get(f"/creditmemo/{memo['Id']}").json()["CreditMemo"]["RemainingCredit"] == 0
    assert_control_sums_hold(sandbox.world.book(sandbox.world.desks[0]))


def test_a_retired_vendor_is_marked_and_frees_the_name(sandbox: Any) -> None:
    with sandbox.client() as client:
        body = {"Id": "2", "SyncToken": "0", "sparse": True, "Active": False}
        retired = client.post("/vendor", json=body).json()["Vendor"]
        assert client.post("/vendor", json={"DisplayName": "Bob's Burger Joint"}).status_code == 200
        back = client.post("/vendor", json={**body, "SyncToken": "1", "Active": True})

    assert retired["DisplayName"] == "Bob's Burger Joint (deleted)"
    assert _error(back)[1] == "6240"


def test_a_request_id_is_answered_from_memory(sandbox: Any) -> None:
    with sandbox.client() as client:
        first = client.post("/bill?requestid=abc", json=BILL)
        again = client.post("/bill?requestid=abc", json=BILL)
        other = client.post("/bill?requestid=abc", json={**BILL, "PrivateNote": "other"})
        too_long = client.post("/bill", params={"requestid": "x" * 51}, json=BILL)
        count = client.get("/query", params={"query": "SELECT COUNT(*) FROM Bill"}).json()

    assert again.content == first.content
    assert _error(other)[1] == "600"
    assert _error(too_long)[1] == "2130"
    assert count["QueryResponse"]["totalCount"] == 3


def test_a_batch_answers_each_item(sandbox: Any) -> None:
    items = [
        {"bId": "a", "operation": "create", "Vendor": {"DisplayName": "Alpha"}},
        {"bId": "b", "operation": "create", "Vendor": {"DisplayName": "ALPHA"}},
        {"bId": "c", "Query": "select * from Bill where Balance > '150'"},
        {"bId": "d", "operation": "update", "optionsData": "void", "Invoice": {"Id": "12", "SyncToken": "0"}},
        {"bId": "e", "operation": "delete", "Bill": {"Id": "10", "SyncToken": "9"}},
        {"bId": "f", "Query": "select"},
        "nonsense",
    ]
    with sandbox.client() as client:
        response = client.post("/batch", json={"BatchItemRequest": items})
        too_many = client.post("/batch", json={"BatchItemRequest": [items[2]] * 31})

    answers = {item["bId"]: item for item in response.json()["BatchItemResponse"]}
    assert response.status_code == 200
    assert answers["a"]["Vendor"]["DisplayName"] == "Alpha"
    assert answers["b"]["Fault"]["Error"][0]["code"] == "6240"
    assert [bill["Id"] for bill in answers["c"]["QueryResponse"]["Bill"]] == ["11"]
    assert answers["d"]["Invoice"]["Balance"] == 0
    assert answers["e"]["Fault"]["Error"][0]["code"] == "5010"
    assert answers["f"]["Fault"]["Error"][0]["code"] == "4000"
    assert answers[""]["Fault"]["Error"][0]["code"] == "2010"
    assert _error(too_many)[1] == "1040"


def test_xml_comes_unless_json_is_asked_for(sandbox: Any) -> None:
    with sandbox.client() as client:
        response = client.get("/bill/10", headers={"Accept": "*/*"})

    assert response.headers["content-type"] == "application/xml;charset=UTF-8"
    assert '<VendorRef name="Norton Lumber">1</VendorRef>' in response.text


_STEPS = st.lists(
    st.tuples(st.sampled_from(("bill", "invoice", "pay", "take", "delete", "void", "resize")), st.integers(1, 50000)),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_control_sums_hold_after_any_sequence_of_writes(company: Any, steps: list[tuple[str, int]]) -> None:
    world = World(SandboxSettings(wire=WireRules()), companies=[company()])
    service, desk = LedgerService(world), world.desks[0]

    def post(path: str, body: dict[str, Any], **params: str) -> Any:
        answer = service.answer(desk, Call("POST", (path,), params, encode_wire(body)))
        return msgspec.json.decode(answer.body)

    def newest(kind: str) -> Any:
        rows = world.book(desk).shelf(kind).rows
        return next(reversed(rows.values())).parse() if rows else None

    for step, cents in steps:
        amount = Decimal(cents) / 100
        if step == "bill":
            post("bill", {**BILL, "Line": [{**LINE, "Amount": amount}]})
        elif step == "invoice":
            sold = {"DetailType": "SalesItemLineDetail", "Amount": amount}
            post("invoice", {"CustomerRef": {"value": "4"}, "Line": [sold]})
        elif step == "resize" and (bill := newest("Bill")):
            post("bill", {**bill, "Line": [{**LINE, "Amount": amount}]})
        elif step == "delete" and (payment := newest("BillPayment")):
            post("billpayment", payment, operation="delete")
        elif step == "void" and (payment := newest("Payment")):
            post("payment", {**payment, "sparse": True}, operation="update", include="void")
        elif step == "pay" and (bill := newest("Bill")):
            link = {"TxnId": bill["Id"], "TxnType": "Bill"}
            check = {"BankAccountRef": {"value": "1"}}
            body = {"VendorRef": bill["VendorRef"], "PayType": "Check", "CheckPayment": check, "TotalAmt": amount}
            post("billpayment", {**body, "Line": [{"Amount": amount, "LinkedTxn": [link]}]})
        elif step == "take" and (invoice := newest("Invoice")):
            link = {"TxnId": invoice["Id"], "TxnType": "Invoice"}
            body = {"CustomerRef": {"value": "4"}, "TotalAmt": amount}
            post("payment", {**body, "Line": [{"Amount": min(amount, 30), "LinkedTxn": [link]}]})

    assert_control_sums_hold(world.book(desk))
