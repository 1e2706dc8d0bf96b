"""Backup and restore: the whole database as one file, taken on one snapshot while it is in use.

Of SQLite the file is a database, copied page by page by SQLite itself and checked. Of PostgreSQL it is a zip of its
tables in COPY's binary form with a manifest; no program of the server is needed. The key that secrets are sealed under
is in neither: keep it elsewhere.
"""

import asyncio
import json
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from runway_core.errors import InvalidRequest, StoreUnavailable
from sqlalchemy import Connection, inspect, text

from runway_store_sql.engine import Database, driver_connection
from runway_store_sql.log_months import let_heads_be, mind_heads
from runway_store_sql.row_security import APPEND_ONLY, is_walled, read_parts
from runway_store_sql.schema import configure_migrations, read_revision, upgrade_schema

_FORMAT = 1
_MANIFEST = "manifest.json"
_VERSION_TABLE = "alembic_version"
_JOURNALS = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was written, or read back."""

    file: str
    size: int  # bytes
    schema_revision: str | None


def _describe(file: Path, revision: str | None) -> BackupReport:
    return BackupReport(str(file), file.stat().st_size, revision)


@contextmanager
def _draft_of(target: Path) -> Iterator[Path]:
    """A name to write under; the file gets its own once it is whole and on the disk.

    Raises:
        InvalidRequest: there is a file of that name.
        StoreUnavailable: it cannot be written.
    """
    if target.exists():
        raise InvalidRequest(f"{str(target)!r} exists: name another file, backups are not written over")
    draft = target.with_name(f"{target.name}.{os.getpid()}.draft")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.rename(target)
    except OSError as error:
        said = f"{str(target)!r} cannot be written ({error.strerror}): free space or let this user"
        raise StoreUnavailable(said) from error
    finally:
        draft.unlink(missing_ok=True)


# --- SQLite ---


@contextmanager
def draft_of_file(target: Path) -> Iterator[Path]:
    """A name to write a SQLite database under, whose own name no journal waits beside.

    SQLite would play such a journal into the new database as soon as it is opened, whatever database it was once of.

    Raises:
        InvalidRequest: there is a file of that name, or a journal beside it, now or when the draft is whole.
        StoreUnavailable: it cannot be written.
    """
    _demand_no_journal(target)
    with _draft_of(target) as draft:
        yield draft
        _demand_no_journal(target)


def _demand_no_journal(target: Path) -> None:
    for suffix in _JOURNALS:
        journal = target.with_name(target.name + suffix)
        if journal.exists():
            raise InvalidRequest(
                f"{str(journal)!r} is left of another database and would be played into this one: move it away"
            )


def back_up_file(source: Path, target: Path) -> BackupReport:
    """Copy a SQLite database that may be in use, and check the copy.

    Raises:
        InvalidRequest: the file exists, or a journal beside it.
    """
    with draft_of_file(target) as draft:
        _copy_file(source, draft)
    return _describe(target, _file_revision(target))


def restore_file(source: Path, target: Path) -> BackupReport:
    """Make a SQLite database of a backup of one.

    Raises:
        InvalidRequest: the database exists, or a journal beside its name, or the file is no sound backup.
    """
    if not source.is_file():
        raise InvalidRequest(f"there is no backup {str(source)!r}")
    with draft_of_file(target) as draft:
        _copy_file(source, draft)
        if _file_revision(draft) is None:
            raise InvalidRequest(f"{str(source)!r} is no backup of Runway: it has no schema of ours")
    return _describe(target, _file_revision(target))


def _copy_file(source: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as origin,
            closing(sqlite3.connect(target)) as copy,
        ):
            origin.backup(copy)
            [verdict] = copy.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise InvalidRequest(f"{str(source)!r} cannot be copied ({error}): it is no sound SQLite database") from error
    if verdict != "ok":
        raise InvalidRequest(f"{str(source)!r} is damaged: {verdict}")


def _file_revision(path: Path) -> str | None:
    with closing(sqlite3.connect(path)) as connection:
        try:
            row = connection.execute(f"SELECT version_num FROM {_VERSION_TABLE}").fetchone()  # noqa: S608 - our own name
        except sqlite3.Error:
            return None
    return None if row is None else str(row[0])


# --- PostgreSQL ---


async def back_up_server(database: Database, target: Path) -> BackupReport:
    """Write every table of a PostgreSQL database, all as of one moment.

    Raises:
        InvalidRequest: the file exists, or row level security would hide rows from this role.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as name, _draft_of(target) as draft:
        manifest = await database.read(lambda connection: _copy_out(connection, Path(name)))
        await asyncio.to_thread(_zip, Path(name), draft, manifest)
    return _describe(target, manifest["schema_revision"])


def _copy_out(connection: Connection, folder: Path) -> dict[str, Any]:
    if is_walled(connection):
        raise InvalidRequest("row level security hides other firms' rows from this role: back up as a superuser")
    tables: dict[str, list[str]] = {}
    inspector = inspect(connection)
    parts = read_parts(connection)
    for table in sorted(inspector.get_table_names()):
        if table == _VERSION_TABLE or table in parts:
            continue
        tables[table] = [column["name"] for column in inspector.get_columns(table)]
        columns = ", ".join(f'"{column}"' for column in tables[table])
        query, path = f'SELECT {columns} FROM "{table}"', folder / table  # noqa: S608 - names of our own schema
        driver_connection(connection).run_async(
            lambda driver, query=query, path=path: driver.copy_from_query(query, output=str(path), format="binary")
        )
    return {"runway_backup": _FORMAT, "schema_revision": read_revision(connection), "tables": tables}


def _zip(folder: Path, target: Path, manifest: dict[str, Any]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        archive.writestr(_MANIFEST, json.dumps(manifest))
        for table in manifest["tables"]:
            archive.write(folder / table, table)


async def restore_server(database: Database, source: Path) -> BackupReport:
    """Fill an empty PostgreSQL database from a backup, in one transaction, and bring its schema to this version.

    Raises:
        InvalidRequest: the file is no backup of PostgreSQL, or the database holds companies.
        SchemaMismatch: the backup is newer than this code.
    """
    with tempfile.TemporaryDirectory() as name:
        manifest = await asyncio.to_thread(_unzip, source, Path(name))
        await database.migrate(lambda connection: _copy_in(connection, Path(name), manifest))
    return _describe(source, manifest["schema_revision"])


def _unzip(source: Path, folder: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(source) as archive:
            manifest: dict[str, Any] = json.loads(archive.read(_MANIFEST))
            if manifest.get("runway_backup") != _FORMAT:
                raise InvalidRequest(f"{str(source)!r} is a backup of another format")
            for table in manifest["tables"]:
                archive.extract(table, folder)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidRequest(f"{str(source)!r} is no backup of a PostgreSQL database: {error}") from error
    return manifest


def _copy_in(connection: Connection, folder: Path, manifest: dict[str, Any]) -> None:
    revision = read_revision(connection)
    if revision is None:
        command.upgrade(configure_migrations(connection), manifest["schema_revision"])
    elif revision != manifest["schema_revision"] or connection.scalar(text("SELECT count(*) FROM companies")):
        raise InvalidRequest("the database is not empty: restore into a new one (`createdb`)")
    let_heads_be(connection)
    for table, columns in manifest["tables"].items():
        if table not in APPEND_ONLY:
            connection.execute(text(f'DELETE FROM "{table}"'))  # noqa: S608 - our own names; rows that migrations put in
        path = folder / table
        driver_connection(connection).run_async(
            lambda driver, table=table, path=path, columns=columns: driver.copy_to_table(
                table, source=str(path), columns=columns, format="binary"
            )
        )
    mind_heads(connection)
    upgrade_schema(connection)
