"""How long a position takes to compute again: from the store, with its books at hand, and after one bill changed."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from runway_app_http.collector import tune_collector
from runway_app_http.loops import run_async
from runway_core import Runway
from runway_core.domain.books import Books
from runway_core.domain.changes import Change
from runway_core.domain.identity import CompanyId
from runway_core.domain.ledger import AccountKind
from runway_core.domain.record import Record
from runway_sandbox.economy import build_company
from runway_store_sql import SqlStore

from tests.bench.big_books import PAGE, Mirrored, add_mirrored
from tests.bench.figures import DOCUMENTS
from tests.bench.machine import SECRET_KEY, Stopwatch, percentile, postgres, print_table
from tests.core.sandbox_books import read_sandbox_books

HISTORY_DAYS = 400
MOST_READ = 8


def measure_position(*, bills: int, repeat: int) -> None:
    """Mirror the same company into both databases, and compute its position over and over."""
    today = datetime.now(UTC).date()
    made = build_company(index=3, seed=5, bills=bills, as_of=today)
    books = read_sandbox_books(made, as_of=today, history_from=today - timedelta(days=HISTORY_DAYS))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, postgres(Path(name)) as pg_url:
        for database, url in (("SQLite", f"sqlite:///{Path(name) / 'position.db'}"), ("PostgreSQL", pg_url)):
            rows = run_async(_measure(url, books, repeat))
            documents = sum(len(getattr(books, kind)) for kind in DOCUMENTS)
            title = f"{database}, position of a company of {documents:,} documents"
            print_table(title, ("computed again", "times", "p50 ms", "p95 ms", "worst ms"), rows)


async def _measure(url: str, books: Books, repeat: int) -> list[tuple[str, ...]]:
    tune_collector()  # as the app does
    async with _open(url) as (runway, store):
        mirrored = await add_mirrored(runway, store, "Bench Company")
        records = _list_records(books)
        pages = [records[at : at + PAGE] for at in range(0, len(records), PAGE)]
        await mirrored.write("first", ([_change(record) for record in page] for page in pages))
        await runway.positions.recompute(mirrored.company_id)
        held, touched = [], []
        for number in range(repeat):
            held.append(await _time(runway, mirrored.company_id))
            await _touch(mirrored, books, number)
            touched.append(await _time(runway, mirrored.company_id))
    read = []
    for _ in range(min(repeat, MOST_READ)):
        async with _open(url) as (runway, _):
            read.append(await _time(runway, mirrored.company_id))
    return [
        _row("one bill, its vendor and what is payable changed", touched),
        _row("nothing changed", held),
        _row("books read from the store", read),
    ]


@asynccontextmanager
async def _open(url: str) -> AsyncIterator[tuple[Runway, SqlStore]]:
    store = SqlStore(url, secret_key=SECRET_KEY)
    await store.upgrade()
    async with Runway.open(store=store) as runway:
        yield runway, store


async def _time(runway: Runway, company_id: CompanyId) -> float:
    with Stopwatch() as watch:
        await runway.positions.recompute(company_id)
    return watch.seconds


def _row(what: str, seconds: list[float]) -> tuple[str, ...]:
    figures = (percentile(seconds, 0.5), percentile(seconds, 0.95), max(seconds))
    return (what, str(len(seconds)), *(f"{1000 * figure:.1f}" for figure in figures))


async def _touch(mirrored: Mirrored, books: Books, number: int) -> None:
    """An open bill falls due later and costs a unit more, as its vendor's balance and what is payable then do."""
    bill = books.open_bills[number % len(books.open_bills)]
    later, more = timedelta(days=number + 1), Decimal(number + 1)
    payable = next(account for account in books.accounts if account.account_kind is AccountKind.ACCOUNTS_PAYABLE)
    touched: list[Record] = [
        bill.model_copy(
            update={
                "total": bill.total + more,
                "open_balance": bill.open_balance + more,
                "due_date": (bill.due_date or bill.document_date) + later,
            }
        ),
        payable.model_copy(update={"balance": payable.balance - more}),
    ]
    vendor = books.vendor_by_id.get(bill.vendor_id or "")
    if vendor is not None:
        touched.append(vendor.model_copy(update={"balance": (vendor.balance or Decimal(0)) + more}))
    revised = (
        record.model_copy(update={"revision": f"{number}", "revision_number": 100 + number}) for record in touched
    )
    await mirrored.write(f"touch-{number}", [[_change(record) for record in revised]])


def _change(record: Record) -> Change:
    return Change(record=record, raw=b'{"made":"%s"}' % record.revision.encode())


def _list_records(books: Books) -> list[Record]:
    held = (getattr(books, name) for name in Books.model_fields)
    return [record for kind in held if isinstance(kind, tuple) for record in kind if isinstance(record, Record)]
