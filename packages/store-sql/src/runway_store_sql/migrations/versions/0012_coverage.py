"""What each path by which changes come has brought and missed, and gaps in what rails tell."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "path_tallies",
        sa.Column("company_id", TEXT, nullable=False),
        sa.Column("connection_id", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("brought", sa.BigInteger(), nullable=False),
        sa.Column("missed", sa.BigInteger(), nullable=False),
        sa.Column("last_missed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("company_id", "connection_id", "path", name="pk_path_tallies"),
    )
    op.create_table(
        "webhook_gaps",
        sa.Column("company_id", TEXT, nullable=False),
        sa.Column("connection_id", TEXT, nullable=False),
        sa.Column("firm_id", TEXT, nullable=False),
        sa.Column("rail", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.Column("missed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "connection_id", name="pk_webhook_gaps"),
    )
    op.create_index("ix_webhook_gaps_firm", "webhook_gaps", ["firm_id", "company_id", "connection_id"])


def downgrade() -> None:
    op.drop_table("webhook_gaps")
    op.drop_table("path_tallies")
