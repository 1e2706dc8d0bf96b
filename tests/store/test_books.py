"""Books are read in a fixed number of queries, on one snapshot."""

from dataclasses import replace
from datetime import date

from runway_core.domain.books import Books
from runway_core.domain.changes import Deletion, RejectedRecord
from runway_core.domain.identity import RecordKind
from runway_core.ports.mirror_store import MirrorStore
from runway_store_sql import SqlStore
from runway_store_sql.mirror import SqlMirrorStore
from runway_store_sql.tables import RECORD_SPECS
from runway_testkit.papers_contract import make_item, save
from runway_testkit.store_desk import StoreDesk, make_account, make_bill

from tests.store.statements import counted

UNREAD = {RecordKind.RAIL_VENDOR}
"""Kinds that are mirrored and that books are not made of."""


async def load(desk: StoreDesk, *, mirror: MirrorStore | None = None) -> Books:
    return await (mirror or desk.store.mirror).load_books(
        desk.company,
        as_of=date(2026, 3, 2),
        history_from=date(2025, 1, 1),
        read_at=desk.now,
    )


async def test_the_number_of_queries_does_not_grow_with_the_books(database_url: str) -> None:
    async with SqlStore(database_url, secret_key="k" * 40) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_bill("0"))
        with counted() as few:
            await load(desk)
        with counted() as again:
            await load(desk)
        await desk.put(make_bill("0", revision=1))
        with counted() as news:
            await load(desk)
        await save(desk, make_item())
        with counted() as papers:
            with_item = await load(desk)
        await desk.put(*(make_bill(str(n)) for n in range(1, 500)), *(make_account(str(n)) for n in range(50)))
        with counted() as many:
            books = await load(desk, mirror=SqlMirrorStore(store.database, store.log_archives))  # holds nothing yet

    assert len(few) == len(RECORD_SPECS) - len(UNREAD) + 4  # head, connections, papers, changes of fields
    assert len(many) == len(few) + 1  # and the key that opens those changes
    assert len(again) == 2  # head, connections
    assert (
        len(news) == 7
    )  # and the seal of what is held, what the log names since, the kind that changed, its fields, key
    assert len(papers) == 5  # the same, with the papers for that kind and its fields
    assert len(with_item.planned_items) == 1
    assert all("company_id" in statement for statement in [*many, *news])
    assert (len(books.bills), len(books.accounts)) == (500, 50)


async def test_an_unchanged_page_writes_cursor_and_counters_alone(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        page = desk.make_page(*(make_bill(str(n)) for n in range(300)))
        await desk.commit(page)
        with counted() as statements:
            await desk.commit(page)

    writes = [s.split()[1 if s.startswith("UPDATE") else 2] for s in statements if s.startswith(("INSERT", "UPDATE"))]
    assert sorted(writes) == ["cursors", "sync_runs"]


async def test_books_equal_the_records_given(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        bills = [make_bill(f"{n:03}", memo=f"m{n}") for n in range(100)]
        await desk.put(*bills)
        books = await load(desk)
        found = await store.mirror.find_records(desk.id, RecordKind.BILL, limit=1000)

    assert list(books.bills) == bills == [held.record for held in found]
    assert books.model_copy(update={"log_sequence": 0}).log_sequence == 0
    assert Books.model_validate(books.model_dump()) == books


async def test_many_deletions_and_bad_records_are_written_together(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(*(make_bill(str(n)) for n in range(60)))
        few = replace(desk.make_page(), deletions=(Deletion(key=make_bill("0").key),), rejected=(_spoilt(0),))
        many = replace(
            desk.make_page(),
            deletions=tuple(Deletion(key=make_bill(str(n)).key) for n in range(1, 60)),
            rejected=tuple(_spoilt(n) for n in range(1, 60)),
        )
        with counted() as for_few:
            await desk.commit(few)
        with counted() as for_many:
            receipt = await desk.commit(many)

    assert (receipt.counts.deleted, receipt.counts.quarantined) == (59, 59)
    assert len(for_many) <= len(for_few)  # PostgreSQL takes many log entries by COPY, which is no statement of its own


def _spoilt(number: int) -> RejectedRecord:
    return RejectedRecord(kind=RecordKind.BILL, external_id=f"bad-{number}", reason="no date", raw=b"{}")
