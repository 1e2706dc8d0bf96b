"""A process that commits pages until it is killed; each page's effect follows from its number alone."""

import asyncio
from multiprocessing.connection import Connection

from runway_core.domain.bills import Bill
from runway_core.domain.identity import RecordKey, RecordKind
from runway_store_sql import SqlStore
from runway_testkit.store_desk import StoreDesk, make_bill

PER_PAGE = 10


def key_of(page: int, at: int) -> RecordKey:
    return RecordKey(RecordKind.BILL, f"{page:05}-{at}")


def new_bills(page: int) -> list[Bill]:
    return [make_bill(key_of(page, at).external_id, memo="m" * 200) for at in range(PER_PAGE)]


def paid_bills(page: int) -> list[Bill]:
    return [make_bill(key_of(page, at).external_id, revision=1, open_balance="0.0000") for at in range(PER_PAGE)]


async def commit_pages(url: str, first: int, ready: Connection) -> None:
    async with SqlStore(url) as store:
        desk = await StoreDesk(store).reopen()
        page = first
        while True:
            gone = [key_of(page - 2, 0)] if page > 2 else []
            earlier = paid_bills(page - 1) if page > 1 else []
            await desk.commit(desk.make_page(*new_bills(page), *earlier, deleted=gone, cursor=str(page)))
            desk.seconds = 0
            ready.send(page)
            page += 1


def run(url: str, first: int, ready: Connection) -> None:
    asyncio.run(commit_pages(url, first, ready))
