"""The databases use the indexes that were made for the queries (docs/decisions/0004-indexes.md)."""

import re
from datetime import timedelta

from runway_core.domain.identity import FirmId, RecordKind
from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.sync_run import PageCounts
from runway_store_sql import SqlStore
from runway_store_sql.coverage import query_heard, query_repeats
from runway_store_sql.inbox import LAG
from runway_store_sql.inbox_tables import inbox, inbox_events
from runway_store_sql.runs import query_last_runs, query_spare_runs
from runway_store_sql.tables import IS_CHANGE, NIL, RECORD_SPECS, log_entries, sync_runs, working_papers
from runway_testkit.papers_contract import make_item, save
from runway_testkit.store_desk import START, StoreDesk, make_bill
from sqlalchemy import Connection, false, func, insert, select, text

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
    assert re.search(r"ix_log_entries_(past_)?record", past)


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


async def test_a_minutes_look_at_the_inbox_reads_no_more_than_it_needs(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        for number, name in enumerate(("acme", "zenith")):
            desk = await StoreDesk(store, firm=name, company=name).open()
            await store.registry.name_account(desk.connection, f"account-{number}")
        await store.database.write(fill_inbox)
        await store.database.write(lambda connection: connection.execute(text("ANALYZE")).close())
        own, since = FirmId("acme"), START - timedelta(seconds=1)
        repeats = await store.database.read(lambda connection: explain(connection, query_repeats(own, since)))
        heard = await store.database.read(lambda connection: explain(connection, query_heard(own, since)))
        lag = await store.database.read(lambda connection: explain(connection, LAG))

    assert "ix_inbox_repeated" in repeats
    assert "ix_inbox_events_account" in heard
    assert "ix_inbox_unread" in lag


async def test_the_latest_and_the_needless_pulls_are_found_by_their_indexes(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        for name in ("acme", "zenith"):
            await StoreDesk(store, company=name).open()
        await store.database.write(fill_runs)
        await store.database.write(lambda connection: connection.execute(text("ANALYZE")).close())
        spare = query_spare_runs(before=START - timedelta(days=80), since=START - timedelta(days=81), limit=100)
        last = query_last_runs(FirmId("own"))
        last_plan = await store.database.read(lambda connection: explain(connection, last))
        spare_plan = await store.database.read(lambda connection: explain(connection, spare))
        found = await store.database.read(lambda connection: connection.execute(spare).all())

    assert "ix_sync_runs_started" in last_plan
    assert not re.search(r"SCAN (own|sync_runs)\b|Seq Scan on sync_runs", last_plan)
    assert "ix_sync_runs_idle" in spare_plan
    assert len(found) == 2 * 20  # of 24 a day three brought something, and one is the day's last


def fill_runs(connection: Connection) -> None:
    """A hundred days of pulls, of which a few brought something."""
    counts = dict.fromkeys(PageCounts.model_fields, 0)
    hour = 3_600_000_000
    rows = [
        {
            "company_id": company,
            "run_id": f"{company}-{n:05}",
            "connection_id": f"{company}-qbo",
            "rail": "qbo",
            "cause": "pull",
            "started_at": to_microseconds(START) - n * hour,
            "ended_at": to_microseconds(START) - n * hour,
            "outcome": "succeeded",
            "calls": 1,
            **counts,
            "created": int(n % 7 == 0),
        }
        for company in ("acme", "zenith")
        for n in range(2400)
    ]
    connection.execute(insert(sync_runs), rows)


def fill_inbox(connection: Connection) -> None:
    """Many deliveries that were read long ago, a few that came again, a few that wait."""
    at = to_microseconds(START) - 3000
    deliveries = [
        {
            "rail": "qbo",
            "delivery_id": f"d{n}",
            "received_at": at + n,
            "last_seen_at": at + n,
            "times_seen": 2 if n % 300 == 0 else 1,
            "read_at": None if n % 300 == 1 else at + n,
            "body": b"x" * 200,
        }
        for n in range(6000)
    ]
    events = [
        {
            "rail": "qbo",
            "delivery_id": one["delivery_id"],
            "position": 0,
            "account": f"account-{n % 20}",
            "external_id": "1",
            "operation": "update",
            "received_at": one["received_at"],
        }
        for n, one in enumerate(deliveries)
    ]
    connection.execute(insert(inbox), deliveries)
    connection.execute(insert(inbox_events), events)


async def test_what_changed_lately_is_answered_by_the_partial_index(database_url: str) -> None:
    lately = (
        select(log_entries.c.canonical)
        .where(
            log_entries.c.company_id == "acme",
            IS_CHANGE,
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

    assert re.search(r"ix_log_entries_(past_)?changed", plan)
