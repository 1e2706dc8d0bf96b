"""What a verification rail reads: accounts at banks and the lines of their statements."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _head() -> list[sa.Column[object]]:
    return [
        sa.Column("company_id", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("revision", TEXT, nullable=False),
        sa.Column("revision_number", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger()),
        sa.Column("modified_at", sa.BigInteger()),
    ]


def _frame(name: str) -> list[sa.Column[object] | sa.PrimaryKeyConstraint]:
    return [
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.Column("rail", TEXT, nullable=False),
        sa.Column("source_time", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("log_sequence", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "external_id", name=f"pk_{name}"),
    ]


def upgrade() -> None:
    op.create_table(
        "bank_account",
        *_head(),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("mask", TEXT),
        sa.Column("bank_account_kind", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("posted", sa.BigInteger()),
        sa.Column("available", sa.BigInteger()),
        sa.Column("credit_limit", sa.BigInteger()),
        sa.Column("institution", TEXT),
        sa.Column("read_at", sa.BigInteger()),
        *_frame("bank_account"),
        postgresql_with={"toast_tuple_target": "8160"},
    )
    op.create_table(
        "bank_transaction",
        *_head(),
        sa.Column("bank_account_id", TEXT, nullable=False),
        sa.Column("booked_on", TEXT, nullable=False),
        sa.Column("made_on", TEXT),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("is_pending", sa.Boolean(), nullable=False),
        sa.Column("replaces_id", TEXT),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("counterparty", TEXT),
        sa.Column("cheque_number", TEXT),
        sa.Column("category", TEXT),
        *_frame("bank_transaction"),
        postgresql_with={"toast_tuple_target": "8160"},
    )


def downgrade() -> None:
    raise NotImplementedError("what was mirrored is never dropped by a migration: restore a backup")
