"""Jobs: what is due, running, done and dead."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("company_id", TEXT, nullable=False),
        sa.Column("job_id", TEXT, nullable=False),
        sa.Column("firm_id", TEXT, nullable=False),
        sa.Column("connection_id", TEXT),
        sa.Column("rail", TEXT),
        sa.Column("work", TEXT, nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("turn_at", sa.BigInteger(), nullable=False),
        sa.Column("dedupe_key", TEXT, nullable=False),
        sa.Column("cause_id", TEXT, nullable=False),
        sa.Column("correlation_id", TEXT, nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("payload", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("enqueued_at", sa.BigInteger(), nullable=False),
        sa.Column("last_attempt_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("error_code", TEXT),
        sa.Column("error", TEXT),
        sa.Column("note", TEXT),
        sa.Column("lease_token", sa.BigInteger()),
        sa.Column("lease_until", sa.BigInteger()),
        sa.Column("worker", TEXT),
        sa.PrimaryKeyConstraint("company_id", "job_id", name="pk_jobs"),
    )
    for name, columns, state, is_unique in (
        ("waiting", ["company_id", "dedupe_key"], "waiting", True),
        ("connection", ["connection_id"], "running", True),
        ("turn", ["lane", "turn_at"], "waiting", False),
        ("lease", ["lease_until"], "running", False),
        ("ended", ["ended_at"], "done", False),
        ("dead", ["company_id", "dedupe_key"], "dead", False),
    ):
        condition = sa.text(f"state = '{state}'")
        op.create_index(
            f"ix_jobs_{name}",
            "jobs",
            columns,
            unique=is_unique,
            postgresql_where=condition,
            sqlite_where=condition,
        )
    op.create_index("ix_jobs_correlation", "jobs", ["firm_id", "correlation_id"])
    turns = op.create_table(
        "job_turns",
        sa.Column("turns_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("claims", sa.BigInteger(), nullable=False),
        sa.Column("since_poll", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("turns_id", name="pk_job_turns"),
    )
    op.bulk_insert(turns, [{"turns_id": 1, "claims": 0, "since_poll": 0}])


def downgrade() -> None:
    op.drop_table("job_turns")
    op.drop_table("jobs")
