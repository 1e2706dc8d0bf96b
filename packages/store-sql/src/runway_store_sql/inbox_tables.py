"""The tables of what rails send by themselves, which belong to no company, and of what each path missed."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, literal_column

from runway_store_sql.tables import TEXT, metadata

inbox = Table(
    "inbox",
    metadata,
    Column("rail", TEXT, nullable=False),
    Column("delivery_id", TEXT, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("times_seen", Integer, nullable=False),
    Column("read_at", BigInteger),  # none: its work was not given out yet
    Column("problem", TEXT),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("rail", "delivery_id"),
)
_is_unread = inbox.c.read_at.is_(None)
_was_read = inbox.c.read_at.is_not(None)
IS_REPEATED = inbox.c.times_seen > literal_column("1")
Index("ix_inbox_unread", inbox.c.received_at, postgresql_where=_is_unread, sqlite_where=_is_unread)
Index("ix_inbox_read", inbox.c.read_at, postgresql_where=_was_read, sqlite_where=_was_read)
Index("ix_inbox_repeated", inbox.c.last_seen_at, postgresql_where=IS_REPEATED, sqlite_where=IS_REPEATED)

inbox_events = Table(
    "inbox_events",
    metadata,
    Column("rail", TEXT, nullable=False),
    Column("delivery_id", TEXT, nullable=False),
    Column("position", Integer, nullable=False),
    Column("account", TEXT, nullable=False),
    Column("kind", TEXT),
    Column("external_id", TEXT, nullable=False),
    Column("operation", TEXT, nullable=False),
    Column("at", BigInteger),
    Column("received_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("rail", "delivery_id", "position"),
    Index("ix_inbox_events_account", "rail", "account", "received_at"),
)

path_tallies = Table(
    "path_tallies",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("connection_id", TEXT, nullable=False),
    Column("path", TEXT, nullable=False),
    Column("brought", BigInteger, nullable=False),
    Column("missed", BigInteger, nullable=False),
    Column("last_missed_at", BigInteger),
    PrimaryKeyConstraint("company_id", "connection_id", "path"),
)

webhook_gaps = Table(
    "webhook_gaps",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("connection_id", TEXT, nullable=False),
    Column("firm_id", TEXT, nullable=False),
    Column("rail", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("noted_at", BigInteger, nullable=False),
    Column("missed", BigInteger, nullable=False),
    PrimaryKeyConstraint("company_id", "connection_id"),
    Index("ix_webhook_gaps_firm", "firm_id", "company_id", "connection_id"),
)
