"""A process that archives, takes out and puts back again and again until it is killed."""

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path

from tests.store.archive_desk import ArchiveDesk


async def move_back_and_forth(url: str, folder: Path, ready: Connection) -> None:
    desk = ArchiveDesk(url, folder)
    desk.desk.seconds = 300 * 24 * 3600
    desk.sync_clock()
    async with desk.runway:
        while True:
            ready.send("detach")
            await desk.detach()
            ready.send("restore")
            await desk.runway.archives.restore(desk.id, actor="ada")


def run(url: str, folder: Path, ready: Connection) -> None:
    asyncio.run(move_back_and_forth(url, folder, ready))
