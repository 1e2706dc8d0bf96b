"""Budgets of calls that all workers share."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "call_budgets",
        sa.Column("budget_key", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.Column("is_lowered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("budget_key", name="pk_call_budgets"),
    )


def downgrade() -> None:
    op.drop_table("call_budgets")
