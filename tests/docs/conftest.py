"""What the snippets of the documentation find around them when they run."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def plain() -> dict[str, Any]:
    """Nothing: the snippet stands alone."""
    return {}


@pytest.fixture
def sample_books(tmp_path: Path) -> dict[str, Any]:
    """`folder`: a copy of the sample rail's CSV files."""
    return {"folder": Path(shutil.copytree(CHECKOUT / "packages" / "rail-sample" / "books", tmp_path / "sample-books"))}


@pytest.fixture(scope="session")
def qbo_sandbox_line() -> Iterator[dict[str, Any]]:
    """The ready line of a sandbox with two small companies, running as its own process."""
    command = [
        str(Path(sys.executable).parent / "runway"), "sandbox", "serve",
        "--rails", "qbo", "--clients", "2", "--bills-per-client", "30", "--seed", "7", "--port", "0", "--no-throttle",
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUNWAY_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            assert line, f"the sandbox ended with {server.wait()} before it was ready"
            yield json.loads(line)
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture
def qbo_sandbox(qbo_sandbox_line: dict[str, Any]) -> dict[str, Any]:
    """`settings` and `secrets`: how to connect to the first company of a running sandbox."""
    rail = qbo_sandbox_line["qbo"]
    company = rail["companies"][0]
    addresses = {name: rail[name] for name in ("base_url", "token_url", "discovery_url", "authorize_url", "revoke_url")}
    return {
        "settings": {"realm_id": company["realm_id"], "environment": "custom", **addresses},
        "secrets": {
            "client_id": rail["client_id"],
            "client_secret": rail["client_secret"],
            "refresh_token": company["refresh_token"],
            "access_token": company["access_token"],
        },
    }
