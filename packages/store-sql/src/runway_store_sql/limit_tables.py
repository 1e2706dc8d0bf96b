"""Tables of what is shared about calls and health; the forms of values are those of `tables.py`."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, PrimaryKeyConstraint, Table

from runway_store_sql.tables import TEXT, metadata

call_budgets = Table(
    "call_budgets",
    metadata,
    Column("budget_key", TEXT, primary_key=True),  # of an app at a rail, or of a connection there
    Column("state", TEXT, nullable=False),  # JSON
    Column("touched_at", BigInteger, nullable=False),
    Column("is_lowered", Boolean, nullable=False),  # whether a refusal ever lowered it: those that people ask about
)

breakers = Table(
    "breakers",
    metadata,
    Column("breaker_key", TEXT, primary_key=True),  # a rail, or a rail and one connection
    Column("document", TEXT, nullable=False),  # JSON
    Column("touched_at", BigInteger, nullable=False),
)

call_counts = Table(
    "call_counts",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("rail", TEXT, nullable=False),
    Column("month", TEXT, nullable=False),  # "2026-03", in UTC
    Column("calls", BigInteger, nullable=False),
    Column("polls", BigInteger, nullable=False),  # pulls that did not read everything
    Column("poll_calls", BigInteger, nullable=False),
    PrimaryKeyConstraint("company_id", "rail", "month"),
)

freshness_samples = Table(
    "freshness_samples",
    metadata,
    Column("firm_id", TEXT, nullable=False),
    Column("taken_at", BigInteger, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("fresh", Integer, nullable=False),
    Column("oldest_seconds", BigInteger, nullable=False),
    PrimaryKeyConstraint("firm_id", "taken_at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("firm_id", TEXT, nullable=False),
    Column("alert_key", TEXT, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger),
    Column("is_told", Boolean, nullable=False),
    Column("telling_until", BigInteger, nullable=False),  # someone is telling it
    Column("document", TEXT, nullable=False),  # JSON
    Column("told_by", TEXT, nullable=False, server_default="[]"),  # JSON: names of tellers
    PrimaryKeyConstraint("firm_id", "alert_key"),
)

alert_turns = Table(
    "alert_turns",  # one row a firm, locked by whoever settles its alerts
    metadata,
    Column("firm_id", TEXT, primary_key=True),
    Column("settled_at", BigInteger, nullable=False),
)
