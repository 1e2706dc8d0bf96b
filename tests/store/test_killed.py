"""A process killed at any moment leaves whole pages: mirror, log, chain and cursor agree."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.record import hash_content
from runway_store_sql import SqlStore
from runway_testkit.store_desk import StoreDesk

from tests.processes import processes
from tests.store.crash_writer import PER_PAGE, key_of, new_bills, paid_bills, run

SQLITE_KILLS = 20
POSTGRES_KILLS = 5


def expect_mirror(pages: int) -> dict[RecordKey, tuple[bytes, bool]]:
    expected: dict[RecordKey, tuple[bytes, bool]] = {}
    for page in range(1, pages + 1):
        for bill in paid_bills(page) if page < pages else new_bills(page):
            expected[bill.key] = (hash_content(bill.content()), page < pages - 1 and bill.key == key_of(page, 0))
    return expected


async def check(url: str, acknowledged: int) -> int:
    """Look at what a killed process left; returns the last page that is whole."""
    async with SqlStore(url) as store:
        desk = StoreDesk(store)
        cursor = await store.mirror.cursor(desk.connection.connection_id, desk.id)
        pages = int(cursor.token) if cursor is not None else 0
        mirror = await desk.read_mirror()
        (stored,) = await store.registry.runs(desk.company.firm_id, desk.id)

        assert pages >= acknowledged
        assert mirror == await desk.fold_log() == expect_mirror(pages)
        assert await desk.check_chain() == 2 + PER_PAGE * (2 * pages - 1) + max(0, pages - 2)
        assert stored.counts.pages == pages
        assert (await store.mirror.count_records(desk.id))[RecordKind.BILL] == PER_PAGE * pages - max(0, pages - 2)
        return pages


async def set_up(url: str) -> None:
    async with SqlStore(url) as store:
        await StoreDesk(store).open()


def kill_and_check(url: str, *, kills: int) -> None:
    asyncio.run(set_up(url))
    context = processes()
    chance = random.Random(20260302)
    pages = 0
    for _ in range(kills):
        ready, sending = context.Pipe(duplex=False)
        process = context.Process(target=run, args=(url, pages + 1, sending))
        process.start()
        sending.close()
        acknowledged = pages
        for _ in range(chance.randint(1, 6)):
            acknowledged = ready.recv()
        for _ in range(chance.randint(0, 200_000)):  # some time, so that the kill meets every part of a commit
            pass
        process.kill()
        process.join()
        pages = asyncio.run(check(url, acknowledged))

    assert pages >= kills


def test_killed_while_writing_sqlite(tmp_path: Path) -> None:
    kill_and_check(f"sqlite:///{tmp_path / 'books.db'}", kills=SQLITE_KILLS)


def test_killed_while_writing_postgres(postgres: Callable[..., str]) -> None:
    kill_and_check(postgres(), kills=POSTGRES_KILLS)
