"""A process that takes in deliveries and gives their work out as fast as it can, and tells what it acknowledged."""

import asyncio
from itertools import count
from multiprocessing.connection import Connection

from runway_core.sync.nudges import plan_nudges
from runway_store_sql import SqlStore
from runway_testkit.inbox_contract import ACCOUNT, make_delivery, make_event
from runway_testkit.store_desk import START

SIDE_BY_SIDE = 4


async def take_in(url: str, round_: int, sending: Connection) -> None:
    async with SqlStore(url) as store:
        numbers = count()

        async def accept() -> None:
            while True:
                name = f"{round_}-{next(numbers)}"
                await store.inbox.accept(make_delivery(name, make_event(name)))
                sending.send(name)

        async def give_out() -> None:
            while True:
                news = await store.inbox.unread(limit=5)
                jobs = plan_nudges(news, await store.inbox.listeners([ACCOUNT]))
                await store.inbox.hand_over([delivery.key for delivery in news], jobs, now=START)

        await asyncio.gather(give_out(), *(accept() for _ in range(SIDE_BY_SIDE)))


def run(url: str, round_: int, sending: Connection) -> None:
    asyncio.run(take_in(url, round_, sending))
