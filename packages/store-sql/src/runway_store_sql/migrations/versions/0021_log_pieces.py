"""The one door by which entries leave the log: only those of a piece whose mark stands in the chain may be deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KEEPS = "the transaction log is append-only"
IN_PIECE = (
    "SELECT 1 FROM log_pieces p WHERE p.company_id = OLD.company_id "
    "AND OLD.sequence BETWEEN p.first_sequence AND p.last_sequence"
)
MARK = (
    "SELECT 1 FROM log_entries e WHERE e.company_id = NEW.company_id AND e.sequence = NEW.mark_sequence "
    "AND e.kind = 'log' AND e.what = 'log_detached' AND e.external_id = NEW.first_sequence || '-' || NEW.last_sequence"
)
FOLLOWS = (
    "NEW.first_sequence = 1 + coalesce((SELECT max(p.last_sequence) FROM log_pieces p "
    "WHERE p.company_id = NEW.company_id), 0)"
)
IS_BACK = (
    "(SELECT count(*) FROM log_entries e WHERE e.company_id = OLD.company_id AND e.sequence BETWEEN OLD.first_sequence "
    "AND OLD.last_sequence) = OLD.last_sequence - OLD.first_sequence + 1"
)
POSTGRES = (
    f"CREATE FUNCTION runway_guard_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF EXISTS ({IN_PIECE}) THEN RETURN OLD; END IF; RAISE EXCEPTION '{KEEPS}'; END $$",
    f"CREATE FUNCTION runway_guard_new_piece() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF EXISTS ({MARK}) AND {FOLLOWS} THEN RETURN NEW; END IF; RAISE EXCEPTION '{KEEPS}'; END $$",
    f"CREATE FUNCTION runway_guard_old_piece() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF {IS_BACK} THEN RETURN OLD; END IF; RAISE EXCEPTION '{KEEPS}'; END $$",
    "DROP TRIGGER log_entries_keep ON log_entries",
    "CREATE TRIGGER log_entries_keep BEFORE UPDATE ON log_entries FOR EACH ROW EXECUTE FUNCTION runway_refuse_change()",
    "CREATE TRIGGER log_entries_keep_delete BEFORE DELETE ON log_entries "
    "FOR EACH ROW EXECUTE FUNCTION runway_guard_entry()",
    "CREATE TRIGGER log_pieces_marked BEFORE INSERT ON log_pieces "
    "FOR EACH ROW EXECUTE FUNCTION runway_guard_new_piece()",
    "CREATE TRIGGER log_pieces_keep BEFORE UPDATE ON log_pieces FOR EACH ROW EXECUTE FUNCTION runway_refuse_change()",
    "CREATE TRIGGER log_pieces_keep_delete BEFORE DELETE ON log_pieces "
    "FOR EACH ROW EXECUTE FUNCTION runway_guard_old_piece()",
    "CREATE TRIGGER log_pieces_keep_all BEFORE TRUNCATE ON log_pieces "
    "FOR EACH STATEMENT EXECUTE FUNCTION runway_refuse_change()",
)
REFUSE = f"BEGIN SELECT RAISE(ABORT, '{KEEPS}'); END"
SQLITE = (
    "DROP TRIGGER log_entries_keep_delete",
    f"CREATE TRIGGER log_entries_keep_delete BEFORE DELETE ON log_entries WHEN NOT EXISTS ({IN_PIECE}) {REFUSE}",
    f"CREATE TRIGGER log_pieces_marked BEFORE INSERT ON log_pieces "
    f"WHEN NOT EXISTS ({MARK}) OR NOT ({FOLLOWS}) {REFUSE}",
    f"CREATE TRIGGER log_pieces_keep_update BEFORE UPDATE ON log_pieces {REFUSE}",
    f"CREATE TRIGGER log_pieces_keep_delete BEFORE DELETE ON log_pieces WHEN NOT ({IS_BACK}) {REFUSE}",
)


def upgrade() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    text = sa.Text(collation="C") if is_postgres else sa.Text()
    op.create_table(
        "log_pieces",
        sa.Column("company_id", text, nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.LargeBinary(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("file", text, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("mark_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "first_sequence", name="pk_log_pieces"),
    )
    for statement in POSTGRES if is_postgres else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("what was archived is in files alone: put it back, then restore a backup")
