from __future__ import annotations

from typing import Any

import httpx
import pytest

REALM = "4620816365000001"


def _change(op: str, kind: str = "Bill", identifier: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"rail": "qbo", "company": "Ridge Hardware", "op": op, "kind": kind, "id": identifier, "fields": fields}


def test_changes_are_made_as_the_vendor_would_show_them(sandbox: Any) -> None:
    changes = [
        _change("update", identifier="10", DueDate="2026-08-01"),
        _change("pay", identifier="11", amount="50.25"),
        _change("pay", "Invoice", "12"),
        _change("update", "Vendor", "2", Active=False),
        _change("delete", identifier="10"),
        _change("delete", identifier="999"),
    ]
    results = sandbox.control("/mutate", changes)["results"]
    with sandbox.client() as client:
        bill = client.get("/bill/11").json()["Bill"]
        invoice = client.get("/invoice/12").json()["Invoice"]
        bank = client.get("/account/1").json()["Account"]

    assert [result["ok"] for result in results] == [True, True, True, True, True, False]
    assert results[0]["record"]["DueDate"] == "2026-08-01"
    assert results[1]["kind"] == "BillPayment"
    assert results[5]["fault"]["Error"][0]["code"] == "610"
    assert (bill["Balance"], bill["SyncToken"]) == (150.25, "1")
    assert invoice["Balance"] == 0
    assert bank["CurrentBalance"] == 10449.75


def test_set_writes_past_every_rule(sandbox: Any) -> None:
    future = {"CreateTime": "2026-04-01T00:00:00-07:00", "LastUpdatedTime": "2027-01-01T00:00:00-08:00"}
    sandbox.control("/mutate", [_change("set", identifier="10", MetaData=future, DueDate=None, TotalAmt="oops")])
    with sandbox.client() as client:
        bill = client.get("/bill/10").json()["Bill"]
        listed = client.get("/query", params={"query": "SELECT * FROM Bill"}).json()["QueryResponse"]["Bill"]

    assert bill["TotalAmt"] == "oops"
    assert "DueDate" not in bill
    assert listed[0]["Id"] == "10"


def test_a_disconnected_company_is_lost(sandbox: Any) -> None:
    sandbox.control("/mutate", [{"company": REALM, "op": "disconnect"}])
    with sandbox.client() as client:
        assert client.get("/bill/10").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"5",
        b"[5]",
        b'[{"company":"nobody","op":"update","kind":"Bill"}]',
        b'[{"company":"Ridge Hardware","op":"explode","kind":"Bill"}]',
        b'[{"company":"Ridge Hardware","op":"update","kind":"Frob"}]',
        b'[{"company":"Ridge Hardware","op":"update","kind":"Bill","fields":[]}]',
        b'[{"rail":"ramp","company":"Ridge Hardware","op":"update","kind":"Bill"}]',
    ],
)
def test_unreadable_changes_are_refused_with_a_reason(sandbox: Any, body: bytes) -> None:
    response = httpx.post(sandbox.control_url + "/mutate", content=body)

    assert response.status_code == 400
    assert response.json()["error"]


def test_calls_are_counted_by_company_and_endpoint(sandbox: Any) -> None:
    with sandbox.client() as client:
        client.get("/bill/10")
        client.get("/cdc", params={"entities": "Bill", "changedSince": "2026-05-05T00:00:00Z"})
        client.post("/query", content="select * from Bill")
        client.get("/query", params={"query": "select"})
        client.get(f"/companyinfo/{REALM}")
    counted = {(row["company"], row["endpoint"]): row["calls"] for row in sandbox.control("/calls")}

    assert counted == {
        (REALM, "cdc"): 1,
        (REALM, "companyinfo"): 1,
        (REALM, "query"): 2,
        (REALM, "read"): 1,
    }
    sandbox.control("/reset-calls", {})
    assert sandbox.control("/calls") == []


def test_the_truth_is_told(sandbox: Any) -> None:
    (told,) = sandbox.control("/truth")["companies"]

    assert (told["name"], told["realm_id"]) == ("Ridge Hardware", REALM)
    assert told["defects"][0]["check"] == "AP06"


def test_the_clock_runs_forward_only(sandbox: Any) -> None:
    assert sandbox.control("/clock", {"advance_seconds": 86_400})["now"].startswith("2026-05-06T10:00")
    assert httpx.post(sandbox.control_url + "/clock", json={"advance_seconds": -1}).status_code == 400
    assert httpx.post(sandbox.control_url + "/clock", json={"advance_seconds": 1e300}).status_code == 400
    assert httpx.post(sandbox.control_url + "/webhooks", json={"url": "ftp://x"}).status_code == 400
