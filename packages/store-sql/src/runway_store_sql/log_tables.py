"""The tables that stand around the log: its anchors, keys that sign and keys that seal, what was archived of it."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, PrimaryKeyConstraint, Table

from runway_store_sql.tables import TEXT, metadata

anchors = Table(
    "anchors",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("made_at", BigInteger, nullable=False),
    Column("is_whole", Boolean, nullable=False),
    Column("document", LargeBinary, nullable=False),  # JSON, the whole anchor
)

log_keys = Table(
    "log_keys",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 …; the last one signs
    Column("made_at", BigInteger, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("endorsement", LargeBinary, nullable=False),  # the signature of the key before
    Column("key_id", TEXT),  # of the key-encryption key; none where the private key is given from outside
    Column("sealed_key", LargeBinary),  # nonce, then the private key under the key-encryption key
)

company_keys = Table(
    "company_keys",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("number", LargeBinary, nullable=False),  # random; sealed entries name it
    Column("made_at", BigInteger, nullable=False),  # the last one made seals
    Column("key_id", TEXT, nullable=False),  # of the key-encryption key
    Column("wrapped_key", LargeBinary, nullable=False),  # nonce, then the data key; empty: it was destroyed
    PrimaryKeyConstraint("company_id", "number"),
)
"""The data keys that entries are sealed under."""

log_pieces = Table(
    "log_pieces",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("last_hash", LargeBinary, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("file", TEXT, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("mark_sequence", BigInteger, nullable=False),  # the entry that says so
    PrimaryKeyConstraint("company_id", "first_sequence"),
)
"""Pieces of chains whose entries were taken out of `log_entries`: they are in files alone. Its name stands behind that
of the entries, so that a restore, which goes by names, puts the marks in before it."""
