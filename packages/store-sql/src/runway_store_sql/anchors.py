"""Anchors in the database, and in a folder outside it."""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from runway_core.domain.anchors import Anchor, AnchorLeaf, read_anchor, write_anchor
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import to_microseconds
from runway_core.errors import LogBroken, StoreUnavailable
from sqlalchemy import Connection, func, select, true

from runway_store_sql.bulk import insert_rows
from runway_store_sql.engine import Database
from runway_store_sql.log_tables import anchors
from runway_store_sql.tables import log_heads

_PREFIX = "anchor-"


def _read(document: bytes, where: str) -> Anchor:
    try:
        return read_anchor(document)
    except ValueError as error:
        raise LogBroken(f"an anchor in {where} cannot be read ({error}): it was altered") from error


class SqlAnchorStore:
    """The `AnchorStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def heads(self) -> Sequence[AnchorLeaf]:
        """Where every company's chain ends, on one snapshot."""
        query = select(log_heads.c.company_id, log_heads.c.sequence, log_heads.c.hash).where(log_heads.c.sequence > 0)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [AnchorLeaf(CompanyId(company_id), sequence, digest) for company_id, sequence, digest in rows]

    async def save(self, anchor: Anchor) -> bool:
        """Keep an anchor; false when another one took its number."""
        row = (anchor.number, to_microseconds(anchor.made_at), anchor.is_whole, write_anchor(anchor))

        def write(connection: Connection) -> bool:
            if connection.scalar(select(anchors.c.number).where(anchors.c.number == anchor.number)) is not None:
                return False
            insert_rows(connection, anchors, [row])
            return True

        return await self._database.write(write)

    async def anchors(self, *, after: int = 0) -> Sequence[Anchor]:
        """The anchors after a number, in order."""
        query = select(anchors.c.document).where(anchors.c.number > after).order_by(anchors.c.number)
        documents = await self._database.read(lambda connection: connection.scalars(query).all())
        return [_read(document, "the database") for document in documents]

    async def last_whole(self, *, before: datetime | None = None) -> int:
        """The number of the last anchor that holds all heads, made before a moment; nil when there is none."""
        query = select(func.max(anchors.c.number)).where(anchors.c.is_whole == true())
        if before is not None:
            query = query.where(anchors.c.made_at < to_microseconds(before))
        return await self._database.read(lambda connection: connection.scalar(query)) or 0

    async def last(self) -> Anchor | None:
        """The newest anchor."""
        query = select(anchors.c.document).order_by(anchors.c.number.desc()).limit(1)
        document = await self._database.read(lambda connection: connection.scalar(query))
        return None if document is None else _read(document, "the database")


class FolderAnchorSink:
    """Anchors as files of a folder, one each, written once and never opened for writing again.

    On this machine it guards against whoever can only write the database; put it where that person cannot write: on
    another machine, in a synchronised folder that keeps versions, or on a bucket with object lock that is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """The folder."""
        return str(self._folder)

    def _path(self, number: int) -> Path:
        return self._folder / f"{_PREFIX}{number:09d}.json"

    def _numbers(self) -> list[int]:
        try:
            names = [path.stem.removeprefix(_PREFIX) for path in self._folder.glob(f"{_PREFIX}*.json")]
        except OSError as error:
            raise self._unavailable(error) from error
        return sorted(int(name) for name in names if name.isdigit())

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(
            f"the anchors' folder {self.name!r} cannot be read or written ({error.strerror}): let this user, or name "
            "another in RUNWAY_ANCHOR_FOLDER"
        )

    def _write(self, number: int, document: bytes) -> None:
        """Write whole or not at all: under another name first, and linked to its own only when it is on the disk."""
        path = self._path(number)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.write(document + b"\n")
                file.flush()
                os.fsync(file.fileno())
            draft.chmod(0o444)
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                if path.read_bytes().rstrip(b"\n") != document:
                    raise LogBroken(
                        f"{str(path)!r} holds another anchor than the database: one of them was rewritten"
                    ) from None
            finally:
                draft.unlink()
        except OSError as error:
            raise self._unavailable(error) from error

    async def put(self, anchor: Anchor) -> None:
        """Write an anchor that it does not hold; the same one again is harmless."""
        await asyncio.to_thread(self._write, anchor.number, write_anchor(anchor))

    async def anchors(self, *, after: int = 0) -> Sequence[Anchor]:
        """What it holds after a number, in order."""

        def read() -> list[Anchor]:
            try:
                return [_read(self._path(n).read_bytes(), self.name) for n in self._numbers() if n > after]
            except OSError as error:
                raise self._unavailable(error) from error

        return await asyncio.to_thread(read)

    async def last_number(self) -> int:
        """The number of the newest anchor it holds; nil when it is empty."""
        return max(await asyncio.to_thread(self._numbers), default=0)
