"""Which tellers told an alert, while others have not."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("told_by", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("alerts", "told_by")
