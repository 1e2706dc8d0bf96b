"""Tables of webhooks out: who is told of events, and what is delivered to whom."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, literal_column

from runway_store_sql.tables import TEXT, metadata

webhook_subscriptions = Table(
    "webhook_subscriptions",
    metadata,
    Column("firm_id", TEXT, nullable=False),
    Column("subscription_id", TEXT, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("document", LargeBinary, nullable=False),  # JSON, the whole subscription
    Column("key_id", TEXT, nullable=False),  # under which its secrets are kept
    Column("sealed_secrets", LargeBinary, nullable=False),
    PrimaryKeyConstraint("firm_id", "subscription_id"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("company_id", TEXT, nullable=False),  # the firm's own chain where the event is of no company
    Column("subscription_id", TEXT, nullable=False),
    Column("event_id", TEXT, nullable=False),
    Column("firm_id", TEXT, nullable=False),
    Column("event_type", TEXT, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("data", TEXT, nullable=False),  # JSON: ids and few figures
    Column("state", TEXT, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger),
    Column("last_attempt_at", BigInteger),
    Column("last_status", Integer),
    Column("last_error", TEXT),
    PrimaryKeyConstraint("company_id", "subscription_id", "event_id"),
    Index("ix_webhook_deliveries_shown", "firm_id", "occurred_at", "event_id"),
)
IS_WAITING = webhook_deliveries.c.state == literal_column("'waiting'")
Index(
    "ix_webhook_deliveries_due",
    webhook_deliveries.c.firm_id,
    webhook_deliveries.c.subscription_id,
    webhook_deliveries.c.next_attempt_at,
    postgresql_where=IS_WAITING,
    sqlite_where=IS_WAITING,
)
