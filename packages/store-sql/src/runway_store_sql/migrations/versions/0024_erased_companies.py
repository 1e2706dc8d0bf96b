"""Companies that were erased: when, by whom, and since when no file of the database holds what was deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sa.Text(collation="C") if op.get_bind().dialect.name == "postgresql" else sa.Text()
    op.add_column("companies", sa.Column("erased_at", sa.BigInteger()))
    op.add_column("companies", sa.Column("erased_by", text))
    op.add_column("companies", sa.Column("scoured_at", sa.BigInteger()))


def downgrade() -> None:
    raise NotImplementedError("erased companies would come back as companies without a name: restore a backup")
