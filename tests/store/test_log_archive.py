"""Months of the log that are in files alone are read, verified and put back as if they had never left."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from runway_core.domain.identity import FirmId
from runway_core.errors import InvalidRequest, LogBroken, StoreUnavailable
from runway_core.sync.mirror_check import find_mirror_differences
from runway_core.sync.verification import LogDifference
from runway_store_sql import SqlStore
from runway_testkit.store_desk import START, StoreDesk, make_bill
from sqlalchemy import Connection

from tests.store.archive_desk import BILL, SECRET_KEY, ArchiveDesk, history, read_books
from tests.store.test_log_tampering import drop_triggers
from tests.store.test_standalone_verifier import verify


@pytest.fixture
async def old(tmp_path: Path) -> AsyncIterator[ArchiveDesk]:
    """Three months of four bills each, 14 entries, all old enough to go."""
    desk = ArchiveDesk(f"sqlite:///{tmp_path / 'books.db'}", tmp_path)
    async with desk.runway:
        yield await desk.put_months(3)


@pytest.fixture
async def on_either(database_url: str, tmp_path: Path) -> AsyncIterator[ArchiveDesk]:
    """The same on both databases, for what they do themselves."""
    desk = ArchiveDesk(database_url, tmp_path)
    async with desk.runway:
        yield await desk.put_months(3)


async def test_a_month_a_piece_leaves_the_table_and_the_chain_says_so(on_either: ArchiveDesk) -> None:
    before = [entry async for entry in on_either.store.log.entries(on_either.id)]
    gone = await on_either.detach()
    after = [entry async for entry in on_either.store.log.entries(on_either.id)]
    rows = await on_either.rows()
    found = await on_either.runway.verify_log(on_either.id)
    anchors = await on_either.runway.anchors.verify([on_either.id])

    assert [(piece.first, piece.last) for piece in gone] == [(1, 6), (7, 10), (11, 14)]
    assert after[:14] == before  # in every field, hashes too
    assert [entry.draft.what for entry in after[14:]] == ["log_detached"] * 3
    assert [row[1] for row in rows] == [15, 16, 17]
    assert (found.is_sound, found.entries, anchors.is_sound) == (True, 17, True)


async def test_what_is_archived_answers_for_the_past_as_the_table_did(on_either: ArchiveDesk) -> None:
    log, moment = on_either.store.log, on_either.desk.now
    told = (
        await history(on_either),
        await log.last_before(on_either.id, moment),
        await log.hashes(on_either.id, [1, 9, 14]),
    )
    places = [await log.last_before(on_either.id, entry.draft.seen_at) async for entry in log.entries(on_either.id)]
    moments = [START + timedelta(days=31 * month, hours=1) for month in range(3)]
    books = [await read_books(on_either, at=moment, known_at=moment) for moment in moments]
    await on_either.detach()
    again = (
        await history(on_either),
        await log.last_before(on_either.id, moment),
        await log.hashes(on_either.id, [1, 9, 14]),
    )
    entries = [entry async for entry in log.entries(on_either.id)]

    assert again == (told[0], 14, told[2])
    assert [await read_books(on_either, at=moment, known_at=moment) for moment in moments] == books
    assert [held.bills[0].memo for held in books] == ["month 0", "month 1", "month 2"]
    assert [await log.last_before(on_either.id, entry.draft.seen_at) for entry in entries[:14]] == places
    assert list(await find_mirror_differences(on_either.store, on_either.id)) == []
    assert [entry.sequence async for entry in log.entries(on_either.id, after=8)] == list(range(9, 18))


async def test_a_bill_is_followed_across_archive_and_table(old: ArchiveDesk) -> None:
    await old.detach()
    await old.desk.put(make_bill("1", revision=9, open_balance="0.0000"))
    steps = await old.runway.custody.follow(old.id, "1")

    assert [step.stage.value for step in steps] == ["seen", "changed", "changed", "changed"]
    assert [step.sequence for step in steps] == [4, 8, 12, 18]


async def test_entries_are_put_back_byte_for_byte(on_either: ArchiveDesk) -> None:
    before = await on_either.rows()
    await on_either.detach()
    one = await on_either.runway.archives.restore(on_either.id, most=1, actor="ada")
    between = [row[1] for row in await on_either.rows()]
    rest = await on_either.runway.archives.restore(on_either.id, actor="ada")
    after = await on_either.rows()

    assert [piece.first for piece in (*one, *rest)] == [11, 7, 1]
    assert between == [11, 12, 13, 14, 15, 16, 17, 18]
    assert after[:14] == before
    assert [row[6] for row in after[14:]] == ["log_detached"] * 3 + ["log_restored"] * 3
    assert (await on_either.runway.verify_log(on_either.id)).is_sound
    assert await on_either.runway.archives.detached(on_either.id) == []


async def test_what_was_put_back_may_go_again(old: ArchiveDesk) -> None:
    await old.detach()
    await old.runway.archives.restore(old.id, actor="ada")
    again = await old.detach()
    nothing = await old.detach()

    assert ([piece.first for piece in again], nothing) == ([1, 7, 11], [])
    assert (await old.runway.verify_log(old.id)).is_sound


# --- what is refused ---


async def test_nothing_goes_that_no_anchor_outside_the_database_covers(old: ArchiveDesk) -> None:
    pieces = await old.archive()
    for path in old.anchors.iterdir():
        path.unlink()
    with pytest.raises(InvalidRequest, match="no anchor outside the database covers entry 6"):
        await old.runway.archives.detach(pieces, actor="ada")

    assert len(await old.rows()) == 14


async def test_nothing_goes_where_anchors_are_kept_in_the_database_alone(tmp_path: Path) -> None:
    desk = ArchiveDesk(f"sqlite:///{tmp_path / 'books.db'}", tmp_path, sinks=())
    async with desk.runway:
        await desk.put_months(1)
        with pytest.raises(InvalidRequest, match="RUNWAY_ANCHOR_FOLDER"):
            await desk.detach()


async def test_what_the_books_of_today_are_read_with_stays(tmp_path: Path) -> None:
    desk = ArchiveDesk(f"sqlite:///{tmp_path / 'books.db'}", tmp_path)
    async with desk.runway:
        await desk.desk.open()
        await desk.desk.put(make_bill())
        desk.sync_clock()
        pieces = await desk.archive(before=desk.clock.now())
        with pytest.raises(InvalidRequest, match="of the last 90 days"):
            await desk.runway.archives.detach(pieces, actor="ada")


async def test_a_piece_that_is_not_what_was_signed_lets_nothing_go(old: ArchiveDesk) -> None:
    pieces = await old.archive()
    path = old.folder / pieces[1].file
    path.chmod(0o644)
    path.write_bytes((old.folder / pieces[2].file).read_bytes())
    with pytest.raises(LogBroken, match="is not the file that was archived"):
        await old.runway.archives.detach(pieces, actor="ada")

    assert [row[1] for row in await old.rows()] == [*range(7, 15), 15]  # the first had gone, whole and marked


async def test_a_piece_out_of_turn_does_not_go(old: ArchiveDesk) -> None:
    pieces = await old.archive()
    [mark, *_] = await history(old)
    with pytest.raises(InvalidRequest, match="the next that may go is 1"):
        await old.runway.archives.detach(pieces[1:], actor="ada")
    await old.runway.archives.detach(pieces, actor="ada")
    first, *_ = await old.runway.archives.detached(old.id)
    with pytest.raises(InvalidRequest, match="put later ones back first"):
        await old.store.log_archives.put_back(old.id, first, mark)

    assert len(await old.rows()) == 3


async def test_a_table_that_holds_other_entries_than_the_piece_keeps_them(on_either: ArchiveDesk) -> None:
    pieces = await on_either.archive()

    def forge(connection: Connection) -> None:
        drop_triggers(connection)

    await on_either.store.database.migrate(forge)
    await on_either.run("DELETE FROM log_entries WHERE company_id = 'acme' AND sequence = 3")
    with pytest.raises(LogBroken, match="holds other entries"):
        await on_either.runway.archives.detach(pieces, actor="ada")

    assert len(await on_either.rows()) == 13


MARKED = "'acme', 1, 6, 'x', 1, 'f', 'x', 3"


COPY = (
    "INSERT INTO log_pieces SELECT company_id, {places}, last_hash, first_seen_at, file, sha256, {mark} "
    "FROM log_pieces WHERE company_id = 'acme' AND first_sequence = 1"
)
KNOCKS = (
    "DELETE FROM log_entries WHERE company_id = 'acme' AND sequence = 15",
    "DELETE FROM log_entries WHERE company_id = 'birch' AND sequence = 1",
    "UPDATE log_entries SET what = 'never'",
    "UPDATE log_pieces SET last_sequence = 99",
    "DELETE FROM log_pieces",
    COPY.format(places="15, 17", mark=15),
    COPY.format(places="15, 17", mark="mark_sequence"),
)


async def test_the_door_opens_for_marked_pieces_alone(on_either: ArchiveDesk) -> None:
    """The triggers are the wall, also for whom the guard of SQLite's writer lets through."""
    other = StoreDesk(on_either.store, company="birch")
    await other.open()
    await on_either.detach()
    for statement in KNOCKS:
        with pytest.raises(StoreUnavailable, match="append-only"):
            await on_either.run(statement)

    assert (await on_either.runway.verify_log(on_either.id)).is_sound
    assert (await on_either.runway.verify_log(other.id)).entries == 2


async def test_no_statement_of_ours_opens_the_door_on_sqlite(tmp_path: Path) -> None:
    desk = ArchiveDesk(f"sqlite:///{tmp_path / 'books.db'}", tmp_path)
    async with desk.runway:
        await desk.put_months(1)
        await desk.detach()
        for statement in ("DELETE FROM log_pieces", f"INSERT INTO log_pieces VALUES ({MARKED})"):
            with pytest.raises(StoreUnavailable, match="not authorized"):
                await desk.store.database.write(partial(run_sql, statement=statement))


def run_sql(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)


# --- what is found ---


async def test_an_archived_head_is_told_apart_from_a_deleted_one(on_either: ArchiveDesk) -> None:
    """Whoever owns the database deletes a month and writes himself the row that says it was archived."""
    pieces = await on_either.archive()
    [first, *_] = pieces

    def forge(connection: Connection) -> None:
        drop_triggers(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE log_pieces DISABLE TRIGGER USER")
        values = (first.last, first.last_hash, first.file, first.sha256)
        places = "$1, $2, 0, $3, $4" if connection.dialect.name == "postgresql" else "?, ?, 0, ?, ?"
        connection.exec_driver_sql(f"INSERT INTO log_pieces SELECT 'acme', 1, {places}, 9", values)
        connection.exec_driver_sql("DELETE FROM log_entries WHERE company_id = 'acme' AND sequence <= 6")

    await on_either.store.database.migrate(forge)
    found = await on_either.runway.verify_log(on_either.id)

    assert (found.broken_at, found.difference) == (1, LogDifference.REMOVED)
    assert "entry 9, which should say so under a key of this log, does not" in str(found.fault)


async def test_a_head_that_was_deleted_after_a_piece_had_gone_is_missing(old: ArchiveDesk) -> None:
    await old.runway.archives.detach((await old.archive())[:1], actor="ada")

    def forge(connection: Connection) -> None:
        drop_triggers(connection)
        connection.exec_driver_sql("DELETE FROM log_entries WHERE company_id = 'acme' AND sequence IN (7, 8)")

    await old.store.database.migrate(forge)
    found = await old.runway.verify_log(old.id)

    assert (found.broken_at, found.difference) == (7, LogDifference.REMOVED)


async def test_an_entry_that_is_put_where_one_was_archived_is_found_and_never_read(on_either: ArchiveDesk) -> None:
    told = await history(on_either)
    await on_either.detach()
    copied = "seen_at, rail, kind, external_id, what, correlation_id, previous_hash, hash, canonical"
    await on_either.run(
        f"INSERT INTO log_entries (company_id, sequence, {copied}) SELECT company_id, 5, {copied} FROM log_entries "
        "WHERE company_id = 'acme' AND sequence = 15"
    )
    found = await on_either.runway.verify_log(on_either.id)

    assert not found.is_sound
    assert "entry 5 stands in the table and was archived" in str(found.fault)
    assert await history(on_either) == told


async def test_an_archive_that_is_not_at_hand_is_named_and_the_rest_is_verified(
    old: ArchiveDesk, tmp_path: Path
) -> None:
    moment = old.desk.now
    gone = await old.detach()
    (old.folder / gone[1].file).rename(tmp_path / "elsewhere")
    found = await old.runway.verify_log(old.id)
    anchors = await old.runway.anchors.verify([old.id])
    refused = []
    for ask in (
        lambda: history(old),
        lambda: read_books(old, at=moment, known_at=moment),
        lambda: old.runway.custody.follow(old.id, "1"),
        lambda: old.runway.log_entries(old.id),
        lambda: old.runway.archives.restore(old.id, actor="ada"),
    ):
        with pytest.raises(StoreUnavailable) as error:
            await ask()
        refused.append(str(error.value))
    today = await read_books(old, at=moment)

    assert (found.difference, found.broken_at, found.trusted_through) == (LogDifference.ABSENT, 7, 10)
    assert gone[1].file in str(found.fault)
    assert anchors.is_sound
    assert all(gone[1].file in said for said in refused)
    assert len(today.bills) == 4


async def test_without_a_folder_reading_says_which_setting_is_missing(old: ArchiveDesk, tmp_path: Path) -> None:
    await old.detach()
    await old.store.__aexit__(None, None, None)
    async with SqlStore(f"sqlite:///{tmp_path / 'books.db'}", secret_key=SECRET_KEY) as store:
        with pytest.raises(StoreUnavailable, match=r"entries 1 to 6 are archived in 'acme-.*RUNWAY_LOG_ARCHIVE_FOLDER"):
            await store.log.history(old.id, BILL)


async def test_a_piece_that_was_altered_later_is_found(old: ArchiveDesk) -> None:
    gone = await old.detach()
    path = old.folder / gone[1].file
    path.chmod(0o644)
    content = path.read_bytes()
    path.write_bytes(content[:-20] + bytes(20))
    found = await old.runway.verify_log(old.id)
    with pytest.raises(LogBroken, match="is not the file that was archived"):
        await history(old)

    assert (found.broken_at, found.difference) == (7, LogDifference.CHANGED)
    assert gone[1].file in str(found.fault)


def move_manifests(source: Path, target: Path) -> None:
    for path in source.glob("*.manifest.json"):
        path.rename(target / path.name)


async def test_what_left_the_database_is_never_written_anew(old: ArchiveDesk, tmp_path: Path) -> None:
    """The same entries in other bytes would be another file than the one that the chain knows."""
    gone = await old.detach()
    held = {piece.file: (old.folder / piece.file).read_bytes() for piece in gone}
    move_manifests(old.folder, tmp_path)
    await old.desk.put(make_bill("1", revision=9))
    await old.later(200)
    with pytest.raises(LogBroken, match="lacks pieces or manifests of entries up to 14"):
        await old.archive()
    move_manifests(tmp_path, old.folder)
    again = await old.detach()

    assert {piece.file: (old.folder / piece.file).read_bytes() for piece in gone} == held
    assert [(piece.first, piece.last) for piece in again] == [(15, 18)]


async def test_a_mark_may_leave_the_database_too(old: ArchiveDesk, tmp_path: Path) -> None:
    """What says of the first months that they left goes with a later one; the newest mark stays and vouches for all."""
    await old.detach()
    await old.later(200)
    again = await old.detach()
    sound = await old.runway.verify_log(old.id)
    (old.folder / again[0].file).rename(tmp_path / "elsewhere")
    absent = await old.runway.verify_log(old.id)

    assert [(piece.first, piece.last) for piece in again] == [(15, 17)]
    assert (sound.is_sound, sound.entries) == (True, 18)
    assert (absent.difference, absent.trusted_through) == (LogDifference.ABSENT, 17)


# --- outside of Runway ---


async def export(desk: ArchiveDesk, path: Path, *, after: int = 0) -> Path:
    with path.open("wb") as file:
        async for lines in desk.runway.export_log(desk.id, after=after):
            file.write(lines)
    return path


async def test_archive_and_export_are_verified_together_without_runway(old: ArchiveDesk, tmp_path: Path) -> None:
    whole_before = await export(old, tmp_path / "before.jsonl")
    await old.detach()
    await old.runway.anchors.anchor()
    whole = await export(old, tmp_path / "whole.jsonl")
    rest = await export(old, tmp_path / "rest.jsonl", after=14)
    [key] = [key.public_key.hex() for key in await old.runway.anchors.keys()]

    together = verify(old.folder, rest, "--anchors", old.anchors, "--public-key", key)
    alone = verify(rest, "--anchors", old.anchors)

    assert together[0] == 0, together
    assert "acme: 17 entries agree with 2 anchors" in together[1]
    assert verify(whole, whole_before, old.folder)[0] == 0
    assert alone[0] == 0
    assert "entries 7 to 10 are archived in acme-000000000007-000000000010.jsonl.gz: not given" in alone[1]


async def test_a_mark_that_names_another_piece_is_found_without_runway(old: ArchiveDesk, tmp_path: Path) -> None:
    """The archive of another history: it fits itself and is signed, and the chain knows it by another hash."""
    twin = ArchiveDesk(f"sqlite:///{tmp_path / 'twin.db'}", tmp_path / "twin")
    async with twin.runway:
        await twin.put_months(3, bills=5)
        await twin.archive()
    await old.detach()
    rest = await export(old, tmp_path / "rest.jsonl", after=14)

    code, said = verify(twin.folder, rest)

    assert code == 1, said
    assert "does not follow" in said or "is another one" in said


async def test_a_backup_holds_what_is_in_the_table_and_knows_what_is_not(
    on_either: ArchiveDesk, tmp_path: Path, postgres: Callable[..., str]
) -> None:
    """Restoring puts the marks in before the pieces that need them."""
    await on_either.detach()
    told = await history(on_either)
    await on_either.store.back_up(tmp_path / "backup")
    is_embedded = on_either.store.database.is_embedded
    url = f"sqlite:///{tmp_path / 'restored.db'}" if is_embedded else postgres()
    restored = ArchiveDesk(url, tmp_path)
    await restored.store.restore(tmp_path / "backup")
    async with restored.store:
        assert await history(restored) == told
        assert (await restored.runway.verify_log(restored.id)).is_sound


async def test_the_role_that_serves_reads_across_the_archive_and_takes_nothing_out(
    postgres: Callable[..., str], tmp_path: Path
) -> None:
    url = postgres()
    role = f"serving_{url.partition('@/')[2].partition('?')[0]}"
    owner = ArchiveDesk(url, tmp_path)
    async with owner.runway:
        await owner.put_months(3)
        await owner.store.database.write(partial(run_sql, statement=f"CREATE ROLE {role} LOGIN"))
        await owner.store.grant_app_role(role)
        await owner.runway.archives.detach((await owner.archive())[:2], actor="ada")
        told = await history(owner)
    serving = ArchiveDesk(url.replace("postgres@", f"{role}@"), tmp_path)
    serving.store = SqlStore(
        url.replace("postgres@", f"{role}@"),
        secret_key=SECRET_KEY,
        clock=owner.clock,
        log_archive=owner.folder,
        firm_id=FirmId("own"),
    )
    async with serving.store as store:
        [*_, newest] = await store.log_archives.detached(owner.id)
        with pytest.raises(InvalidRequest, match="as the owner of the tables"):
            await store.log_archives.put_back(owner.id, newest, told[0])
        for statement in ("DELETE FROM log_entries", "DELETE FROM log_pieces", "UPDATE log_pieces SET file = 'x'"):
            with pytest.raises(StoreUnavailable, match="does not let this user"):
                await store.database.write(partial(run_sql, statement=statement))

        assert await history(serving) == told


async def test_an_owner_of_the_tables_who_is_no_superuser_archives_behind_the_wall(
    postgres: Callable[..., str], tmp_path: Path
) -> None:
    """Row level security is forced on owners too: everything is done for one firm, entries come back by a detour."""
    url = postgres()
    database = url.partition("@/")[2].partition("?")[0]
    role = f"owning_{database}"
    async with SqlStore(url, create=True, secret_key=SECRET_KEY) as superuser:
        for statement in (f"CREATE ROLE {role} LOGIN", f"GRANT postgres TO {role}"):
            await superuser.database.write(partial(run_sql, statement=statement))
        tables = await superuser.database.read(read_tables)
        for table in tables:
            await superuser.database.write(partial(run_sql, statement=f"ALTER TABLE {table} OWNER TO {role}"))
        await superuser.database.write(partial(run_sql, statement=f"REVOKE postgres FROM {role}"))
    desk = ArchiveDesk(url.replace("postgres@", f"{role}@"), tmp_path)
    async with desk.runway:
        await desk.put_months(2, bills=30)
        before = await desk.rows()
        gone = await desk.detach()
        left = await desk.rows()
        await desk.runway.archives.restore(desk.id, actor="ada")
        after = await desk.rows()

    assert (len(gone), len(left), after[: len(before)]) == (2, 2, before)


def read_tables(connection: Connection) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    return [name for (name,) in connection.exec_driver_sql(query).all()]


async def test_verifying_since_a_moment_begins_within_the_archive(old: ArchiveDesk) -> None:
    second_month = START + timedelta(days=31)
    await old.detach()
    at_entry = await old.runway.verify_log(old.id, since=second_month)
    later = await old.runway.verify_log(old.id, since=old.clock.now() + timedelta(days=1))

    assert (at_entry.is_sound, at_entry.trusted_through, at_entry.entries) == (True, 6, 11)
    assert later.is_sound
