"""Whatever happens to months of the log, in whatever order, history and books of the past stay as they were."""

from datetime import datetime
from itertools import count
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.log_entry import LogDraft
from runway_core.sync.mirror_check import find_mirror_differences
from runway_testkit.store_desk import make_account, make_bill

from tests.store.archive_desk import ArchiveDesk, history, read_books

NUMBERS = count(1)
WRITING = ["put", "put", "paid", "delete", "account"]
MOVING = ["wait", "archive", "detach", "detach", "detach", "restore"]
STEPS = st.lists(st.tuples(st.sampled_from(WRITING + MOVING), st.integers(1, 3)), min_size=7, max_size=13)


async def take_step(desk: ArchiveDesk, act: str, place: int, *, revision: int) -> None:
    if act == "put":
        await desk.desk.put(make_bill(str(place), revision=revision, memo=f"№{revision}"))
    elif act == "paid":
        await desk.desk.put(make_bill(str(place), revision=revision, open_balance="0.0000"))
    elif act == "account":
        await desk.desk.put(make_account(balance=f"{revision}.1234", revision=revision))
    elif act == "delete":
        gone = RecordKey(RecordKind.BILL, str(place))
        await desk.desk.commit(desk.desk.make_page(deleted=[gone], deleted_at=desk.desk.now))
    elif act == "wait":
        await desk.later(50)
    elif act == "archive":
        await desk.archive()
    elif act == "detach":
        await desk.detach()
    else:
        await desk.runway.archives.restore(desk.id, most=place, actor="ada")
    desk.desk.seconds += 1
    desk.sync_clock()


async def tell(desk: ArchiveDesk) -> dict[str, list[LogDraft]]:
    """What the log says of every record, entry by entry."""
    keys = [RecordKey(RecordKind.BILL, str(place)) for place in range(4)]
    keys.append(make_account().key)
    return {str(key): await history(desk, key) for key in keys}


@given(steps=STEPS)
@settings(max_examples=5)
async def test_archiving_changes_no_answer(tmp_path: Path, steps: list[tuple[str, int]]) -> None:
    """Any order of writing, waiting, archiving, taking out and putting back leaves histories and past books alone."""
    desk = ArchiveDesk(f"sqlite:///{tmp_path / 'books.db'}", tmp_path, company=f"acme-{next(NUMBERS)}")
    async with desk.runway:
        await desk.desk.open()
        kept: list[tuple[datetime, Books]] = []
        for revision, (act, place) in enumerate(steps, start=1):
            told, now = await tell(desk), desk.desk.now
            books = await read_books(desk, at=now)
            await take_step(desk, act, place, revision=revision)
            if act in ("archive", "detach", "restore"):
                assert await tell(desk) == told
                assert await read_books(desk, at=now) == books
            kept.append((desk.desk.now, await read_books(desk, at=desk.desk.now)))
            await take_step(desk, "wait", 0, revision=0)

        for at, then in kept:
            assert await read_books(desk, at=at, known_at=at) == then
        assert list(await find_mirror_differences(desk.store, desk.id)) == []
        assert (await desk.runway.verify_log(desk.id)).is_sound
        assert await desk.desk.check_chain() == (await desk.store.log.head(desk.id)).sequence
