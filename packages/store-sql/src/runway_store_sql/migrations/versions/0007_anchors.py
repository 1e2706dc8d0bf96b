"""Anchors of the log, and the keys that sign them. Anchors are append-only like the log."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

POSTGRES_TRIGGERS = (
    "CREATE TRIGGER anchors_keep BEFORE UPDATE OR DELETE ON anchors "
    "FOR EACH ROW EXECUTE FUNCTION runway_refuse_change()",
    "CREATE TRIGGER anchors_keep_all BEFORE TRUNCATE ON anchors "
    "FOR EACH STATEMENT EXECUTE FUNCTION runway_refuse_change()",
)
SQLITE_TRIGGERS = (
    "CREATE TRIGGER anchors_keep_update BEFORE UPDATE ON anchors "
    "BEGIN SELECT RAISE(ABORT, 'the transaction log is append-only'); END",
    "CREATE TRIGGER anchors_keep_delete BEFORE DELETE ON anchors "
    "BEGIN SELECT RAISE(ABORT, 'the transaction log is append-only'); END",
    "CREATE TRIGGER anchors_keep_replace BEFORE INSERT ON anchors WHEN EXISTS (SELECT 1 FROM anchors "
    "WHERE number = NEW.number) BEGIN SELECT RAISE(ABORT, 'the transaction log is append-only'); END",
)


def upgrade() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "anchors",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_anchors"),
    )
    op.create_table(
        "log_keys",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("endorsement", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(collation="C") if is_postgres else sa.Text()),
        sa.Column("sealed_key", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("number", name="pk_log_keys"),
    )
    for statement in POSTGRES_TRIGGERS if is_postgres else SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the log is never dropped by a migration: restore a backup")
