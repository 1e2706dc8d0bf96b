"""`SqlStore`: one database behind all storing ports."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr
from runway_core.domain.identity import DEFAULT_FIRM, FirmId
from runway_core.errors import InvalidRequest, StoreUnavailable
from runway_core.ports.clock import Clock, SystemClock
from runway_core.ports.log_archives import ArchiveCopies
from runway_core.ports.store import StoreHealth

from runway_store_sql.anchors import SqlAnchorStore
from runway_store_sql.answered_calls import SqlAnsweredCalls
from runway_store_sql.archive_files import ArchiveFolder
from runway_store_sql.backup import BackupReport, back_up_file, back_up_server, restore_file, restore_server
from runway_store_sql.breakers import SqlBreakers
from runway_store_sql.calls import SqlCallLedger
from runway_store_sql.coverage import SqlCoverage
from runway_store_sql.engine import Database, PostgresDatabase, parse_url
from runway_store_sql.erasing import SqlErasures
from runway_store_sql.health import SqlHealthStore
from runway_store_sql.inbox import SqlInbox
from runway_store_sql.jobs import SqlJobQueue
from runway_store_sql.log import SqlTransactionLog
from runway_store_sql.log_archives import SqlLogArchives
from runway_store_sql.log_keys import SqlLogKeys
from runway_store_sql.log_months import keep_months, look_at_months, prepare_months
from runway_store_sql.mirror import SqlMirrorStore
from runway_store_sql.outbox import SqlOutbox
from runway_store_sql.papers import SqlWorkingPapers
from runway_store_sql.people import SqlPeopleStore
from runway_store_sql.positions import SqlPositionStore
from runway_store_sql.registry import SqlCompanyRegistry
from runway_store_sql.row_security import grant_app_role
from runway_store_sql.schema import demand_current, newest_revision, read_revision, upgrade_schema
from runway_store_sql.sealing import KEY_RING, rewrap_company_keys
from runway_store_sql.sqlite import SqliteDatabase
from runway_store_sql.subscriptions import SqlSubscriptionStore
from runway_store_sql.vault import KeyRing, SqlTokenVault, add_to_key_file

_KEYLESS = (
    "no key is set (RUNWAY_SECRET_KEY): secrets cannot be kept, and logs are written in clear, so that no company "
    "can be erased"
)


class SqlStore:
    """The mirror and its log on SQLite or PostgreSQL.

    Args:
        url: `sqlite:///books.db`, `sqlite:////absolute/path.db` or `postgresql://user@host/name`.
        create: make and migrate the database at opening. `None` does so for a SQLite file that is not there yet.
        secret_key: the key under which secrets are kept (`RUNWAY_SECRET_KEY`). Without one, SQLite keeps a key in a
            file beside the database, and PostgreSQL keeps no secrets.
        log_key: the private key that signs anchors (`RUNWAY_LOG_KEY`). Without one, keys are made and sealed in the
            database.
        log_key_before: the one before it, to endorse it (`RUNWAY_LOG_KEY_BEFORE`).
        other_secret_keys: keys that open what was kept with them and seal nothing new: those before or after this one.
        firm_id: whose rows PostgreSQL shows a role that row level security holds for; a store serves one firm then.
        log_archive: the folder of archived pieces of the log (`RUNWAY_LOG_ARCHIVE_FOLDER`): entries that were taken out
            of the table are read from there.
        archive_copies: where a piece is fetched from that is not in that folder.
        clock: what the time is when an act without a time of its own is logged.

    Raises:
        InvalidRequest: the address cannot be read.
    """

    def __init__(
        self,
        url: str,
        *,
        create: bool | None = None,
        secret_key: str | SecretStr | None = None,
        log_key: SecretStr | None = None,
        log_key_before: SecretStr | None = None,
        other_secret_keys: Sequence[SecretStr] = (),
        clock: Clock | None = None,
        firm_id: FirmId = DEFAULT_FIRM,
        log_archive: Path | None = None,
        archive_copies: ArchiveCopies | None = None,
    ) -> None:
        parsed = parse_url(url)
        key = SecretStr(secret_key) if isinstance(secret_key, str) else secret_key
        is_file = parsed.get_backend_name() == "sqlite"
        key_file = Path(f"{parsed.database}.key").absolute() if is_file else None
        self._keys = KeyRing([key, *other_secret_keys] if key is not None else (), key_file)
        options = {KEY_RING: self._keys}
        self._database: Database = (
            SqliteDatabase(parsed, options=options) if is_file else PostgresDatabase(parsed, firm_id, options=options)
        )
        self._create = create
        self._log_archives = SqlLogArchives(self._database, ArchiveFolder(log_archive, archive_copies))
        self._mirror = SqlMirrorStore(self._database, self._log_archives)
        self._log = SqlTransactionLog(self._database, self._log_archives)
        self._erasures = SqlErasures(self._database, self._log_archives)
        self._registry = SqlCompanyRegistry(self._database, clock or SystemClock())
        self._positions = SqlPositionStore(self._database)
        self._papers = SqlWorkingPapers(self._database)
        self._jobs = SqlJobQueue(self._database)
        self._outbox = SqlOutbox(self._database)
        self._inbox = SqlInbox(self._database)
        self._coverage = SqlCoverage(self._database)
        self._calls = SqlCallLedger(self._database)
        self._vault = SqlTokenVault(self._database, self._keys)
        self._people = SqlPeopleStore(self._database, self._keys)
        self._answered_calls = SqlAnsweredCalls(self._database, self._keys)
        self._subscriptions = SqlSubscriptionStore(self._database, self._keys)
        self._breakers = SqlBreakers(self._database)
        self._health = SqlHealthStore(self._database)
        self._anchors = SqlAnchorStore(self._database)
        self._log_keys = SqlLogKeys(self._database, self._keys, given=log_key, before=log_key_before)

    def __repr__(self) -> str:
        return f"SqlStore({self._database.where})"

    @property
    def database(self) -> Database:
        """How the database is reached; for tests and tools of this package."""
        return self._database

    @property
    def mirror(self) -> SqlMirrorStore:
        """The mirrored records."""
        return self._mirror

    @property
    def log(self) -> SqlTransactionLog:
        """The transaction log."""
        return self._log

    @property
    def log_archives(self) -> SqlLogArchives:
        """Pieces of the log that are in files alone."""
        return self._log_archives

    @property
    def anchors(self) -> SqlAnchorStore:
        """Anchors of the log."""
        return self._anchors

    @property
    def log_keys(self) -> SqlLogKeys:
        """The keys that sign them."""
        return self._log_keys

    @property
    def erasures(self) -> SqlErasures:
        """Companies that were erased, and how."""
        return self._erasures

    @property
    def registry(self) -> SqlCompanyRegistry:
        """Companies, connections, leases and runs."""
        return self._registry

    @property
    def positions(self) -> SqlPositionStore:
        """Stored positions and findings."""
        return self._positions

    @property
    def papers(self) -> SqlWorkingPapers:
        """What people keep beside the mirror."""
        return self._papers

    @property
    def jobs(self) -> SqlJobQueue:
        """Work that is due, running, done and dead."""
        return self._jobs

    @property
    def outbox(self) -> SqlOutbox:
        """Events that wait to be told."""
        return self._outbox

    @property
    def calls(self) -> SqlCallLedger:
        """Budgets of calls that all workers share."""
        return self._calls

    @property
    def breakers(self) -> SqlBreakers:
        """Circuit breakers that all workers share."""
        return self._breakers

    @property
    def health(self) -> SqlHealthStore:
        """What is known about the service itself."""
        return self._health

    @property
    def vault(self) -> SqlTokenVault:
        """Secrets of connections."""
        return self._vault

    @property
    def coverage(self) -> SqlCoverage:
        """What each path by which changes come has brought and missed."""
        return self._coverage

    @property
    def inbox(self) -> SqlInbox:
        """What rails sent by themselves."""
        return self._inbox

    @property
    def people(self) -> SqlPeopleStore:
        """The firm's people, and what was given out to them."""
        return self._people

    @property
    def answered_calls(self) -> SqlAnsweredCalls:
        """Answers of calls that may be sent again."""
        return self._answered_calls

    @property
    def subscriptions(self) -> SqlSubscriptionStore:
        """Who is told of events, and what is delivered."""
        return self._subscriptions

    async def back_up(self, target: Path) -> BackupReport:
        """Write the whole database into a file, as of one moment, while it is in use.

        Raises:
            InvalidRequest: the file exists, or this role does not see every row.
            StoreUnavailable: the database cannot be reached, or the file cannot be written.
        """
        self._demand_existing()
        if isinstance(self._database, SqliteDatabase):
            return await asyncio.to_thread(back_up_file, self._database.path, target)
        async with self._opened():
            return await back_up_server(self._database, target)

    async def restore(self, source: Path) -> BackupReport:
        """Make this database, which must be empty or absent, of a backup, and bring its schema to this version.

        Raises:
            InvalidRequest: the file is no sound backup, or the database holds something.
            SchemaMismatch: the backup is newer than this code.
        """
        if isinstance(self._database, SqliteDatabase):
            report = await asyncio.to_thread(restore_file, source, self._database.path)
            await self.upgrade()
            return report
        async with self._opened():
            return await restore_server(self._database, source)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        """The database, opened for a block when it is not open."""
        if self._database.is_open:
            yield
            return
        await self._database.open()
        try:
            yield
        finally:
            await self._database.close()

    async def grant_app_role(self, role: str) -> None:
        """Let a role of PostgreSQL run the app and nothing beyond it; it sees one firm's rows at a time.

        Raises:
            InvalidRequest: no such role, one that passes the wall, or an embedded database, which has no roles.
        """
        if self._database.is_embedded:
            raise InvalidRequest("SQLite has no roles: let one user of the machine own the file")
        await self._database.migrate(partial(grant_app_role, role=role))

    async def rotate_secrets(self, *, new_key: bool = False) -> int:
        """Seal everything under the newest key; returns how much was under an older one. Nothing needs to stop.

        `new_key` first puts a new key into the key file of an embedded database.

        Raises:
            InvalidRequest: a new key is wanted where keys are given by settings.
            StoreUnavailable: something was kept under a key that this process does not have.
        """
        if new_key:
            if self._keys.key_file is None:
                raise InvalidRequest(
                    "keys come from the settings here: set the new one as RUNWAY_SECRET_KEY and name the old one among "
                    "RUNWAY_OTHER_SECRET_KEYS"
                )
            add_to_key_file(self._keys.key_file)
        moved = await self._vault.rotate() + await self._people.rotate() + await self._log_keys.reseal()
        moved += await self._answered_calls.rotate()
        moved += await self._subscriptions.rotate()
        return moved + await rewrap_company_keys(self._database, self._keys)

    async def upgrade(self) -> None:
        """Bring the schema to this code's version; opens the database for that when it is not open.

        Raises:
            SchemaMismatch: the database is newer than this code.
            StoreUnavailable: it cannot be reached or written.
        """
        async with self._opened():
            await prepare_months(self._database)
            await self._database.migrate(upgrade_schema)

    async def keep_months(self) -> None:
        """Make the months of the log that come next, where PostgreSQL keeps it by month. Repeating is harmless.

        Raises:
            StoreUnavailable: the log is in use all the time, or this role was not granted to; the next time will do.
        """
        await keep_months(self._database)

    async def check(self) -> StoreHealth:
        """Look at the database; opens it for that when it is not open, and makes nothing.

        Raises:
            StoreUnavailable: it cannot be reached.
        """
        if self._database.is_open:
            return await self._look()
        self._demand_existing()
        await self._database.open()
        try:
            return await self._look()
        finally:
            await self._database.close()

    async def _look(self) -> StoreHealth:
        report = await self._database.report()
        revision = await self._database.read(read_revision)
        is_current = revision == newest_revision()
        warnings = report.warnings + (() if is_current else ("the schema is not current: run `runway db upgrade`",))
        warnings += await self._database.read(look_at_months) if is_current else ()
        warnings += () if self._keys.has_keys else (_KEYLESS,)
        return StoreHealth(
            dialect=report.dialect,
            version=report.version,
            schema_revision=revision,
            is_current=is_current,
            warnings=warnings,
        )

    def _demand_existing(self) -> None:
        if not self._database.exists():
            raise StoreUnavailable(
                f"the database {self._database.where} does not exist: run `runway db upgrade` to make it"
            )

    async def __aenter__(self) -> Self:
        """Open; see the class for what is made."""
        create = self._create
        if create is None:
            create = self._database.is_embedded and not self._database.exists()
        if not create:
            self._demand_existing()
        await self._database.open()
        try:
            if create:
                await self._database.migrate(upgrade_schema)
            else:
                demand_current(await self._database.read(read_revision))
        except BaseException:
            await self._database.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close. Repeating is harmless."""
        await self._database.close()
