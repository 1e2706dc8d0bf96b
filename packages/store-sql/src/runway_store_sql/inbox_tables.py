"""The tables of what rails send by themselves. They belong to no company: one delivery may speak of several."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table

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
Index("ix_inbox_unread", inbox.c.received_at, postgresql_where=_is_unread, sqlite_where=_is_unread)
Index("ix_inbox_read", inbox.c.read_at, postgresql_where=_was_read, sqlite_where=_was_read)

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
