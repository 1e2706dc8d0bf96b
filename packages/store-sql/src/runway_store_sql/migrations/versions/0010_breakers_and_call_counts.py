"""Breakers that workers share, and calls by month."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "breakers",
        sa.Column("breaker_key", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("breaker_key", name="pk_breakers"),
    )
    op.create_table(
        "call_counts",
        sa.Column("company_id", TEXT, nullable=False),
        sa.Column("rail", TEXT, nullable=False),
        sa.Column("month", TEXT, nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("polls", sa.BigInteger(), nullable=False),
        sa.Column("poll_calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "rail", "month", name="pk_call_counts"),
    )


def downgrade() -> None:
    op.drop_table("call_counts")
    op.drop_table("breakers")
