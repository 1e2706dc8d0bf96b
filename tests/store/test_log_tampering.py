"""Whoever owns the database drops the triggers and rewrites the log by SQL: verifying finds each way of it."""

from collections.abc import Sequence

import pytest
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.sync.verification import LogDifference, LogVerification, verify_log
from runway_store_sql import SqlStore
from runway_testkit.store_desk import StoreDesk, make_bill
from sqlalchemy import Connection, text

LENGTH = 22  # company and connection added, twenty bills
WHERE = "WHERE company_id = 'acme' AND sequence"
COLUMNS = "company_id, sequence, seen_at, rail, kind, external_id, what, correlation_id, previous_hash, hash, canonical"
COPIED = COLUMNS.replace("company_id, sequence, ", "")


def drop_triggers(connection: Connection) -> None:
    """What only the owner of a database can do."""
    if connection.dialect.name == "postgresql":
        for table in ("log_entries", "log_heads"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        return
    names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
    for name in names:
        connection.execute(text(f'DROP TRIGGER "{name}"'))


async def tamper(url: str, statements: Sequence[str]) -> LogVerification:
    async with SqlStore(url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(*(make_bill(str(n)) for n in range(20)))
        assert (await verify_log(store.log, desk.id)).is_sound

        def forge(connection: Connection) -> None:
            drop_triggers(connection)
            for statement in statements:
                connection.execute(text(statement))

        await store.database.migrate(forge)
        return await verify_log(store.log, desk.id)


def shift(first: int, by: int) -> list[str]:
    """Renumber the entries from one on; by way of negative numbers, because each is unique."""
    return [
        f"UPDATE log_entries SET sequence = -sequence {WHERE} >= {first}",
        f"UPDATE log_entries SET sequence = -sequence + {by} {WHERE} < 0",
    ]


def swap(one: int, two: int) -> list[str]:
    return [
        f"UPDATE log_entries SET sequence = -1 {WHERE} = {one}",
        f"UPDATE log_entries SET sequence = {one} {WHERE} = {two}",
        f"UPDATE log_entries SET sequence = {two} {WHERE} = -1",
    ]


def copy_to(place: int, *, source: int) -> str:
    return (
        f"INSERT INTO log_entries ({COLUMNS}) SELECT company_id, {place}, {COPIED} FROM log_entries {WHERE} = {source}"
    )


TAMPERINGS: dict[str, tuple[list[str], int, LogDifference]] = {
    "the content of an entry": (
        [f"UPDATE log_entries SET canonical = (SELECT canonical FROM log_entries {WHERE} = 9) {WHERE} = 7"],
        7,
        LogDifference.CHANGED,
    ),
    "the hash of an entry": (
        [f"UPDATE log_entries SET hash = (SELECT hash FROM log_entries {WHERE} = 9) {WHERE} = 7"],
        7,
        LogDifference.CHANGED,
    ),
    "the previous hash of an entry": (
        [f"UPDATE log_entries SET previous_hash = (SELECT hash FROM log_entries {WHERE} = 9) {WHERE} = 7"],
        7,
        LogDifference.CHANGED,
    ),
    "whose record an entry is found under": (
        [f"UPDATE log_entries SET external_id = 'other' {WHERE} = 7"],
        7,
        LogDifference.CHANGED,
    ),
    "when an entry was seen": ([f"UPDATE log_entries SET seen_at = seen_at + 1 {WHERE} = 7"], 7, LogDifference.CHANGED),
    "what an entry says it is": ([f"UPDATE log_entries SET what = 'updated' {WHERE} = 7"], 7, LogDifference.CHANGED),
    "an entry removed": ([f"DELETE FROM log_entries {WHERE} = 7"], 7, LogDifference.REMOVED),
    "the first entry removed": ([f"DELETE FROM log_entries {WHERE} = 1"], 1, LogDifference.REMOVED),
    "an entry removed and the gap closed": (
        [f"DELETE FROM log_entries {WHERE} = 7", *shift(8, -1)],
        7,
        LogDifference.REMOVED,
    ),
    "an entry removed, the gap closed and the head set back": (
        [
            f"DELETE FROM log_entries {WHERE} = 7",
            *shift(8, -1),
            f"UPDATE log_heads SET sequence = {LENGTH - 1} WHERE company_id = 'acme'",
        ],
        7,
        LogDifference.REMOVED,
    ),
    "an entry put in": ([*shift(7, 1), copy_to(7, source=12)], 7, LogDifference.INSERTED),
    "an entry put behind the last": ([copy_to(LENGTH + 1, source=12)], LENGTH + 1, LogDifference.INSERTED),
    "two entries in each other's place": (swap(7, 12), 7, LogDifference.REORDERED),
    "neighbours in each other's place": (swap(7, 8), 7, LogDifference.REORDERED),
    "an entry far behind": ([f"UPDATE log_entries SET sequence = 99 {WHERE} = 7"], 7, LogDifference.REORDERED),
    "the newest entries cut off": ([f"DELETE FROM log_entries {WHERE} > 15"], 16, LogDifference.TRUNCATED),
    "all entries": (["DELETE FROM log_entries"], 1, LogDifference.TRUNCATED),
    "the head set back": (
        [f"UPDATE log_heads SET sequence = 15, hash = (SELECT hash FROM log_entries {WHERE} = 15)"],
        16,
        LogDifference.INSERTED,
    ),
    "another hash at the head": (
        [f"UPDATE log_heads SET hash = (SELECT hash FROM log_entries {WHERE} = 15)"],
        LENGTH,
        LogDifference.CHANGED,
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_what_the_owner_of_the_database_did_to_the_log_is_named(database_url: str, name: str) -> None:
    statements, broken_at, difference = TAMPERINGS[name]

    found = await tamper(database_url, statements)

    assert (found.broken_at, found.difference) == (broken_at, difference), found.fault
    assert found.fault


async def test_entries_of_two_companies_that_changed_places_are_found(database_url: str) -> None:
    async with SqlStore(database_url) as store:
        desks = [await StoreDesk(store, company=name).open() for name in ("acme", "birch")]
        for desk in desks:
            await desk.put(make_bill())

        def forge(connection: Connection) -> None:
            drop_triggers(connection)
            for before, after in (("acme", "-"), ("birch", "acme"), ("-", "birch")):
                statement = text("UPDATE log_entries SET company_id = :after WHERE company_id = :before")
                connection.execute(statement, {"before": before, "after": after})

        await store.database.migrate(forge)
        for desk in desks:
            found = await verify_log(store.log, desk.id)

            assert (found.broken_at, found.difference) == (1, LogDifference.CHANGED)


async def test_verification_reads_what_postgresql_and_sqlite_hold_alike(database_url: str) -> None:
    """An id with letters beyond ASCII is compared with its copy by bytes, not by characters."""
    async with SqlStore(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_bill("réf-№1"))
        await desk.commit(desk.make_page(deleted=[RecordKey(RecordKind.BILL, "réf-№1")]))

        found = await verify_log(store.log, desk.id)

    assert (found.is_sound, found.entries) == (True, 4)
