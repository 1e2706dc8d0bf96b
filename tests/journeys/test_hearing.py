"""The vendor tells the served app that something changed; nobody polls."""

import json
from typing import Any

import httpx
import pytest

from tests.journeys.conftest import Desk
from tests.journeys.test_serving import read_line, stop


def test_changed_bills_show_without_a_poll(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst for one company is one pull, and costs its neighbours nothing."""
    monkeypatch.setenv("RUNWAY_QBO_WEBHOOK_VERIFIER", desk.sandbox.ready["qbo"]["webhook_verifier_token"])
    monkeypatch.setenv("RUNWAY_TICK_MINUTES", "1440")
    company_id = desk.connect()[0]["company"]["company_id"]
    realm_id = desk.sandbox.ready["qbo"]["companies"][0]["realm_id"]
    desk.ask("sync")
    desk.control("/reset-calls", {})

    process = desk.start("serve", "--port", "0", "--json")
    assert process.stdout is not None
    served = json.loads(process.stdout.readline())["serving"]
    desk.control("/webhooks", {"rail": "qbo", "url": f"{served}/webhooks/qbo"})
    with httpx.Client(base_url=f"{served}/v1/companies/{company_id}") as client:
        items = client.get("/bills", params={"limit": 20}).json()["items"]
        told = annotate(desk, realm_id, [item["bill"]["external_id"] for item in items])
        read_line(process, r"(ledger_mirrored)")
        last_entries = [read_last_entry(client, bill) for bill in told]
    sent = desk.control("/webhooks")
    code, _, err = stop(process)

    assert len(told) >= 2
    assert {entry["content"]["memo"] for entry in last_entries} == {"told"}
    assert {entry["cause"] for entry in last_entries} == {"webhook"}
    assert len({entry["correlation_id"] for entry in last_entries}) == 1
    assert (sent["last_status"], sent["failed_attempts"], sent["waiting"]) == (200, 0, 0)
    assert desk.calls() == {realm_id: 2}  # what changed, and the balances of accounts
    assert (code, "Traceback" in err) == (0, False), err


def annotate(desk: Desk, realm_id: str, bills: list[str]) -> list[str]:
    """Write a note on bills at the vendor; returns those that it took: it refuses some that are spoiled."""
    changes = [
        {"company": realm_id, "op": "update", "kind": "Bill", "id": bill, "fields": {"PrivateNote": "told"}}
        for bill in bills
    ]
    return [result["id"] for result in desk.control("/mutate", changes)["results"] if result["ok"]]


def read_last_entry(client: httpx.Client, bill: str) -> Any:
    return client.get("/history", params={"kind": "bill", "external_id": bill}).json()["items"][-1]
