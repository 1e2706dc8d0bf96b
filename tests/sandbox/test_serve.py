from __future__ import annotations

import socket
import subprocess
import sys

import httpx
import pytest
from runway_sandbox.serve import start_sandbox

COMMAND = [sys.executable, "-m", "runway_sandbox"]


def test_the_ready_line_has_what_was_agreed_and_works() -> None:
    with start_sandbox(clients=100, bills_per_client=20, seed=3) as sandbox:
        ready = sandbox.ready
        rail = ready["qbo"]
        company = rail["companies"][99]
        response = httpx.get(
            f"{rail['base_url']}/v3/company/{company['realm_id']}/query",
            params={"query": "SELECT COUNT(*) FROM Bill"},
            headers={"Authorization": f"Bearer {company['access_token']}", "Accept": "application/json"},
        )

    assert ready.keys() == {"ready", "control_url", "qbo"}
    assert rail.keys() == {
        *("base_url", "discovery_url", "authorize_url", "token_url", "revoke_url", "client_id", "client_secret"),
        *("webhook_verifier_token", "companies"),
    }
    assert company.keys() == {"realm_id", "name", "access_token", "refresh_token", "home_currency", "time_zone"}
    assert len({one["realm_id"] for one in rail["companies"]}) == 100
    assert response.json()["QueryResponse"]["totalCount"] == 20
    assert sandbox.process.poll() is not None


def test_a_taken_port_is_one_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run([*COMMAND, "--port", str(port)], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert f"127.0.0.1:{port}" in line
    assert "--port" in line


@pytest.mark.parametrize(
    "arguments",
    [["--clients", "0"], ["--bills-per-client", "-1"], ["--rails", "qbo,paper"], ["--port", "99999"]],
)
def test_wrong_settings_are_one_line_and_exit_code_2(arguments: list[str]) -> None:
    ended = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1


def test_the_sandbox_ends_with_its_starter() -> None:
    process = subprocess.Popen(
        [*COMMAND, "--stop-with-stdin", "--clients", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline().startswith('{"ready":true')
    process.stdin.close()

    assert process.wait(10) == 0
    process.stdout.close()
