"""The first schema: mirror, log with its chain and its triggers, registry, positions, vault."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WIDE: dict[str, Any] = {"postgresql_with": {"toast_tuple_target": "8160"}}


def text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=nullable)


def whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def small(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def flag(name: str, *, nullable: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=nullable)


def blob(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def create(
    name: str, *columns: sa.Column[Any], key: tuple[str, ...], unique: tuple[tuple[str, ...], ...] = (), **options: Any
) -> None:
    uniques = [sa.UniqueConstraint(*names, name=f"uq_{name}_{'_'.join(names)}") for names in unique]
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"), *uniques, **options)


def create_record(name: str, *columns: sa.Column[Any]) -> None:
    create(
        name,
        text("company_id"),
        text("external_id"),
        text("revision"),
        whole("revision_number", nullable=True),
        whole("created_at", nullable=True),
        whole("modified_at", nullable=True),
        *columns,
        flag("is_deleted"),
        whole("deleted_at", nullable=True),
        text("rail"),
        whole("source_time"),
        whole("seen_at"),
        whole("log_sequence"),
        blob("content_hash"),
        blob("raw"),
        key=("company_id", "external_id"),
        **WIDE,
    )


def _create_records() -> None:
    create_record(
        "account",
        text("name"),
        text("full_name"),
        text("number", nullable=True),
        text("account_kind"),
        text("account_type"),
        text("account_subtype", nullable=True),
        flag("is_active"),
        text("currency"),
        whole("balance"),
        text("parent_id", nullable=True),
    )
    create_record(
        "term",
        text("name"),
        flag("is_active"),
        text("term_kind"),
        whole("due_days", nullable=True),
        whole("discount_percent", nullable=True),
        whole("discount_days", nullable=True),
        whole("day_of_month_due", nullable=True),
        whole("due_next_month_days", nullable=True),
    )
    create_record(
        "vendor",
        text("name"),
        text("company_name", nullable=True),
        flag("is_active"),
        text("currency"),
        whole("balance"),
        text("term_id", nullable=True),
        text("email", nullable=True),
        text("phone", nullable=True),
        text("account_number", nullable=True),
        flag("is_1099"),
    )
    create_record(
        "customer",
        text("name"),
        text("company_name", nullable=True),
        flag("is_active"),
        text("currency"),
        whole("balance"),
        text("parent_id", nullable=True),
        flag("is_job"),
        text("email", nullable=True),
        text("phone", nullable=True),
    )
    create_record(
        "bill",
        text("number", nullable=True),
        text("vendor_id", nullable=True),
        text("vendor_name", nullable=True),
        text("document_date"),
        text("due_date", nullable=True),
        text("currency"),
        whole("total"),
        whole("open_balance"),
        text("exchange_rate", nullable=True),
        text("term_id", nullable=True),
        text("memo", nullable=True),
        text("payable_account_id", nullable=True),
        text("detail"),
    )
    create_record(
        "vendor_credit",
        text("number", nullable=True),
        text("vendor_id", nullable=True),
        text("vendor_name", nullable=True),
        text("document_date"),
        text("currency"),
        whole("total"),
        whole("open_balance", nullable=True),
        text("exchange_rate", nullable=True),
        text("memo", nullable=True),
        text("payable_account_id", nullable=True),
        text("detail"),
    )
    create_record(
        "bill_payment",
        text("number", nullable=True),
        text("vendor_id", nullable=True),
        text("vendor_name", nullable=True),
        text("document_date"),
        text("currency"),
        whole("total"),
        text("exchange_rate", nullable=True),
        text("method"),
        text("account_id", nullable=True),
        text("memo", nullable=True),
        flag("is_void"),
        text("detail"),
    )
    create_record(
        "invoice",
        text("number", nullable=True),
        text("customer_id", nullable=True),
        text("customer_name", nullable=True),
        text("document_date"),
        text("due_date", nullable=True),
        text("currency"),
        whole("total"),
        whole("open_balance"),
        text("exchange_rate", nullable=True),
        text("term_id", nullable=True),
        text("memo", nullable=True),
        flag("is_sent", nullable=True),
        flag("is_void"),
        whole("tax", nullable=True),
        text("detail"),
    )
    create_record(
        "credit_memo",
        text("number", nullable=True),
        text("customer_id", nullable=True),
        text("customer_name", nullable=True),
        text("document_date"),
        text("currency"),
        whole("total"),
        whole("open_balance"),
        text("exchange_rate", nullable=True),
        text("memo", nullable=True),
        flag("is_void"),
        text("detail"),
    )
    create_record(
        "customer_payment",
        text("number", nullable=True),
        text("customer_id", nullable=True),
        text("customer_name", nullable=True),
        text("document_date"),
        text("currency"),
        whole("total"),
        whole("unapplied"),
        text("exchange_rate", nullable=True),
        text("account_id", nullable=True),
        text("memo", nullable=True),
        flag("is_void"),
        text("detail"),
    )
    create_record(
        "purchase",
        text("number", nullable=True),
        text("document_date"),
        text("currency"),
        whole("total"),
        text("exchange_rate", nullable=True),
        text("method"),
        text("account_id", nullable=True),
        text("payee_kind", nullable=True),
        text("payee_id", nullable=True),
        text("payee_name", nullable=True),
        flag("is_refund"),
        flag("is_void"),
        text("memo", nullable=True),
        text("detail"),
    )
    create_record(
        "deposit",
        text("document_date"),
        text("currency"),
        whole("total"),
        text("exchange_rate", nullable=True),
        text("account_id", nullable=True),
        text("memo", nullable=True),
        whole("cash_back", nullable=True),
        text("detail"),
    )
    create_record(
        "transfer",
        text("document_date"),
        text("currency"),
        whole("total"),
        text("exchange_rate", nullable=True),
        text("from_account_id", nullable=True),
        text("to_account_id", nullable=True),
        text("memo", nullable=True),
    )
    create_record(
        "journal_entry",
        text("number", nullable=True),
        text("document_date"),
        text("currency"),
        whole("total"),
        text("exchange_rate", nullable=True),
        flag("is_adjustment"),
        text("memo", nullable=True),
        text("detail"),
    )
    create_record(
        "company_info",
        text("name"),
        text("legal_name", nullable=True),
        text("country", nullable=True),
        text("email", nullable=True),
        whole("fiscal_year_start_month", nullable=True),
        text("home_currency", nullable=True),
        flag("is_multi_currency", nullable=True),
        text("books_closed_through", nullable=True),
    )
    create_record(
        "attachment",
        text("file_name", nullable=True),
        text("content_type", nullable=True),
        whole("size_bytes", nullable=True),
        text("note", nullable=True),
        text("detail"),
    )


def _create_rest() -> None:
    create(
        "companies",
        text("company_id"),
        text("firm_id"),
        text("name"),
        text("home_currency"),
        text("time_zone"),
        whole("created_at"),
        text("owner", nullable=True),
        text("tags"),
        text("settings"),
        key=("company_id",),
    )
    create(
        "connections",
        text("company_id"),
        text("connection_id"),
        text("firm_id"),
        text("rail"),
        text("settings"),
        text("state"),
        whole("created_at"),
        whole("last_attempt_at", nullable=True),
        whole("last_success_at", nullable=True),
        whole("last_full_at", nullable=True),
        whole("source_read_at", nullable=True),
        text("last_error_code", nullable=True),
        text("last_error", nullable=True),
        small("failures_in_a_row"),
        key=("company_id", "connection_id"),
        unique=(("company_id", "rail"), ("connection_id",)),
    )
    create(
        "leases",
        text("company_id"),
        text("connection_id"),
        whole("fencing"),
        text("holder", nullable=True),
        whole("expires_at"),
        key=("company_id", "connection_id"),
    )
    create(
        "cursors",
        text("company_id"),
        text("connection_id"),
        text("token"),
        whole("moved_at"),
        key=("company_id", "connection_id"),
    )
    create(
        "sync_runs",
        text("company_id"),
        text("run_id"),
        text("connection_id"),
        text("rail"),
        text("cause"),
        whole("started_at"),
        whole("ended_at", nullable=True),
        text("outcome"),
        whole("pages"),
        whole("created"),
        whole("updated"),
        whole("deleted"),
        whole("unchanged"),
        whole("outdated"),
        whole("quarantined"),
        whole("calls"),
        text("error_code", nullable=True),
        text("error", nullable=True),
        key=("company_id", "run_id"),
    )
    create(
        "quarantine",
        text("company_id"),
        text("quarantine_id"),
        text("rail"),
        text("kind", nullable=True),
        text("external_id", nullable=True),
        text("reason"),
        blob("raw"),
        whole("first_seen_at"),
        whole("last_seen_at"),
        small("times_seen"),
        key=("company_id", "quarantine_id"),
    )
    create(
        "log_entries",
        text("company_id"),
        whole("sequence"),
        whole("seen_at"),
        text("rail"),
        text("kind"),
        text("external_id"),
        text("what"),
        text("correlation_id"),
        blob("previous_hash"),
        blob("hash"),
        blob("canonical"),
        key=("company_id", "sequence"),
        **WIDE,
    )
    create("log_heads", text("company_id"), whole("sequence"), blob("hash"), whole("due_sequence"), key=("company_id",))
    create(
        "balance_changes",
        text("company_id"),
        text("account_id"),
        whole("log_sequence"),
        whole("observed_at"),
        whole("source_time"),
        text("currency"),
        whole("balance"),
        key=("company_id", "account_id", "log_sequence"),
    )
    create(
        "balance_closes",
        text("company_id"),
        text("day"),
        text("account_id"),
        text("currency"),
        whole("balance"),
        key=("company_id", "day", "account_id"),
    )
    create(
        "outbox",
        text("company_id"),
        text("event_id"),
        text("name"),
        whole("created_at"),
        text("correlation_id"),
        text("payload"),
        key=("company_id", "event_id"),
    )
    create(
        "positions",
        text("company_id"),
        text("firm_id"),
        whole("log_sequence"),
        text("as_of"),
        whole("computed_at"),
        text("owner", nullable=True),
        small("status_rank"),
        small("runway_days", nullable=True),
        small("cleanness"),
        blob("document"),
        key=("company_id",),
    )
    create(
        "findings",
        text("company_id"),
        text("finding_id"),
        text("state"),
        small("severity_rank"),
        text("check"),
        blob("document"),
        key=("company_id", "finding_id"),
    )
    create(
        "secrets",
        text("company_id"),
        text("connection_id"),
        text("key_id"),
        blob("wrapped_key"),
        blob("ciphertext"),
        key=("company_id", "connection_id"),
    )


def _create_indexes() -> None:
    # each in the words of the queries: SQLite compares the texts of the two conditions
    on_postgres = sa.text("open_balance > 0 AND is_deleted = false")
    on_sqlite = sa.text("open_balance > 0 AND is_deleted = 0")
    op.create_index(
        "ix_bill_open",
        "bill",
        ["company_id", "due_date", "open_balance"],
        postgresql_where=on_postgres,
        sqlite_where=on_sqlite,
    )
    op.create_index(
        "ix_invoice_open",
        "invoice",
        ["company_id", "due_date", "open_balance"],
        postgresql_where=on_postgres,
        sqlite_where=on_sqlite,
    )
    op.create_index("ix_companies_firm", "companies", ["firm_id", "name", "company_id"])
    op.create_index("ix_connections_firm", "connections", ["firm_id", "company_id", "rail"])
    op.create_index("ix_sync_runs_started", "sync_runs", ["company_id", "started_at"])
    op.create_index("ix_log_entries_record", "log_entries", ["company_id", "kind", "external_id", "sequence"])
    op.create_index("ix_positions_firm", "positions", ["firm_id", "company_id"])


POSTGRES_GUARD = """
CREATE FUNCTION runway_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the transaction log is append-only'; END $$
"""
POSTGRES_TRIGGERS = (
    "CREATE TRIGGER log_entries_keep BEFORE UPDATE OR DELETE ON log_entries "
    "FOR EACH ROW EXECUTE FUNCTION runway_refuse_change()",
    "CREATE TRIGGER log_entries_keep_all BEFORE TRUNCATE ON log_entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION runway_refuse_change()",
)
SQLITE_TRIGGERS = (
    "CREATE TRIGGER log_entries_keep_update BEFORE UPDATE ON log_entries "
    "BEGIN SELECT RAISE(ABORT, 'the transaction log is append-only'); END",
    "CREATE TRIGGER log_entries_keep_delete BEFORE DELETE ON log_entries "
    "BEGIN SELECT RAISE(ABORT, 'the transaction log is append-only'); END",
    # INSERT OR REPLACE would pass a delete trigger on connections without recursive_triggers
    "CREATE TRIGGER log_entries_keep_replace BEFORE INSERT ON log_entries WHEN EXISTS (SELECT 1 FROM log_entries "
    "WHERE company_id = NEW.company_id AND sequence = NEW.sequence) "
    "BEGIN SELECT RAISE(ABORT, 'the transaction log is append-only'); END",
)


def upgrade() -> None:
    _create_records()
    _create_rest()
    _create_indexes()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRES_GUARD)
        _execute_all(POSTGRES_TRIGGERS)
    else:
        _execute_all(SQLITE_TRIGGERS)


def _execute_all(statements: tuple[str, ...]) -> None:
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the log is never dropped by a migration: restore a backup")
