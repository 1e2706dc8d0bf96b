from __future__ import annotations

from typing import Any

import pytest
from runway_sandbox.settings import WireRules

BILL = {
    "VendorRef": {"value": "2"},
    "Line": [
        {
            "DetailType": "AccountBasedExpenseLineDetail",
            "Amount": 12.5,
            "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "19"}},
        }
    ],
}


def _changes(client: Any, entities: str, since: str) -> list[Any]:
    response = client.get("/cdc", params={"entities": entities, "changedSince": since})
    assert response.status_code == 200, response.text
    (answer,) = response.json()["CDCResponse"]
    members: list[Any] = answer["QueryResponse"]
    return members


def test_a_kind_without_change_is_an_empty_member(sandbox: Any) -> None:
    with sandbox.client() as client:
        bills, invoices = _changes(client, "Bill,Invoice", "2026-05-05T09:00:00Z")

    assert (bills, invoices) == ({}, {})


def test_changes_come_by_time_and_deletions_last(sandbox: Any) -> None:
    with sandbox.client() as client:
        sandbox.advance(10)
        client.post("/bill?operation=delete", json={"Id": "10", "SyncToken": "0"})
        sandbox.advance(10)
        client.post("/bill", json=BILL)
        (bills,) = _changes(client, "Bill", "2026-04-20T00:00:00-07:00")
        (older,) = _changes(client, "Bill", "2026-04-06T12:00:00-07:00")

    assert [bill["Id"] for bill in bills["Bill"]] == ["13", "10"]
    assert bills["Bill"][1].keys() == {"domain", "status", "Id", "MetaData"}
    assert (bills["startPosition"], bills["maxResults"]) == (1, 2)
    assert older["maxResults"] == 2


@pytest.mark.parametrize(("shared", "counts"), [(True, [1000, 0]), (False, [1000, 1])])
def test_a_thousand_objects_are_the_most(serve: Any, company: Any, shared: bool, counts: list[int]) -> None:
    sandbox = serve(company(more_bills=1100), wire=WireRules(cdc_cap_shared=shared, cdc_horizon_days=60))
    with sandbox.client() as client:
        members = _changes(client, "Bill,Invoice", "2026-04-01T00:00:00Z")

    assert [member.get("maxResults", 0) for member in members] == counts


def test_a_moved_account_is_reported_or_not(serve: Any) -> None:
    for reported in (True, False):
        sandbox = serve(wire=WireRules(cdc_reports_balance_moves=reported))
        with sandbox.client() as client:
            client.post("/bill", json=BILL)
            accounts, vendors = _changes(client, "Account,Vendor", "2026-05-05T09:00:00Z")
            query = "SELECT * FROM Account WHERE MetaData.LastUpdatedTime >= '2026-05-05T09:00:00Z'"
            queried = client.get("/query", params={"query": query}).json()["QueryResponse"]
        assert [account["Id"] for account in accounts.get("Account", [])] == (["5"] if reported else [])
        assert [vendor["Id"] for vendor in vendors["Vendor"]] == ["2"]
        assert [account["Id"] for account in queried["Account"]] == ["5"]


@pytest.mark.parametrize(
    ("entities", "since"),
    [
        ("Bill", "2026-04-01T00:00:00Z"),  # beyond 30 days
        ("Bill", "yesterday"),
        ("Bill", "2026-05-01T00:00:00 07:00"),  # a + that was not encoded
        ("TaxCode", "2026-05-05T00:00:00Z"),
        ("Nonsense", "2026-05-05T00:00:00Z"),
        ("", "2026-05-05T00:00:00Z"),
        ("Bill", ""),
    ],
)
def test_what_cannot_be_captured_is_refused(sandbox: Any, entities: str, since: str) -> None:
    with sandbox.client() as client:
        response = client.get("/cdc", params={"entities": entities, "changedSince": since})

    assert response.status_code == 400
    assert response.json()["Fault"]["Error"][0]["code"] in {"4001", "2020"}
