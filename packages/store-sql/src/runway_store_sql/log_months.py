"""PostgreSQL's log by month: parts that are made ahead, looked at, and dropped once nothing is in them.

What is asked for here stands in the migration of that name. SQLite's log is one table and has no months.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.errors import StoreUnavailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from runway_store_sql.engine import Database
from runway_store_sql.faults import name_state
from runway_store_sql.row_security import read_parts

WAIT_MILLISECONDS = 500
"""So long the log is waited for, with its readers behind; then it is left for the next time."""
EMPTINESS_MILLISECONDS = 2000
"""So long readers wait while a month is looked through for a row that is left, at most."""

_REST = "log_entries_rest"
_BOUND = "log_entries_bound"
_START = "(extract(epoch FROM {} AT TIME ZONE 'UTC') * 1000000)::bigint"
_MONTH = "date_trunc('month', now() AT TIME ZONE 'UTC')"
_THIS_MONTH = _START.format(_MONTH)
_NEXT_MONTH = _START.format(f"({_MONTH} + interval '1 month')")
_IS_OWNER = "SELECT has_table_privilege('log_entries', 'DELETE')"
_NO_LONG_WAIT = f"SET LOCAL lock_timeout = {WAIT_MILLISECONDS}"

_KEEPING = frozenset({"log_entries_keep", "log_entries_keep_delete", "log_entries_keep_all"})
_GUARDS_OF_PART = _KEEPING | {"log_entries_keep_part"}
_GUARDS: Mapping[str, frozenset[str]] = {
    "log_entries": _KEEPING | {"log_entries_follow"},
    "log_heads": frozenset({"log_heads_keep", "log_heads_keep_begun", "log_heads_keep_delete", "log_heads_keep_all"}),
}


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


# --- keeping ---


async def keep_months(database: Database) -> None:
    """Make the months to come that are not there yet, also as the role that serves.

    Raises:
        StoreUnavailable: the log is in use all the time, or this role was not granted to; the next time will do.
    """
    if not database.is_embedded:
        await database.write(lambda connection: connection.scalar(text("SELECT runway_keep_log_months()")))


def mend_months(connection: Connection) -> None:
    """Make the months to come, one of what lies outside of all, and guards that are gone; for the owner.

    Repeating is harmless.
    """
    if not read_parts(connection):
        return
    if _is_rest_used(connection):
        _part_the_rest(connection)
    _run(connection, "SELECT runway_keep_log_months()")
    for part, _ in _find_unguarded(connection):
        if part not in _GUARDS:
            connection.execute(text("SELECT runway_guard_log_month(to_regclass(:part))"), {"part": part})


def _is_rest_used(connection: Connection) -> bool:
    """Whether anything was ever put there: its rows are hidden from whoever asks, its size is not."""
    return bool(connection.scalar(text("SELECT pg_relation_size(to_regclass(:rest)) > 0"), {"rest": _REST}))


def _part_the_rest(connection: Connection) -> None:
    """Turn the rest into a part for the months that are missing, and begin a new rest; no row moves.

    It is left where it holds entries of other times too, such as those of a clock that ran far ahead.
    """
    after = f"coalesce(lead(first) OVER (ORDER BY until), {_NEXT_MONTH}) AS ends"
    named = "to_char(to_timestamp(until / 1000000) AT TIME ZONE 'UTC', 'YYYY_MM') AS month"
    parts = f"SELECT until AS begins, {after}, {named} FROM runway_log_months() WHERE until IS NOT NULL"  # noqa: S608 - our own text
    for gap in connection.execute(text(f"SELECT * FROM ({parts}) p WHERE ends > begins ORDER BY begins")).all():  # noqa: S608 - the same
        try:
            with connection.begin_nested():
                _take_rest(connection, f"log_entries_{gap.month}_on", begins=gap.begins, ends=gap.ends)
        except DBAPIError as error:
            if name_state(error) != "23514":  # an entry of another time lies there
                raise
        else:
            return


def _take_rest(connection: Connection, part: str, *, begins: int, ends: int) -> None:
    _run(
        connection,
        f"ALTER TABLE log_entries DETACH PARTITION {_REST}",
        f"ALTER TABLE {_REST} RENAME TO {part}",
        f"ALTER TABLE {part} RENAME CONSTRAINT pk_{_REST} TO pk_{part}",
        f"ALTER INDEX ix_{_REST}_record RENAME TO ix_{part}_record",
        f"ALTER INDEX ix_{_REST}_changed RENAME TO ix_{part}_changed",
        f"ALTER TABLE log_entries ATTACH PARTITION {part} FOR VALUES FROM ({begins}) TO ({ends})",
        f"SELECT runway_make_log_part('{_REST}', 'DEFAULT')",
    )


def make_month_of(connection: Connection, moment: datetime) -> None:
    """Make the month of a moment where no part holds it: what was archived comes back to it."""
    if read_parts(connection) and connection.scalar(text(_IS_OWNER)):
        _run(connection, _NO_LONG_WAIT)
        month = f"date_trunc('month', to_timestamp({to_microseconds(moment) // 1_000_000}) AT TIME ZONE 'UTC')"
        _run(connection, f"SELECT runway_make_log_month({month})")


def drop_empty_months(connection: Connection) -> int:
    """Drop the months that are over and hold nothing any more; returns how many. For the owner.

    Row level security would hide rows from the owner too: with it off, a row that is there is seen or nothing is done.
    """
    months = "SELECT name FROM runway_log_months() WHERE first IS NOT NULL"
    over = f"{months} AND until <= {_THIS_MONTH} ORDER BY first"
    names = list(connection.scalars(text(over))) if read_parts(connection) else []
    if not names or not connection.scalar(text(_IS_OWNER)):
        return 0
    _run(connection, _NO_LONG_WAIT, "SET LOCAL row_security = off", "LOCK TABLE ONLY log_entries")
    return sum(_drop_if_empty(connection, name) for name in names)


def _drop_if_empty(connection: Connection, name: str) -> bool:
    try:
        with connection.begin_nested():
            _run(
                connection,
                f"SET LOCAL statement_timeout = {EMPTINESS_MILLISECONDS}",
                f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY",
            )
            if connection.scalar(text(f"SELECT EXISTS (SELECT FROM {name})")):  # noqa: S608 - a name of ours
                _run(connection, f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY", "SET LOCAL statement_timeout = 0")
                return False
            _run(connection, f"DROP TABLE {name}", "SET LOCAL statement_timeout = 0")
            return True
    except DBAPIError as error:
        if name_state(error) != "57014":  # too long: the server has not taken its dead rows away yet
            raise
        return False


# --- looking ---


def look_at_months(connection: Connection) -> tuple[str, ...]:
    """What is wrong with the months of the log and with its guards, each with what to do."""
    if not read_parts(connection):
        return ()
    return (*_find_missing(connection), *(said for _, said in _find_unguarded(connection)))


def _find_missing(connection: Connection) -> list[str]:
    soon = f"SELECT m.begins FROM (VALUES ({_THIS_MONTH}), ({_NEXT_MONTH})) AS m (begins)"  # noqa: S608 - our own text
    held = "SELECT FROM runway_log_months() p WHERE p.until > m.begins AND coalesce(p.first, m.begins) <= m.begins"
    warnings = [
        f"the log has no part for {from_microseconds(begins):%Y-%m}: run `runway db upgrade`, and `runway serve` or "
        "`runway scheduler`, which make months ahead"
        for begins in connection.scalars(text(f"{soon} WHERE NOT EXISTS ({held})"))
    ]
    if _is_rest_used(connection):
        warnings.append(
            f"entries of the log lie in {_REST}, outside of all months: run `runway db upgrade`, which makes a part "
            "of them. Those of a clock that ran far ahead stay there; they are read and verified like others"
        )
    return warnings


def _find_unguarded(connection: Connection) -> list[tuple[str, str]]:
    """Tables of the log whose triggers or walls do not stand, with what to say of each."""
    query = text(
        "SELECT c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS is_walled, "
        "EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner) AS is_shared, "
        "ARRAY(SELECT t.tgname::text FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgenabled IN ('O', 'A')) AS held "
        "FROM pg_class c WHERE c.oid IN (to_regclass('log_entries'), to_regclass('log_heads')) "
        "OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('log_entries')) ORDER BY 1"
    )
    return [(row.name, said) for row in connection.execute(query) if (said := _say_unguarded(row))]


def _say_unguarded(row: Any) -> str | None:
    lacking = sorted(_GUARDS.get(row.name, _GUARDS_OF_PART) - set(row.held))
    faults: Sequence[str] = [
        *([f"lacks {', '.join(lacking)}"] if lacking else []),
        *(["has no forced row level security"] if not row.is_walled else []),
        *(["can be reached by other roles"] if row.is_shared and row.name not in _GUARDS else []),
    ]
    if not faults:
        return None
    remedy = f"ALTER TABLE {row.name} ENABLE TRIGGER USER" if row.name in _GUARDS else "runway db upgrade"
    return f"{row.name} {' and '.join(faults)}: find out who did that, verify the log, then run `{remedy}`"


# --- coming from one table, and from a backup ---


async def prepare_months(database: Database) -> None:
    """Prove, while the log is read and written, that what is there lies before a month to come.

    The migration then takes the table as it is for a part, without reading a row while others wait. Where a clock ran
    ahead, nothing is proven, and the migration looks for itself.
    """
    if database.is_embedded or not await database.read(_is_one_table):
        return
    await database.migrate(_bound_log)
    try:
        await database.migrate(_prove_bound)
    except StoreUnavailable as error:
        if name_state(error.__cause__ or error) != "23514":
            raise
        await database.migrate(_unbound_log)


def _is_one_table(connection: Connection) -> bool:
    kind = "SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass('log_entries')"
    return bool(connection.scalar(text(kind)))


def _bound_log(connection: Connection) -> None:
    """At least a week ahead: until the migration is through, nothing can be written that was seen later."""
    month = "date_trunc('month', (now() + interval '1 month 7 days') AT TIME ZONE 'UTC')"
    bound = connection.scalar(text(f"SELECT {_START.format(month)}"))
    _unbound_log(connection)
    _run(connection, f"ALTER TABLE log_entries ADD CONSTRAINT {_BOUND} CHECK (seen_at < {bound}) NOT VALID")


def _prove_bound(connection: Connection) -> None:
    _run(connection, _NO_LONG_WAIT, f"ALTER TABLE log_entries VALIDATE CONSTRAINT {_BOUND}")


def _unbound_log(connection: Connection) -> None:
    _run(connection, _NO_LONG_WAIT, f"ALTER TABLE log_entries DROP CONSTRAINT IF EXISTS {_BOUND}")


def let_heads_be(connection: Connection) -> None:
    """Take entries and heads as a backup holds them, in whatever order; for the owner, until `mind_heads`."""
    _mind(connection, "DISABLE")


def mind_heads(connection: Connection) -> None:
    """Have entries follow their heads again."""
    _mind(connection, "ENABLE")


def _mind(connection: Connection, how: str) -> None:
    if read_parts(connection):
        _run(
            connection,
            f"ALTER TABLE log_entries {how} TRIGGER log_entries_follow",
            f"ALTER TABLE log_heads {how} TRIGGER log_heads_keep_begun",
        )
