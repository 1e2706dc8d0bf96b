"""Pulls that brought nothing have an index of their own, by which old ones are found and forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_idle = sa.text("created = 0 AND updated = 0 AND deleted = 0 AND quarantined = 0")
    op.create_index("ix_sync_runs_idle", "sync_runs", ["started_at"], postgresql_where=is_idle, sqlite_where=is_idle)


def downgrade() -> None:
    op.drop_index("ix_sync_runs_idle", table_name="sync_runs")
