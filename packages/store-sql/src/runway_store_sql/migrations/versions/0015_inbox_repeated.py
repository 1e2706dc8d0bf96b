"""Deliveries that came more than once have an index of their own: they are looked for each minute, and are few."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_repeated = sa.text("times_seen > 1")
    op.create_index(
        "ix_inbox_repeated", "inbox", ["last_seen_at"], postgresql_where=is_repeated, sqlite_where=is_repeated
    )


def downgrade() -> None:
    op.drop_index("ix_inbox_repeated", table_name="inbox")
