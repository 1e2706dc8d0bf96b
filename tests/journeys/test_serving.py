"""What runs until someone says stop: the demo, the app, the scheduler, consent; and that each ends without a trace."""

import json
import os
import re
import select
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.journeys.conftest import Desk


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def read_line(process: subprocess.Popen[str], pattern: str) -> str:
    """The first line of standard error that matches, as soon as it is written."""
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(pattern, line)
        if found is not None:
            return found[1]
    raise AssertionError(f"it ended with {process.wait()} before it said {pattern!r}")


def children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(parts[1]) == pid:
            found.append(int(path.parent.name))
    return found


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_a_portfolio_and_ends_cleanly(desk: Desk, number: signal.Signals) -> None:
    process = desk.start("demo", "--clients", "3", "--bills-per-client", "20", "--port", "0", "--json")
    address = read_line(process, r"serving (http://\S+) until Ctrl-C")
    [sandbox] = children(process.pid)

    page = httpx.get(f"{address}/")
    served = httpx.get(f"{address}/v1/portfolio").json()
    foreign = httpx.get(f"{address}/v1/portfolio", headers={"host": "evil.example"})
    code, out, err = stop(process, number)
    document = json.loads(out)

    assert page.status_code == 200
    assert foreign.status_code == 421
    assert [row["name"] for row in served["rows"]] == [row["name"] for row in document["portfolio"]["rows"]]
    assert document["totals"]["companies"] == 3
    assert document["totals"]["failed"] == 0
    assert (code, "Traceback" in err) == (0, False), err
    assert not Path(f"/proc/{sandbox}").exists()


def test_the_demo_returns_when_it_shall_not_serve(desk: Desk, tmp_path: Path) -> None:
    shown = desk.run_program("demo", "--clients", "3", "--bills-per-client", "20", "--no-serve")
    kept = desk.run(
        "demo", "--clients", "2", "--bills-per-client", "20", "--rails", "qbo", "--no-serve", "--json",
        "--database-url", f"sqlite:///{tmp_path / 'kept.db'}",
    )  # fmt: skip

    assert shown.code == 0
    assert "Portfolio" in shown.out
    assert "Peak memory" in shown.out
    assert kept.document["serving"] is None
    assert kept.document["totals"]["companies"] == 2
    assert {label["rail"] for row in kept.document["portfolio"]["rows"] for label in row["freshness"]} == {"qbo"}
    assert (tmp_path / "kept.db").is_file()
    assert desk.ask("log", "verify", "--database-url", f"sqlite:///{tmp_path / 'kept.db'}")["is_sound"] is True


def test_the_demo_is_settled_as_an_advisor_would(desk: Desk, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    desk.run("demo", "--clients", "3", "--bills-per-client", "60", "--no-serve", "--database-url", url)

    for company in desk.ask("companies", "list", "--database-url", url)["items"]:
        settings = company["settings"]
        assert settings["buffer"].endswith("00.00")
        assert [series["series_kind"] for series in settings["series"]] == ["payroll"]


def test_a_demo_that_is_stopped_while_it_pulls_ends_cleanly(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(desk.folder))
    process = desk.start("demo", "--clients", "40", "--no-serve", "--chaos", "slow", "--log-level", "info")
    read_line(process, r"(ledger_mirrored)")
    [sandbox] = children(process.pid)

    code, out, err = stop(process)

    assert (code, out) == (130, "")
    assert "Traceback" not in err
    assert not Path(f"/proc/{sandbox}").exists()
    assert list(desk.folder.iterdir()) == []


@pytest.mark.parametrize("command", [["demo", "--clients", "2"], ["serve"]])
def test_a_port_in_use_is_one_line_before_any_work(desk: Desk, command: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = desk.run_program(*command, "--port", str(taken.getsockname()[1]))

    assert ended.code == 2
    assert ended.out == ""
    [line] = ended.err.splitlines()
    assert "choose another --port" in line


def test_the_app_pulls_while_it_serves(desk: Desk) -> None:
    desk.connect()
    process = desk.start("serve", "--port", "0", "--log-format", "json", "--json")
    try:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["serving"]
        mirrored = [read_line(process, r'"event": "(ledger_mirrored)"') for _ in range(3)]
        ready = httpx.get(f"{address}/readyz")
    finally:
        code, _, err = stop(process)

    assert len(mirrored) == 3
    assert ready.status_code == 200
    assert (code, "Traceback" in err) == (0, False), err
    assert desk.ask("portfolio")["rows"][0]["as_of"] is not None


def test_the_scheduler_pulls_what_is_due_once(desk: Desk) -> None:
    desk.connect()

    first = desk.ask("scheduler", "--once")
    again = desk.ask("scheduler", "--once")

    assert first == {"pulls": 3, "failures": 0}
    assert again["pulls"] <= 1  # a company's moment may have passed in between


def test_what_one_process_plans_another_works_off(desk: Desk) -> None:
    desk.connect()

    planned = desk.ask("scheduler", "--once", "--plan-only")
    done = desk.ask("worker", "--once")
    letters = desk.ask("deadletters", "list")

    assert planned == {"pulls": 0, "failures": 0}
    assert done == {"pulls": 3, "failures": 0}
    assert letters == {"items": []}


def test_the_sandbox_prints_one_line_and_ends_on_request(desk: Desk) -> None:
    process = desk.start("sandbox", "serve", "--clients", "1", "--bills-per-client", "5")
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())
    code, rest, err = stop(process)

    assert line["ready"] is True
    assert line["qbo"]["companies"][0]["realm_id"].isdecimal()
    assert (rest, "Traceback" in err) == ("", False)
    assert code in {0, 130}


@pytest.fixture
def keys(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app's keys at the vendor."""
    monkeypatch.setenv("RUNWAY_QBO_CLIENT_ID", desk.sandbox.ready["qbo"]["client_id"])
    monkeypatch.setenv("RUNWAY_QBO_CLIENT_SECRET", desk.sandbox.ready["qbo"]["client_secret"])


def connect_by_consent(desk: Desk, company: str, **query: str) -> tuple[int, Any, str]:
    """Connect with the sandbox's consent page in the part of the browser."""
    rail = desk.sandbox.ready["qbo"]
    redirect = f"http://localhost:{free_port()}/connect/qbo/callback"
    settings = [
        part
        for name in ("base_url", "token_url", "authorize_url", "discovery_url", "revoke_url")
        for part in ("--setting", f"{name}={rail[name]}")
    ]
    process = desk.start(
        "connect", "qbo", "--company", company, "--redirect-uri", redirect, "--wait-seconds", "60", "--json", *settings
    )
    address = read_line(process, r"(http://127.0.0.1\S+)")
    assert parse_qs(urlsplit(address).query)["redirect_uri"] == [redirect]
    stranger = httpx.get(redirect, params={"code": "stolen", "state": "guessed"})
    assert stranger.status_code == 400
    httpx.get(address, params=dict(httpx.QueryParams(urlsplit(address).query)) | query, follow_redirects=True)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.usefixtures("keys")
def test_a_company_is_connected_by_consent(desk: Desk) -> None:
    realm = desk.sandbox.ready["qbo"]["companies"][1]["realm_id"]
    company = desk.ask("companies", "add", "Acme Hardware")["company_id"]

    code, out, err = connect_by_consent(desk, company, realm_id=realm)

    assert code == 0, err
    assert json.loads(out)["items"][0]["connection"]["rail"] == "qbo"
    desk.control("/reset-calls", {})
    assert desk.ask("sync", company)["failed"] == []
    assert set(desk.calls()) == {realm}
    assert desk.ask("doctor", "qbo")["is_well"] is True


@pytest.mark.usefixtures("keys")
def test_connecting_again_mends_lost_access(desk: Desk) -> None:
    company = desk.connect()[0]["company"]["company_id"]
    realm = desk.sandbox.ready["qbo"]["companies"][0]["realm_id"]
    other = desk.sandbox.ready["qbo"]["companies"][1]["realm_id"]
    desk.control("/mutate", [{"company": realm, "op": "disconnect"}])
    lost = desk.run("sync", company)

    wrong, _, said = connect_by_consent(desk, company, realm_id=other)
    code, _, err = connect_by_consent(desk, company, realm_id=realm)

    assert lost.code == 3
    assert wrong == 2
    assert other in said
    assert code == 0, err
    assert desk.ask("sync", company)["failed"] == []


@pytest.mark.usefixtures("keys")
def test_access_that_was_not_allowed_connects_nothing(desk: Desk) -> None:
    company = desk.ask("companies", "add", "Acme Hardware")["company_id"]

    code, out, err = connect_by_consent(desk, company, deny="true")

    assert (code, out) == (2, "")
    assert "access_denied" in err
    assert desk.ask("companies", "list")["items"][0]["connections"] == []


def test_a_sandbox_never_outlives_its_demo(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo is killed outright; the sandbox it started ends by itself."""
    monkeypatch.setenv("TMPDIR", str(desk.folder))  # what a killed program leaves behind
    process = desk.start("demo", "--clients", "2", "--bills-per-client", "20", "--port", "0")
    read_line(process, r"(serving)")
    [sandbox] = children(process.pid)
    watch = os.pidfd_open(sandbox)
    process.kill()
    process.communicate(timeout=30)

    assert wait_for_end(watch)


def wait_for_end(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(20_000))
