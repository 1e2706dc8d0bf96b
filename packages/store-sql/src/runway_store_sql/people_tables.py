"""Tables of a firm's people: who there is, what proves them, what they were given, what was tried and answered."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, UniqueConstraint

from runway_store_sql.tables import TEXT, metadata

people = Table(
    "people",
    metadata,
    Column("firm_id", TEXT, nullable=False),
    Column("person_id", TEXT, nullable=False),
    Column("email", TEXT, nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("firm_id", "person_id"),
    UniqueConstraint("firm_id", "email"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("firm_id", TEXT, nullable=False),
    Column("person_id", TEXT, nullable=False),
    Column("version", Integer, nullable=False),
    Column("password_hash", TEXT),
    Column("subject", TEXT),  # who the person is to the firm's sign-in service
    Column("key_id", TEXT),  # under which the second factor is kept
    Column("sealed_factor", LargeBinary),
    Column("totp_step", BigInteger, nullable=False),
    Column("recovery_hashes", TEXT, nullable=False),  # JSON
    PrimaryKeyConstraint("firm_id", "person_id"),
    UniqueConstraint("firm_id", "subject"),
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("firm_id", TEXT, nullable=False),
    Column("token_hash", TEXT, nullable=False),
    Column("token_id", TEXT, nullable=False),
    Column("person_id", TEXT, nullable=False),
    Column("purpose", TEXT, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("proved_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("idle_seconds", Integer),
    Column("confines", TEXT, nullable=False),  # JSON: name, needs and companies of a key
    PrimaryKeyConstraint("firm_id", "token_hash"),
    UniqueConstraint("firm_id", "token_id"),
    Index("ix_access_tokens_person", "firm_id", "person_id", "purpose"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("firm_id", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),  # an account or a network address, hashed
    Column("count", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("firm_id", "subject"),
)

answered_calls = Table(
    "answered_calls",
    metadata,
    Column("firm_id", TEXT, nullable=False),
    Column("caller", TEXT, nullable=False),
    Column("call_key", TEXT, nullable=False),
    Column("fingerprint", TEXT, nullable=False),
    Column("claim_id", TEXT, nullable=False),
    Column("ends_at", BigInteger, nullable=False),  # of a running call: when it counts as given up
    Column("key_id", TEXT),  # under which the answer is sealed; null: it is not
    Column("answer", LargeBinary),  # null while the call runs
    PrimaryKeyConstraint("firm_id", "caller", "call_key"),
    Index("ix_answered_calls_ends", "firm_id", "ends_at"),
)
