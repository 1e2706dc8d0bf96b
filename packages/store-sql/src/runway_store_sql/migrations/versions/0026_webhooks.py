"""Webhooks out: who is told of events, with sealed secrets, and what is delivered to whom."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sa.Text(collation="C") if op.get_bind().dialect.name == "postgresql" else sa.Text()
    op.create_table(
        "webhook_subscriptions",
        sa.Column("firm_id", text, nullable=False),
        sa.Column("subscription_id", text, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", text, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", text, nullable=False),
        sa.Column("sealed_secrets", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("firm_id", "subscription_id", name=op.f("pk_webhook_subscriptions")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("company_id", text, nullable=False),
        sa.Column("subscription_id", text, nullable=False),
        sa.Column("event_id", text, nullable=False),
        sa.Column("firm_id", text, nullable=False),
        sa.Column("event_type", text, nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("data", text, nullable=False),
        sa.Column("state", text, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger()),
        sa.Column("last_attempt_at", sa.BigInteger()),
        sa.Column("last_status", sa.Integer()),
        sa.Column("last_error", text),
        sa.PrimaryKeyConstraint("company_id", "subscription_id", "event_id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index("ix_webhook_deliveries_shown", "webhook_deliveries", ["firm_id", "occurred_at", "event_id"])
    is_waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["firm_id", "subscription_id", "next_attempt_at"],
        postgresql_where=is_waiting,
        sqlite_where=is_waiting,
    )


def downgrade() -> None:
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_subscriptions")
