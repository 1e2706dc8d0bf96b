"""Verifying reads the log where it lies: each entry comes once, in order, and a fault far in is found."""

from collections.abc import Sequence
from functools import partial

import pytest
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import LogDraft, StoredRow
from runway_core.sync.verification import LogDifference, verify_log
from runway_store_sql import SqlStore
from runway_store_sql.log_following import query_batch
from runway_testkit.store_desk import START, StoreDesk

from tests.store.statements import explain
from tests.store.test_log_tampering import drop_triggers
from tests.store.test_row_security import run

BY = Attribution(cause=Cause.SYSTEM, actor="runway", correlation_id="run")
LENGTH = 4500  # more than any batch, and not a multiple of one


async def fill(store: SqlStore) -> CompanyId:
    """A chain of so many short entries, those of the company and its connection among them."""
    desk = await StoreDesk(store).open()
    missing = LENGTH - (await store.log.head(desk.id)).sequence
    await store.log.append(desk.id, [LogDraft(START, "", "note", f"№{n}", "noted", BY) for n in range(missing)])
    return desk.id


async def test_following_gives_each_entry_once_and_in_order_until_no_more_are_wanted(database_url: str) -> None:
    whole: list[int] = []
    part: list[int] = []

    def take(batch: Sequence[StoredRow]) -> bool:
        whole.extend(entry[0] for entry in batch)
        return True

    def take_some(batch: Sequence[StoredRow]) -> bool:
        part.extend(entry[0] for entry in batch)
        return len(part) < 2100

    async with SqlStore(database_url) as store:
        company_id = await fill(store)
        await store.log.follow(company_id, take)
        await store.log.follow(company_id, take_some, after=77)

    assert whole == list(range(1, LENGTH + 1))
    assert part == list(range(78, 78 + len(part)))
    assert 2100 <= len(part) < LENGTH - 77


async def test_whoever_looks_may_fail_while_the_next_entries_are_on_their_way(database_url: str) -> None:
    def refuse(batch: Sequence[StoredRow]) -> bool:
        raise ArithmeticError(len(batch))

    async with SqlStore(database_url) as store:
        company_id = await fill(store)
        for _ in range(12):  # as many as there are connections
            with pytest.raises(ArithmeticError):
                await store.log.follow(company_id, refuse)
        sound = await verify_log(store.log, company_id)

    assert (sound.is_sound, sound.entries) == (True, LENGTH)


async def test_a_fault_behind_thousands_of_sound_entries_is_named(database_url: str) -> None:
    changes = {
        4100: ("UPDATE log_entries SET external_id = '№' WHERE sequence = 4100", LogDifference.CHANGED),
        2003: ("DELETE FROM log_entries WHERE sequence = 2003", LogDifference.REMOVED),
        1999: ("UPDATE log_entries SET canonical = previous_hash WHERE sequence = 1999", LogDifference.CHANGED),
    }
    async with SqlStore(database_url) as store:
        company_id = await fill(store)
        sound = await verify_log(store.log, company_id)
        await store.database.migrate(drop_triggers)
        found = {}
        for place, (statement, _) in changes.items():
            await store.database.migrate(partial(run, statement=statement))
            result = await verify_log(store.log, company_id)
            found[place] = (result.broken_at, result.difference)

    assert (sound.is_sound, sound.entries) == (True, LENGTH)
    assert found == {place: (place, difference) for place, (_, difference) in changes.items()}


async def test_a_batch_is_asked_for_by_numbers_from_and_to(database_url: str) -> None:
    """A server that has not looked at a young log yet would read all the rest of it for each batch, and sort it."""
    async with SqlStore(database_url) as store:
        company_id = await fill(store)
        query = query_batch(company_id, after=1000, through=1400)
        plan = await store.database.read(lambda connection: explain(connection, query))

    assert "sequence>? AND sequence<?" in plan or ("(sequence > 1000)" in plan and "(sequence <= 1400)" in plan)
