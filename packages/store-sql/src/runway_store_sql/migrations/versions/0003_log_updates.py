"""What changed lately is found without looking at all that was read."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_update = sa.text("what = 'updated'")
    op.create_index(
        "ix_log_entries_updated",
        "log_entries",
        ["company_id", "seen_at"],
        postgresql_where=is_update,
        sqlite_where=is_update,
    )


def downgrade() -> None:
    op.drop_index("ix_log_entries_updated", table_name="log_entries")
