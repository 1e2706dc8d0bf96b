"""A company that was erased is in no file of the database; the chain of its log is, and verifies."""

import asyncio
import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from runway_core.domain.aliases import NameAlias
from runway_core.domain.firm_digests import FirmDigest
from runway_core.domain.identity import CompanyId, FirmId, RecordKey, RecordKind
from runway_core.domain.people import GRANTS, Caller, firm_chain
from runway_core.domain.policy import Role
from runway_core.errors import CompanyErased, InvalidRequest, NotAllowed, StoreUnavailable
from runway_core.runway import Runway
from runway_core.sync.mirror_check import find_mirror_differences
from runway_store_sql import FolderAnchorSink, SqlStore
from runway_store_sql.erasing import STAYS
from runway_store_sql.inbox_tables import inbox, inbox_events
from runway_store_sql.limit_tables import alerts, breakers, call_budgets
from runway_store_sql.log_tables import company_keys
from runway_store_sql.people_tables import answered_calls
from runway_store_sql.tables import connections, metadata
from runway_testkit.clock import FixedClock
from runway_testkit.inbox_contract import ACCOUNT, make_delivery, make_event
from runway_testkit.store_desk import BY, START, StoreDesk, make_bill
from sqlalchemy import Boolean, Connection, LargeBinary, Table, Text, insert, select

from tests.processes import processes
from tests.store.erasing_worker import AFTER_COMMIT, SECRET_KEY, erase_once, open_runway
from tests.store.test_standalone_verifier import verify

PLANTED = "Jane Planted"
OWN = FirmId("own")
OTHERWISE = {inbox, inbox_events, alerts, breakers, call_budgets, answered_calls}
"""Tables whose rows name no company, out of which those about it go all the same."""


def opened(url: str, key: str | None = SECRET_KEY, firm: FirmId = OWN) -> SqlStore:
    return SqlStore(url, secret_key=key, clock=FixedClock(START), firm_id=firm)


def make_row(table: Table, company_id: CompanyId) -> dict[str, Any]:
    """A row of a table that names a person wherever there is room for a name."""
    kinds: dict[type, Any] = {Text: PLANTED, LargeBinary: PLANTED.encode(), Boolean: False}
    row = {
        column.name: next((value for kind, value in kinds.items() if isinstance(column.type, kind)), 1)
        for column in table.columns
    }
    owners = {"company_id": company_id, "firm_id": OWN}
    return row | {name: owner for name, owner in owners.items() if name in row}


def plant_everywhere(connection: Connection, company_id: CompanyId) -> None:
    """Rows in every table that has any of a company."""
    for table in metadata.sorted_tables:
        if "company_id" in table.columns and table.name not in STAYS:
            connection.execute(insert(table), make_row(table, company_id))
    about = f'{{"company_id": "{company_id}", "summary": "{PLANTED}"}}'
    connection.execute(insert(alerts), make_row(alerts, company_id) | {"document": about})
    connection.execute(insert(answered_calls), make_row(answered_calls, company_id) | {"key_id": None})
    for table, key in ((breakers, "breaker_key"), (call_budgets, "budget_key")):
        connection.execute(insert(table), make_row(table, company_id) | {key: f"qbo/{PLANTED}"})


def read_sqlite(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("books.db*")))


def make_alias() -> NameAlias:
    """A text that means a vendor; its id is that text in its normal form."""
    party = RecordKey(RecordKind.VENDOR, "7")
    return NameAlias(paper_id="jane planted", changed_at=START, changed_by="ann", text=PLANTED, party=party)


async def read_files(store: SqlStore, folder: Path) -> bytes:
    """Everything that stands in the files of a SQLite database, or in a dump of a PostgreSQL one."""
    if store.database.is_embedded:
        return read_sqlite(folder)
    dump = folder / f"dump-{uuid4()}"
    await store.back_up(dump)
    with zipfile.ZipFile(dump) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


@pytest.fixture
def url(database_url: str, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'books.db'}" if database_url.startswith("sqlite") else database_url


def test_of_every_table_it_is_said_whether_it_goes_or_stays() -> None:
    """A new table that names neither a company nor a reason to stay fails here."""
    without = {
        table.name
        for table in metadata.sorted_tables
        if "company_id" not in table.columns and table not in OTHERWISE and table.name not in STAYS
    }

    assert without == set()
    assert set(STAYS) <= set(metadata.tables)


async def test_no_name_is_left_in_any_file_of_the_database(url: str, tmp_path: Path) -> None:
    async with opened(url) as store:
        await store.upgrade()
        desk = StoreDesk(store)
        desk.company = desk.company.model_copy(update={"name": f"{PLANTED} & Sons", "tags": (PLANTED,)})
        await desk.open()
        other = await StoreDesk(store, company="birch").open()
        await other.put(make_bill("1", memo="stays"))
        await desk.put(*(make_bill(str(number), memo=PLANTED) for number in range(60)))
        await desk.put(make_bill("1", revision=1, memo=f"{PLANTED} again"))
        await store.papers.save_papers(desk.id, [make_alias()], attribution=BY, at=START)
        await store.database.write(lambda sql: plant_everywhere(sql, desk.id))
        before = await read_files(store, tmp_path)
        runway = Runway.open(store=store, rails=[], clock=FixedClock(START), firm_id=OWN)
        survey = await runway.erasures.survey(desk.id)
        done = await runway.erasures.erase(desk.id, confirmed=f"{PLANTED} & Sons", actor="ann")
        after = await read_files(store, tmp_path)
        kept = await store.database.read(lambda sql: sql.execute(select(connections.c.company_id)).scalars().all())

        assert before.count(PLANTED.encode()) > 100
        assert b"planted" not in after.lower()
        assert b"stays" in after
        assert survey.rows["bill"] == 61
        assert set(survey.rows) > {"quarantine", "kept_views", "working_papers", "jobs", "alerts", "findings"}
        assert (done.is_finished, kept) == (True, [other.id])
        assert (await runway.verify_log(desk.id)).is_sound
        assert list(await find_mirror_differences(store, other.id)) == []


async def test_chain_anchors_and_standalone_verifier_agree_before_and_after(url: str, tmp_path: Path) -> None:
    clock, folder = FixedClock(START), tmp_path / "anchors"
    async with opened(url) as store:
        await store.upgrade()
        runway = Runway.open(store=store, rails=[], clock=clock, firm_id=OWN, anchor_sinks=[FolderAnchorSink(folder)])
        desk = await StoreDesk(store).open()
        await desk.put(make_bill("1", memo=PLANTED))
        await runway.anchors.anchor()
        await export(runway, desk.id, tmp_path / "before.jsonl.gz")
        await runway.erasures.erase(desk.id, confirmed="Acme", actor="ann")
        await runway.anchors.anchor()
        await export(runway, desk.id, tmp_path / "after.jsonl.gz")
        found = await runway.anchors.verify([desk.id])
        [seen] = await runway.history(desk.id, RecordKey(RecordKind.BILL, "1"))
        with pytest.raises(CompanyErased, match="erased by ann on 2026-03-02"):
            await runway.books.read(desk.id)
        with pytest.raises(CompanyErased):
            await runway.custody.follow(desk.id, "1")

    code, said = verify(tmp_path / "before.jsonl.gz", tmp_path / "after.jsonl.gz", "--anchors", folder)
    assert code == 0, said
    assert "acme: 4 entries agree with 2 anchors" in said
    assert (found.is_sound, seen.draft.is_sealed, seen.draft.what) == (True, True, "created")


async def export(runway: Runway, company_id: CompanyId, path: Path) -> None:
    with gzip.open(path, "wb") as file:
        async for lines in runway.export_log(company_id):
            file.write(lines)


async def test_digests_of_the_whole_firm_go_with_it(url: str, tmp_path: Path) -> None:
    house = firm_chain(OWN)
    digest = FirmDigest(
        paper_id="2026-03-02", changed_at=START, changed_by="runway", subject="Today", html=f"<p>{PLANTED}</p>",
        text=PLANTED, sent_to=("ann@firm.example",), sent_at=START, as_of=START.date(), told=(),
    )  # fmt: skip
    async with opened(url) as store:
        await store.upgrade()
        desk = await StoreDesk(store).open()
        await store.papers.save_papers(house, [digest], attribution=BY, at=START)
        await store.erasures.erase(OWN, desk.id, attribution=BY, at=START)
        await store.erasures.finish(OWN, desk.id, at=START)
        gone = await read_files(store, tmp_path)
        next_day = digest.model_copy(update={"paper_id": "2026-03-03", "text": "the next one"})
        await store.papers.save_papers(house, [next_day], attribution=BY, at=START)
        entries = [entry.draft async for entry in store.log.entries(house)]
        held = await store.papers.papers(house, FirmDigest)

    assert PLANTED.encode() not in gone
    assert [(entry.what, entry.is_sealed) for entry in entries] == [
        ("firm_digest_added", True), ("company_erased", False), ("firm_digest_added", False),
    ]  # fmt: skip
    assert [paper.paper_id for paper in held] == ["2026-03-03"]


async def test_deliveries_about_its_account_go_and_those_of_others_stay(url: str) -> None:
    async with opened(url) as store:
        await store.upgrade()
        desk = await StoreDesk(store).open()
        await store.registry.name_account(desk.connection, ACCOUNT.account)
        shared = make_delivery("shared", make_event(), make_event(account="2"))
        for delivery in (make_delivery("own", make_event()), shared, make_delivery("other", make_event(account="2"))):
            await store.inbox.accept(delivery)
        await store.erasures.erase(OWN, desk.id, attribution=BY, at=START)
        left = [delivery.key.delivery_id for delivery in await store.inbox.unread()]

    assert sorted(left) == ["other", "shared"]  # what tells of others too is wanted until it was read


async def test_what_two_companies_share_stays_for_the_other(url: str) -> None:
    async with opened(url) as store:
        await store.upgrade()
        desks = [await StoreDesk(store, company=name).open() for name in ("acme", "birch")]
        for desk in desks:
            await store.registry.name_account(desk.connection, ACCOUNT.account)
        await store.inbox.accept(make_delivery("own", make_event()))
        await store.erasures.erase(OWN, desks[0].id, attribution=BY, at=START)

        assert len(await store.inbox.unread()) == 1


async def test_a_log_with_entries_in_clear_is_not_erased_and_it_is_said_why(postgres: Callable[..., str]) -> None:
    url = postgres()
    async with opened(url, None) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_bill("1", memo=PLANTED))
    async with open_runway(url) as runway:
        survey = await runway.erasures.survey(desk.id)
        with pytest.raises(InvalidRequest, match=r"3 entries of the log were written in clear.*--detach"):
            await runway.erasures.erase(desk.id, confirmed="Acme", actor="ann")

        assert survey.clear_entries == 3
        assert list(await runway.erasures.list()) == []
        assert len(await runway.companies.list()) == 1


async def test_who_signs_in_to_the_database_for_the_app_may_erase(postgres: Callable[..., str]) -> None:
    """Behind row level security too, and with a role that may not touch the log."""
    url = postgres()
    async with opened(url) as owner:
        make = "DO $$ BEGIN CREATE ROLE runway_app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        await owner.database.write(lambda sql: sql.exec_driver_sql(make).close())
        await owner.grant_app_role("runway_app")
    async with opened(url.replace("postgres@", "runway_app@")) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_bill("1", memo=PLANTED))
        await store.erasures.erase(OWN, desk.id, attribution=BY, at=START)
        [held] = await store.database.read(lambda sql: sql.execute(select(company_keys)).all())

    assert held.wrapped_key == b""


async def test_only_an_owner_erases_and_only_what_is_named(url: str) -> None:
    async with opened(url) as store:
        await store.upgrade()
        desk = await StoreDesk(store).open()
        runway = Runway.open(store=store, rails=[], clock=FixedClock(START), firm_id=OWN)
        for role in (Role.VIEWER, Role.BOOKKEEPER, Role.CONTROLLER):
            view = runway.for_caller(Caller("cy", role, GRANTS[role], None))
            with pytest.raises(NotAllowed):
                await view.erasures.erase(desk.id, confirmed="Acme", actor="cy")
        with pytest.raises(InvalidRequest, match="confirm it with the company's name, 'Acme'"):
            await runway.erasures.erase(desk.id, confirmed="Acne", actor="ann")
        owner = runway.for_caller(Caller("ada", Role.OWNER, GRANTS[Role.OWNER], None))
        done = await owner.erasures.erase(desk.id, confirmed="Acme", actor="somebody else")

    assert done.erased_by == "ada"


async def test_a_new_key_of_secrets_makes_copies_of_the_destroyed_key_worthless(url: str, tmp_path: Path) -> None:
    """A backup from before holds the key wrapped; what wrapped it is thrown away, and nothing else is lost."""
    new_key, backup = "n" * 40, tmp_path / "backup"
    async with opened(url) as store:
        await store.upgrade()
        acme, birch = [await StoreDesk(store, company=name).open() for name in ("acme", "birch")]
        for desk in (acme, birch):
            await desk.put(make_bill("1", memo=PLANTED))
        before = await store.database.read(read_keys)
        if store.database.is_embedded:
            await store.back_up(backup)
        await store.erasures.erase(OWN, acme.id, attribution=BY, at=START)
    async with SqlStore(url, secret_key=new_key, other_secret_keys=[SecretStr(SECRET_KEY)]) as store:
        moved = await store.rotate_secrets()
    async with opened(url, new_key) as store:
        after = await store.database.read(read_keys)
        [left] = await store.log.history(birch.id, RecordKey(RecordKind.BILL, "1"))
        [gone] = await store.log.history(acme.id, RecordKey(RecordKind.BILL, "1"))
    if backup.exists():
        async with opened(f"sqlite:///{backup}", new_key) as copied:
            with pytest.raises(StoreUnavailable, match="set that as RUNWAY_SECRET_KEY"):
                await copied.log.history(acme.id, RecordKey(RecordKind.BILL, "1"))

    assert (moved, left.draft.is_sealed, gone.draft.is_sealed) == (1, False, True)
    assert (len(before[acme.id]) > 32, after[acme.id]) == (True, b"")
    assert after[birch.id] != before[birch.id]


def read_keys(connection: Connection) -> dict[str, bytes]:
    return {row.company_id: row.wrapped_key for row in connection.execute(select(company_keys))}


async def test_a_server_without_a_key_is_warned_that_nothing_can_be_erased(postgres: Callable[..., str]) -> None:
    url = postgres()
    async with opened(url, None) as without, opened(url) as sealed:
        warned, quiet = await without.check(), await sealed.check()

    assert [warning for warning in warned.warnings if "no company can be erased" in warning]
    assert quiet.warnings == ()


async def fill(url: str) -> None:
    async with open_runway(url) as runway:
        desk = await StoreDesk(runway.scope.store).open()
        await desk.put(make_bill("1", memo=PLANTED), make_bill("2", memo=PLANTED))


async def look(url: str) -> tuple[int, bool]:
    """How many bills are left, and whether it is erased; one is nil where the other is so."""
    async with open_runway(url) as runway:
        company = CompanyId("acme")
        erased = bool(await runway.erasures.list())
        counts = await runway.scope.store.mirror.count_records(company)
        [entry] = await runway.history(company, RecordKey(RecordKind.BILL, "1"))
        assert (await runway.verify_log(company)).is_sound
        assert entry.draft.is_sealed is erased
        return counts[RecordKind.BILL], erased


def test_dying_at_each_step_leaves_all_or_nothing_and_repeating_it_finishes(tmp_path: Path) -> None:
    """Among its deletions, and between the commit and the cleaning of the file."""
    url, context = f"sqlite:///{tmp_path / 'books.db'}", processes()
    asyncio.run(fill(url))
    outcomes = []
    for place in (30, AFTER_COMMIT):
        process = context.Process(target=erase_once, args=(url, place))
        process.start()
        process.join()
        outcomes.append((process.exitcode, *asyncio.run(look(url))))
    asyncio.run(repeat(url))

    assert outcomes == [(9, 2, False), (9, 0, True)]
    assert PLANTED.encode() not in read_sqlite(tmp_path)


async def repeat(url: str) -> None:
    async with open_runway(url) as runway:
        [begun] = await runway.erasures.list()
        done = await runway.erasures.erase(begun.company_id, confirmed="", actor="bob")
        assert (begun.is_finished, done.is_finished, done.erased_by) == (False, True, "ann")
