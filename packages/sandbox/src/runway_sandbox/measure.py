"""`python -m runway_sandbox.measure`: how fast the sandbox serves, so that nobody mistakes it for the thing measured.

Prints rows a second of full query pages, without the network and over loopback, calls a second of an idle CDC poll,
and the memory a record takes.
"""

from __future__ import annotations

import argparse
import http.client
import os
import platform
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from runway_sandbox.books import Book
from runway_sandbox.economy import build_company
from runway_sandbox.serve import start_sandbox
from runway_sandbox.service import Call, LedgerService
from runway_sandbox.settings import SandboxSettings, ThrottleLimits, WireRules
from runway_sandbox.world import Desk, World, shelve_company

_POLLED = "Bill,BillPayment,VendorCredit,Invoice,Payment,CreditMemo,Vendor,Customer,Account"
_SECONDS = 2.0


def _pages(rows: int) -> Iterator[str]:
    for start in range(1, rows + 1, 1000):
        yield f"SELECT * FROM Bill ORDERBY Id STARTPOSITION {start} MAXRESULTS 1000"  # noqa: S608  (no SQL database is near)


def _repeat(act: Callable[[], int], *, seconds: float) -> float:
    """Tell how many of what `act` counts are done in a second."""
    act()  # once for what is cached
    began = time.perf_counter()
    done = 0
    while (passed := time.perf_counter() - began) < seconds:
        done += act()
    return done / passed


def measure_pages_alone(world: World, desk: Desk, *, bills: int, seconds: float) -> float:
    """Count rows a second of full pages, from statement to bytes."""
    service = LedgerService(world)

    def read_all() -> int:
        for statement in _pages(bills):
            answer = service.answer(desk, Call("GET", ("query",), {"query": statement}))
            assert answer.status == 200
        return bills

    return _repeat(read_all, seconds=seconds)


def measure_over_loopback(*, bills: int, seconds: float) -> tuple[float, float]:
    """Count rows a second of full pages, and idle CDC calls a second, from a process of its own."""
    with start_sandbox(clients=1, bills_per_client=bills, more_arguments=["--no-throttle"]) as sandbox:
        rail = sandbox.ready["qbo"]
        company = rail["companies"][0]
        address = urlsplit(rail["base_url"])
        connection = http.client.HTTPConnection(str(address.hostname), address.port)
        headers = {"Authorization": f"Bearer {company['access_token']}", "Accept": "application/json"}
        path = f"{address.path}/v3/company/{company['realm_id']}"

        def get(tail: str) -> int:
            connection.request("GET", path + tail, headers=headers)
            response = connection.getresponse()
            size = len(response.read())
            assert response.status == 200
            return size

        def read_all() -> int:
            for statement in _pages(bills):
                get("/query?query=" + quote(statement))
            return bills

        since = quote((datetime.now(UTC) - timedelta(minutes=15)).isoformat(timespec="seconds"))

        def poll() -> int:
            get(f"/cdc?entities={_POLLED}&changedSince={since}")
            return 1

        rows = _repeat(read_all, seconds=seconds)
        polls = _repeat(poll, seconds=seconds)
        connection.close()
    return rows, polls


def measure_memory(*, bills: int) -> tuple[float, float]:
    """Tell the bytes a record takes in the books, and the bytes that it has on the wire."""
    company = build_company(index=0, seed=7, bills=bills, as_of=datetime.now(UTC).date())
    tracemalloc.start()
    book: Book = shelve_company(company, rules=WireRules())
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    rows = [row for shelf in book.shelves.values() for row in shelf.rows.values()]
    return taken / len(rows), sum(len(row.wire) for row in rows) / len(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="runway_sandbox.measure", description=__doc__)
    parser.add_argument("--bills", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=_SECONDS)
    read = parser.parse_args(arguments)
    settings = SandboxSettings(clients=1, bills_per_client=read.bills, throttle=ThrottleLimits(enabled=False))
    world = World(settings)
    desk = world.desks[0]
    world.book(desk)
    alone = measure_pages_alone(world, desk, bills=read.bills, seconds=read.seconds)
    rows, polls = measure_over_loopback(bills=read.bills, seconds=read.seconds)
    taken, wire = measure_memory(bills=read.bills)
    sys.stdout.write(
        f"machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n"
        f"full pages, without the network   {alone:>12,.0f} rows/s\n"
        f"full pages, over loopback         {rows:>12,.0f} rows/s\n"
        f"idle CDC polls, over loopback     {polls:>12,.0f} calls/s\n"
        f"memory of a record                {taken:>12,.0f} bytes ({wire:,.0f} of them its JSON)\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
