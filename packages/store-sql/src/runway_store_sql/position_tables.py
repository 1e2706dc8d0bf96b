"""What is computed of companies and stored: positions, findings with their history, and views of large companies."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table

from runway_store_sql.tables import TEXT, metadata

positions = Table(
    "positions",
    metadata,
    Column("company_id", TEXT, primary_key=True),
    Column("firm_id", TEXT, nullable=False),
    Column("log_sequence", BigInteger, nullable=False),
    Column("as_of", TEXT, nullable=False),
    Column("computed_at", BigInteger, nullable=False),
    Column("owner", TEXT),
    Column("status_rank", Integer, nullable=False),
    Column("runway_days", Integer),
    Column("cleanness", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),  # JSON, the whole position
    Column("firm_policy_version", BigInteger, nullable=False, server_default="0"),  # under a later one it is due
    Index("ix_positions_firm", "firm_id", "company_id"),
)

kept_views = Table(
    "kept_views",
    metadata,
    Column("company_id", TEXT, primary_key=True),
    Column("name", TEXT, primary_key=True),
    Column("firm_id", TEXT, nullable=False),
    Column("stamp", TEXT, nullable=False),
    Column("holds_until", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("finding_id", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("severity_rank", Integer, nullable=False),
    Column("check", TEXT, nullable=False),
    Column("document", LargeBinary, nullable=False),  # JSON, the whole tracked finding
    PrimaryKeyConstraint("company_id", "finding_id"),
)
