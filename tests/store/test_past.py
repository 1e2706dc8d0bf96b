"""The books as Runway knew them: rebuilt from the log, they are the books that were read at the time."""

from datetime import date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.past import fold_drafts, read_contents
from runway_core.sync.mirror_check import find_mirror_differences
from runway_store_sql import SqlStore
from runway_testkit.store_desk import StoreDesk, make_account, make_bill
from runway_testkit.strategies import records
from sqlalchemy import Connection, text

HISTORY_FROM = date(2025, 1, 1)


async def read(desk: StoreDesk, *, at: datetime, known_at: datetime | None = None) -> Books:
    return await desk.store.mirror.load_books(
        desk.company, as_of=date(2026, 3, 2), history_from=HISTORY_FROM, read_at=at, known_at=known_at
    )


def without_reading(books: Books) -> Books:
    """Books but for what the log does not say: when pulls ended."""
    return books.model_copy(update={"connections": ()})


@pytest.mark.parametrize("kind", RECORD_CLASSES)
@given(data=st.data())
@settings(max_examples=20)
def test_a_record_is_read_back_from_its_content(kind: RecordKind, data: st.DataObject) -> None:
    """Equal in every field and in every digit: the same content again."""
    made = data.draw(st.lists(records(kind), max_size=3))

    again = read_contents(kind, [record.content() for record in made])

    assert again == made
    assert [record.content() for record in again] == [record.content() for record in made]


NUMBERS = count(1)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "delete", "account", "paid"]),
        st.integers(0, 5),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=12,
)


@given(steps=STEPS)
@settings(max_examples=15)
async def test_books_of_a_past_moment_are_those_that_were_read_then(
    database_url: str, steps: list[tuple[str, int, int]]
) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store, company=f"acme-{next(NUMBERS)}").open()
        kept: list[tuple[datetime, Books]] = []
        for revision, (act, place, cents) in enumerate(steps, start=1):
            if act == "put":
                await desk.put(make_bill(str(place), revision=revision, memo=f"№{cents}"))
            elif act == "paid":
                await desk.put(make_bill(str(place), revision=revision, open_balance="0.0000"))
            elif act == "account":
                await desk.put(make_account(balance=f"{cents}.1234", revision=revision))
            else:
                gone = RecordKey(RecordKind.BILL, str(place))
                await desk.commit(desk.make_page(deleted=[gone], deleted_at=desk.now))
            at = desk.now - timedelta(seconds=1)  # when the page was seen
            kept.append((at, await read(desk, at=at)))

        for at, then in kept:
            known = await read(desk, at=at, known_at=at)

            assert without_reading(known) == without_reading(then)


async def test_the_mirror_is_what_its_log_folds_to(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(*(make_bill(str(n)) for n in range(30)), make_account())
        await desk.put(*(make_bill(str(n), revision=1, memo="edited") for n in range(10)))
        await desk.commit(desk.make_page(deleted=[RecordKey(RecordKind.BILL, str(n)) for n in range(5)]))
        entries = [entry.draft async for entry in store.log.entries(desk.id)]
        mirrored = await store.mirror.find_records(desk.id, RecordKind.BILL, limit=100)

    past = fold_drafts(entries, company_id=desk.id)

    assert past.records[RecordKind.BILL] == [held.record for held in mirrored]
    assert past.company == desk.company


async def test_a_mirror_that_differs_from_its_log_is_named(database_url: str) -> None:
    """Somebody edited the mirror, hid a record of it, and put another in; the log was left alone."""
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(*(make_bill(str(n)) for n in range(5)), make_account())
        sound = await find_mirror_differences(store, desk.id)

        def forge(connection: Connection) -> None:
            for statement in (
                "UPDATE bill SET memo = 'never mind' WHERE external_id = '1'",
                "UPDATE bill SET is_deleted = :yes WHERE external_id = '2'",
                "UPDATE bill SET external_id = '99' WHERE external_id = '3'",
            ):
                connection.execute(text(statement), {"yes": True} if ":yes" in statement else {})

        await store.database.write(forge)
        found = await find_mirror_differences(store, desk.id)

    assert list(sound) == []
    assert list(found) == [
        "bill:1 is another one in the mirror than in the log",
        "bill:99 is in the mirror, and not in the log",
        "bill:2 is in the log, and not in the mirror",
        "bill:3 is in the log, and not in the mirror",
    ]
