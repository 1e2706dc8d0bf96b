"""First load: rows a second into SQLite and PostgreSQL, ours with the log, the peers' without one."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.bench.machine import CONSOLE, Stopwatch, postgres, print_table, run_child, sandbox


def measure_first_load(*, clients: int, bills: int) -> None:
    """Load the same companies of one sandbox by every way, each in a fresh database and a fresh process."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        sandbox(clients=clients, bills=bills) as ready,
    ):
        folder = Path(name)
        CONSOLE.print(f"sandbox alone: {_measure_sandbox(ready):,.0f} rows/s served")
        with postgres(folder) as pg_url:
            for database, urls in (
                ("SQLite", lambda way: f"sqlite:///{folder / way}.db"),
                ("PostgreSQL", lambda _: pg_url),
            ):
                _measure_database(database, urls, ready, folder)


def _measure_database(database: str, urls: Callable[[str], str], ready: dict[str, Any], folder: Path) -> None:
    results = {
        "Runway (mirror + log)": run_child("tests.bench.runway_load", url=urls("runway"), ready=ready),
        "dlt (merge)": run_child(
            "tests.bench.peers", peer="dlt", url=urls("dlt"), ready=ready, folder=str(folder / f"dlt-{database}")
        ),
        "python-quickbooks + SQLAlchemy": run_child("tests.bench.peers", peer="qb", url=urls("qb"), ready=ready),
    }
    ours = results["Runway (mirror + log)"]
    rate = ours["rows"] / ours["seconds"]
    after = f"findings and positions after it: {ours['positions_seconds']:.2f} s"
    print_table(
        f"First load into {database}; {after}",
        ("way", "records", "seconds", "rows/s", "peak MiB", "Runway is"),
        [
            (
                way,
                f"{r['rows']:,}",
                f"{r['seconds']:.2f}",
                f"{r['rows'] / r['seconds']:,.0f}",
                f"{r['peak_mib']:.0f}",
                "" if r is ours else f"{rate / (r['rows'] / r['seconds']):.1f}×",
            )
            for way, r in results.items()
        ],
    )


def _measure_sandbox(ready: dict[str, Any]) -> float:
    """Rows a second that the sandbox serves to a client that does not look at them."""
    qbo = ready["qbo"]
    entry = qbo["companies"][0]
    headers = {"Authorization": f"Bearer {entry['access_token']}", "Accept": "application/json"}
    url = f"{qbo['base_url']}/v3/company/{entry['realm_id']}/query"
    params = {"query": "SELECT * FROM Bill ORDERBY Id STARTPOSITION 1 MAXRESULTS 1000"}
    rounds = 20
    with httpx.Client(headers=headers) as client:
        rows = len(client.get(url, params=params).raise_for_status().json()["QueryResponse"]["Bill"])
        with Stopwatch() as watch:
            for _ in range(rounds):
                client.get(url, params=params).raise_for_status()
    return rows * rounds / watch.seconds
