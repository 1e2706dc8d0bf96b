"""Under which policy of the firm a position was computed: one of before is due where the firm set anything."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("positions", sa.Column("firm_policy_version", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("positions", "firm_policy_version")
