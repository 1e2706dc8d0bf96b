"""What was acknowledged outlives a kill at any moment, and work that was given out is in the job table."""

import asyncio
import contextlib
import random
from datetime import timedelta

from runway_core.domain.identity import DEFAULT_FIRM
from runway_core.domain.jobs import Lane
from runway_store_sql import SqlStore
from runway_testkit.inbox_contract import ACCOUNT, make_delivery
from runway_testkit.store_desk import START, StoreDesk

from tests.processes import processes
from tests.store.inbox_writer import run

KILLS = 4
LATER = START + timedelta(days=1)


async def set_up(url: str) -> None:
    async with SqlStore(url) as store:
        desk = await StoreDesk(store).open()
        await store.registry.name_account(desk.connection, ACCOUNT.account)


async def check(url: str, acknowledged: list[str]) -> int:
    """Look at what a killed process left; returns how many deliveries are kept."""
    async with SqlStore(url) as store:
        counts = await store.inbox.counts()
        again = [name for name in acknowledged if await store.inbox.accept(make_delivery(name))]
        waiting = (await store.jobs.depths(DEFAULT_FIRM, now=LATER)).lanes[Lane.WEBHOOK].due

        assert again == []  # each of them is kept already
        assert counts.deliveries >= len(acknowledged)
        assert waiting == (1 if counts.unread < counts.deliveries else 0)  # marked as read, so its pull waits
        return counts.deliveries


def test_no_acknowledged_delivery_is_lost(database_url: str) -> None:
    asyncio.run(set_up(database_url))
    context = processes()
    chance = random.Random(20260505)
    acknowledged: list[str] = []
    for number in range(KILLS):
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=run, args=(database_url, number, sending))
        process.start()
        sending.close()
        acknowledged += [receiving.recv() for _ in range(chance.randint(1, 60))]
        process.kill()
        process.join()
        with contextlib.suppress(EOFError):
            while receiving.poll():  # what it still told before it died
                acknowledged.append(receiving.recv())
        kept = asyncio.run(check(database_url, acknowledged))

    assert len(acknowledged) >= KILLS
    assert kept >= len(acknowledged)
