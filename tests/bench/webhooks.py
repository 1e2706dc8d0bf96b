"""Webhooks in: how long a vendor waits for its answer under load, and what a storm of them costs."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from runway_store_sql import SqlStore

from tests.bench.machine import SECRET_KEY, percentile, postgres, print_table

VERIFIER = "a verifier token for this run"
KINDS = ("bill", "invoice", "payment", "vendor", "customer", "billpayment")
CONNECTIONS = 16
_FLOOR = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


def measure_webhooks(*, seconds: int, per_second: int, storm: int) -> None:
    """Serve the app as its own process on each database; send at a steady pace, then everything at once."""
    rows: list[Sequence[str]] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, postgres(Path(name)) as postgres_url:
        for dialect, url in (("SQLite", f"sqlite:///{name}/webhooks.db"), ("PostgreSQL", postgres_url)):
            asyncio.run(SqlStore(url, secret_key=SECRET_KEY).upgrade())
            steady = _make_deliveries(seconds * per_second, seed=dialect)
            flood = _make_deliveries(storm, seed=f"{dialect} storm")
            with _serve(url) as served:
                floor = f"{dialect}, {per_second}/s of nothing kept"
                for what, requests, pace in (
                    (floor, [_FLOOR] * len(steady), per_second),
                    (f"{dialect}, {per_second}/s", steady, per_second),
                    (f"{dialect}, {storm:,} at once", flood, None),
                ):
                    rows.append(_measure(what, served, requests, pace))
            kept = asyncio.run(_count(url))
            assert kept == len(steady) + len(flood), kept
    columns = ("served app", "answers", "per second", "p50 ms", "p95 ms", "p99 ms", "longest ms", "CPU ms/answer")
    print_table("Webhooks acknowledged, every one of them kept", columns, rows)


def _measure(what: str, served: "Served", requests: list[bytes], per_second: int | None) -> Sequence[str]:
    before = served.cpu_seconds()
    waits, wall = asyncio.run(_send(served.address, requests, per_second=per_second))
    spent = served.cpu_seconds() - before
    shown = [f"{percentile(waits, share) * 1000:.1f}" for share in (0.5, 0.95, 0.99)]
    return (
        what,
        f"{len(waits):,}",
        f"{len(waits) / wall:,.0f}",
        *shown,
        f"{max(waits) * 1000:.0f}",
        f"{spent / len(waits) * 1000:.2f}",
    )


async def _count(url: str) -> int:
    async with SqlStore(url, secret_key=SECRET_KEY) as store:
        return (await store.inbox.counts()).deliveries


@dataclass(frozen=True, slots=True)
class Served:
    """The app as a process of its own."""

    address: tuple[str, int]
    pid: int

    def cpu_seconds(self) -> float:
        """What it has used of the processors: the machine's other work does not count."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _serve(url: str) -> Iterator[Served]:
    environment = os.environ | {
        "RUNWAY_DATABASE_URL": url,
        "RUNWAY_SECRET_KEY": SECRET_KEY,
        "RUNWAY_QBO_WEBHOOK_VERIFIER": VERIFIER,
    }
    command = [str(Path(sys.executable).parent / "runway"), "serve", "--port", "0", "--json", "--log-level", "error"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        try:
            parts = urlsplit(json.loads(child.stdout.readline())["serving"])
            assert parts.hostname is not None
            assert parts.port is not None
            yield Served((parts.hostname, parts.port), child.pid)
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(30)


def _make_deliveries(count: int, *, seed: str) -> list[bytes]:
    """Signed requests, each with one to four events, as the sandbox writes them."""
    began = datetime(2026, 5, 5, 10, 15, tzinfo=UTC)
    requests = []
    for number in range(count):
        events = [
            {
                "specversion": "1.0",
                "id": f"{hashlib.sha256(f'{seed}-{number}-{part}'.encode()).hexdigest()[:32]}",
                "source": "intuit.c2FuZGJveC1ub3RpZmljYXRpb24tc291cmNlLWlk",
                "type": f"qbo.{KINDS[(number + part) % len(KINDS)]}.updated.v1",
                "datacontenttype": "application/json",
                "time": f"{began + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S.%f}000Z",
                "intuitentityid": str(number + part),
                "intuitaccountid": str(4620816365000001 + number % 100),
                "data": {},
            }
            for part in range(1 + number % 4)
        ]
        body = json.dumps(events, separators=(",", ":")).encode()
        signature = base64.b64encode(hmac.new(VERIFIER.encode(), body, hashlib.sha256).digest()).decode()
        head = (
            "POST /webhooks/qbo HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json; charset=utf-8\r\n"
            f"intuit-signature: {signature}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


async def _send(
    address: tuple[str, int], requests: list[bytes], *, per_second: int | None
) -> tuple[list[float], float]:
    """Send at a steady pace whatever the answers take, so that a late answer counts with all who waited behind it."""
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    waits: list[float] = []
    statuses: Counter[bytes] = Counter()

    async def keep_sending() -> None:
        reader, writer = await asyncio.open_connection(*address)
        try:
            while True:
                since, request = await due.get()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head)
                await reader.readexactly(int(length[1]) if length else 0)
                statuses[head.split(b" ", 2)[1]] += 1
                waits.append(time.perf_counter() - since)
                due.task_done()
        finally:
            writer.close()

    senders = [asyncio.create_task(keep_sending()) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for number, request in enumerate(requests):
        at = began + (number / per_second if per_second else 0)
        await asyncio.sleep(max(at - time.perf_counter(), 0))
        due.put_nowait((at if per_second else time.perf_counter(), request))
    await due.join()
    wall = time.perf_counter() - began
    for sender in senders:
        sender.cancel()
    await asyncio.gather(*senders, return_exceptions=True)
    assert statuses == {b"200": len(requests)}, statuses
    return waits, wall
