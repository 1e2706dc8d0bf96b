"""Whole books are held in memory; what changed since is read again, and nothing else."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.books import Books
from runway_core.domain.changes import Change, Deletion
from runway_core.domain.execution import CardState, CardTransaction, RailPaymentState
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import ChainHead
from runway_core.domain.record import Record
from runway_store_sql import SqlStore
from runway_store_sql.held_books import HeldBooks, HeldRecords
from runway_store_sql.mirror import SqlMirrorStore
from runway_store_sql.sqlite import find_sqlite_module
from runway_testkit.bank_contract import make_bank_account, make_bank_line
from runway_testkit.execution_contract import make_ledger_bill, make_rail_bill, make_rail_payment
from runway_testkit.papers_contract import make_item, save
from runway_testkit.store_desk import START, StoreDesk, make_account, make_bill
from runway_testkit.strategies import changes

HISTORY_FROM = date(2025, 1, 1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Callable[..., str]
) -> Iterator[tuple[asyncio.Runner, StoreDesk]]:
    folder = tmp_path_factory.mktemp("held")
    url = f"sqlite:///{folder / 'books.db'}" if request.param == "sqlite" else postgres()
    with asyncio.Runner() as runner:
        store = SqlStore(url)
        runner.run(store.__aenter__())
        yield runner, runner.run(StoreDesk(store).open())
        runner.run(store.__aexit__(None, None, None))


async def load(mirror: SqlMirrorStore, desk: StoreDesk, *, history_from: date = HISTORY_FROM) -> Books:
    return await mirror.load_books(desk.company, as_of=date(2026, 3, 2), history_from=history_from, read_at=desk.now)


def never_read(store: SqlStore) -> SqlMirrorStore:
    """The same mirror, with nothing held."""
    return SqlMirrorStore(store.database, store.log_archives)


@given(
    page=st.lists(changes(), max_size=12, unique_by=lambda change: change.record.key),
    gone=st.sets(st.integers(0, 30), max_size=4),
)
def test_books_that_are_held_equal_books_read_afresh(
    desk: tuple[asyncio.Runner, StoreDesk], page: list[Change], gone: set[int]
) -> None:
    runner, at = desk
    store = at.store
    assert isinstance(store, SqlStore)
    held = runner.run(load(store.mirror, at))
    records = [value for field in held.__dict__.values() if isinstance(field, tuple) for value in field]
    keys = [value.key for value in records if isinstance(value, Record)]
    deletions = tuple(Deletion(key=keys[n]) for n in sorted(gone) if n < len(keys))

    runner.run(at.commit(replace(at.make_page(), changes=tuple(page), deletions=deletions)))

    assert runner.run(load(store.mirror, at)) == runner.run(load(never_read(store), at))


async def test_held_books_follow_a_changed_bill_and_a_deleted_one(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(*(make_bill(str(n)) for n in range(3)))
        before = await load(store.mirror, desk)
        await desk.put(make_bill("1", revision=9, memo="new"))
        await desk.commit(desk.make_page(deleted=[make_bill("2").key]))
        after = await load(store.mirror, desk)

    assert [bill.external_id for bill in before.bills] == ["0", "1", "2"]
    assert [(bill.external_id, bill.memo) for bill in after.bills] == [("0", None), ("1", "new")]
    assert after.bills[0] is before.bills[0]  # not read again


async def test_held_books_follow_a_paper_and_leave_the_records_alone(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_bill("1"))
        before = await load(store.mirror, desk)
        (item,) = await save(desk, make_item())
        added = await load(store.mirror, desk)
        await desk.put(make_bill("2"))
        later = await load(store.mirror, desk)
        afresh = await load(never_read(store), desk)

    assert (before.planned_items, added.planned_items) == ((), (item,))
    assert added.bills is before.bills
    assert later.planned_items is added.planned_items  # not read again
    assert later == afresh


async def test_a_longer_history_is_read_afresh(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        closed = make_bill("1", open_balance="0.0000").model_copy(update={"document_date": date(2024, 6, 1)})
        await desk.put(closed)
        short = await load(store.mirror, desk)
        long = await load(store.mirror, desk, history_from=date(2024, 1, 1))

    assert (short.bills, long.bills) == ((), (closed,))


async def test_books_of_a_chain_that_a_restored_backup_undid_are_not_believed(tmp_path: Path) -> None:
    url, backup = f"sqlite:///{tmp_path / 'books.db'}", tmp_path / "backup.db"
    async with SqlStore(url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_bill("1"))
        copy(tmp_path / "books.db", backup)
        await desk.put(make_bill("2"))
        await load(store.mirror, desk)
        copy(backup, tmp_path / "books.db")
        await desk.put(make_bill("3"))  # as many entries as before, others
        as_many = await load(store.mirror, desk)
        await desk.put(make_bill("4"))
        more = await load(store.mirror, desk)

    assert [bill.external_id for bill in as_many.bills] == ["1", "3"]
    assert [bill.external_id for bill in more.bills] == ["1", "3", "4"]


def copy(source: Path, target: Path) -> None:
    """Copy one database over another, as a backup and its restoration do."""
    sqlite = find_sqlite_module()
    with closing(sqlite.connect(source)) as reading, closing(sqlite.connect(target)) as writing:
        reading.backup(writing)


def test_the_books_read_longest_ago_are_let_go() -> None:
    held = HeldBooks(limit=5)
    for company in ("a", "b", "c"):
        bills = tuple(make_bill(str(n)) for n in range(2))
        held.keep(CompanyId(company), HeldRecords(ChainHead(), HISTORY_FROM, {"bills": bills}, {}, (), START))

    found = [held.find(CompanyId(company), history_from=HISTORY_FROM) is not None for company in ("a", "b", "c")]
    assert found == [False, True, True]


async def test_what_is_seen_of_the_bank_stays_the_same_while_lines_and_links_do(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_account(), make_bank_account(), make_bank_line(on=date(2026, 2, 27)), make_bill("1"))
        before = await load(store.mirror, desk)
        await desk.put(make_bill("1", revision=9, memo="new"))
        other_bill = await load(store.mirror, desk)
        await desk.put(make_bank_line("t2", on=date(2026, 2, 28)))
        other_line = await load(store.mirror, desk)
        await desk.put(make_account().model_copy(update={"currency": "EUR", "revision_number": 9, "revision": "9"}))
        unlinked = await load(store.mirror, desk)

    assert len(before.bank_transactions) == 1
    assert other_bill.bank_transactions is before.bank_transactions  # so that what was computed from them holds
    assert [line.external_id for line in other_line.bank_transactions] == ["t1", "t2"]
    assert (unlinked.bank_transactions, unlinked.bank_balances) == ((), ())


async def test_what_is_seen_of_a_payer_stays_the_same_while_its_bills_and_links_do(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_ledger_bill(), make_rail_bill(), make_rail_payment(state=RailPaymentState.SCHEDULED))
        before = await load(store.mirror, desk)
        await desk.put(make_bill("1"))
        other_bill = await load(store.mirror, desk)
        await desk.put(make_rail_payment(state=RailPaymentState.SETTLED))
        settled = await load(store.mirror, desk)
        await desk.commit(desk.make_page(deleted=[make_ledger_bill().key]))
        unlinked = await load(store.mirror, desk)

    assert [one.bill_id for one in before.rail_bills] == ["9"]
    assert other_bill.rail_bills is before.rail_bills  # so that what was computed from them holds
    assert other_bill.rail_payments is before.rail_payments
    assert [one.state for one in settled.rail_payments] == [RailPaymentState.SETTLED]
    assert [one.bill_id for one in unlinked.rail_bills] == [None]


async def test_what_is_seen_of_cards_stays_the_same_while_purchases_and_payments_do(database_url: str) -> None:
    purchase = CardTransaction(
        external_id="c1",
        feed="payrail",
        booked_on=date(2026, 2, 20),
        currency="USD",
        amount=Decimal("12.5000"),
        state=CardState.PENDING,
    )
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(purchase, make_rail_bill())
        before = await load(store.mirror, desk)
        await desk.put(make_bill("1"), make_rail_bill(ledger_bill_id=None))
        other_bill = await load(store.mirror, desk)
        await desk.put(purchase.model_copy(update={"state": CardState.CLEARED}))
        cleared = await load(store.mirror, desk)

    assert [one.is_pending for one in before.card_purchases] == [True]
    assert other_bill.card_purchases is before.card_purchases
    assert [one.is_pending for one in cleared.card_purchases] == [False]
