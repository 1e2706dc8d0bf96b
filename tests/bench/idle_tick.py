"""Calls: what a first load, an idle tick and a tick on which money moved cost, by the sandbox's own count."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from tests.bench.connected import connected
from tests.bench.machine import Stopwatch, print_table, sandbox


def measure_idle_tick(*, clients: int, bills: int) -> None:
    """Connect a portfolio, load it, tick it twice."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        sandbox(clients=clients, bills=bills) as ready,
    ):
        asyncio.run(_measure(f"sqlite:///{Path(name) / 'idle.db'}", ready, clients))


async def _measure(url: str, ready: dict[str, Any], clients: int) -> None:
    rows = []
    async with connected(url, ready) as runway, httpx.AsyncClient() as client:
        for step in ("first load", "idle tick", "second idle tick"):
            before = await _calls(client, ready)
            with Stopwatch() as watch:
                reports = await runway.sync_all()
            after = await _calls(client, ready)
            spent = after - before
            assert all(not report.failed for report in reports)
            changed = sum(report.counts.changed for report in reports)
            rows.append(
                (
                    step,
                    f"{changed:,}",
                    f"{spent.total() / clients:.2f}",
                    ", ".join(f"{endpoint} {count}" for endpoint, count in sorted(spent.items())),
                    f"{clients / watch.seconds:,.0f}",
                )
            )
    print_table(
        f"Calls of {clients} companies", ("step", "records", "calls/company", "by endpoint", "companies/s"), rows
    )


async def _calls(client: httpx.AsyncClient, ready: dict[str, Any]) -> Counter[str]:
    answer = await client.get(f"{ready['control_url']}/calls")
    counted: Counter[str] = Counter()
    for line in answer.raise_for_status().json():
        counted[line["endpoint"]] += line["calls"]
    return counted
