"""Views of large companies as they were laid out last: what is lost here is laid out again."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_views",
        sa.Column("company_id", sa.TEXT(), nullable=False),
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("firm_id", sa.TEXT(), nullable=False),
        sa.Column("stamp", sa.TEXT(), nullable=False),
        sa.Column("holds_until", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "name", name=op.f("pk_kept_views")),
    )


def downgrade() -> None:
    op.drop_table("kept_views")
