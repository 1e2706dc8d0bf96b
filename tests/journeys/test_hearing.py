"""The vendor tells the served app that something changed; nobody polls."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.journeys.conftest import Desk
from tests.journeys.test_serving import stop

PATIENCE_S = 30


@contextmanager
def hearing(desk: Desk) -> Iterator[httpx.Client]:
    """The app is served, with a day between polls, and the sandbox sends it what happens."""
    process: subprocess.Popen[str] = desk.start("serve", "--port", "0", "--json")
    try:
        assert process.stdout is not None
        address = httpx.Response(200, text=process.stdout.readline()).json()["serving"]
        desk.control("/webhooks", {"rail": "qbo", "url": f"{address}/webhooks/qbo"})
        with httpx.Client(base_url=address) as client:
            yield client
    finally:
        code, _, err = stop(process)
        assert (code, "Traceback" in err) == (0, False), err


def wait_for(what: Callable[[], Any]) -> Any:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come")


def test_changed_bills_show_without_a_poll(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst for one company is one pull, and costs its neighbours nothing."""
    monkeypatch.setenv("RUNWAY_QBO_WEBHOOK_VERIFIER", desk.sandbox.ready["qbo"]["webhook_verifier_token"])
    monkeypatch.setenv("RUNWAY_TICK_MINUTES", "1440")
    address = f"/v1/companies/{desk.connect()[0]['company']['company_id']}"
    realm_id = desk.sandbox.ready["qbo"]["companies"][0]["realm_id"]
    desk.ask("sync")
    desk.control("/reset-calls", {})

    with hearing(desk) as client:
        items = client.get(f"{address}/bills", params={"limit": 20}).json()["items"]
        results = desk.control(
            "/mutate",
            [
                {
                    "company": realm_id,
                    "op": "update",
                    "kind": "Bill",
                    "id": item["bill"]["external_id"],
                    "fields": {"PrivateNote": "told"},
                }
                for item in items
            ],
        )["results"]
        told = [result["id"] for result in results if result["ok"]]
        last_entries = [
            wait_for(lambda bill=bill: find_told(client, f"{address}/history", bill))  # type: ignore[misc]  # mypy cannot type the default
            for bill in told
        ]
        sent = desk.control("/webhooks")

    assert len(told) >= 2
    assert {entry["cause"] for entry in last_entries} == {"webhook"}
    assert len({entry["correlation_id"] for entry in last_entries}) == 1
    assert (sent["last_status"], sent["failed_attempts"], sent["waiting"]) == (200, 0, 0)
    assert desk.calls() == {realm_id: 2}  # what changed, and the balances of accounts


def find_told(client: httpx.Client, address: str, bill: str) -> Any:
    """The last entry of the log about a bill, once it has the note."""
    items = client.get(address, params={"kind": "bill", "external_id": bill}).json()["items"]
    return items[-1] if items and items[-1]["content"]["memo"] == "told" else None
