"""How the two databases are reached: one way to write and one to read, the same for every port.

A port gives a plain function of a SQLAlchemy `Connection`; the database runs it in one transaction. PostgreSQL runs it
over asyncpg within the event loop, SQLite in a thread of its own (`sqlite.py`), so that there is one text for both.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, FirmId
from runway_core.errors import InvalidRequest, StoreUnavailable
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from runway_store_sql.faults import is_retryable, translated, waited_in_vain
from runway_store_sql.row_security import SAY_WHOSE, is_walled

T = TypeVar("T")
Work = Callable[[Connection], T]
"""A piece of work within one transaction. It may be run again when the database undid it, so it keeps no state."""

MAX_TRIES = 5
LOCK_TRIES = 60
"""So often a migration tries to find its tables free: about a minute."""

LONGEST_WAIT = timedelta(minutes=10)
"""A transaction that takes longer is given up: a server whose machine vanished would be waited for without end."""

LONGEST_SLEEP = timedelta(seconds=30)
"""A session that does nothing for so long within a transaction is ended by the server. A worker that is suspended there
holds rows for which all others wait: the line of claimers most of all."""

ROWS_ARE_WALLED = "runway_rows_are_walled"
"""An option of connections: row level security holds for their role, and COPY into a table is not for it."""


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What the engine says about itself."""

    dialect: str
    version: str
    warnings: tuple[str, ...]


class Database(Protocol):
    """One database."""

    @property
    def where(self) -> str:
        """Its address for people, without a password."""
        ...

    @property
    def is_embedded(self) -> bool:
        """Whether it is a file of ours rather than a server."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        ...

    def exists(self) -> bool:
        """Whether an embedded database has been made; a server's always counts as made."""
        ...

    async def open(self) -> None:
        """Open connections and see that they are durable."""
        ...

    async def close(self) -> None:
        """Close connections. Repeating is harmless."""
        ...

    async def write(self, work: Work[T], *, company_id: CompanyId | None = None) -> T:
        """Run `work` in a transaction that is durable when this returns.

        Who names the company that it is about spares PostgreSQL a look at all companies of the firm for each statement;
        it sees neither more nor less by that (`row_security.py`).
        """
        ...

    async def read(self, work: Work[T], *, company_id: CompanyId | None = None) -> T:
        """Run `work` on one snapshot of the database; `company_id` as for `write`."""
        ...

    async def migrate(self, work: Work[T]) -> T:
        """Run `work`, which changes the schema, alone."""
        ...

    async def scour(self) -> None:
        """Leave nothing of deleted rows in files of ours; a server's own are its own matter.

        Raises:
            StoreUnavailable: another process reads the file all the time.
        """
        ...

    async def report(self) -> EngineReport:
        """Look at the engine."""
        ...


def parse_url(url: str) -> URL:
    """Read a database address as people write it.

    Raises:
        InvalidRequest: it is no address of SQLite or PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidRequest(
            f"{_without_password(url)!r} is not a database address; write 'sqlite:///books.db' or 'postgresql://user@host/name'"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgres":
        backend = "postgresql"
    if backend not in ("sqlite", "postgresql"):
        raise InvalidRequest(f"{backend!r} databases are not supported; use sqlite:///… or postgresql://…")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise InvalidRequest("SQLite needs a file, such as sqlite:///books.db: the mirror must outlive the process")
    return parsed.set(drivername="postgresql+asyncpg" if backend == "postgresql" else "sqlite")


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"…@{tail}" if at and head else url


class PostgresDatabase:
    """PostgreSQL over asyncpg."""

    is_embedded = False

    def __init__(
        self,
        url: URL,
        firm_id: FirmId = DEFAULT_FIRM,
        *,
        longest_wait: timedelta = LONGEST_WAIT,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self._url = url
        self._options = dict(options or {})  # of each connection
        self._longest_wait = longest_wait.total_seconds()
        self._firm_id = firm_id
        self._engine: AsyncEngine | None = None
        self._is_walled = False

    @property
    def where(self) -> str:
        """The address without the password."""
        plain = self._url.set(drivername="postgresql").difference_update_query(["password"])
        return repr(plain.render_as_string(hide_password=True))

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return self._engine is not None

    def exists(self) -> bool:
        """A server's database is made by its administrator."""
        return True

    async def open(self) -> None:
        """Connect once and see that a commit is durable."""
        self._engine = create_async_engine(
            self._url,
            pool_size=8,
            max_overflow=4,
            pool_pre_ping=False,
            pool_recycle=1800,
            connect_args={"timeout": 10},
            execution_options=self._options,
        )
        event.listen(self._engine.sync_engine, "connect", _limit_sleep)
        setting = await self.read(lambda connection: connection.scalar(text("SHOW synchronous_commit")))
        if setting == "off":
            await self.close()
            raise StoreUnavailable(
                f"the database {self.where} may lose commits: set synchronous_commit = on for this database"
            )
        self._see_wall(await self.read(is_walled))

    def _see_wall(self, is_walled: bool) -> None:
        """Note whether row level security holds for this role: then each transaction says whose rows it wants."""
        self._is_walled = is_walled
        if self._engine is not None:
            self._engine = self._engine.execution_options(**{ROWS_ARE_WALLED: is_walled})

    def _within_firm(self, work: Work[T], company_id: CompanyId | None) -> Work[T]:
        """`work`, for whose transaction alone the firm's rows are shown: a pooled connection keeps nothing of it."""
        if not self._is_walled:
            return work

        def walled(connection: Connection) -> T:
            connection.exec_driver_sql(SAY_WHOSE, (self._firm_id, company_id or ""))
            return work(connection)

        return walled

    async def close(self) -> None:
        """Close the pool."""
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None

    def _opened(self) -> AsyncEngine:
        if self._engine is None:
            raise StoreUnavailable("the store is not open: use it with `async with`")
        return self._engine

    async def write(self, work: Work[T], *, company_id: CompanyId | None = None) -> T:
        """Run `work` in a transaction; when the database undid it for another's sake, run it again."""
        return await self._write(work, self._longest_wait, company_id)

    async def _write(self, work: Work[T], longest_wait: float | None, company_id: CompanyId | None = None) -> T:
        engine = self._opened()
        with translated(self.where):
            for attempt in range(1, MAX_TRIES + 1):
                try:
                    async with asyncio.timeout(longest_wait), engine.begin() as connection:
                        return await connection.run_sync(self._within_firm(work, company_id))
                except DBAPIError as error:
                    if attempt == MAX_TRIES or not is_retryable(error):
                        raise
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, not a secret
        raise AssertionError("the last try returns or raises")

    async def read(self, work: Work[T], *, company_id: CompanyId | None = None) -> T:
        """Run `work` on one snapshot."""
        engine = self._opened()
        with translated(self.where):
            async with asyncio.timeout(self._longest_wait), engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                return await connection.run_sync(self._within_firm(work, company_id))

    async def migrate(self, work: Work[T]) -> T:
        """Run `work` while no other process migrates, however long that takes."""

        def locked(connection: Connection) -> T:
            connection.execute(text("SELECT pg_advisory_xact_lock(7286492001)"))
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))  # it may read files meanwhile
            return work(connection)

        done = await self._write_between(locked)
        self._see_wall(await self.read(is_walled))
        return done

    async def _write_between(self, work: Work[T]) -> T:
        """Run `work`, which waits for no lock for long, as often as it takes to find its tables free."""
        for attempt in range(1, LOCK_TRIES + 1):
            try:
                return await self._write(work, None)
            except StoreUnavailable as error:
                if attempt == LOCK_TRIES or not waited_in_vain(error):
                    raise
            await asyncio.sleep(random.uniform(0.2, 1))  # noqa: S311 - jitter, not a secret
        raise AssertionError("the last try returns or raises")

    async def scour(self) -> None:
        """Its files are the server's: it takes dead rows away when it vacuums, and no dump shows them."""

    async def report(self) -> EngineReport:
        """The server's version."""
        version = await self.read(lambda connection: connection.scalar(text("SHOW server_version")))
        return EngineReport("postgresql", str(version), ())


def _limit_sleep(connection: Any, _: Any) -> None:
    """Have the server end a session of ours that sleeps within a transaction."""
    milliseconds: int = LONGEST_SLEEP // timedelta(milliseconds=1)
    connection.run_async(lambda driver: driver.execute(f"SET idle_in_transaction_session_timeout = {milliseconds}"))


def driver_connection(connection: Connection) -> Any:
    """The driver's own connection beneath a transaction of SQLAlchemy."""
    return connection.connection.dbapi_connection
