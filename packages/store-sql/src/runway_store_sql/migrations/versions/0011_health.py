"""Samples of freshness, and alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "freshness_samples",
        sa.Column("firm_id", TEXT, nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("fresh", sa.Integer(), nullable=False),
        sa.Column("oldest_seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("firm_id", "taken_at", name="pk_freshness_samples"),
    )
    op.create_table(
        "alerts",
        sa.Column("firm_id", TEXT, nullable=False),
        sa.Column("alert_key", TEXT, nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger()),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.Column("telling_until", sa.BigInteger(), nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("firm_id", "alert_key", name="pk_alerts"),
    )
    op.create_table(
        "alert_turns",
        sa.Column("firm_id", TEXT, nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("firm_id", name="pk_alert_turns"),
    )


def downgrade() -> None:
    op.drop_table("alert_turns")
    op.drop_table("alerts")
    op.drop_table("freshness_samples")
