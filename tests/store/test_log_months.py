"""PostgreSQL keeps the log by month, and refuses by itself what one key over all of it would refuse, and gaps."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.log_entry import LogDraft, to_microseconds
from runway_core.errors import StoreUnavailable
from runway_core.sync.verification import LogDifference, verify_log
from runway_store_sql import SqlStore
from runway_store_sql.schema import configure_migrations
from runway_testkit.store_desk import START, StoreDesk, make_bill
from sqlalchemy import Connection, text

from tests.store.archive_desk import SECRET_KEY, ArchiveDesk
from tests.store.log_months import copy_database, count_in_parts, divide_log, part_of
from tests.store.test_log_tampering import drop_triggers

COLUMNS = "company_id, sequence, seen_at, rail, kind, external_id, what, correlation_id, previous_hash, hash, canonical"
MONTH = 31 * 24 * 3600 * 1_000_000
BY = Attribution(cause=Cause.SYSTEM, actor="runway", correlation_id="run")


def run(connection: Connection, *, statement: str) -> None:
    connection.execute(text(statement)).close()


def forge(sequence: str, *, previous: str, months_later: int = 1) -> str:
    """Another entry, seen in another month, whose place and forerunner may be told."""
    fifth = "FROM log_entries WHERE company_id = 'acme' AND sequence = 5"
    seen_at = f"seen_at + {months_later * MONTH}"
    return (
        f"INSERT INTO log_entries ({COLUMNS}) SELECT company_id, {sequence}, {seen_at}, rail, kind, external_id, what, "
        f"correlation_id, {previous}, sha256(hash), canonical {fifth}"
    )


@pytest.fixture(scope="module")
def divided(postgres: Callable[..., str]) -> str:
    return asyncio.run(divide_log(postgres()))


@pytest.fixture
async def url(divided: str) -> str:
    return await copy_database(divided)


@pytest.fixture
async def desk(url: str) -> AsyncIterator[StoreDesk]:
    """Five entries of one month: a company, its connection and three bills."""
    async with SqlStore(url, secret_key=SECRET_KEY) as store:
        desk = await StoreDesk(store).open()
        await desk.put(*(make_bill(str(n)) for n in range(3)))
        yield desk


REFUSED = {
    "the newest entry again, in another month": [forge("5", previous="previous_hash")],
    "an entry beyond the next": [forge("7", previous="hash")],
    "an entry that does not follow the newest": [forge("6", previous="previous_hash")],
    "an old entry, the head moved back": [
        "UPDATE log_heads SET sequence = 4, hash = (SELECT previous_hash FROM log_entries WHERE sequence = 5)",
        forge("5", previous="previous_hash"),
    ],
    "an old entry, the head begun anew": [
        "DELETE FROM log_heads WHERE company_id = 'acme'",
        "INSERT INTO log_heads VALUES ('acme', 4, (SELECT previous_hash FROM log_entries WHERE sequence = 5), 0)",
        forge("5", previous="previous_hash"),
    ],
    "an entry far on, the head moved there": [
        "UPDATE log_heads SET sequence = 99 WHERE company_id = 'acme'",
        forge("100", previous="hash"),
    ],
    "heads cleared": ["TRUNCATE log_heads"],
    "one entry twice, in two months of one statement": [
        " UNION ALL ".join(
            [forge("6", previous="hash"), forge("6", previous="hash", months_later=2).partition(" SELECT ")[2]]
        ).replace(" UNION ALL company_id", " UNION ALL SELECT company_id")
    ],
    "a company without a head": [forge("1", previous="previous_hash").replace("SELECT company_id", "SELECT 'birch'")],
}


async def test_the_database_refuses_an_entry_that_does_not_follow_the_head(desk: StoreDesk, url: str) -> None:
    """By SQL that asks no head and takes no lock, as the owner of the tables."""
    connection = await asyncpg.connect(url)
    said = {}
    for name, statements in REFUSED.items():
        try:
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
        except asyncpg.RaiseError as error:
            said[name] = str(error)
    await connection.close()

    assert [name for name in REFUSED if "append-only" not in said.get(name, "")] == []
    assert await desk.check_chain() == 5


async def test_what_follows_the_head_is_taken_and_moves_it(desk: StoreDesk, url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(forge("6", previous="hash"))
    await connection.execute(forge("7", previous="sha256(hash)", months_later=3))
    head = await connection.fetchrow("SELECT sequence FROM log_heads WHERE company_id = 'acme'")
    await connection.close()
    async with SqlStore(url) as store:
        parts = await store.database.read(count_in_parts)

    assert head is not None
    assert head["sequence"] == 7
    assert parts == {part_of(3): 5, part_of(4): 1, part_of(6): 1}


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
async def test_of_two_who_write_one_place_past_the_lock_one_is_refused(
    desk: StoreDesk, url: str, isolation: str
) -> None:
    """Each into a month of its own, neither seeing the other's entry."""
    one, other = await asyncpg.connect(url), await asyncpg.connect(url)
    for connection in (one, other):
        await connection.execute(f"BEGIN ISOLATION LEVEL {isolation}")
        await connection.fetch("SELECT FROM log_entries")
    await one.execute(forge("6", previous="hash", months_later=1))
    waiting = asyncio.ensure_future(other.execute(forge("6", previous="hash", months_later=2)))
    _, still = await asyncio.wait([waiting], timeout=0.1)
    await one.execute("COMMIT")
    with pytest.raises((asyncpg.RaiseError, asyncpg.SerializationError), match=r"append-only|could not serialize"):
        await waiting
    await one.close()
    await other.close()

    assert still == {waiting}
    assert (await desk.store.log.head(desk.id)).sequence == 6


async def test_a_log_over_a_year_is_verified_and_read_as_one(url: str) -> None:
    async with SqlStore(url, secret_key=SECRET_KEY) as store:
        desk = await StoreDesk(store).open()
        for month in range(14):
            await desk.put(*(make_bill(str(n), revision=month, memo=f"month {month}") for n in range(25)))
            desk.seconds += 31 * 24 * 3600
            await desk.reopen()
        parts = await store.database.read(count_in_parts)
        found = await verify_log(store.log, desk.id)
        places = {entry.sequence: entry async for entry in store.log.entries(desk.id, batch=60)}
        hashes = await store.log.hashes(desk.id, list(places))
        before = [await store.log.last_before(desk.id, START + timedelta(days=31 * n)) for n in range(14)]
        early = START + timedelta(days=31 * 3, minutes=1)
        books = await store.mirror.load_books(
            desk.company,
            as_of=early.date(),
            history_from=START.date() - timedelta(days=90),
            read_at=early,
            known_at=early,
        )

    assert len(parts) > 10
    assert (found.is_sound, found.entries) == (True, 2 + 14 * 25)
    assert list(places) == list(range(1, 353))
    assert hashes == {place: entry.hash for place, entry in places.items()}
    assert before == [0, *range(27, 27 + 13 * 25, 25)]
    assert {bill.memo for bill in books.bills} == {"month 3"}


async def test_a_clock_that_was_set_back_by_months_changes_no_order(url: str) -> None:
    """Entries lie in the months in which they were seen, and stand in their chain where they were written."""
    async with SqlStore(url, secret_key=SECRET_KEY) as store:
        desk = await StoreDesk(store).open()
        await store.log.append(desk.id, [note(month) for month in (8, 3, 6, 1, 7) for _ in range(500)])
        found = await verify_log(store.log, desk.id)
        places = [entry.sequence async for entry in store.log.entries(desk.id)]
        seen = [seen async for batch in store.log.stored(desk.id) for seen in batch]

    assert (found.is_sound, found.entries) == (True, 2502)
    assert places == list(range(1, 2503))
    assert [one.sequence for one in seen] == places


# --- months ---


async def test_what_belongs_to_no_month_is_taken_and_told(desk: StoreDesk, url: str) -> None:
    """A clock that ran a century ahead: nothing fails for lack of a month, and an upgrade leaves it where it is."""
    store = SqlStore(url, secret_key=SECRET_KEY)
    far = LogDraft(START + timedelta(days=36_500), "", "note", "far", "noted", BY)
    await desk.store.log.append(desk.id, [far])
    await store.upgrade()
    async with store:
        parts = await store.database.read(count_in_parts)
        warnings = (await store.check()).warnings

    assert parts["log_entries_rest"] == 1
    assert len(warnings) == 1
    assert "log_entries_rest, outside of all months" in warnings[0]
    assert await desk.check_chain() == 6


async def test_entries_that_came_while_no_month_was_made_become_a_part_of_their_own(
    postgres: Callable[..., str],
) -> None:
    """Nobody made months for a long time: the upgrade takes what was written as it lies, and makes those to come."""
    url = postgres()

    def fall_behind(connection: Connection) -> None:
        for part in connection.scalars(text("SELECT name FROM runway_log_months() WHERE first IS NOT NULL")).all():
            run(connection, statement=f"DROP TABLE {part}")

    store = SqlStore(url, secret_key=SECRET_KEY)
    async with store:
        desk = await StoreDesk(store).open()
        await store.database.migrate(fall_behind)
        now = await store.database.read(lambda connection: connection.scalar(text("SELECT now()")))
        await store.log.append(desk.id, [LogDraft(now, "", "note", "late", "noted", BY)])
        before = await store.database.read(count_in_parts)
        told = (await store.check()).warnings
        await store.keep_months()
        await store.upgrade()
        after = await store.database.read(count_in_parts)
        warnings = (await store.check()).warnings

    assert before == {"log_entries_past": 2, "log_entries_rest": 1}
    assert [warning.partition(" ")[0] for warning in told] == ["the", "the", "entries"]
    assert after == {"log_entries_past": 2, f"log_entries_{now:%Y_%m}_on": 1}
    assert warnings == ()


async def test_a_month_that_is_missing_is_told_and_made_by_the_role_that_serves(postgres: Callable[..., str]) -> None:
    url = postgres()
    role = f"serving_{url.partition('@/')[2].partition('?')[0]}"
    async with SqlStore(url, secret_key=SECRET_KEY) as owner:
        await owner.database.write(partial(run, statement=f"CREATE ROLE {role} LOGIN"))
        await owner.grant_app_role(role)
        newest = "SELECT name FROM runway_log_months() WHERE first IS NOT NULL ORDER BY first LIMIT 1 OFFSET 1"
        month = await owner.database.read(lambda c: c.scalar(text(newest)))
        await owner.database.migrate(partial(run, statement=f"DROP TABLE {month}"))
    async with SqlStore(url.replace("postgres@", f"{role}@"), secret_key=SECRET_KEY) as serving:
        missing = (await serving.check()).warnings
        await serving.keep_months()
        await serving.keep_months()
        made = (await serving.check()).warnings

    assert len(missing) == 1
    assert f"no part for {month.removeprefix('log_entries_').replace('_', '-')}" in missing[0]
    assert made == ()


async def test_making_a_month_holds_up_no_reader_for_long(desk: StoreDesk, url: str) -> None:
    """A long reading keeps it from being made; whoever comes behind waits for half a second, not for the reading."""
    newest = "SELECT name FROM runway_log_months() WHERE first IS NOT NULL ORDER BY first DESC LIMIT 1"
    long = await asyncpg.connect(url)
    async with SqlStore(url, secret_key=SECRET_KEY) as store:
        month = await store.database.read(lambda connection: connection.scalar(text(newest)))
        await store.database.migrate(partial(run, statement=f"DROP TABLE {month}"))
        await long.execute("BEGIN")
        await long.fetch("SELECT * FROM log_entries")
        making = asyncio.ensure_future(store.keep_months())
        found = await asyncio.wait_for(verify_log(desk.store.log, desk.id), 5)
        with pytest.raises(StoreUnavailable, match="held by a transaction"):
            await asyncio.wait_for(making, 5)
        await long.execute("ROLLBACK")
        await store.keep_months()
        made = await store.database.read(lambda connection: connection.scalar(text(newest)))
    await long.close()

    assert found.is_sound
    assert made == month


# --- walls ---


def read_parts(connection: Connection) -> Sequence[str]:
    return connection.scalars(text("SELECT name FROM runway_log_months() ORDER BY name")).all()


ON_A_PART = {
    "update": "UPDATE {} SET what = 'never'",
    "delete": "DELETE FROM {}",
    "truncate": "TRUNCATE {}",
    "insert": f"INSERT INTO {{}} ({COLUMNS}) SELECT {COLUMNS} FROM log_entries",
    "copy": "COPY {} FROM PROGRAM 'true'",
}


async def test_each_part_is_kept_when_it_is_addressed_by_itself(url: str) -> None:
    """Even by the superuser who owns it: the triggers of statements are not inherited."""
    async with SqlStore(url, secret_key=SECRET_KEY) as store:
        desk = await StoreDesk(store).open()
        parts = await store.database.read(read_parts)
        await store.log.append(desk.id, [note(month) for month in range(10)])
        held = await store.database.read(count_in_parts)
        for name, act in ON_A_PART.items():
            for part in held if name in ("update", "delete") else parts:  # without a row there is nothing to refuse
                with pytest.raises(StoreUnavailable, match="append-only"):
                    await store.database.write(partial(run, statement=act.format(part)))

        assert len(held) > 9
        assert await desk.check_chain() == 12


def note(month: int) -> LogDraft:
    return LogDraft(START + timedelta(days=31 * month), "", "note", str(month), "noted", BY)


async def test_whoever_serves_reaches_no_part_by_itself(url: str) -> None:
    role = f"serving_{url.partition('@/')[2].partition('?')[0]}"
    async with SqlStore(url, secret_key=SECRET_KEY) as owner:
        await owner.database.write(partial(run, statement=f"CREATE ROLE {role} LOGIN"))
        await owner.grant_app_role(role)
        await owner.database.migrate(partial(run, statement="SELECT runway_make_log_month('2031-01-01')"))
        parts = await owner.database.read(read_parts)
    async with SqlStore(url.replace("postgres@", f"{role}@"), secret_key=SECRET_KEY) as serving:
        desk = await StoreDesk(serving).open()
        await desk.put(*(make_bill(str(n)) for n in range(30)))
        for part in parts:
            for statement in ("SELECT * FROM {}", *(one for name, one in ON_A_PART.items() if name != "copy")):
                with pytest.raises(StoreUnavailable, match="does not let this user"):
                    await serving.database.write(partial(run, statement=statement.format(part)))
        for making in ("SELECT runway_make_log_month('2032-01-01')", "SELECT runway_make_log_part('x', 'DEFAULT')"):
            with pytest.raises(StoreUnavailable, match="does not let this user"):
                await serving.database.write(partial(run, statement=making))

        assert await desk.check_chain() == 32


TAKEN_AWAY = {
    "ALTER TABLE {} DISABLE TRIGGER log_entries_keep_part": "lacks log_entries_keep_part",
    "DROP TRIGGER log_entries_keep_all ON {}": "lacks log_entries_keep_all",
    "ALTER TABLE {} DISABLE TRIGGER USER": "lacks log_entries_keep, log_entries_keep_all, log_entries_keep_delete",
    "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY": "has no forced row level security",
}


async def test_parts_whose_guards_do_not_stand_are_named_and_mended(url: str) -> None:
    store = SqlStore(url, secret_key=SECRET_KEY)
    async with store:
        for month, act in enumerate(TAKEN_AWAY, 3):
            await store.database.migrate(partial(run, statement=act.format(part_of(month))))
        lacking = (await store.check()).warnings
        await store.upgrade()
        mended = (await store.check()).warnings

    named = zip(lacking, enumerate(TAKEN_AWAY.values(), 3), strict=True)
    assert all(warning.startswith(f"{part_of(month)} {said}") for warning, (month, said) in named), lacking
    assert mended == ()


async def test_guards_of_the_whole_that_were_taken_away_are_named(url: str) -> None:
    async with SqlStore(url, secret_key=SECRET_KEY) as store:
        for table in ("log_entries", "log_heads"):
            await store.database.migrate(partial(run, statement=f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        named = [warning.partition(" ")[0] for warning in (await store.check()).warnings]

    assert {"log_entries", "log_heads"} <= set(named)


async def test_an_entry_that_stands_in_two_months_is_found(desk: StoreDesk) -> None:
    """What one key would refuse to whoever takes the triggers away is found by verifying."""

    def act(connection: Connection) -> None:
        drop_triggers(connection)
        run(connection, statement=forge("5", previous="previous_hash"))

    await desk.store.database.migrate(act)  # type: ignore[attr-defined]  # a store of SQL
    found = await verify_log(desk.store.log, desk.id)

    assert not found.is_sound
    assert found.broken_at in (5, 6)
    assert found.difference is not LogDifference.TRUNCATED


# --- out of the table and back, from one table and from a backup ---


async def test_a_month_is_dropped_once_all_of_it_is_archived_and_made_again_when_it_comes_back(
    url: str, tmp_path: Path
) -> None:
    """Two companies: while one of them has entries there, the month stays."""
    acme, birch = ArchiveDesk(url, tmp_path), ArchiveDesk(url, tmp_path, company="birch")
    async with acme.runway:
        await acme.put_months(3)
        birch.store, birch.runway, birch.folder = acme.store, acme.runway, acme.folder
        birch.desk = StoreDesk(acme.store, company="birch")
        await birch.put_months(2)
        before = await acme.rows()
        await acme.detach()
        shared = await acme.store.database.read(read_parts)
        await birch.detach()
        left = await acme.store.database.read(read_parts)
        sound = (await acme.runway.verify_log(acme.id)).is_sound
        await acme.runway.archives.restore(acme.id, actor="ada")
        back = await acme.store.database.read(read_parts)
        after = await acme.rows()
        warnings = (await acme.store.check()).warnings

    assert {part_of(3), part_of(4)} <= set(shared)
    assert part_of(5) not in shared
    assert not {part_of(3), part_of(4), part_of(5)} & set(left)
    assert sound
    assert {part_of(3), part_of(4), part_of(5)} <= set(back)
    assert after[: len(before)] == before
    assert warnings == ()


async def test_an_archived_entry_comes_back_once_whatever_month_it_is_put_into(url: str, tmp_path: Path) -> None:
    """By SQL of the owner, past the command that restores."""
    desk = ArchiveDesk(url, tmp_path)
    async with desk.runway:
        await desk.put_months(3)
        rows = await desk.rows()
        await desk.detach()
        places = ", ".join(f"${place}" for place in range(1, len(rows[0]) + 1))
        adding = f"INSERT INTO log_entries ({COLUMNS}) VALUES ({places})"
        connection = await asyncpg.connect(url)
        await connection.execute(adding, *rows[4])
        owner, sequence, seen_at, *rest = rows[4]
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await connection.execute(adding, owner, sequence, seen_at + 6 * MONTH, *rest)
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await connection.execute(adding, owner, 17, *rows[4][2:])  # the newest mark, which stands in no piece
        await connection.close()


@pytest.mark.parametrize("is_ahead", [False, True], ids=["in time", "ahead"])
async def test_the_table_becomes_the_past_as_it_lies_and_roles_keep_their_rights(
    postgres: Callable[..., str], *, is_ahead: bool
) -> None:
    """No row is written again: the file stays. A clock that ran ahead moves the end of the past."""
    url = postgres(migrated=False)
    store = SqlStore(url, secret_key=SECRET_KEY)
    role = f"serving_{url.partition('@/')[2].partition('?')[0]}"
    await store.database.open()
    await store.database.migrate(lambda c: command.upgrade(configure_migrations(c), "0024"))
    await store.database.close()
    connection = await asyncpg.connect(url)
    seen_at = to_microseconds(START + timedelta(days=3_650 if is_ahead else 0))
    await connection.execute(f"CREATE ROLE {role}; GRANT SELECT, INSERT ON log_entries TO {role}")
    await connection.execute(
        f"INSERT INTO log_entries SELECT 'acme', n, {seen_at}, '', 'note', '', 'noted', '', '', '', '' "
        "FROM generate_series(1, 100) n"
    )
    file = await connection.fetchval("SELECT pg_relation_filenode('log_entries')")
    await store.upgrade()
    row: Any = await connection.fetchrow(
        "SELECT pg_relation_filenode('log_entries_past') AS file, (SELECT count(*) FROM log_entries_past) AS entries, "
        f"has_table_privilege('{role}', 'log_entries', 'INSERT') AS may_add, "
        f"has_table_privilege('{role}', 'log_entries_past', 'INSERT') AS may_add_to_part, "
        "(SELECT count(*) FROM pg_indexes WHERE tablename = 'log_entries_past') AS indexes, "
        "(SELECT count(*) FROM pg_constraint WHERE conname = 'log_entries_bound') AS bounds"
    )
    await connection.close()
    async with store:
        warnings = (await store.check()).warnings

    assert (row["file"], row["entries"], row["indexes"], row["bounds"]) == (file, 100, 3, 0)
    assert (row["may_add"], row["may_add_to_part"]) == (True, False)
    assert warnings == ()


async def test_a_restored_log_minds_its_heads_again(url: str, postgres: Callable[..., str], tmp_path: Path) -> None:
    async with SqlStore(url, secret_key=SECRET_KEY) as store:
        desk = await StoreDesk(store).open()
        await store.log.append(desk.id, [note(month) for month in range(8)])
        await store.back_up(tmp_path / "backup")
    restored = SqlStore(postgres(migrated=False), secret_key=SECRET_KEY)
    await restored.restore(tmp_path / "backup")
    async with restored:
        desk = StoreDesk(restored)
        found = await verify_log(restored.log, desk.id)
        with pytest.raises(StoreUnavailable, match="append-only"):
            await restored.database.write(partial(run, statement=forge("12", previous="hash")))
        with pytest.raises(StoreUnavailable, match="append-only"):
            await restored.database.write(partial(run, statement="INSERT INTO log_heads VALUES ('birch', 4, '', 0)"))
        await restored.log.append(desk.id, [note(8)])
        warnings = (await restored.check()).warnings

        assert (found.is_sound, found.entries) == (True, 10)
        assert await desk.check_chain() == 11
    assert warnings == ()
