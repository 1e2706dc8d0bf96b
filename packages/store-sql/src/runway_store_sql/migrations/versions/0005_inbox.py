"""The inbox: what rails sent by themselves, and whose it is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("connections", sa.Column("last_swept_at", sa.BigInteger()))
    op.add_column("connections", sa.Column("rail_account", TEXT))
    op.create_index("ix_connections_account", "connections", ["rail", "rail_account"])
    op.create_table(
        "inbox",
        sa.Column("rail", TEXT, nullable=False),
        sa.Column("delivery_id", TEXT, nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("times_seen", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.BigInteger()),
        sa.Column("problem", TEXT),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("rail", "delivery_id", name="pk_inbox"),
    )
    for name, column, condition in (
        ("ix_inbox_unread", "received_at", sa.text("read_at IS NULL")),
        ("ix_inbox_read", "read_at", sa.text("read_at IS NOT NULL")),
    ):
        op.create_index(name, "inbox", [column], postgresql_where=condition, sqlite_where=condition)
    op.create_table(
        "inbox_events",
        sa.Column("rail", TEXT, nullable=False),
        sa.Column("delivery_id", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("kind", TEXT),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("operation", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger()),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rail", "delivery_id", "position", name="pk_inbox_events"),
    )
    op.create_index("ix_inbox_events_account", "inbox_events", ["rail", "account", "received_at"])


def downgrade() -> None:
    raise NotImplementedError("what was acknowledged is never dropped by a migration: restore a backup")
