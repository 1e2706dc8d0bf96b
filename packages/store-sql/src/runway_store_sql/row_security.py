"""The second wall between firms: PostgreSQL itself shows a role the rows of one firm alone, whatever a query asks for.

`FORCE` binds the owner of the tables too; only superusers and roles with BYPASSRLS pass. Whose rows are shown is said
in each transaction (`engine.py`), never for a connection: the next user of a pooled one starts with nothing, and
nothing said means no rows. Saying a company besides changes how soon a row is known to be the firm's, never whose are
shown. Queries name firm or company themselves: this wall holds where one forgets to.

The role that the app signs in with (`grant_app_role`) owns nothing, cannot change the schema, and can neither change
nor remove entries of the log.
"""

from runway_core.errors import InvalidRequest
from sqlalchemy import Connection, Table, text

from runway_store_sql.tables import metadata

SAY_WHOSE = "SELECT set_config('app.firm', $1, true), set_config('app.company', $2, true)"
"""What each transaction begins with: the firm, and the company that its work is about, or nothing."""

_FIRM = "(SELECT nullif(current_setting('app.firm', true), ''))"
"""A sub-select, so that it is worked out once a statement and not once a row."""

_BY_FIRM = f"firm_id = {_FIRM}"
_OF_THE_ONE = (
    "company_id = (SELECT c.company_id FROM companies c "
    "WHERE c.company_id >= current_setting('app.company', true) ORDER BY c.company_id LIMIT 1)"
)
"""The company that the transaction named, if the firm has it. Companies stand behind the wall themselves, so that
nothing else comes out of it than one of the firm's: the next one, where it has no such company. It is asked for by
order because a short table would be read whole for an equal one: 3 µs a statement in place of 13."""

_OF_ALL = "company_id IN (SELECT c.company_id FROM companies c)"
"""The firm's companies, hashed once a statement whatever its rows (30 µs for a hundred), but not before there is a row
of another company than the one named."""

_BY_COMPANY = f"{_OF_THE_ONE} OR {_OF_ALL}"
_BY_CHAIN = f"{_OF_THE_ONE} OR company_id = 'firm:' || nullif(current_setting('app.firm', true), '') OR {_OF_ALL}"
"""The same and the firm's own chain, where the log and what it tells of is kept. It is no sub-select: making one ready
would cost each statement more than it spares the few rows that are asked so far."""

_WITH_CHAINS = frozenset({"log_entries", "log_heads", "log_pieces", "working_papers", "company_keys"})

OPEN_TABLES = {
    "anchors": "one signature stands over the chains of all firms; it holds chains' names, lengths and hashes",
    "log_keys": "the keys that sign them",
    "breakers": "whether a vendor answers, which is the same for all",
    "call_budgets": "what a vendor allows the app, which all share",
    "job_turns": "one row, by which workers take turns",
    "inbox": "raw deliveries, which belong to no firm before they are read",
    "inbox_events": "the same, unfolded; they name a vendor's account",
}
"""Tables that no firm owns, each with the reason."""

READ_BY_ALL = frozenset({"log_heads", "call_counts"})
"""What every firm may read and only its own firm writes: where chains end, because an anchor is over all of them, and
how many calls were made, because a vendor counts them for the app as a whole."""

APPEND_ONLY = frozenset({"log_entries", "anchors"})
READ_ONLY = frozenset({"log_pieces"})
"""What the role that serves may only read: what stands there lets entries leave the log."""


def wall_of(table: Table) -> str | None:
    """The condition under which a row of a table is shown; `None` for a table that no firm owns."""
    if table.name in OPEN_TABLES:
        return None
    if "firm_id" in table.columns:
        return _BY_FIRM
    return _BY_CHAIN if table.name in _WITH_CHAINS else _BY_COMPANY


def raise_walls(connection: Connection) -> None:
    """Put every table behind the wall of today, new ones too. SQLite has none: `Scope` is its door.

    Repeating is harmless. A policy is told to be today's by its comment: a server words conditions in its own way.
    """
    if connection.dialect.name != "postgresql":
        return
    query = "SELECT polrelid::regclass::text, obj_description(oid, 'pg_policy') FROM pg_policy WHERE polname = :name"
    standing = {row[0]: row[1] for row in connection.execute(text(query), {"name": "runway_firm"})}
    for table in metadata.sorted_tables:
        condition = wall_of(table)
        if condition is None or standing.get(table.name) == condition:
            continue
        policy = f"POLICY runway_firm ON {table.name}"
        checked = f"{policy} USING ({condition}) WITH CHECK ({condition})"
        if table.name in standing:
            connection.execute(text(f"ALTER {checked}"))
        else:
            connection.execute(text(f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY"))
            connection.execute(text(f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY"))
            connection.execute(text(f"CREATE {checked}"))
            if table.name in READ_BY_ALL:
                connection.execute(text(f"CREATE POLICY runway_read ON {table.name} FOR SELECT USING (true)"))
        said = condition.replace("'", "''")
        connection.execute(text(f"COMMENT ON {policy} IS '{said}'"))


def read_parts(connection: Connection) -> frozenset[str]:
    """The tables that the log is made of, each a month or more; none where it is one table."""
    if connection.dialect.name != "postgresql":
        return frozenset()
    inherits = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass('log_entries')"
    return frozenset(connection.scalars(text(inherits)))


def is_walled(connection: Connection) -> bool:
    """Whether the wall holds for whoever is connected: not for superusers, and not before the schema is made."""
    found = connection.scalar(text("SELECT row_security_active(to_regclass('companies')::oid)"))
    return bool(found)


def grant_app_role(connection: Connection, role: str) -> None:
    """Let a role run the app, and nothing beyond it.

    Raises:
        InvalidRequest: it does not exist, owns tables of Runway, or passes the wall.
    """
    row = connection.execute(
        text("SELECT rolsuper OR rolbypassrls AS passes FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).first()
    if row is None:
        raise InvalidRequest(f"no role {role!r}: make it first, `CREATE ROLE {role} LOGIN PASSWORD '…'`")
    owns = text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tableowner = :role")
    if row.passes or connection.scalar(owns, {"role": role}):
        raise InvalidRequest(
            f"{role!r} is a superuser, passes row level security, or owns tables: the app wants a role of its own"
        )
    name = connection.dialect.identifier_preparer.quote(role)
    schema = connection.dialect.identifier_preparer.quote(str(connection.scalar(text("SELECT current_schema()"))))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {name}"))
    connection.execute(text(f"GRANT SELECT ON alembic_version TO {name}"))
    for part in read_parts(connection):  # whoever serves addresses the log as a whole
        connection.execute(text(f"REVOKE ALL ON {part} FROM {name}"))
    connection.execute(text(f"GRANT EXECUTE ON FUNCTION runway_keep_log_months() TO {name}"))
    for table in metadata.sorted_tables:
        rights = "SELECT, INSERT" if table.name in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        rights = "SELECT" if table.name in READ_ONLY else rights
        connection.execute(text(f"REVOKE ALL ON {table.name} FROM {name}"))
        connection.execute(text(f"GRANT {rights} ON {table.name} TO {name}"))
