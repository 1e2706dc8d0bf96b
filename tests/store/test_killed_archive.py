"""A process killed while it archives, takes entries out or puts them back loses none, and leaves nothing half done."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from runway_core.domain.log_entry import LogDraft

from tests.processes import processes
from tests.store.archive_desk import ArchiveDesk
from tests.store.archive_worker import run, run_once

SQLITE_KILLS = 3
POSTGRES_KILLS = 2
ENTRIES = 26


async def set_up(url: str, folder: Path, *, archives: bool = False) -> list[LogDraft]:
    desk = ArchiveDesk(url, folder)
    async with desk.runway:
        await desk.put_months(3, bills=8)
        if archives:
            await desk.archive()
        return [entry.draft async for entry in desk.store.log.entries(desk.id)]


async def check(url: str, folder: Path, written: list[LogDraft]) -> int:
    """Every entry is where it was, in table or archive; returns how many marks there are."""
    desk = ArchiveDesk(url, folder)
    async with desk.runway:
        entries = [entry async for entry in desk.store.log.entries(desk.id)]
        out = await desk.runway.archives.detached(desk.id)
        rows = await desk.rows()
        balance = sum({"log_detached": 1, "log_restored": -1}.get(entry.draft.what, 0) for entry in entries)

        assert [entry.draft for entry in entries[:ENTRIES]] == written
        assert [row[1] for row in rows] == list(
            range(max((piece.last for piece in out), default=0) + 1, len(entries) + 1)
        )
        assert balance == len(out)
        assert (await desk.runway.verify_log(desk.id)).is_sound
        return len(entries) - ENTRIES


def die_at_each_step(url: str, folder: Path, act: str, written: list[LogDraft]) -> int:
    """Do it again and again, each time dying a step later, until it is done; returns how many steps there are."""
    context = processes()
    before = asyncio.run(check(url, folder, written))
    for place in range(1, 30):
        process = context.Process(target=run_once, args=(url, folder, act, place))
        process.start()
        process.join()
        after = asyncio.run(check(url, folder, written))
        if process.exitcode == 0:
            assert after == before + 1
            return place - 1

        assert (process.exitcode, after) == (9, before), "what did not commit left something"
    raise AssertionError("it never ends")


def test_dying_at_each_step_leaves_all_or_nothing(tmp_path: Path) -> None:
    """Mark, head, piece, entries and commit; entries, mark, head, piece and commit."""
    url = f"sqlite:///{tmp_path / 'books.db'}"
    written = asyncio.run(set_up(url, tmp_path, archives=True))

    assert die_at_each_step(url, tmp_path, "detach", written) == 5
    assert die_at_each_step(url, tmp_path, "restore", written) == 5


def kill_and_check(url: str, folder: Path, *, kills: int) -> None:
    written = asyncio.run(set_up(url, folder))
    context = processes()
    chance = random.Random(20260302)
    marks = 0
    for _ in range(kills):
        ready, sending = context.Pipe(duplex=False)
        process = context.Process(target=run, args=(url, folder, sending))
        process.start()
        sending.close()
        for _ in range(chance.randint(1, 4)):
            ready.recv()
        for _ in range(chance.randint(0, 3_000_000)):  # some time, so that the kill meets every part of it
            pass
        process.kill()
        process.join()
        marks = asyncio.run(check(url, folder, written))

    assert marks, "nothing was ever taken out"


def test_killed_while_archiving_sqlite(tmp_path: Path) -> None:
    kill_and_check(f"sqlite:///{tmp_path / 'books.db'}", tmp_path, kills=SQLITE_KILLS)


def test_killed_while_archiving_postgres(postgres: Callable[..., str], tmp_path: Path) -> None:
    kill_and_check(postgres(), tmp_path, kills=POSTGRES_KILLS)
