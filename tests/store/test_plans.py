"""The databases use the indexes that were made for the queries (docs/decisions/0004-indexes.md)."""

from runway_core.domain.identity import RecordKind
from runway_store_sql import SqlStore
from runway_store_sql.tables import NIL, RECORD_SPECS, log_entries, working_papers
from runway_testkit.papers_contract import make_item, save
from runway_testkit.store_desk import StoreDesk, make_bill
from sqlalchemy import false, func, literal_column, select, text

from tests.store.statements import explain


async def test_what_is_due_is_answered_by_the_partial_index_alone(database_url: str) -> None:
    bill = RECORD_SPECS[RecordKind.BILL].table
    due = select(func.sum(bill.c.open_balance)).where(
        bill.c.company_id == "acme",
        bill.c.open_balance > NIL,
        bill.c.is_deleted == false(),
        bill.c.due_date <= "2026-03-31",
    )
    history = select(log_entries.c.sequence).where(
        log_entries.c.company_id == "acme", log_entries.c.kind == "bill", log_entries.c.external_id == "7"
    )
    async with SqlStore(database_url) as store:
        for name in ("acme", "zenith"):
            desk = await StoreDesk(store, company=name).open()
            rests = ["0.0000" if n % 20 else "1.0000" for n in range(3000)]
            await desk.put(*(make_bill(str(n), open_balance=rest) for n, rest in enumerate(rests)))
        await store.database.write(lambda connection: connection.execute(text("ANALYZE")).close())
        plan = await store.database.read(lambda connection: explain(connection, due))
        past = await store.database.read(lambda connection: explain(connection, history))

    assert "ix_bill_open" in plan
    assert "COVERING INDEX" in plan or "Index Only Scan" in plan or "Bitmap" in plan
    assert "ix_log_entries_record" in past


async def test_open_papers_are_answered_by_the_partial_index(database_url: str) -> None:
    table = working_papers
    current = (
        select(table.c.document)
        .where(table.c.company_id == "acme", table.c.paper_kind == "planned_item", table.c.is_closed == false())
        .order_by(table.c.changed_at.desc(), table.c.paper_id)
    )
    async with SqlStore(database_url) as store:
        for name in ("acme", "zenith"):
            desk = await StoreDesk(store, company=name).open()
            await save(desk, *(make_item(f"{n:04}", is_closed=n % 20 > 0) for n in range(3000)))
        await store.database.write(lambda connection: connection.execute(text("ANALYZE")).close())
        plan = await store.database.read(lambda connection: explain(connection, current))

    assert "ix_working_papers_open" in plan


async def test_what_changed_lately_is_answered_by_the_partial_index(database_url: str) -> None:
    lately = (
        select(log_entries.c.canonical)
        .where(
            log_entries.c.company_id == "acme",
            log_entries.c.what == literal_column("'updated'"),
            log_entries.c.seen_at >= 0,
        )
        .order_by(log_entries.c.sequence)
    )
    async with SqlStore(database_url) as store:
        for name in ("acme", "zenith"):
            desk = await StoreDesk(store, company=name).open()
            await desk.put(*(make_bill(str(n)) for n in range(3000)))
            await desk.put(*(make_bill(str(n), revision=1) for n in range(20)))
        await store.database.write(lambda connection: connection.execute(text("ANALYZE")).close())
        plan = await store.database.read(lambda connection: explain(connection, lately))

    assert "ix_log_entries_updated" in plan
