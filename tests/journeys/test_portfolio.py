"""The main job through the installed program: connect, pull, ask the four questions, change, pull again."""

from pathlib import Path
from typing import Any

from runway_sandbox.serve import start_sandbox

from tests.journeys.conftest import Desk

CHANGED_DUE = "2031-04-01"


def open_bill(desk: Desk, company: str) -> dict[str, Any]:
    console = desk.ask("console", company)
    bill: dict[str, Any] = (console["ready"] + console["held"])[0]
    return bill


def test_a_portfolio_is_connected_pulled_and_answers(any_desk: Desk) -> None:
    desk = any_desk
    connected = desk.connect()
    realms = [entry["realm_id"] for entry in desk.sandbox.ready["qbo"]["companies"]]

    first = desk.ask("sync")
    desk.control("/reset-calls", {})
    idle = desk.run_program("sync", "--json").document

    assert [item["company"]["name"] for item in connected] == [
        entry["name"] for entry in desk.sandbox.ready["qbo"]["companies"]
    ]
    assert first["failed"] == first["waiting"] == []
    assert first["counts"]["created"] > 300
    assert first["counts"]["quarantined"] == 0
    assert desk.calls() == dict.fromkeys(realms, 1)
    assert idle["calls"] == 3
    assert (idle["counts"]["created"], idle["counts"]["updated"], idle["counts"]["deleted"]) == (0, 0, 0)

    portfolio = desk.ask("portfolio")
    assert portfolio["total"] == len(portfolio["rows"]) == 3
    assert all(row["opening_cash"] is not None for row in portfolio["rows"])
    company = portfolio["rows"][0]["company_id"]
    assert desk.ask("digest", company)["verdict"]
    assert desk.ask("outlook", company)["outlook"]["weeks"][0]["number"] == 1
    with_findings = next(row["company_id"] for row in portfolio["rows"] if row["findings_open"])
    assert desk.ask("tray", with_findings)["groups"]
    bill = open_bill(desk, company)
    assert desk.ask("history", f"bill:{bill['bill_id']}", "--company", company)["items"][0]["what"] == "created"
    assert {item["freshness"][0]["is_stale"] for item in desk.ask("health")["items"]} == {False}
    assert desk.ask("log", "verify")["is_sound"] is True


def test_a_first_load_and_a_tick_keep_to_the_vendors_limits(workplace: Path) -> None:
    with start_sandbox(clients=2, bills_per_client=150, seed=7) as limited:
        desk = Desk(workplace, limited)
        desk.connect()
        ended = [desk.run_program("sync", "--json") for _ in range(2)]

    assert [one.code for one in ended] == [0, 0], ended[0].err
    assert [one.document["failed"] for one in ended] == [[], []]


def test_a_change_at_the_vendor_is_seen_and_logged(any_desk: Desk) -> None:
    desk = any_desk
    company = desk.connect()[0]["company"]["company_id"]
    realm = desk.sandbox.ready["qbo"]["companies"][0]["realm_id"]
    desk.ask("sync", company)
    bill = open_bill(desk, company)
    change = {"rail": "qbo", "company": realm, "op": "update", "kind": "Bill", "id": bill["bill_id"]}
    [done] = desk.control("/mutate", [change | {"fields": {"DueDate": CHANGED_DUE}}])["results"]

    report = desk.ask("sync", company)

    assert done["ok"] is True
    assert report["counts"]["updated"] >= 1
    console = desk.ask("console", company)
    dues = {line["bill_id"]: line["due_date"] for line in console["ready"] + console["held"]}
    assert dues[bill["bill_id"]] == CHANGED_DUE
    last = desk.ask("history", f"bill:{bill['bill_id']}", "--company", company)["items"][-1]
    assert (last["what"], last["actor"]) == ("updated", "ada")
    assert last["changed"]["due_date"][1] == CHANGED_DUE
    assert desk.ask("log", "verify")["is_sound"] is True


def test_a_record_that_cannot_be_understood_waits_in_quarantine(desk: Desk) -> None:
    company = desk.connect()[0]["company"]["company_id"]
    realm = desk.sandbox.ready["qbo"]["companies"][0]["realm_id"]
    desk.ask("sync", company)
    bill = open_bill(desk, company)
    spoiled = {"company": realm, "op": "set", "kind": "Bill", "id": bill["bill_id"], "fields": {"TotalAmt": "lots"}}
    desk.control("/mutate", [spoiled])

    pulled = desk.ask("sync", company, "--full")
    [waiting] = desk.ask("quarantine", "list")["items"]
    shown = desk.ask("quarantine", "show", company, waiting["quarantine_id"])
    dropped = desk.ask("quarantine", "discard", company, waiting["quarantine_id"], "--reason", "ours")

    assert pulled["counts"]["quarantined"] == 1
    assert (waiting["kind"], waiting["external_id"]) == ("bill", bill["bill_id"])
    assert '"lots"' in shown["raw"]
    assert dropped["discarded"]["quarantine_id"] == waiting["quarantine_id"]
    assert desk.ask("quarantine", "list")["items"] == []
    assert open_bill(desk, company)  # the mirror keeps what it understood before


def test_when_the_vendor_is_down_the_labelled_mirror_answers(desk: Desk) -> None:
    company = desk.connect()[0]["company"]["company_id"]
    desk.ask("sync")
    desk.sandbox.stop()

    pulled = desk.run("sync", company, "--json")
    digest = desk.run("digest", company, "--fresh", "--json")
    doctor = desk.run("doctor", "qbo", "--json")

    assert pulled.code == 3
    assert [run["error_code"] for run in pulled.document["failed"]] == ["rail-unavailable"]
    [line] = pulled.err.splitlines()
    assert "qbo stayed unavailable" in line
    assert digest.code == 0
    assert digest.document["freshness"][0]["state"] == "failing"
    assert "last pull failed" in digest.document["freshness"][0]["note"]
    assert doctor.code == 3
    assert doctor.document["is_well"] is False


def test_lost_access_is_named_and_left_alone_until_a_person_acts(desk: Desk) -> None:
    company = desk.connect()[0]["company"]
    realm = desk.sandbox.ready["qbo"]["companies"][0]["realm_id"]
    desk.ask("sync")
    desk.control("/mutate", [{"company": realm, "op": "disconnect"}])

    lost = desk.run("sync", "--json")
    desk.control("/reset-calls", {})
    left_alone = desk.run("sync", "--json")
    calls = desk.calls()

    assert lost.code == 3
    assert [run["error_code"] for run in lost.document["failed"]] == ["rail-access-lost"]
    assert left_alone.code == 3
    assert [one["company"]["name"] for one in left_alone.document["waiting"]] == [company["name"]]
    assert realm not in calls
    assert "runway connect qbo" in left_alone.err


def test_connecting_the_same_sandbox_twice_changes_nothing(desk: Desk) -> None:
    first, again = desk.connect(), desk.connect()

    assert [item["connection"]["connection_id"] for item in first] == [
        item["connection"]["connection_id"] for item in again
    ]
    assert len(desk.ask("companies", "list")["items"]) == 3
    assert desk.ask("sync")["failed"] == []


def test_two_processes_work_on_one_file(desk: Desk) -> None:
    desk.connect()
    processes = [desk.start("sync", "--json") for _ in range(2)]
    ended = [process.communicate(timeout=120) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], [err for _, err in ended]
    assert desk.ask("log", "verify")["is_sound"] is True
    assert desk.ask("sync")["counts"]["created"] == 0


def test_findings_decide_the_exit_code_when_asked(desk: Desk) -> None:
    desk.connect()
    desk.ask("sync")
    rows = desk.ask("portfolio")["rows"]
    with_findings = next(row["company_id"] for row in rows if row["findings_open"])
    has_critical = any(row["findings_critical"] for row in rows)

    assert desk.run("tray", with_findings, "--fail-on", "low").code == 1
    assert desk.run("portfolio", "--fail-on", "low").code == 1
    assert desk.run("portfolio", "--fail-on", "critical").code == int(has_critical)
    assert desk.run("portfolio", "--fail-on", "high").code in {0, 1}


def test_no_secret_is_printed_or_stored_in_the_clear(desk: Desk) -> None:
    desk.connect()
    said = [desk.run(*command, "--log-level", "debug") for command in (["sync"], ["companies", "list"], ["doctor"])]
    rail = desk.sandbox.ready["qbo"]
    secrets = [rail["client_secret"]]
    for entry in rail["companies"]:
        secrets += [entry["access_token"], entry["refresh_token"]]
    stored = b"".join(path.read_bytes() for path in desk.folder.parent.glob("books.db*"))

    assert stored
    for secret in secrets:
        assert not any(secret in ended.out + ended.err for ended in said)
        assert secret.encode() not in stored
