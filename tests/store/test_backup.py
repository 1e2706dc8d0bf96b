"""A database is written into a file while it is in use, and made of it again: mirror, log, anchors and secrets."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from runway_core.domain.identity import FirmId
from runway_core.errors import InvalidRequest, LogBroken
from runway_core.runway import Runway
from runway_core.sync.mirror_check import find_mirror_differences
from runway_core.sync.verification import verify_log
from runway_store_sql import FolderAnchorSink, SqlStore
from runway_store_sql.backup import draft_of_file
from runway_testkit.clock import FixedClock
from runway_testkit.store_desk import START, StoreDesk, make_account, make_bill

SECRET_KEY = "a key for tests alone, of 32 characters and more"


@pytest.fixture
def fresh_url(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of a database that is not made yet, of the same kind."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'restored.db'}"
    new_database: Callable[..., str] = request.getfixturevalue("postgres")
    return new_database(migrated=False)


async def test_a_restored_database_is_the_one_that_was_backed_up(
    database_url: str, fresh_url: str, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    sink = FolderAnchorSink(tmp_path / "anchors")
    async with SqlStore(database_url, secret_key=SECRET_KEY) as store:
        desk = await StoreDesk(store).open()
        await desk.put(*(make_bill(str(n), memo="№ü") for n in range(30)), make_account())
        await desk.put(make_bill("1", revision=1, open_balance="0.0001"))
        await store.vault.save(desk.connection.connection_id, {"token": SecretStr("hidden")})
        runway = Runway.open(store=store, rails=[], clock=FixedClock(START), firm_id=FirmId("own"), anchor_sinks=[sink])
        await runway.anchors.anchor()
        await store.back_up(backup)
        mirror, head = await desk.read_mirror(), await store.log.head(desk.id)
        await desk.put(make_bill("2", revision=1, memo="after the backup"))

    restored = SqlStore(fresh_url, secret_key=SECRET_KEY)
    await restored.restore(backup)
    async with restored:
        again = StoreDesk(restored)
        runway = Runway.open(
            store=restored, rails=[], clock=FixedClock(START), firm_id=FirmId("own"), anchor_sinks=[sink]
        )

        assert await restored.log.head(again.id) == head
        assert await again.read_mirror() == mirror
        assert list(await find_mirror_differences(restored, again.id)) == []
        assert (await verify_log(restored.log, again.id)).is_sound
        assert (await runway.anchors.verify([again.id])).is_sound
        secrets = await restored.vault.load(again.connection.connection_id)
        assert secrets["token"].get_secret_value() == "hidden"
        await again.reopen()
        await again.put(make_bill("3", revision=9))  # and it goes on
        assert (await verify_log(restored.log, again.id)).is_sound


async def test_a_backup_older_than_an_anchor_says_what_is_missing(
    database_url: str, fresh_url: str, tmp_path: Path
) -> None:
    sink = FolderAnchorSink(tmp_path / "anchors")
    clock = FixedClock(START)
    async with SqlStore(database_url, secret_key=SECRET_KEY) as store:
        desk = await StoreDesk(store).open()
        await store.back_up(tmp_path / "backup")
        await desk.put(make_bill())
        runway = Runway.open(store=store, rails=[], clock=clock, firm_id=FirmId("own"), anchor_sinks=[sink])
        await runway.anchors.anchor()

    restored = SqlStore(fresh_url, secret_key=SECRET_KEY)
    await restored.restore(tmp_path / "backup")
    async with restored:
        runway = Runway.open(store=restored, rails=[], clock=clock, firm_id=FirmId("own"), anchor_sinks=[sink])
        found = await runway.anchors.verify([desk.id])

    assert any("is not in the database" in fault for fault in found.faults)
    assert "entries behind 0 were cut off" in found.chains[desk.id].said


async def test_a_sink_takes_no_anchors_of_a_database_that_was_set_back_and_a_new_one_takes_all(
    database_url: str, fresh_url: str, tmp_path: Path
) -> None:
    """The next anchor has a number that the folder has already: it would be passed over in silence."""
    sink, clock = FolderAnchorSink(tmp_path / "anchors"), FixedClock(START)
    async with SqlStore(database_url, secret_key=SECRET_KEY) as store:
        desk = await StoreDesk(store).open()
        runway = Runway.open(store=store, rails=[], clock=clock, firm_id=FirmId("own"), anchor_sinks=[sink])
        await runway.anchors.anchor()
        await store.back_up(tmp_path / "backup")
        await desk.put(make_bill())
        await runway.anchors.anchor()

    restored = SqlStore(fresh_url, secret_key=SECRET_KEY)
    await restored.restore(tmp_path / "backup")
    async with restored:
        runway = Runway.open(store=restored, rails=[], clock=clock, firm_id=FirmId("own"), anchor_sinks=[sink])
        desk = StoreDesk(restored)
        await desk.reopen()
        with pytest.raises(LogBroken, match=r"anchor 2 of .* is not the database's"):
            await runway.anchors.anchor()  # it has no second one
        await desk.put(make_bill("9"))
        with pytest.raises(LogBroken, match=r"anchor 2 of .* is not the database's"):
            await runway.anchors.anchor()  # its second one is another
        (tmp_path / "anchors").rename(tmp_path / "anchors-before-the-restore")
        await runway.anchors.anchor()

        assert len(await sink.anchors()) == 2
        assert (await runway.anchors.verify([desk.id])).is_sound


async def test_nothing_is_written_over(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "backup").write_text("something", encoding="utf-8")
    async with SqlStore(database_url, secret_key=SECRET_KEY) as store:
        await StoreDesk(store).open()
        with pytest.raises(InvalidRequest, match="exists"):
            await store.back_up(tmp_path / "backup")
        await store.back_up(tmp_path / "another")
    with pytest.raises(InvalidRequest, match=r"exists|not empty"):
        await SqlStore(database_url, secret_key=SECRET_KEY).restore(tmp_path / "another")


async def test_what_is_no_backup_is_refused(fresh_url: str, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("not a database, and longer than a header of one would be " * 20, encoding="utf-8")
    with pytest.raises(InvalidRequest):
        await SqlStore(fresh_url, secret_key=SECRET_KEY).restore(tmp_path / "none")


async def test_a_journal_of_another_database_is_not_played_into_a_restored_one(tmp_path: Path) -> None:
    """The write-ahead log of what stood there is whole by its own sums: SQLite would believe it."""
    target = tmp_path / "restored.db"
    async with SqlStore(f"sqlite:///{tmp_path / 'books.db'}", secret_key=SECRET_KEY) as store:
        desk = await StoreDesk(store).open()
        await store.back_up(tmp_path / "backup")
        await desk.put(make_bill(memo="after the backup"))
        shutil.copy(tmp_path / "books.db-wal", tmp_path / "restored.db-wal")

    with pytest.raises(InvalidRequest, match=r"restored\.db-wal.*move it away"):
        await SqlStore(f"sqlite:///{target}", secret_key=SECRET_KEY).restore(tmp_path / "backup")
    assert not target.exists()


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_journal_that_comes_while_a_database_is_written_stops_it(tmp_path: Path, suffix: str) -> None:
    def write() -> None:
        with draft_of_file(tmp_path / "restored.db") as draft:
            draft.touch()
            (tmp_path / f"restored.db{suffix}").touch()

    with pytest.raises(InvalidRequest, match="move it away"):
        write()

    assert [path.name for path in tmp_path.iterdir()] == [f"restored.db{suffix}"]
