"""Tables of what is shared about calls and health; the forms of values are those of `tables.py`."""

from sqlalchemy import BigInteger, Boolean, Column, Table

from runway_store_sql.tables import TEXT, metadata

call_budgets = Table(
    "call_budgets",
    metadata,
    Column("budget_key", TEXT, primary_key=True),  # of an app at a rail, or of a connection there
    Column("state", TEXT, nullable=False),  # JSON
    Column("touched_at", BigInteger, nullable=False),
    Column("is_lowered", Boolean, nullable=False),  # whether a refusal ever lowered it: those that people ask about
)
