"""What was deleted lately is found as fast as what changed."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_log_entries_updated", table_name="log_entries")
    _create("ix_log_entries_changed", "what IN ('updated', 'deleted')")


def downgrade() -> None:
    op.drop_index("ix_log_entries_changed", table_name="log_entries")
    _create("ix_log_entries_updated", "what = 'updated'")


def _create(name: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "log_entries", ["company_id", "seen_at"], postgresql_where=where, sqlite_where=where)
