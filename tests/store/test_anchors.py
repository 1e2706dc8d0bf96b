"""What the owner of a database can do to its log with right hashes is found beside an anchor."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from runway_core.domain.anchors import write_anchor
from runway_core.domain.identity import FirmId
from runway_core.domain.log_entry import GENESIS, encode_entry, hash_entry
from runway_core.domain.people import firm_chain
from runway_core.errors import LogBroken, StoreUnavailable
from runway_core.runway import Runway
from runway_core.sync.verification import LogDifference
from runway_store_sql import FolderAnchorSink, SqlStore
from runway_testkit.clock import FixedClock
from runway_testkit.store_desk import START, StoreDesk, make_bill
from sqlalchemy import Connection, text

from tests.store.test_log_tampering import drop_triggers

SECRET_KEY = "a key for tests alone, of 32 characters and more"


@dataclass
class Vaulted:
    """Two companies, a standing clock and a folder outside of the database."""

    runway: Runway
    store: SqlStore
    clock: FixedClock
    acme: StoreDesk
    birch: StoreDesk
    folder: Path

    async def forge(self, *statements: str) -> None:
        def run(connection: Connection) -> None:
            drop_triggers(connection)
            if connection.dialect.name == "postgresql":
                connection.execute(text("ALTER TABLE anchors DISABLE TRIGGER USER"))
            for statement in statements:
                connection.execute(text(statement))

        await self.store.database.migrate(run)

    async def rewrite(self, place: int) -> None:
        """Change one entry of acme and seal everything behind it anew, head included: the chain fits itself."""
        entries = [entry async for entry in self.store.log.entries(self.acme.id)]
        previous, rows = GENESIS, []
        for entry in entries:
            canonical = entry.canonical
            if entry.sequence == place:
                draft = entry.draft._replace(content=entry.draft.content.replace(b"40.0000", b"90.0000"))
                canonical = encode_entry(self.acme.id, entry.sequence, draft)
            digest = hash_entry(previous, canonical)
            rows.append({"s": entry.sequence, "p": previous, "h": digest, "c": canonical})
            previous = digest

        def run(connection: Connection) -> None:
            drop_triggers(connection)
            set_ = "SET previous_hash = :p, hash = :h, canonical = :c"
            connection.execute(text(f"UPDATE log_entries {set_} WHERE company_id = 'acme' AND sequence = :s"), rows)
            connection.execute(text("UPDATE log_heads SET hash = :h WHERE company_id = 'acme'"), {"h": previous})

        await self.store.database.migrate(run)


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Vaulted]:
    clock = FixedClock(START)
    store = SqlStore(database_url, secret_key=SECRET_KEY, clock=clock)
    folder = tmp_path / "elsewhere"
    runway = Runway.open(
        store=store, rails=[], clock=clock, firm_id=FirmId("own"), anchor_sinks=[FolderAnchorSink(folder)]
    )
    async with runway:
        acme, birch = [await StoreDesk(store, company=name).open() for name in ("acme", "birch")]
        for one in (acme, birch):
            await one.put(*(make_bill(str(n)) for n in range(10)))
        await runway.anchors.anchor()
        yield Vaulted(runway, store, clock, acme, birch, folder)


async def test_chains_that_only_grew_agree_with_every_anchor(desk: Vaulted) -> None:
    for revision in range(1, 4):
        desk.clock.advance(timedelta(minutes=15))
        await desk.acme.put(make_bill("1", revision=revision))
        await desk.runway.anchors.anchor_due()

    found = await desk.runway.anchors.verify([desk.acme.id, desk.birch.id])

    assert found.is_sound, found
    assert found.anchors == 4
    assert len(list(desk.folder.glob("*.json"))) == 4
    assert found.last is not None
    assert [leaf.company_id for leaf in found.last.leaves] == ["acme"]  # birch did not move
    assert found.last.size == 2


async def test_a_tail_that_was_cut_off_with_its_head_is_found(desk: Vaulted) -> None:
    keep = "sequence = 8, hash = (SELECT hash FROM log_entries WHERE company_id = 'acme' AND sequence = 8)"
    await desk.forge(
        f"UPDATE log_heads SET {keep} WHERE company_id = 'acme'",
        "DELETE FROM log_entries WHERE company_id = 'acme' AND sequence > 8",
    )

    alone = await desk.runway.verify_log(desk.acme.id)
    found = await desk.runway.anchors.verify([desk.acme.id, desk.birch.id])

    assert alone.is_sound  # within the chain nothing shows
    assert list(found.chains) == [desk.acme.id]
    assert found.chains[desk.acme.id].difference is LogDifference.TRUNCATED


async def test_history_that_was_sealed_anew_is_found(desk: Vaulted) -> None:
    desk.clock.advance(timedelta(minutes=15))
    await desk.acme.put(make_bill("1", revision=1))
    await desk.runway.anchors.anchor_due()
    await desk.rewrite(13)

    alone = await desk.runway.verify_log(desk.acme.id)
    found = await desk.runway.anchors.verify([desk.acme.id, desk.birch.id])

    assert alone.is_sound
    assert list(found.chains) == [desk.acme.id]
    fault = found.chains[desk.acme.id]
    assert (fault.broken_at, fault.difference) == (13, LogDifference.REWRITTEN)  # the first anchor holds up to 12


async def test_the_firms_own_chain_is_held_to_its_anchors(desk: Vaulted) -> None:
    for number in range(1, 4):
        await desk.runway.policies.change_firm({"payroll_cover_days": number}, actor="ada")
    await desk.runway.anchors.anchor()
    sound = await desk.runway.verify_firm_log()
    keep = "sequence = 1, hash = (SELECT hash FROM log_entries WHERE company_id = 'firm:own' AND sequence = 1)"
    await desk.forge(
        f"UPDATE log_heads SET {keep} WHERE company_id = 'firm:own'",
        "DELETE FROM log_entries WHERE company_id = 'firm:own' AND sequence > 1",
    )

    alone = await desk.runway.verify_firm_log()
    found = await desk.runway.anchors.verify([desk.acme.id])

    assert (sound.is_sound, sound.entries > 1, alone.is_sound) == (True, True, True)
    assert list(found.chains) == [firm_chain(FirmId("own"))]


async def test_a_company_that_was_wiped_whole_is_named(desk: Vaulted) -> None:
    """Nobody asks for it any more: no list of companies has it."""
    tables = ("companies", "connections", "log_entries", "log_heads")
    await desk.forge(*(f"DELETE FROM {table} WHERE company_id = 'birch'" for table in tables))

    found = await desk.runway.anchors.verify([desk.acme.id])

    assert [fault for fault in found.faults if "the chain of 'birch' is gone" in fault], found


async def test_history_and_anchors_rewritten_together_are_found_by_the_folder(desk: Vaulted) -> None:
    """The owner signs anew too: he has the key. He does not have the folder."""
    await desk.rewrite(7)
    await desk.forge("DELETE FROM anchors")
    forger = Runway.open(store=desk.store, rails=[], clock=desk.clock, firm_id=FirmId("own"))
    await forger.anchors.anchor()

    fooled = await forger.anchors.verify([desk.acme.id])
    found = await desk.runway.anchors.verify([desk.acme.id])

    assert fooled.is_sound
    assert any("is another one than the database's" in fault for fault in found.faults)


@pytest.mark.parametrize(("number", "fault"), [(2, "anchor 2 is missing"), (3, "anchor 3 of")])
async def test_an_anchor_that_was_removed_is_found(desk: Vaulted, number: int, fault: str) -> None:
    await make_anchors(desk)
    await desk.forge(f"DELETE FROM anchors WHERE number = {number}")

    found = await desk.runway.anchors.verify([desk.acme.id])

    assert any(fault in said for said in found.faults), found.faults


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        (b'"size":2', b'"size":1', "anchor 2 is not signed by the key that it names"),
        (b'["acme",13', b'["acme",14', "the heads of anchor 2 are not those that were signed"),
    ],
)
async def test_an_anchor_that_was_altered_is_found(desk: Vaulted, was: bytes, becomes: bytes, fault: str) -> None:
    await make_anchors(desk)
    document = write_anchor((await desk.store.anchors.anchors())[1])

    def alter(connection: Connection) -> None:
        values = {"d": document.replace(was, becomes)}
        connection.execute(text("UPDATE anchors SET document = :d WHERE number = 2"), values)

    await desk.forge()
    await desk.store.database.migrate(alter)
    found = await desk.runway.anchors.verify([desk.acme.id])

    assert was in document
    assert any(said.startswith(fault) for said in found.faults), found.faults


async def make_anchors(desk: Vaulted) -> None:
    for revision in (1, 2):
        desk.clock.advance(timedelta(minutes=15))
        await desk.acme.put(make_bill("1", revision=revision))
        await desk.runway.anchors.anchor_due()


async def test_a_file_that_differs_is_never_written_over(desk: Vaulted) -> None:
    [path] = desk.folder.glob("*.json")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b'"size":2', b'"size":3'))
    [kept] = await desk.store.anchors.anchors()

    with pytest.raises(LogBroken, match="holds another anchor"):
        await FolderAnchorSink(desk.folder).put(kept)
    assert not (await desk.runway.anchors.verify([desk.acme.id])).is_sound


async def test_an_anchor_is_due_after_a_quarter_of_an_hour_when_a_chain_moved(desk: Vaulted) -> None:
    await desk.acme.put(make_bill("1", revision=1))
    too_early = await desk.runway.anchors.anchor_due()
    desk.clock.advance(timedelta(minutes=15))
    due = await desk.runway.anchors.anchor_due()
    desk.clock.advance(timedelta(minutes=15))
    nothing_moved = await desk.runway.anchors.anchor_due()

    assert (too_early, nothing_moved) == (None, None)
    assert due is not None
    assert due.number == 2


async def test_a_sink_that_was_away_gets_what_it_missed(desk: Vaulted) -> None:
    desk.folder.rename(desk.folder.with_name("moved"))
    desk.folder.touch()  # a file where the folder was
    desk.clock.advance(timedelta(minutes=15))
    await desk.acme.put(make_bill("1", revision=1))
    with pytest.raises(StoreUnavailable, match="RUNWAY_ANCHOR_FOLDER"):
        await desk.runway.anchors.anchor_due()
    desk.folder.unlink()
    desk.folder.with_name("moved").rename(desk.folder)
    desk.clock.advance(timedelta(minutes=15))
    await desk.runway.anchors.anchor_due()

    assert len(list(desk.folder.glob("*.json"))) == 2
    assert (await desk.runway.anchors.verify([desk.acme.id])).is_sound


async def test_a_new_key_is_endorsed_by_the_old_one(desk: Vaulted) -> None:
    first = (await desk.runway.anchors.keys())[0]
    second = await desk.runway.anchors.rotate_key()
    desk.clock.advance(timedelta(minutes=15))
    await desk.acme.put(make_bill("1", revision=1))
    signed = await desk.runway.anchors.anchor_due()

    assert signed is not None
    assert signed.public_key == second.public_key != first.public_key
    assert (await desk.runway.anchors.verify([desk.acme.id])).is_sound


async def test_a_key_that_nobody_endorsed_is_named(desk: Vaulted) -> None:
    """Whoever cannot open the sealed key makes one of his own: it signs, and says so."""
    await desk.forge("DELETE FROM log_keys")
    desk.clock.advance(timedelta(minutes=15))
    await desk.acme.put(make_bill("1", revision=1))
    await desk.runway.anchors.anchor_due()

    found = await desk.runway.anchors.verify([desk.acme.id])

    assert any("did not endorse" in fault for fault in found.faults)


async def test_verifying_since_a_moment_begins_at_the_anchor_before_it(desk: Vaulted) -> None:
    """What was rewritten before the anchor shows where the chain leaves it."""
    desk.clock.advance(timedelta(minutes=15))
    since = desk.clock.now()
    await desk.acme.put(make_bill("1", revision=1))
    sound = await desk.runway.verify_log(desk.acme.id, since=since)
    await desk.rewrite(7)
    rewritten = await desk.runway.verify_log(desk.acme.id, since=since)

    assert (sound.is_sound, sound.entries, sound.trusted_through) == (True, 1, 12)
    assert not rewritten.is_sound


async def test_verifying_since_a_moment_looks_at_anchors_from_the_last_whole_one_before_it(desk: Vaulted) -> None:
    """Years of anchors are not checked for one day; what is wrong with the old ones, the whole check says."""
    for _ in range(3):
        desk.clock.advance(timedelta(hours=13))
        await desk.acme.put(make_bill(memo=desk.clock.now().isoformat()))
        await desk.runway.anchors.anchor_due()
    since = desk.clock.now() + timedelta(minutes=1)
    await desk.forge("UPDATE anchors SET document = (SELECT document FROM anchors WHERE number = 4) WHERE number = 1")

    all_of_them = await desk.runway.anchors.verify([desk.acme.id])
    later = await desk.runway.anchors.verify([desk.acme.id, desk.birch.id], since=since)
    heads = await desk.runway.anchors.heads_before(since)

    assert [anchor.is_whole for anchor in await desk.store.anchors.anchors()] == [False, False, True, False]
    assert not all_of_them.is_sound
    assert (later.is_sound, later.anchors) == (True, 2), later
    assert heads[desk.acme.id] == await desk.store.log.head(desk.acme.id)
    assert heads[desk.birch.id] == await desk.store.log.head(
        desk.birch.id
    )  # it did not move, and stands in the whole one


async def test_an_altered_anchor_in_the_window_is_found_since_a_moment(desk: Vaulted) -> None:
    await make_anchors(desk)
    since = desk.clock.now() + timedelta(minutes=1)
    await desk.forge("UPDATE anchors SET document = (SELECT document FROM anchors WHERE number = 2) WHERE number = 3")
    alone = Runway.open(store=desk.store, rails=[], clock=desk.clock, firm_id=FirmId("own"))

    assert (await alone.anchors.verify([desk.acme.id], since=since)).faults == ("anchor 3 is missing",)
    with pytest.raises(LogBroken, match="cannot be trusted: anchor 3 is missing"):
        await alone.anchors.heads_before(since)


@pytest.mark.parametrize("statement", ["UPDATE anchors SET made_at = 1", "DELETE FROM anchors"])
async def test_the_database_refuses_to_change_anchors(desk: Vaulted, statement: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"append-only|not authorized"):  # on SQLite the authorizer comes first
        await desk.store.database.write(lambda connection: connection.execute(text(statement)))
    with pytest.raises(StoreUnavailable, match="append-only"):
        await desk.store.database.migrate(lambda connection: connection.execute(text(statement)))


async def test_the_key_may_come_from_outside_and_is_not_kept(postgres: Callable[..., str], tmp_path: Path) -> None:
    """On PostgreSQL without a secret key: nothing is sealed, nothing is asked for."""
    given = SecretStr("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    async with SqlStore(postgres(), log_key=given) as store:
        await StoreDesk(store).open()
        runway = Runway.open(store=store, rails=[], clock=FixedClock(START), firm_id=FirmId("own"))
        await runway.anchors.anchor()
        rows = await store.database.read(lambda c: c.execute(text("SELECT key_id, sealed_key FROM log_keys")).all())

        assert [tuple(row) for row in rows] == [(None, None)]
        assert (await runway.anchors.verify([])).is_sound


async def test_anchors_that_cannot_be_written_out_are_an_alert_until_they_are(desk: Vaulted) -> None:
    """A hiccup is none; what was missed is written at the first beat that can."""
    desk.folder.rename(desk.folder.with_name("away"))
    desk.folder.write_text("a file stands where the folder was")
    heard: list[list[str]] = []
    for minutes in (15, 1, 10):
        desk.clock.advance(timedelta(minutes=minutes))
        await desk.acme.put(make_bill("1", revision=minutes))
        with pytest.raises(StoreUnavailable):
            await desk.runway.anchors.anchor_due()
        heard.append([alert.runbook for alert in await desk.runway.watch.watch() if alert.resolved_at is None])
    desk.folder.unlink()
    desk.folder.with_name("away").rename(desk.folder)
    desk.clock.advance(timedelta(minutes=1))
    await desk.runway.anchors.anchor_due()
    await desk.runway.watch.watch()
    service = await desk.runway.watch.service()

    assert heard[:2] == [[], []]
    assert "howto/alerts.md#anchors-late" in heard[2]
    assert "anchors-late" not in [alert.kind.value for alert in service.alerts]
    assert len(list(desk.folder.glob("*.json"))) == 2


async def test_a_folder_that_holds_another_anchor_is_an_alert_at_once(desk: Vaulted) -> None:
    desk.clock.advance(timedelta(minutes=15))
    await desk.acme.put(make_bill("1", revision=1))
    await desk.runway.anchors.anchor()
    desk.folder.joinpath("anchor-000000002.json").rename(desk.folder / "anchor-000000003.json")
    desk.clock.advance(timedelta(minutes=15))
    with pytest.raises(LogBroken):
        await desk.runway.anchors.anchor_due()
    [alert] = [one for one in await desk.runway.watch.watch() if one.kind.value == "anchors-late"]

    assert alert.severity.value == "page"
    assert "another anchor than the database" in alert.summary
