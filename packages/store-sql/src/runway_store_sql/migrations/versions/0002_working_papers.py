"""Working papers: what people keep beside the mirror."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "working_papers",
        sa.Column("company_id", TEXT, nullable=False),
        sa.Column("paper_kind", TEXT, nullable=False),
        sa.Column("paper_id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", TEXT, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "paper_kind", "paper_id", name="pk_working_papers"),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    is_current = sa.text("is_closed = 0" if is_sqlite else "is_closed = false")
    op.create_index(
        "ix_working_papers_open",
        "working_papers",
        ["company_id", "paper_kind", "changed_at"],
        postgresql_where=is_current,
        sqlite_where=is_current,
    )


def downgrade() -> None:
    raise NotImplementedError("what people entered is never dropped by a migration: restore a backup")
