"""What an insights rail reads: charges, refunds, disputes, payouts and the movements on a processor's balance."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
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
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("booked_on", TEXT, nullable=False),
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


def _create(name: str, *columns: sa.Column[object]) -> None:
    op.create_table(name, *_head(), *columns, *_frame(name), postgresql_with={"toast_tuple_target": "8160"})


def upgrade() -> None:
    _create(
        "charge",
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("is_disputed", sa.Boolean(), nullable=False),
        sa.Column("customer_id", TEXT),
        sa.Column("customer_name", TEXT),
        sa.Column("invoice_number", TEXT),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("failure", TEXT),
    )
    _create(
        "refund",
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("charge_id", TEXT),
        sa.Column("reason", TEXT),
    )
    _create(
        "dispute",
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("charge_id", TEXT),
        sa.Column("reason", TEXT),
        sa.Column("answer_by", TEXT),
    )
    _create(
        "payout",
        sa.Column("arrives_on", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("trace_id", TEXT),
        sa.Column("failure", TEXT),
    )
    _create(
        "processor_entry",
        sa.Column("available_on", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("entry_kind", TEXT, nullable=False),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("source_id", TEXT),
        sa.Column("payout_id", TEXT),
        sa.Column("text", TEXT, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("what was mirrored is never dropped by a migration: restore a backup")
