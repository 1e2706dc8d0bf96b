"""Events of the outbox are told once; those of before count as told."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("told_at", sa.BigInteger()))
    op.execute("UPDATE outbox SET told_at = created_at")
    is_untold = sa.text("told_at IS NULL")
    op.create_index("ix_outbox_untold", "outbox", ["created_at"], postgresql_where=is_untold, sqlite_where=is_untold)


def downgrade() -> None:
    op.drop_index("ix_outbox_untold", table_name="outbox")
    op.drop_column("outbox", "told_at")
