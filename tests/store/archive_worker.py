"""Processes that take entries out of the log and put them back until they are killed."""

import asyncio
import os
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from runway_app_http.log_archive import read_manifests
from sqlalchemy import Engine, event

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


def die_at(place: int) -> None:
    """Die before the statement of that number which writes, or before the commit that has it."""
    numbers = count(1)

    def step() -> None:
        if next(numbers) == place:
            os._exit(9)

    @event.listens_for(Engine, "before_cursor_execute")
    def write(*asked: object) -> None:
        if str(asked[2]).startswith(("INSERT", "UPDATE", "DELETE")):
            step()

    @event.listens_for(Engine, "commit")
    def commit(_: object) -> None:
        step()


async def move_once(url: str, folder: Path, act: str, place: int) -> None:
    desk = ArchiveDesk(url, folder)
    desk.desk.seconds = 300 * 24 * 3600
    desk.sync_clock()
    async with desk.runway:
        die_at(place)
        if act == "detach":
            await desk.runway.archives.detach(read_manifests(desk.folder, desk.id)[:1], actor="ada")
        else:
            await desk.runway.archives.restore(desk.id, actor="ada")


def run_once(url: str, folder: Path, act: str, place: int) -> None:
    asyncio.run(move_once(url, folder, act, place))
