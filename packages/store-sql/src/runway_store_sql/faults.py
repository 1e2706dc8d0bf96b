"""The one table from a database's faults to Runway's errors, each with what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from runway_core.errors import SchemaMismatch, StoreError, StoreUnavailable
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

RETRYABLE_STATES = frozenset({"40001", "40P01"})
"""Serialisation failure and deadlock: nothing was written, the same transaction may be tried again."""

_SQLITE_REMEDIES = (
    ("readonly", "is read-only: give this user the right to write the file and its folder"),
    ("disk is full", "cannot grow because the disk is full: free some space"),
    ("disk i/o error", "cannot be read or written (disk I/O error): check the disk and its free space"),
    ("unable to open database", "cannot be opened: check that the folder exists and can be written"),
    ("database is locked", "is being written by another process that does not let go: stop it or wait"),
    ("not a database", "is not a SQLite database: name another file"),
    ("malformed", "is damaged: restore the last backup"),
)
_POSTGRES_REMEDIES = {
    "3D000": "does not exist: create it with `createdb`, then run `runway db upgrade`",
    "28P01": "refuses the password: correct it in RUNWAY_DATABASE_URL",
    "28000": "refuses this user: correct the user in RUNWAY_DATABASE_URL or pg_hba.conf",
    "53100": "has no disk space left: free some space",
    "53300": "has no connections left: raise max_connections or run fewer processes",
    "25006": "is read-only (a standby?): connect to the primary",
    "42501": "does not let this user write: grant it the tables",
    "55P03": "is held by a transaction that does not end (pg_stat_activity shows it): end it, or try again later",
    "57P01": "is being shut down: try again when it is back",
    "57P03": "is starting up: try again in a moment",
}


def name_state(error: BaseException) -> str | None:
    """The SQLSTATE behind an error of PostgreSQL, or `None`."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
    return str(state) if state else None


def waited_in_vain(error: BaseException) -> bool:
    """Whether a lock was waited for no longer than allowed (`lock_timeout`), and nothing was done."""
    return name_state(error.__cause__ or error) == "55P03"


def is_retryable(error: BaseException) -> bool:
    """Whether the transaction was undone by the database for the sake of another one."""
    return name_state(error) in RETRYABLE_STATES


def translate(error: BaseException, *, where: str) -> StoreError:
    """Say in one line what is wrong with the database `where`, and what to do."""
    origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = " ".join(str(origin).split())
    low = text.lower()
    state = name_state(error)
    if state in ("42P01", "42703") or "no such table" in low or "no such column" in low or "has no column" in low:
        return SchemaMismatch(f"the database {where} is not migrated: run `runway db upgrade`")
    if state in _POSTGRES_REMEDIES:
        return StoreUnavailable(f"the database {where} {_POSTGRES_REMEDIES[state]}")
    for sign, remedy in _SQLITE_REMEDIES:
        if sign in low:
            return StoreUnavailable(f"the database {where} {remedy}")
    if isinstance(origin, ConnectionRefusedError | FileNotFoundError):
        return StoreUnavailable(f"the database {where} does not answer: start the server or correct its address")
    if isinstance(origin, PermissionError):
        return StoreUnavailable(f"the database {where} cannot be written: give this user the right to, or move it")
    return StoreUnavailable(f"the database {where} does not answer ({type(origin).__name__}: {text[:200]})")


FAULTS = (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What drivers raise; nothing of it passes a port."""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn whatever the driver raises within into Runway's errors."""
    try:
        yield
    except FAULTS as error:
        raise translate(error, where=where) from error
