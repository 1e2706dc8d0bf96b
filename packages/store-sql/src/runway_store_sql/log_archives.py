"""Taking archived entries out of the table and putting them back, and reading what is in files alone."""

import asyncio
from collections.abc import AsyncIterator, Collection, Generator, Mapping, Sequence
from datetime import datetime
from functools import partial

from runway_core.domain.field_changes import TELLING
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_archive import ArchivedPiece, DetachedPiece
from runway_core.domain.log_entry import LogDraft, Opener, StoredEntry, from_microseconds, to_microseconds
from runway_core.errors import InvalidRequest, LogBroken, StoreUnavailable
from sqlalchemy import Connection, delete, func, select, text

from runway_store_sql.archive_files import ArchiveFolder
from runway_store_sql.bulk import among, insert_rows, is_postgres
from runway_store_sql.chain import append_acts, lock_head
from runway_store_sql.engine import Database
from runway_store_sql.faults import waited_in_vain
from runway_store_sql.log_months import drop_empty_months, make_month_of
from runway_store_sql.log_tables import log_pieces
from runway_store_sql.past import EVERY_ACT, ArchivedPast, decode_draft, find_end
from runway_store_sql.sealing import read_opener
from runway_store_sql.tables import log_entries


class SqlLogArchives:
    """The `LogArchives` of a database, and what of a chain is in files, for whoever reads the log."""

    def __init__(self, database: Database, folder: ArchiveFolder) -> None:
        self._database = database
        self._folder = folder

    async def detached(self, owner: CompanyId) -> Sequence[DetachedPiece]:
        """The pieces that were taken out of a chain, oldest first."""
        return await self._database.read(partial(read_pieces, owner=owner, folder=self._folder))

    async def look_for_files(self, owners: Collection[CompanyId]) -> Mapping[str, bool]:
        """Whether each file that pieces of some chains are in is found; see the port."""

        def read(connection: Connection) -> list[str]:
            own = among(connection, log_pieces.c.company_id, list(owners))
            return list(connection.scalars(select(log_pieces.c.file).where(own).order_by(log_pieces.c.file)))

        files = await self._database.read(read)
        return await asyncio.to_thread(self._folder.look_for, files) if files else {}

    async def detach(self, piece: ArchivedPiece, mark: LogDraft) -> None:
        """Take the entries of a piece out of the table, and append the mark that says so; see the port."""
        first = await asyncio.to_thread(self._folder.prove, piece)
        await self._database.migrate(partial(_take_out, piece=piece, first_seen_at=first.seen_at, mark=mark))

    async def drop_empty_months(self) -> int:
        """Give the room of months back that nothing is left of; see the port."""
        if self._database.is_embedded:
            return 0
        try:
            return await self._database.migrate(drop_empty_months)
        except StoreUnavailable as error:
            if waited_in_vain(error):
                return 0
            raise

    async def put_back(self, owner: CompanyId, piece: DetachedPiece, mark: LogDraft) -> None:
        """Put the entries of the piece that was taken out last back; see the port."""
        await asyncio.to_thread(self._folder.open_piece, piece)
        if not self._database.is_embedded:
            await self._database.migrate(partial(make_month_of, moment=piece.first_seen_at))
        await self._database.migrate(partial(_put_back, owner=owner, piece=piece, folder=self._folder, mark=mark))

    # --- reading ---

    async def stream(self, owner: CompanyId, *, after: int = 0) -> AsyncIterator[list[StoredEntry]]:
        """The entries after a number that are in files alone, so many at a time."""
        for piece in await self.detached(owner):
            if piece.last <= after:
                continue
            batches = self._folder.stream(owner, piece, after=after)
            try:
                while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                    yield batch
            finally:
                batches.close()

    async def history(self, owner: CompanyId, about: tuple[str, str]) -> list[StoredEntry]:
        """The entries about one thing that are in files alone."""
        pieces = await self.detached(owner)

        def read() -> list[StoredEntry]:
            return [entry for piece in pieces for entry in self._folder.history(owner, piece, about)]

        return await asyncio.to_thread(read) if pieces else []

    async def hashes(self, owner: CompanyId, sequences: Collection[int]) -> dict[int, bytes]:
        """The hashes of entries that are in files; of a file that is not at hand, that of its last entry."""
        found: dict[int, bytes] = {}
        for piece in await self.detached(owner):
            wanted = {sequence for sequence in sequences if piece.first <= sequence <= piece.last}
            if not piece.is_at_hand or wanted <= {piece.last}:
                found |= {piece.last: piece.last_hash} if piece.last in wanted else {}
                continue
            found |= await asyncio.to_thread(self._read_hashes, owner, piece, wanted)
        return found

    def _read_hashes(self, owner: CompanyId, piece: DetachedPiece, wanted: set[int]) -> dict[int, bytes]:
        batches = self._folder.stream(owner, piece)
        return {entry.sequence: entry.hash for batch in batches for entry in batch if entry.sequence in wanted}

    async def last_before(self, owner: CompanyId, moment: datetime) -> int:
        """The last entry in files that was seen before a moment; nil where none was."""
        earlier = [piece for piece in await self.detached(owner) if piece.first_seen_at < moment]
        if not earlier:
            return 0
        opener = await self._opener(owner)
        fold = partial(self._fold, owner, earlier[-1:], before=to_microseconds(moment), kinds=(), opener=opener)
        return (await asyncio.to_thread(fold)).last

    async def _opener(self, owner: CompanyId) -> Opener:
        return await self._database.read(partial(read_opener, company_id=owner))

    async def last_drafts(self, owner: CompanyId, *, through: int, kinds: Collection[str]) -> Sequence[LogDraft]:
        """The last entry in files about each thing of some kinds up to an entry, in order."""
        pieces = [piece for piece in await self.detached(owner) if piece.first <= through]
        if not pieces:
            return []
        opener = await self._opener(owner)
        fold = partial(self._fold, owner, pieces, through=through, kinds=kinds, opener=opener)
        return (await asyncio.to_thread(fold)).drafts

    async def read_past(
        self, owner: CompanyId, *, known_at: datetime, since: datetime, kinds: Collection[str] | None
    ) -> ArchivedPast:
        """What books of a past moment need of the entries that are in files."""
        pieces = await self.detached(owner)
        before = to_microseconds(known_at) + 1
        opener = await self._opener(owner)
        fold = partial(
            self._fold, owner, pieces, before=before, kinds=kinds, since=to_microseconds(since), opener=opener
        )
        return await asyncio.to_thread(fold)

    def _fold(
        self,
        owner: CompanyId,
        pieces: Sequence[DetachedPiece],
        *,
        opener: Opener,
        through: int | None = None,
        before: int | None = None,
        kinds: Collection[str] | None = None,
        since: int | None = None,
    ) -> ArchivedPast:
        """The last entry about each thing up to an entry or a moment, and changes of records since another."""
        newest: dict[tuple[str, ...], bytes] = {}
        updates: list[bytes] = []
        last = pieces[0].first - 1 if pieces else 0
        for entry in self._follow(owner, pieces):
            if (through is not None and entry.sequence > through) or (before is not None and entry.seen_at >= before):
                break
            last = entry.sequence
            if kinds is None or entry.kind in kinds:
                thing = (entry.kind, entry.external_id, entry.what if entry.kind in EVERY_ACT else "")
                newest.pop(thing, None)  # the order is that of the log
                newest[thing] = entry.canonical
            if since is not None and entry.what in TELLING and entry.seen_at >= since:
                updates.append(entry.canonical)
        return ArchivedPast(
            end=pieces[-1].last if pieces else 0,
            last=last,
            drafts=[decode_draft(canonical, owner, opener) for canonical in newest.values()],
            updates=[decode_draft(canonical, owner, opener) for canonical in updates],
        )

    def _follow(self, owner: CompanyId, pieces: Sequence[DetachedPiece]) -> Generator[StoredEntry, None, None]:
        for piece in pieces:
            for batch in self._folder.stream(owner, piece):
                yield from batch


def read_pieces(connection: Connection, owner: CompanyId, folder: ArchiveFolder) -> list[DetachedPiece]:
    """The pieces that were taken out of a chain, oldest first."""
    query = select(log_pieces).where(log_pieces.c.company_id == owner).order_by(log_pieces.c.first_sequence)
    return [
        DetachedPiece(
            first=row.first_sequence,
            last=row.last_sequence,
            last_hash=row.last_hash,
            first_seen_at=from_microseconds(row.first_seen_at),
            file=row.file,
            sha256=row.sha256,
            mark=row.mark_sequence,
            is_at_hand=folder.has(row.file),
        )
        for row in connection.execute(query)
    ]


def _demand_owner(connection: Connection) -> None:
    if is_postgres(connection) and not connection.scalar(text("SELECT has_table_privilege('log_entries', 'DELETE')")):
        raise InvalidRequest(
            "this role serves, and may only add to the log: take entries out, or put them back, as the owner of the "
            "tables (RUNWAY_DATABASE_URL as for `runway db upgrade`)"
        )


def _take_out(connection: Connection, piece: ArchivedPiece, *, first_seen_at: int, mark: LogDraft) -> None:
    _demand_owner(connection)
    lock_head(connection, piece.owner)
    end = find_end(connection, piece.owner)
    if piece.first != end + 1:
        raise InvalidRequest(f"{piece.file!r} begins with entry {piece.first}: the next that may go is {end + 1}")
    entries = log_entries.c
    own = (entries.company_id == piece.owner, entries.sequence >= piece.first, entries.sequence <= piece.last)
    count = connection.scalar(select(func.count()).select_from(log_entries).where(*own))
    last = select(entries.hash).where(entries.company_id == piece.owner, entries.sequence == piece.last)
    if count != piece.last - piece.first + 1 or connection.scalar(last) != piece.last_hash:
        raise LogBroken(f"the log holds other entries than {piece.file!r}: nothing goes; run `runway log verify`")
    marked = append_acts(connection, piece.owner, [mark])
    row = (piece.owner, piece.first, piece.last, piece.last_hash, first_seen_at, piece.file, piece.sha256)
    insert_rows(connection, log_pieces, [(*row, marked.sequence)])
    connection.execute(delete(log_entries).where(*own))


def _put_back(
    connection: Connection, owner: CompanyId, *, piece: DetachedPiece, folder: ArchiveFolder, mark: LogDraft
) -> None:
    _demand_owner(connection)
    lock_head(connection, owner)
    if find_end(connection, owner) != piece.last:
        raise InvalidRequest(f"{piece.file!r} is not the piece that was taken out last: put later ones back first")
    for batch in folder.stream(owner, piece):
        insert_rows(
            connection,
            log_entries,
            [
                (
                    owner,
                    entry.sequence,
                    entry.seen_at,
                    entry.rail,
                    entry.kind,
                    entry.external_id,
                    entry.what,
                    entry.correlation_id,
                    entry.previous_hash,
                    entry.hash,
                    entry.canonical,
                )
                for entry in batch
            ],
        )
    append_acts(connection, owner, [mark])
    own = (log_pieces.c.company_id == owner, log_pieces.c.first_sequence == piece.first)
    connection.execute(delete(log_pieces).where(*own))
