"""The transaction log on SQL, read across table and archive.

Appending is in `chain.py`, the one way in which entries leave the table in `log_archives.py`; triggers refuse all else.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import ChainHead, LogDraft, LogEntry, Opener, StoredEntry, StoredRow, decode_entry
from runway_core.errors import LogBroken, NotFound
from sqlalchemy import Connection, bindparam, select

from runway_store_sql.bulk import among_places
from runway_store_sql.chain import append_acts
from runway_store_sql.engine import Database
from runway_store_sql.log_archives import SqlLogArchives
from runway_store_sql.log_following import FOLLOWING, STORED, fetch_rows, fetch_within, follow_some
from runway_store_sql.past import find_end, find_last_before, read_last_drafts
from runway_store_sql.sealing import read_opener
from runway_store_sql.tables import companies, log_entries, log_heads

_ASKED_TOGETHER = 1000
_NEXT = FOLLOWING.order_by(log_entries.c.sequence).limit(bindparam("batch"))
_make_stored: Callable[[Sequence[Any]], StoredEntry] = partial(tuple.__new__, StoredEntry)
"""`StoredEntry._make`, which is written in Python and would count the fields again."""


def _read_entry(company_id: CompanyId, row: StoredEntry, opener: Opener) -> LogEntry:
    try:
        _, _, draft = decode_entry(row.canonical, opener)
    except ValueError as error:
        raise LogBroken(
            f"entry {row.sequence} of company {company_id!r} cannot be read ({error}): restore a backup"
        ) from error
    return LogEntry(
        company_id=company_id,
        sequence=row.sequence,
        draft=draft,
        previous_hash=row.previous_hash,
        hash=row.hash,
        canonical=row.canonical,
    )


def _read_hashes(connection: Connection, owner: CompanyId, places: Sequence[int]) -> Sequence[Any]:
    asked = log_entries.c.company_id == owner, among_places(connection, log_entries.c.sequence, places)
    return connection.execute(select(log_entries.c.sequence, log_entries.c.hash).where(*asked)).all()


def _fetch_batch(connection: Connection, owner: CompanyId, *, after: int, batch: int) -> Sequence[Sequence[Any]]:
    """The entries after a number, so many at most.

    They are asked for by numbers from and to, and by how many only where there are gaps or an end: a server that has
    not looked at a young log yet believes the rest of it to be short, and sorts all of it anew for each batch.
    """
    rows = fetch_within(connection, owner, after=after, through=after + batch)
    if len(rows) == batch:
        return rows
    return fetch_rows(connection, _NEXT, {"owner": owner, "after": after, "batch": batch})


class SqlTransactionLog:
    """The `TransactionLog` of a database."""

    def __init__(self, database: Database, archives: SqlLogArchives) -> None:
        self._database = database
        self._archives = archives

    async def append(self, company_id: CompanyId, drafts: Sequence[LogDraft]) -> ChainHead:
        """Append entries that change no record, in one transaction.

        Raises:
            NotFound: no such company.
        """

        def write(connection: Connection) -> ChainHead:
            known = companies.c.company_id == company_id, companies.c.erased_at.is_(None)
            if connection.scalar(select(companies.c.company_id).where(*known)) is None:
                raise NotFound(f"no company {company_id!r}")
            return append_acts(connection, company_id, drafts)

        return await self._database.write(write, company_id=company_id)

    async def head(self, company_id: CompanyId) -> ChainHead:
        """Where the chain ends."""
        query = select(log_heads.c.sequence, log_heads.c.hash).where(log_heads.c.company_id == company_id)
        row = await self._database.read(lambda connection: connection.execute(query).first(), company_id=company_id)
        return ChainHead() if row is None else ChainHead(sequence=row.sequence, hash=row.hash)

    async def entries(self, company_id: CompanyId, *, after: int = 0, batch: int = 1000) -> AsyncIterator[LogEntry]:
        """Stream entries after a sequence number, a batch a query."""
        opener = await self._database.read(partial(read_opener, company_id=company_id), company_id=company_id)
        async for stored in self.stored(company_id, after=after, batch=batch):
            for entry in stored:
                yield _read_entry(company_id, entry, opener)

    async def stored(
        self, company_id: CompanyId, *, after: int = 0, batch: int = 2000
    ) -> AsyncIterator[Sequence[StoredEntry]]:
        """Stream entries after a sequence number as they are stored, a batch a query; archived ones from their files.

        Raises:
            StoreUnavailable: a file is not at hand.
            LogBroken: a file is not what was archived, or the table holds an entry that was.
        """
        may_be_archived = True
        while True:
            fetch = partial(_fetch_batch, owner=company_id, after=after, batch=batch)
            rows = await self._database.read(fetch, company_id=company_id)
            if may_be_archived and (not rows or rows[0][0] != after + 1):
                before, may_be_archived = after, False
                async for archived in self._archives.stream(company_id, after=after):
                    yield archived
                    after = archived[-1].sequence
                if rows and rows[0][0] <= after:
                    raise LogBroken(f"entry {rows[0][0]} stands in the table and was archived: it was put there")
                if rows or after > before:
                    continue  # also where nothing was archived: it may have been put back meanwhile
            may_be_archived = True
            if rows:
                entries = list(map(_make_stored, rows))
                yield entries
                after = entries[-1].sequence
            if len(rows) < batch:
                return

    async def follow(
        self, company_id: CompanyId, take: Callable[[Sequence[StoredRow]], bool], *, after: int = 0
    ) -> None:
        """Give `take` the entries after a sequence number, where they are read and while they are in the caches.

        What is not there whole, such as archived entries, gaps and the end, comes from `stored`.

        Raises:
            StoreUnavailable: a file is not at hand.
            LogBroken: a file is not what was archived, or the table holds an entry that was.
        """
        is_whole = True
        while is_whole:
            work = partial(follow_some, owner=company_id, after=after, take=take)
            after, wants_more, is_whole = await self._database.read(work, company_id=company_id)
            if not wants_more:
                return
        async for entries in self.stored(company_id, after=after):
            if not take(entries):
                return

    async def last_before(self, company_id: CompanyId, moment: datetime) -> int:
        """The number of the last entry that stands before all entries seen at `moment` or later; nil when none does."""

        def find(connection: Connection) -> tuple[int, int]:
            end = find_end(connection, company_id)
            return end, find_last_before(connection, company_id, moment, after=end)

        end, found = await self._database.read(find, company_id=company_id)
        return found if found > end or not end else await self._archives.last_before(company_id, moment)

    async def last_drafts(self, company_id: CompanyId, *, through: int, kinds: Sequence[str]) -> Sequence[LogDraft]:
        """The last entry about each thing of some kinds up to an entry, in order."""

        def read(connection: Connection) -> tuple[int, Sequence[LogDraft]]:
            end = find_end(connection, company_id)
            return end, read_last_drafts(connection, company_id, through=through, after=end, kinds=kinds)

        end, drafts = await self._database.read(read, company_id=company_id)
        earlier = await self._archives.last_drafts(company_id, through=min(through, end), kinds=kinds) if end else ()
        return [*earlier, *drafts]

    async def hashes(self, company_id: CompanyId, sequences: Sequence[int]) -> dict[int, bytes]:
        """The hashes of those entries that are there, so many a query; of files not at hand, those of their ends."""
        found: dict[int, bytes] = {}
        for start in range(0, len(sequences), _ASKED_TOGETHER):
            places = sequences[start : start + _ASKED_TOGETHER]
            rows = await self._database.read(
                partial(_read_hashes, owner=company_id, places=places), company_id=company_id
            )
            found.update((row.sequence, row.hash) for row in rows)
        missing = set(sequences) - found.keys()
        return found | (await self._archives.hashes(company_id, missing) if missing else {})

    async def history(self, company_id: CompanyId, key: tuple[StrEnum, str]) -> Sequence[LogEntry]:
        """Every entry about one thing by kind and id, such as a record or a working paper, oldest first."""
        kind, external_id = key
        query = (
            select(*STORED)
            .where(
                log_entries.c.company_id == company_id,
                log_entries.c.kind == kind.value,
                log_entries.c.external_id == external_id,
            )
            .order_by(log_entries.c.sequence)
        )

        def read(connection: Connection) -> tuple[int, Sequence[Sequence[Any]], Opener]:
            opener = read_opener(connection, company_id)
            return find_end(connection, company_id), fetch_rows(connection, query), opener

        end, rows, opener = await self._database.read(read, company_id=company_id)
        earlier = await self._archives.history(company_id, (kind.value, external_id)) if end else []
        later = [_make_stored(row) for row in rows if row[0] > end]
        return [_read_entry(company_id, entry, opener) for entry in (*earlier, *later)]
