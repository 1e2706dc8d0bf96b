"""The transaction log: entries a second appended in chains and verified, what a chain costs a first load, past books.

Seconds of the clock say what a person waits for, seconds of the processor what one core can do: this machine is shared.
"""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import asyncpg
from runway_app_http.collector import tune_allocator, tune_collector
from runway_app_http.loops import run_async
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.company import Company
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId
from runway_core.domain.log_entry import GENESIS, LogDraft, hash_entry
from runway_core.sync.verification import verify_log
from runway_store_sql import SqlStore
from runway_testkit.store_desk import StoreDesk, make_bill

from tests.bench.machine import SECRET_KEY, Stopwatch, postgres, print_table, run_child, sandbox, server_seconds

PAGE = 1000
BILLS = 10_000
ROUNDS = 5
WAYS = ("chained", "plain", "none")
"""The log as it is; the same rows without chain and seals; no log at all."""
RATIOS = ("÷ plain", "by processor", "÷ none", "by processor")


def measure_log(*, entries: int, clients: int, bills: int) -> None:
    """Append, verify and look back on both databases, then load the same companies with and without the log."""
    tune_allocator()  # as the app does
    tune_collector()
    rows = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, postgres(Path(name)) as pg_url:
        urls = {"SQLite": f"sqlite:///{Path(name) / 'log.db'}", "PostgreSQL": pg_url}
        for database, url in urls.items():
            figures = run_async(_measure(url, entries))
            said = [f"{figure:,.0f}" for figure in figures]
            rows.append((database, f"{entries:,}", *said[:4], f"{figures[2] / figures[3]:.2f}×", *said[4:]))
        columns = ("database", "entries", "appended/s", "verified/s", "of processor time", "hashed alone/s", "ratio")
        print_table("Transaction log", columns, [row[:7] for row in rows])
        past = ("database", "bills", "past books (ms)", "processor (ms)")
        print_table("Books as of a past moment", past, [(row[0], f"{BILLS:,}", *row[7:]) for row in rows])
        with sandbox(clients=clients, bills=bills) as ready:
            print_table(
                f"First load with the log, with one of plain rows and with none, medians of {ROUNDS} rounds",
                ("database", *(f"{way} (s)" for way in WAYS), *RATIOS),
                [_compare(database, url, ready, Path(name)) for database, url in urls.items()],
            )


def _compare(database: str, pg_url: str, ready: dict[str, Any], folder: Path) -> tuple[str, ...]:
    """Load in turns, each time by a fresh process into a fresh database, so that the hour counts for every way.

    Of processor time counts what the loading process takes and what the server does.
    """
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    working: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(ROUNDS):
        for way in WAYS if turn % 2 else reversed(WAYS):
            name = f"load_{turn}_{way}"
            is_file = database == "SQLite"
            url = f"sqlite:///{folder / name}.db" if is_file else asyncio.run(_make_database(pg_url, name))
            before = 0.0 if is_file else server_seconds(folder)
            found = run_child("tests.bench.runway_load", url=url, ready=ready, log=way)
            served = 0.0 if is_file else server_seconds(folder) - before
            seconds[way].append(found["seconds"])
            working[way].append(found["processor_seconds"] + served)
    taken = [f"{median(seconds[way]):.2f}" for way in WAYS]
    ratios = [_ratio(measured, way) for way in WAYS[1:] for measured in (seconds, working)]
    return database, *taken, *ratios


def _ratio(measured: Mapping[str, Sequence[float]], way: str) -> str:
    """Rows a second with the log ÷ those of another way, the median over rounds."""
    return f"{median(other / one for other, one in zip(measured[way], measured['chained'], strict=True)):.2f}×"


async def _make_database(url: str, name: str) -> str:
    """Another empty database on the same server."""
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{url.rpartition('/')[0]}/{name}"


async def _measure(url: str, entries: int) -> tuple[float, ...]:
    store = SqlStore(url, secret_key=SECRET_KEY)
    await store.upgrade()
    by = Attribution(cause=Cause.SYSTEM, actor="bench", correlation_id="bench")
    now = datetime.now(UTC)
    draft = LogDraft(
        seen_at=now, rail="qbo", kind="bill", external_id="1", what="updated", attribution=by,
        content=b"x" * 500, raw=b"y" * 1000,
    )  # fmt: skip
    company_id = CompanyId("bench")
    company = Company(
        company_id=company_id, firm_id=DEFAULT_FIRM, name="Bench", home_currency="USD", time_zone="UTC", created_at=now
    )
    async with store:
        await store.registry.add_company(company, attribution=by)
        with Stopwatch() as appending:
            for _ in range(entries // PAGE):
                await store.log.append(company_id, [draft] * PAGE)
        clock, verified, hashed = await _verify(store, company_id)
        past, working = await _look_back(store)
    return entries / appending.seconds, entries / clock, entries / verified, entries / hashed, past, working


async def _verify(store: SqlStore, company_id: CompanyId) -> tuple[float, float, float]:
    """Seconds of the clock and the processor to verify a chain, and of the processor to hash its bytes alone: medians.

    The bytes are hashed in turns with verifying, so that the machine's hour counts for both.
    """
    found: list[tuple[float, float, float]] = []
    for _ in range(ROUNDS):
        began = process_time()
        with Stopwatch() as verifying:
            result = await verify_log(store.log, company_id)
        verified = process_time() - began
        assert result.is_sound
        hashed = 0.0
        previous = GENESIS
        async for batch in store.log.stored(company_id):
            began = process_time()
            for entry in batch:
                previous = hash_entry(previous, entry.canonical)
            hashed += process_time() - began
        assert previous.hex() == result.head_hash
        found.append((verifying.seconds, verified, hashed))
    clock, processor, alone = (median(figures) for figures in zip(*found, strict=True))
    return clock, processor, alone


async def _look_back(store: SqlStore) -> tuple[float, float]:
    """Milliseconds to rebuild the books of 10,000 bills as of the moment before 2,000 of them changed."""
    desk = await StoreDesk(store, company="past").open()
    for first in range(0, BILLS, 500):
        await desk.put(*(make_bill(str(first + n)) for n in range(500)))
    at = desk.now - timedelta(seconds=1)  # when the last of them were seen
    for first in range(0, BILLS // 5, 500):
        await desk.put(*(make_bill(str(first + n), revision=1, memo="later") for n in range(500)))
    began = process_time()
    with Stopwatch() as reading:
        books = await store.mirror.load_books(
            desk.company, as_of=at.date(), history_from=date(2025, 1, 1), read_at=at, known_at=at
        )
    assert (len(books.bills), books.bills[0].memo) == (BILLS, None)
    return reading.seconds * 1000, (process_time() - began) * 1000
