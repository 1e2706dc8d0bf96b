"""Answers of calls that carried a key, to be given again when the call is sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "answered_calls",
        sa.Column("firm_id", TEXT, nullable=False),
        sa.Column("caller", TEXT, nullable=False),
        sa.Column("call_key", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("claim_id", TEXT, nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("key_id", TEXT),
        sa.Column("answer", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("firm_id", "caller", "call_key", name="pk_answered_calls"),
    )
    op.create_index("ix_answered_calls_ends", "answered_calls", ["firm_id", "ends_at"])


def downgrade() -> None:
    op.drop_table("answered_calls")
