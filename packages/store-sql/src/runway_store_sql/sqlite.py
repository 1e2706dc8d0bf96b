"""SQLite: one writing connection a process, in a thread that commits for many at once; reading connections beside it.

Every commit waits for the disk (`synchronous=FULL`). To pay for that once, the writer takes all transactions that wait,
runs each within a savepoint, and commits them together: each caller gets its own result or error, after the commit.

SQLite up to 3.51.2 can damage a file in WAL mode when two connections write or checkpoint at the same moment (mended in
3.51.3, 3.50.7 and 3.44.6). `pysqlite3` brings a mended one; without it only one process may write a file, which a lock
file ensures, and `check()` warns.
"""

import asyncio
import contextlib
import fcntl
import importlib
import os
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import (
    SQLITE_ALTER_TABLE,
    SQLITE_DELETE,
    SQLITE_DENY,
    SQLITE_DROP_TABLE,
    SQLITE_DROP_TRIGGER,
    SQLITE_INSERT,
    SQLITE_OK,
    SQLITE_PRAGMA,
    SQLITE_UPDATE,
)
from types import ModuleType
from typing import Any, TypeVar

from runway_core.domain.identity import CompanyId
from runway_core.errors import StoreUnavailable
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool, StaticPool

from runway_store_sql.engine import EngineReport, Work
from runway_store_sql.faults import translate, translated

T = TypeVar("T")

GUARDED_TABLES = frozenset({"log_entries", "anchors", "log_pieces"})
_CLOSED_TABLES = frozenset({"log_pieces"})
"""Into these nothing is put but where the guard is lifted: what stands there opens the door for entries to leave."""
_GUARDED_PRAGMAS = frozenset({"writable_schema", "recursive_triggers"})

BATCH = 64
"""So many waiting transactions share one commit at most."""

READERS = 3
_READER_CACHE_KB = 2_000
_WRITER_CACHE_KB = 8_000
"""Pages that a connection keeps. Readers take whole books at once and find their pages in the system's own cache as
fast: with 32 MB each they were no quicker, measured. The writer meets the same index pages again and again."""
BUSY_SECONDS = 30
_PAGE_BYTES = 16_384
"""Payloads and log entries of 1 to 4 KB stay within a page: their inserts alone were twice as fast as at 4 KB."""
_CHECKPOINT_PAGES = 1_000


def find_sqlite_module() -> ModuleType:
    """`pysqlite3` where it is installed, for its mended SQLite; else the interpreter's own."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return importlib.import_module("sqlite3.dbapi2")


def is_affected(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite has the race in WAL mode that can damage a file."""
    if version < (3, 7, 0) or version >= (3, 51, 3):
        return False
    return not ((3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0))


def is_refused(action: int, what: str | None, of: str | None) -> bool:
    """Whether the log's guard refuses an action of SQLite's authorizer; `what` and `of` are its first two arguments."""
    if action in (SQLITE_UPDATE, SQLITE_DELETE, SQLITE_DROP_TABLE):
        return what in GUARDED_TABLES
    if action == SQLITE_INSERT:
        return what in _CLOSED_TABLES
    if action == SQLITE_ALTER_TABLE:
        return of in GUARDED_TABLES
    if action == SQLITE_DROP_TRIGGER:
        return of in GUARDED_TABLES
    return action == SQLITE_PRAGMA and of is not None and str(what).lower() in _GUARDED_PRAGMAS


def _version_of(module: ModuleType) -> tuple[int, int, int]:
    major, minor, patch = (int(part) for part in str(module.sqlite_version).split(".")[:3])
    return major, minor, patch


@dataclass(slots=True)
class _Waiting:
    """One transaction that waits for the writer; one that `is_alone` is given the driver's connection, and none."""

    work: Callable[[Any], Any]
    future: "Future[Any]"
    is_alone: bool = False


class SqliteDatabase:
    """One SQLite file."""

    is_embedded = True

    def __init__(
        self, url: URL, *, module: ModuleType | None = None, options: Mapping[str, object] | None = None
    ) -> None:
        self._options = dict(options or {})  # of each connection
        self.path = Path(str(url.database)).absolute()
        self._module = module or find_sqlite_module()
        self._version = _version_of(self._module)
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._read_engine: Engine | None = None
        self._lock_file: int | None = None
        self._is_guarded = True  # read and set in the writer's thread alone

    @property
    def where(self) -> str:
        """The file."""
        return repr(str(self.path))

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return self._thread is not None

    def exists(self) -> bool:
        """Whether the file is there and holds anything."""
        try:
            return self.path.stat().st_size > 0
        except OSError:
            return False

    async def open(self) -> None:
        """Start the writer and open the first reading connection."""
        if not self.path.parent.is_dir():
            raise StoreUnavailable(f"the folder of {self.where} does not exist: create it or name another file")
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._write_all, args=(started,), name="runway-sqlite", daemon=True)
        self._thread.start()
        self._read_engine = self._make_engine(is_writer=False)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="runway-sqlite-read")
        try:
            await asyncio.wrap_future(started)
        except SQLAlchemyError as error:
            await self.close()
            raise translate(error, where=self.where) from error

    async def close(self) -> None:
        """Finish what waits, close connections and let go of the file."""
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        if self._readers is not None:
            self._readers.shutdown()
            self._readers = None
        if self._read_engine is not None:
            self._read_engine.dispose()
            self._read_engine = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    async def write(self, work: Work[T], *, company_id: CompanyId | None = None) -> T:
        """Hand `work` to the writer; whose it is matters to a server's wall alone."""
        del company_id
        if self._thread is None:
            raise StoreUnavailable("the store is not open: use it with `async with`")
        future: Future[T] = Future()
        self._queue.put(_Waiting(work, future))
        with translated(self.where):
            return await asyncio.wrap_future(future)

    async def read(self, work: Work[T], *, company_id: CompanyId | None = None) -> T:
        """Run `work` in a reading thread, on one snapshot; whose it is matters to a server's wall alone."""
        del company_id
        if self._readers is None or self._read_engine is None:
            raise StoreUnavailable("the store is not open: use it with `async with`")
        engine = self._read_engine

        def run() -> T:
            with engine.connect() as connection:
                return work(connection)

        with translated(self.where):
            return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def migrate(self, work: Work[T]) -> T:
        """Run `work`, which changes the schema or takes archived entries out, with the guard over the log lifted."""

        def unguarded(connection: Connection) -> T:
            self._is_guarded = False
            try:
                return work(connection)
            finally:
                self._is_guarded = True

        return await self.write(unguarded)

    async def scour(self) -> None:
        """Write the file anew without what was deleted, and empty its journal."""
        if self._thread is None:
            raise StoreUnavailable("the store is not open: use it with `async with`")
        future: Future[None] = Future()
        self._queue.put(_Waiting(self._vacuum, future, is_alone=True))
        with translated(self.where):
            await asyncio.wrap_future(future)

    def _vacuum(self, driver: Any) -> None:
        self._is_guarded = False  # it puts the log's rows into a new file
        try:
            driver.execute("VACUUM")
            [is_busy, *_] = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._is_guarded = True
        if is_busy:
            raise StoreUnavailable(
                f"another process reads {self.where}, and its journal cannot be emptied: stop that process, then repeat"
            )

    def _authorize(self, action: int, what: str | None, of: str | None, *_: object) -> int:
        """Refuse, when a statement is prepared, what no part of Runway ever asks of the log.

        Triggers refuse it as well; this refuses to drop the triggers, and the pragmas that would pass them by.
        """
        if self._is_guarded and is_refused(action, what, of):
            return SQLITE_DENY
        return SQLITE_OK

    async def report(self) -> EngineReport:
        """SQLite's version, with a warning when it has the WAL race."""
        version = ".".join(map(str, self._version))
        if not is_affected(self._version):
            return EngineReport("sqlite", version, ())
        warning = (
            f"SQLite {version} can damage a file that two connections write at once (mended in 3.51.3): "
            "install pysqlite3, or keep to one writing process"
        )
        return EngineReport("sqlite", version, (warning,))

    # --- connections ---

    def _make_engine(self, *, is_writer: bool) -> Engine:
        engine = create_engine(
            f"sqlite:///{self.path}",
            module=self._module,
            execution_options=self._options,
            poolclass=StaticPool if is_writer else QueuePool,
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS, "cached_statements": 256},
            **({} if is_writer else {"pool_size": READERS, "max_overflow": 0}),
        )

        @event.listens_for(engine, "connect")
        def set_up(connection: Any, _record: object) -> None:
            connection.isolation_level = None  # transactions begin where we say
            for pragma in self._pragmas(is_writer=is_writer):
                connection.execute(f"PRAGMA {pragma}")
            if is_writer:
                connection.set_authorizer(self._authorize)

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

        return engine

    def _pragmas(self, *, is_writer: bool) -> list[str]:
        if not is_writer:
            return ["query_only=ON", "wal_autocheckpoint=0", f"cache_size=-{_READER_CACHE_KB}"]
        return [
            f"page_size={_PAGE_BYTES}",  # of a file that is made now; an older one keeps its own
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
            f"cache_size=-{_WRITER_CACHE_KB}",
        ]

    def _take_file(self) -> None:
        """With an affected SQLite: be the only writing process of the file."""
        if self._lock_file is not None or not is_affected(self._version):
            return
        path = self.path.with_name(self.path.name + ".lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode() or "unknown"
            os.close(descriptor)
            raise StoreUnavailable(
                f"process {holder} is writing {self.where}, and this SQLite is safe for one writer only: "
                "stop that process or install pysqlite3"
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._lock_file = descriptor

    # --- the writer's thread ---

    def _write_all(self, started: "Future[None]") -> None:
        engine = self._make_engine(is_writer=True)
        try:
            with engine.connect():
                pass
        except BaseException as error:
            started.set_exception(error)
            engine.dispose()
            return
        started.set_result(None)
        try:
            while (batch := self._next_batch()) is not None:
                self._commit_batch(engine, batch)
        finally:
            engine.dispose()

    def _next_batch(self) -> list[_Waiting] | None:
        first = self._queue.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < BATCH:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                self._queue.put(None)
                break
            batch.append(waiting)
        return [waiting for waiting in batch if waiting.future.set_running_or_notify_cancel()]

    def _commit_batch(self, engine: Engine, batch: list[_Waiting]) -> None:
        """Commit all together; when that fails as a whole, each by itself, so that each gets its own answer."""
        for waiting in (one for one in batch if one.is_alone):
            self._run_alone(engine, waiting)
        batch = [one for one in batch if not one.is_alone]
        if len(batch) > 1:
            with contextlib.suppress(Exception):
                outcomes = self._run_together(engine, batch)
                for waiting, (result, error) in zip(batch, outcomes, strict=True):
                    _answer(waiting, result, error)
                return
        for waiting in batch:
            try:
                self._take_file()
                with engine.begin() as connection:
                    result = waiting.work(connection)
            except BaseException as error:
                _answer(waiting, None, error)
            else:
                _answer(waiting, result, None)

    def _run_alone(self, engine: Engine, waiting: _Waiting) -> None:
        try:
            self._take_file()
            with engine.connect() as connection:
                result = waiting.work(connection.connection.dbapi_connection)
        except BaseException as error:
            _answer(waiting, None, error)
        else:
            _answer(waiting, result, None)

    def _run_together(self, engine: Engine, batch: list[_Waiting]) -> list[tuple[Any, BaseException | None]]:
        outcomes: list[tuple[Any, BaseException | None]] = []
        self._take_file()
        with engine.begin() as connection:
            for waiting in batch:
                savepoint = connection.begin_nested()
                try:
                    result = waiting.work(connection)
                except SQLAlchemyError:
                    raise
                except Exception as error:
                    savepoint.rollback()
                    outcomes.append((None, error))
                else:
                    savepoint.commit()
                    outcomes.append((result, None))
        return outcomes


def _answer(waiting: _Waiting, result: Any, error: BaseException | None) -> None:
    if error is None:
        waiting.future.set_result(result)
    else:
        waiting.future.set_exception(error)
