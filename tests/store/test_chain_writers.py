"""Many who write one company's log at once make one chain; those who write another's do not wait for them."""

import asyncio
from collections.abc import Callable
from functools import partial

from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import ChainHead, LogDraft
from runway_core.sync.verification import verify_log
from runway_store_sql import SqlStore
from runway_store_sql.chain import lock_head
from runway_testkit.store_desk import START, StoreDesk
from sqlalchemy import Connection, text

BY = Attribution(cause=Cause.SYSTEM, actor="runway", correlation_id="run")
WRITERS, TIMES, TOGETHER = 6, 5, 3


async def write(store: SqlStore, company_id: CompanyId, writer: int) -> None:
    for time in range(TIMES):
        drafts = [LogDraft(START, "", "note", f"{writer}-{time}-{n}", "noted", BY) for n in range(TOGETHER)]
        await store.log.append(company_id, drafts)


async def test_writers_of_one_company_never_fork_its_chain(database_url: str) -> None:
    async with SqlStore(database_url) as store, SqlStore(database_url) as other:
        desk = await StoreDesk(store).open()
        before = (await store.log.head(desk.id)).sequence
        stores = [store] if store.database.is_embedded else [store, other]  # one process writes a file
        await asyncio.gather(*(write(stores[n % len(stores)], desk.id, n) for n in range(WRITERS)))
        found = await verify_log(store.log, desk.id)
        noted = [entry.draft.external_id async for entry in store.log.entries(desk.id, after=before)]

    assert (found.is_sound, found.entries) == (True, before + WRITERS * TIMES * TOGETHER), found.fault
    assert len(set(noted)) == WRITERS * TIMES * TOGETHER
    together = [noted[at : at + TOGETHER] for at in range(0, len(noted), TOGETHER)]
    assert all([name[-1] for name in group] == ["0", "1", "2"] for group in together)  # nobody came in between


def hold(connection: Connection, *, company_id: CompanyId) -> ChainHead:
    """Lock a chain and stay within the transaction for a while."""
    head = lock_head(connection, company_id)
    connection.execute(text("SELECT pg_sleep(1.5)"))
    return head


async def test_another_companys_writer_does_not_wait(postgres: Callable[..., str]) -> None:
    url = postgres()
    async with SqlStore(url) as store, SqlStore(url) as other:
        busy, free = [await StoreDesk(store, company=name).open() for name in ("acme", "birch")]
        holding = asyncio.ensure_future(store.database.write(partial(hold, company_id=busy.id)))
        waiting = asyncio.ensure_future(write(other, busy.id, 0))
        await asyncio.wait_for(write(other, free.id, 0), 20)
        was_held, had_waited = not holding.done(), not waiting.done()
        await asyncio.gather(holding, waiting)
        sound = [(await verify_log(store.log, desk.id)).is_sound for desk in (busy, free)]

    assert was_held
    assert had_waited
    assert sound == [True, True]
