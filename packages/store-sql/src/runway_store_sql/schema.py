"""The version of the schema: asked at every opening, moved by Alembic's migrations, which ship in this package."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from runway_core.errors import SchemaMismatch
from sqlalchemy import Connection, text

from runway_store_sql.log_months import mend_months
from runway_store_sql.row_security import raise_walls

LOCK_WAIT_MILLISECONDS = 500
"""So long at most a migration waits for a table, with all who want to read it behind: then it lets them through
and tries again."""

MIGRATIONS = Path(__file__).parent / "migrations"


def configure_migrations(connection: Connection | None = None) -> Config:
    """Alembic's configuration, on the connection that migrations are to run on."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def read_revision(connection: Connection) -> str | None:
    """The revision that the database is at; `None` before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The revision that this code needs."""
    head = ScriptDirectory.from_config(configure_migrations()).get_current_head()
    assert head is not None
    return head


def _is_known(revision: str) -> bool:
    return any(
        script.revision == revision for script in ScriptDirectory.from_config(configure_migrations()).walk_revisions()
    )


def upgrade_schema(connection: Connection) -> None:
    """Bring the schema to this code's version, within the connection's transaction.

    Raises:
        SchemaMismatch: the database is newer than this code.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MILLISECONDS}"))
    revision = read_revision(connection)
    if revision is not None and not _is_known(revision):
        raise _newer(revision)
    if revision != newest_revision():
        command.upgrade(configure_migrations(connection), "head")
    raise_walls(connection)
    mend_months(connection)


def demand_current(revision: str | None) -> None:
    """Refuse to work on another version.

    Raises:
        SchemaMismatch: not migrated, or newer than this code.
    """
    if revision == newest_revision():
        return
    if revision is not None and not _is_known(revision):
        raise _newer(revision)
    raise SchemaMismatch("the database is not migrated: run `runway db upgrade`")


def _newer(revision: str) -> SchemaMismatch:
    return SchemaMismatch(f"the database is at {revision!r}, which is newer than this code: upgrade Runway")
