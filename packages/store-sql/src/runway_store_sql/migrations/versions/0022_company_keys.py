"""The data keys under which entries of the log are sealed, one a company."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sa.Text(collation="C") if op.get_bind().dialect.name == "postgresql" else sa.Text()
    op.create_table(
        "company_keys",
        sa.Column("company_id", text, nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("key_id", text, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "number", name="pk_company_keys"),
    )


def downgrade() -> None:
    raise NotImplementedError("what was sealed under the keys could never be read again: restore a backup")
