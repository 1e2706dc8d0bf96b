"""A company whose log goes back for months, an archive and a place for anchors: what tests of the archive work with."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from runway_app_http.log_archive import archive_chain, read_manifests
from runway_core.domain.books import Books
from runway_core.domain.identity import CompanyId, FirmId, RecordKey, RecordKind
from runway_core.domain.log_archive import ArchivedPiece
from runway_core.domain.log_entry import LogDraft
from runway_core.ports.anchors import AnchorSink
from runway_core.runway import Runway
from runway_store_sql import FolderAnchorSink, SqlStore
from runway_testkit.clock import FixedClock
from runway_testkit.store_desk import START, StoreDesk, make_bill
from sqlalchemy import Connection, text

SECRET_KEY = "a key for tests alone, of 32 characters and more"
COLUMNS = "company_id, sequence, seen_at, rail, kind, external_id, what, correlation_id, previous_hash, hash, canonical"
BILL = RecordKey(RecordKind.BILL, "1")


class ArchiveDesk:
    """One company, its clock, and the folders around its database."""

    def __init__(
        self, url: str, folder: Path, *, company: str = "acme", sinks: Sequence[AnchorSink] | None = None
    ) -> None:
        self.clock = FixedClock(START)
        self.folder = folder / f"archive-{company}"
        self.anchors = folder / "anchors"
        self.store = SqlStore(
            url, secret_key=SECRET_KEY, clock=self.clock, log_archive=self.folder, firm_id=FirmId("own")
        )
        self.runway = Runway.open(
            store=self.store,
            rails=[],
            clock=self.clock,
            firm_id=FirmId("own"),
            anchor_sinks=[FolderAnchorSink(self.anchors)] if sinks is None else sinks,
        )
        self.desk = StoreDesk(self.store, company=company)

    @property
    def id(self) -> CompanyId:
        return self.desk.id

    async def later(self, days: int) -> None:
        """Let days go by."""
        self.desk.seconds += days * 24 * 3600
        self.sync_clock()
        await self.desk.reopen()

    def sync_clock(self) -> None:
        self.clock.advance(self.desk.now - self.clock.now())

    async def put_months(self, months: int, *, bills: int = 4) -> "ArchiveDesk":
        """Fill so many months, one revision of each bill in each; then let the last of them grow old."""
        await self.desk.open()
        for month in range(months):
            await self.desk.put(*(make_bill(str(n), revision=month, memo=f"month {month}") for n in range(bills)))
            await self.later(31)
        await self.later(100)
        return self

    async def archive(self, *, before: datetime | None = None) -> list[ArchivedPiece]:
        """Write what is old enough to go; returns every piece of the folder."""
        moment = before or self.clock.now() - timedelta(days=91)
        await archive_chain(self.runway, self.id, "Acme", before=moment, folder=self.folder)
        return read_manifests(self.folder, self.id) if self.folder.is_dir() else []

    async def detach(self) -> list[ArchivedPiece]:
        """Archive, and take it out of the table; returns what went."""
        return list(await self.runway.archives.detach(await self.archive(), actor="ada"))

    async def rows(self) -> list[tuple[Any, ...]]:
        """What the table holds of the company."""
        query = text(f"SELECT {COLUMNS} FROM log_entries WHERE company_id = :own ORDER BY sequence")
        found = await self.store.database.read(lambda c: c.execute(query, {"own": self.id}).all())
        return [tuple(row) for row in found]

    async def run(self, *statements: str) -> None:
        """Run SQL as the owner of the database could, the guard lifted; triggers stand."""

        def work(connection: Connection) -> None:
            for statement in statements:
                connection.execute(text(statement))

        await self.store.database.migrate(work)


async def read_books(desk: ArchiveDesk, *, at: datetime, known_at: datetime | None = None) -> Books:
    """Books but for what the log does not say or a mark moves: when pulls ended, and how many entries there are."""
    books = await desk.store.mirror.load_books(
        desk.desk.company, as_of=date(2026, 3, 2), history_from=date(2025, 1, 1), read_at=at, known_at=known_at
    )
    return books.model_copy(update={"connections": (), "log_sequence": 0})


async def history(desk: ArchiveDesk, key: RecordKey = BILL) -> list[LogDraft]:
    """What the log says of one record, oldest first."""
    return [entry.draft for entry in await desk.store.log.history(desk.id, key)]
