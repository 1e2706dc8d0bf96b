"""Pages: how long the API takes over a large portfolio, and a position to be computed again, on both databases."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from runway_app_http.collector import tune_collector
from runway_app_http.loops import run_async
from runway_core import Runway
from runway_core.domain.identity import CompanyId
from runway_store_sql import SqlStore

from tests.bench.big_books import fill_portfolio
from tests.bench.machine import CONSOLE, SECRET_KEY, Stopwatch, percentile, postgres, print_table

PORT = 18_431
REQUESTS = 200
RECOMPUTED = 20  # companies whose positions are computed twice, which leaves their kept views behind
FEW = 3


def measure_pages(*, companies: int, bills: int) -> None:
    """Fill both databases with the same companies, serve each with `runway serve`, and ask."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, postgres(Path(name)) as pg_url:
        for database, url in (("SQLite", f"sqlite:///{Path(name) / 'pages.db'}"), ("PostgreSQL", pg_url)):
            with Stopwatch() as filling:
                ids, read, held = run_async(_fill(url, companies, bills))
            CONSOLE.print(f"{database}: {companies * bills:,} bills mirrored and logged in {filling.seconds:.0f} s")
            rows = _ask(url, ids)
            rows.append(_row("position recomputed, books read", read))
            rows.append(_row("position recomputed, books held", held))
            print_table(
                f"{database}, {companies} companies, {companies * bills:,} bills",
                ("what", "times", "p50 ms", "p95 ms", "worst ms"),
                rows,
            )


async def _fill(url: str, companies: int, bills: int) -> tuple[list[CompanyId], list[float], list[float]]:
    """Fill the store, and compute some positions twice: the second time, the company's books are still held."""
    tune_collector()  # as the app does
    store = SqlStore(url, secret_key=SECRET_KEY)
    await store.upgrade()
    read: list[float] = []
    held: list[float] = []
    async with Runway.open(store=store) as runway:
        ids = await fill_portfolio(runway, store, companies=companies, bills=bills)
        for company_id in ids[:RECOMPUTED]:
            for seconds in (read, held):
                with Stopwatch() as watch:
                    await runway.positions.recompute(company_id)
                seconds.append(watch.seconds)
    return ids, read, held


def _ask(url: str, ids: list[CompanyId]) -> list[tuple[str, ...]]:
    environment = os.environ | {
        "RUNWAY_DATABASE_URL": url,
        "RUNWAY_SECRET_KEY": SECRET_KEY,
        "RUNWAY_LOG_LEVEL": "warning",
    }
    command = [str(Path(sys.executable).with_name("runway")), "serve", "--no-engine", "--port", str(PORT)]
    with (
        subprocess.Popen(command, env=environment) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{PORT}") as client,
    ):
        try:
            _await_ready(client)
            times = REQUESTS if len(ids) > FEW else 10
            rows = [_row("API portfolio", _time(client, ["/v1/portfolio?limit=100"], times))]
            rows.append(_row("page portfolio", _time(client, ["/"], times)))
            for view in ("digest", "tray", "console", "outlook"):
                paths = [f"/v1/companies/{company_id}/{view}" for company_id in ids]
                if view != "tray":  # of which nothing is kept
                    anew = paths[:RECOMPUTED]
                    rows.append(_row(f"API {view}, laid out anew", _time(client, anew, len(anew))))
                rows.append(_row(f"API {view}", _time(client, paths, times)))
        finally:
            server.terminate()
    return rows


def _await_ready(client: httpx.Client) -> None:
    for _ in range(200):
        try:
            if client.get("/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("the app did not become ready")


def _time(client: httpx.Client, paths: list[str], times: int) -> list[float]:
    samples = []
    for at in range(times):
        with Stopwatch() as watch:
            client.get(paths[at % len(paths)]).raise_for_status()
        samples.append(watch.seconds)
    return samples


def _row(what: str, seconds: list[float]) -> tuple[str, ...]:
    figures = (percentile(seconds, 0.5), percentile(seconds, 0.95), max(seconds))
    return (what, str(len(seconds)), *(f"{1000 * figure:.1f}" for figure in figures))
