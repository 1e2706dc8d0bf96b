"""What an execution rail reads: vendors, bills, their payments, and purchases on its cards."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
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
        "rail_vendor",
        *_head(),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("legal_name", TEXT),
        sa.Column("ledger_vendor_id", TEXT),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        *_frame("rail_vendor"),
        postgresql_with={"toast_tuple_target": "8160"},
    )
    op.create_table(
        "rail_bill",
        *_head(),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("number", TEXT),
        sa.Column("vendor_id", TEXT),
        sa.Column("vendor_name", TEXT),
        sa.Column("ledger_bill_id", TEXT),
        sa.Column("ledger_vendor_id", TEXT),
        sa.Column("document_date", TEXT, nullable=False),
        sa.Column("due_date", TEXT),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("open_balance", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("paid_on", TEXT),
        sa.Column("ledger_mark", TEXT, nullable=False),
        sa.Column("memo", TEXT),
        *_frame("rail_bill"),
        postgresql_with={"toast_tuple_target": "8160"},
    )
    op.create_table(
        "rail_payment",
        *_head(),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("bill_id", TEXT, nullable=False),
        sa.Column("document_date", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("released_on", TEXT),
        sa.Column("settled_on", TEXT),
        sa.Column("is_outside", sa.Boolean(), nullable=False),
        sa.Column("card_transaction_id", TEXT),
        *_frame("rail_payment"),
        postgresql_with={"toast_tuple_target": "8160"},
    )
    op.create_table(
        "card_transaction",
        *_head(),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("card_id", TEXT),
        sa.Column("card_holder", TEXT),
        sa.Column("merchant", TEXT),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("booked_on", TEXT, nullable=False),
        sa.Column("settled_on", TEXT),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("memo", TEXT),
        sa.Column("category", TEXT),
        sa.Column("is_in_ledger", sa.Boolean(), nullable=False),
        sa.Column("has_receipt", sa.Boolean(), nullable=False),
        *_frame("card_transaction"),
        postgresql_with={"toast_tuple_target": "8160"},
    )
    # each in the words of the queries: SQLite compares the texts of the two conditions
    op.create_index(
        "ix_rail_bill_open",
        "rail_bill",
        ["company_id", "due_date", "open_balance"],
        postgresql_where=sa.text("open_balance > 0 AND is_deleted = false"),
        sqlite_where=sa.text("open_balance > 0 AND is_deleted = 0"),
    )


def downgrade() -> None:
    raise NotImplementedError("what was mirrored is never dropped by a migration: restore a backup")
