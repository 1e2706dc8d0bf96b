"""People of a firm, what proves them, and what was given out to them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("firm_id", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("firm_id", "person_id", name="pk_people"),
        sa.UniqueConstraint("firm_id", "email", name="uq_people_firm_id_email"),
    )
    op.create_table(
        "credentials",
        sa.Column("firm_id", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("password_hash", TEXT),
        sa.Column("subject", TEXT),
        sa.Column("key_id", TEXT),
        sa.Column("sealed_factor", sa.LargeBinary()),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("recovery_hashes", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("firm_id", "person_id", name="pk_credentials"),
        sa.UniqueConstraint("firm_id", "subject", name="uq_credentials_firm_id_subject"),
    )
    op.create_table(
        "access_tokens",
        sa.Column("firm_id", TEXT, nullable=False),
        sa.Column("token_hash", TEXT, nullable=False),
        sa.Column("token_id", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("proved_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("idle_seconds", sa.Integer()),
        sa.Column("confines", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("firm_id", "token_hash", name="pk_access_tokens"),
        sa.UniqueConstraint("firm_id", "token_id", name="uq_access_tokens_firm_id_token_id"),
    )
    op.create_index("ix_access_tokens_person", "access_tokens", ["firm_id", "person_id", "purpose"])
    op.create_table(
        "attempts",
        sa.Column("firm_id", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("firm_id", "subject", name="pk_attempts"),
    )


def downgrade() -> None:
    raise NotImplementedError("people are never dropped by a migration: restore a backup")
