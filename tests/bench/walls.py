"""What row level security costs: every statement that the pages issue, with the wall and without, on the same rows.

The same server and the same rows are asked over two connections: a superuser's, for whom no policy holds, and that of
the role the app signs in with. They are asked in turns, so that the machine's hour counts for both.
"""

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
from runway_app_http.collector import tune_collector
from runway_app_http.loops import run_async
from runway_core import Runway
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId
from runway_core.experiences.portfolio import PortfolioQuery
from runway_core.experiences.tray import TrayQuery
from runway_store_sql import SqlStore
from runway_store_sql.row_security import SAY_WHOSE
from runway_store_sql.tables import metadata
from sqlalchemy import Engine, event

from tests.bench.big_books import fill_portfolio
from tests.bench.machine import CONSOLE, SECRET_KEY, Stopwatch, percentile, postgres, print_table

ROLE = "runway_app"
TURNS = 25
SECONDS = 0.2
"""So long each statement is asked in a pass, over both connections in turns."""

FEWEST, MOST = 10, 400
PASSES = 5
"""Their median counts: others' work comes in bursts of seconds."""

Statements = dict[tuple[str, str], tuple[str, tuple[Any, ...]]]
"""What was asked by which page: the company that its transaction named, and what it was asked with."""


def measure_walls(*, companies: int, bills: int) -> None:
    """Fill a database, have the pages ask, and time what they asked."""
    tune_collector()  # as the app does
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, postgres(Path(name)) as url:
        with Stopwatch() as filling:
            asked, wholes = run_async(_prepare(url, companies, bills))
        CONSOLE.print(
            f"{companies * bills:,} bills mirrored, {len(asked)} statements asked, in {filling.seconds:.0f} s"
        )
        rows = run_async(_compare(url, asked))
        columns = ("asked by", "of", "rows", "without µs", "with µs", "ratio")
        print_table(f"Row level security, {companies * bills:,} bills", columns, rows)
        print_table(
            "A page's reading as a whole, in its transactions", ("page", "without ms", "with ms", "ratio"), wholes
        )


async def _prepare(url: str, companies: int, bills: int) -> tuple[Statements, list[tuple[str, ...]]]:
    store = SqlStore(url, secret_key=SECRET_KEY)
    await store.upgrade()
    mirrored = min(bills, 200)
    async with Runway.open(store=store) as runway:
        ids = await fill_portfolio(runway, store, companies=companies, bills=mirrored)
        admin = await asyncpg.connect(url)
        await _multiply(admin, bills // mirrored)
        await admin.execute(f"CREATE ROLE {ROLE} LOGIN")
        await admin.execute("DELETE FROM kept_views")
        await admin.close()
        await store.grant_app_role(ROLE)
    walled = SqlStore(_role_url(url), secret_key=SECRET_KEY)  # one that holds nothing yet
    async with Runway.open(store=walled) as behind:
        middle = ids[len(ids) // 2]
        asked: Statements = {}
        for _ in range(2):  # the second time of what was kept the first time
            for page in PAGES:
                with _noted(page, asked):
                    await _open(behind, page, middle)
        async with Runway.open(store=SqlStore(url, secret_key=SECRET_KEY)) as runway:
            wholes = [await _compare_whole(runway, behind, page, middle) for page in PAGES]
    return asked, wholes


PAGES = ("portfolio", "portfolio searched", "digest", "tray", "tray searched", "console", "outlook")


async def _open(runway: Runway, page: str, company_id: CompanyId) -> None:
    if page == "portfolio":
        await runway.portfolio()
    elif page == "portfolio searched":
        await runway.portfolio(PortfolioQuery(search="company 004", runway_below=400))
    elif page == "digest":
        await runway.digest(company_id)
    elif page == "tray":
        await runway.tray(company_id)
    elif page == "tray searched":
        await runway.tray(company_id, TrayQuery(check="AP01"))
    elif page == "console":
        await runway.console(company_id)
    else:
        await runway.outlook(company_id)


def _role_url(url: str) -> str:
    return re.sub("//[^@]*@", f"//{ROLE}@", url)


async def _multiply(admin: Any, times: int) -> None:
    """Copy every bill, and the log's entry about it, so many times: what mirroring them leaves, without its time."""
    await admin.execute("ALTER TABLE log_entries DISABLE TRIGGER log_entries_follow")  # they follow no head
    for table, condition, changes in (
        ("bill", "true", {"external_id": "t.external_id || '-' || n"}),
        ("log_entries", "t.kind = 'bill'", {"sequence": "t.sequence - 100000 * n", "canonical": "''"}),
    ):
        names = [column.name for column in metadata.tables[table].columns]
        chosen = ", ".join(changes.get(name, f"t.{name}") for name in names)
        await admin.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {chosen} "
            f"FROM {table} t, generate_series(1, {times - 1}) AS n WHERE {condition}"
        )
    await admin.execute("ALTER TABLE log_entries ENABLE TRIGGER log_entries_follow")
    await admin.execute("ANALYZE")


@contextmanager
def _noted(page: str, asked: Statements) -> Iterator[None]:
    """Keep every reading statement of any connection, with what it was asked with."""
    named: dict[int, str] = {}

    def note(connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement == SAY_WHOSE:
            named[id(connection.connection.dbapi_connection)] = parameters[1]
            return
        is_reading = statement.startswith("SELECT") and " FOR " not in statement
        if is_reading and not isinstance(parameters, dict):
            company_id = named[id(connection.connection.dbapi_connection)]
            asked.setdefault((page, statement), (company_id, tuple(parameters)))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def _compare(url: str, asked: Statements) -> list[tuple[str, ...]]:
    owner, walled = await asyncpg.connect(url), await asyncpg.connect(_role_url(url))
    for connection in (owner, walled):
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    of: dict[str, tuple[str, str, tuple[Any, ...]]] = {}
    for (page, statement), said in asked.items():
        of.setdefault(statement, (page, *said))
    times: dict[str, list[tuple[float, float]]] = {statement: [] for statement in of}
    counts: dict[str, int] = {}
    for _ in range(PASSES):
        for statement, (_, company_id, parameters) in of.items():
            await walled.execute(SAY_WHOSE, DEFAULT_FIRM, company_id)  # as the page's own transaction did
            without, within = await owner.prepare(statement), await walled.prepare(statement)
            counts[statement] = len(await without.fetch(*parameters))
            assert counts[statement] == len(await within.fetch(*parameters))
            taken = zip(*await _time_both(without, within, parameters), strict=True)
            plain, behind = (percentile(figures, 0.1) for figures in taken)
            times[statement].append((plain, behind))
    rows: list[tuple[str, ...]] = []
    for statement, (page, *_) in of.items():
        plain, behind = (median(figures) for figures in zip(*times[statement], strict=True))
        ratio = median(behind / plain for plain, behind in times[statement])
        figures = (f"{plain * 1e6:,.0f}", f"{behind * 1e6:,.0f}", f"{ratio:.2f}×")
        rows.append((page, _describe(statement), f"{counts[statement]:,}", *figures))
    return rows


async def _time_both(without: Any, within: Any, parameters: tuple[Any, ...]) -> list[tuple[float, float]]:
    """Seconds that each takes, in turns.

    The tenth fastest of a hundred count in a pass: on a machine that others use, the rest says more of them.
    """
    for _ in range(6):  # until the plan is the one that is kept
        for prepared in (without, within):
            await prepared.fetch(*parameters)
    turns = max(FEWEST, min(MOST, round(SECONDS / 2 / await _time(without, parameters))))
    return [(await _time(without, parameters), await _time(within, parameters)) for _ in range(turns)]


async def _time(prepared: Any, parameters: tuple[Any, ...]) -> float:
    began = time.perf_counter()
    await prepared.fetch(*parameters)
    return time.perf_counter() - began


def _describe(statement: str) -> str:
    """The table a statement reads, and by what."""
    table = re.search(r"FROM (\w+)", statement)
    condition = statement.partition("WHERE")[2]
    columns = dict.fromkeys(re.findall(r"(?:\w+\.)(\w+) (?:=|>|<|IN|!=)", condition))
    return f"{table[1] if table else statement[:40]} by {', '.join(columns) or 'nothing'}"


async def _compare_whole(runway: Runway, behind: Runway, page: str, company_id: CompanyId) -> tuple[str, ...]:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for one, taken in zip((runway, behind), times, strict=True):
            with Stopwatch() as watch:
                await _open(one, page, company_id)
            taken.append(watch.seconds * 1000)
    plain, walled = (percentile(taken, 0.1) for taken in times)
    return page, f"{plain:.2f}", f"{walled:.2f}", f"{walled / plain:.2f}×"
