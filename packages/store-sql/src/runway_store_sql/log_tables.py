"""The tables that stand around the log: its anchors and the keys that sign them."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Table

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
