"""What entries of the log hold is sealed under a key of their company; they are verified without it."""

import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from runway_core.domain.aliases import NameAlias
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, RecordKey, RecordKind
from runway_core.domain.log_entry import LogDraft, decode_entry, read_copies
from runway_core.domain.past import fold_drafts
from runway_core.domain.people import firm_chain
from runway_core.errors import LogBroken, StoreUnavailable
from runway_core.sync.mirror_check import find_mirror_differences
from runway_core.sync.verification import verify_log
from runway_store_sql import SqlStore
from runway_store_sql.chain import append_acts
from runway_store_sql.log_tables import company_keys
from runway_store_sql.tables import log_entries
from runway_testkit.clock import FixedClock
from runway_testkit.store_desk import BY, START, StoreDesk, make_bill
from sqlalchemy import delete, insert, select, update

KEY, OTHER_KEY = "k" * 40, "o" * 40
PLANTED = "Jane Planted, +1 555 0100"


def opened(url: str, key: str | None = KEY) -> SqlStore:
    return SqlStore(url, secret_key=key, clock=FixedClock(START))


async def read_canonicals(store: SqlStore, company_id: CompanyId) -> list[bytes]:
    return [entry.canonical async for batch in store.log.stored(company_id) for entry in batch]


async def read_memos(store: SqlStore, desk: StoreDesk) -> list[bool]:
    history = await store.log.history(desk.id, RecordKey(RecordKind.BILL, "1"))
    return [PLANTED.encode() in entry.draft.content for entry in history]


async def test_an_entry_shows_who_and_when_and_nothing_of_what_it_holds(database_url: str) -> None:
    async with opened(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_bill("1", memo=PLANTED))
        await desk.put(make_bill("1", revision=1, memo="mended"))
        canonicals = await read_canonicals(store, desk.id)
        memos = await read_memos(store, desk)
        report = await verify_log(store.log, desk.id)
        differences = list(await find_mirror_differences(store, desk.id))

    assert memos == [True, False]
    assert not any(word in canonical for canonical in canonicals for word in (b"Planted", b"mended", b"Acme"))
    assert read_copies(canonicals[-1])[2:5] == ("bill", "1", "updated")
    assert [canonical[0] for canonical in canonicals] == [2] * len(canonicals)
    assert (report.is_sound, report.entries, differences) == (True, len(canonicals), [])


async def test_chains_verify_without_the_key_and_what_they_hold_does_not_open(database_url: str) -> None:
    async with opened(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_bill("1", memo=PLANTED))
    async with opened(database_url, OTHER_KEY) as stranger:
        assert (await verify_log(stranger.log, desk.id)).is_sound
        with pytest.raises(StoreUnavailable, match="RUNWAY_SECRET_KEY"):
            await read_memos(stranger, desk)
        with pytest.raises(StoreUnavailable, match="RUNWAY_SECRET_KEY"):  # nor does it go on in clear
            await stranger.log.append(desk.id, [make_draft()])
        [canonical, *_] = await read_canonicals(stranger, desk.id)

    assert decode_entry(canonical)[2].is_sealed
    assert decode_entry(canonical)[2].content == b""


def make_draft(content: bytes = b'{"note":"Jane"}') -> LogDraft:
    return LogDraft(
        seen_at=START, rail="", kind="note", external_id="N1", what="noted", attribution=BY, content=content
    )


async def test_what_names_nobody_stays_readable_to_whoever_verifies(database_url: str) -> None:
    """Marks of archived pieces are among these: the standalone verifier reads them without a key."""
    async with opened(database_url) as store:
        desk = await StoreDesk(store).open()
        await store.log.append(desk.id, [make_draft(b""), make_draft()._replace(kind="log", raw=b"a manifest")])
        *_, empty, mark = await read_canonicals(store, desk.id)

    assert (empty[0], mark[0]) == (1, 1)
    assert decode_entry(mark)[2].raw == b"a manifest"


async def test_entries_from_before_there_was_a_key_are_read_and_verified_with_those_behind_them(
    postgres: Callable[..., str],
) -> None:
    url = postgres()
    async with opened(url, None) as store:
        desk = await StoreDesk(store).open()
        await desk.put(make_bill("1", memo=PLANTED))
    async with opened(url) as store:
        desk = StoreDesk(store)
        await desk.reopen()
        await desk.put(make_bill("1", revision=1, memo=PLANTED))
        canonicals = await read_canonicals(store, desk.id)
        memos = await read_memos(store, desk)
        report = await verify_log(store.log, desk.id)

    assert [canonical[0] for canonical in canonicals] == [1, 1, 1, 2]
    assert (memos, report.is_sound) == ([True, True], True)
    async with opened(url, None) as store:
        with pytest.raises(StoreUnavailable, match="this process has no key"):
            await store.log.append(desk.id, [make_draft()])


def read_sealed(canonical: bytes) -> bytes:
    lengths = struct.unpack_from(">14I", canonical, 1)
    at = 57 + sum(lengths[:8])
    return canonical[at : at + lengths[8]]


async def test_what_an_entry_holds_cannot_be_put_in_anothers_place(
    sqlite: Callable[[Path], str], tmp_path: Path
) -> None:
    """It is as long, and of the same company: it opens for its own number alone."""
    url = sqlite(tmp_path / "books.db")
    async with opened(url) as store:
        desk = await StoreDesk(store).open()
        await store.log.append(desk.id, [make_draft(b'"first"'), make_draft(b'"other"')])
        canonicals = await read_canonicals(store, desk.id)
    forged = canonicals[3].replace(read_sealed(canonicals[3]), read_sealed(canonicals[2]))
    with closing(sqlite3.connect(tmp_path / "books.db")) as connection:
        connection.execute("DROP TRIGGER log_entries_keep_update")
        connection.execute("UPDATE log_entries SET canonical = ? WHERE sequence = 4", [forged])
        connection.commit()
    async with opened(url) as store:
        read = store.log.entries(desk.id, after=2)
        first = await anext(read)
        with pytest.raises(LogBroken, match=r"entry 4 .* does not open"):
            await anext(read)

    assert (len(forged), first.draft.content) == (len(canonicals[3]), b'"first"')


async def test_each_company_has_a_key_of_its_own_and_the_loss_of_one_leaves_the_other(database_url: str) -> None:
    async with opened(database_url) as store:
        acme, birch = [await StoreDesk(store, company=name).open() for name in ("acme", "birch")]
        for desk in (acme, birch):
            await desk.put(make_bill("1", memo=PLANTED))
        kept = await store.database.read(lambda sql: sql.execute(select(company_keys)).mappings().all())
        await store.database.write(
            lambda sql: sql.execute(delete(company_keys).where(company_keys.c.company_id == acme.id))
        )

        with pytest.raises(StoreUnavailable, match="is not in this database"):
            await read_memos(store, acme)
        assert await read_memos(store, birch) == [True]
        await acme.put(make_bill("2", memo=PLANTED))  # it goes on under a new one
        await store.database.write(
            lambda sql: sql.execute(insert(company_keys), [dict(row) for row in kept if row.company_id == acme.id])
        )
        assert await read_memos(store, acme) == [True]
        assert (await verify_log(store.log, acme.id)).is_sound

    assert len({row.number for row in kept}) == 2


async def test_a_key_of_another_company_is_no_key(database_url: str) -> None:
    async with opened(database_url) as store:
        acme, birch = [await StoreDesk(store, company=name).open() for name in ("acme", "birch")]
        await acme.put(make_bill("1", memo=PLANTED))
        rows = {
            row.company_id: row
            for row in await store.database.read(lambda sql: sql.execute(select(company_keys)).all())
        }
        swapped = update(company_keys).where(company_keys.c.company_id == acme.id)
        swapped = swapped.values(wrapped_key=rows[birch.id].wrapped_key)
        await store.database.write(lambda sql: sql.execute(swapped))

        with pytest.raises(StoreUnavailable, match="was altered"):
            await read_memos(store, acme)


async def test_no_nonce_serves_twice(database_url: str) -> None:
    async with opened(database_url) as store:
        desk = await StoreDesk(store).open()
        await desk.put(*(make_bill(str(n)) for n in range(700)))
        rows = await store.database.read(lambda sql: sql.scalars(select(log_entries.c.canonical)).all())
        number = await store.database.read(lambda sql: sql.scalar(select(company_keys.c.number)))
        assert number is not None
        found = [canonical[canonical.index(number) + 8 :][:12] for canonical in rows]

    assert len(set(found)) == len(found) == 702


async def test_of_the_firms_own_chain_what_tells_of_companies_is_sealed(database_url: str) -> None:
    house = firm_chain(DEFAULT_FIRM)
    drafts = [make_draft(b"a policy")._replace(kind="policy"), make_draft(b"Acme is red")._replace(kind="firm_digest")]
    async with opened(database_url) as store:
        for draft in drafts:
            await store.database.write(partial(append_acts, company_id=house, drafts=[draft]))
        policy, digest = await read_canonicals(store, house)
        read = [entry.draft.content async for entry in store.log.entries(house)]

    assert b"a policy" in policy
    assert b"Acme" not in digest
    assert read == [b"a policy", b"Acme is red"]


async def test_an_id_that_is_a_text_out_of_the_books_is_concealed_and_still_one(database_url: str) -> None:
    """What a bank line said is the id of its alias; books of the past hold the last word about each text."""
    party = RecordKey(RecordKind.VENDOR, "7")
    alias = NameAlias(paper_id="jane planted", changed_at=START, changed_by="ann", text="Jane", party=party)
    async with opened(database_url) as store:
        desk = await StoreDesk(store).open()
        [kept] = await store.papers.save_papers(desk.id, [alias], attribution=BY, at=START)
        await store.papers.save_papers(desk.id, [kept.model_copy(update={"text": "Ms Jane"})], attribution=BY, at=START)
        drafts = await store.log.last_drafts(desk.id, through=9, kinds=["alias"])
        canonicals = await read_canonicals(store, desk.id)
        ids = select(log_entries.c.external_id).order_by(log_entries.c.sequence)
        columns = await store.database.read(lambda sql: sql.scalars(ids).all())
        past = fold_drafts(drafts, company_id=desk.id)
        report = await verify_log(store.log, desk.id)

    assert not any(b"jane" in canonical for canonical in canonicals)
    assert len(set(columns[-2:])) == 1
    assert len(columns[-1]) == 32
    assert [(paper.paper_id, paper.version) for paper in past.papers.values()] == [("jane planted", 2)]
    assert (len(drafts), report.is_sound) == (1, True)
