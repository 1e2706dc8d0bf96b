"""Every table, the ones of mirrored records generated from one reading of the domain's own classes.

Representation, the same on SQLite and PostgreSQL (docs/decisions/0003-store.md):

    amounts   BIGINT, ten-thousandths of a major unit: 12.50 is 125000
    moments   BIGINT, microseconds since 1970 in UTC
    days      text, ISO 8601
    numbers   text, exact (exchange rates)
    text      compared byte by byte on both (PostgreSQL: COLLATE "C")
    payloads  bytes, as they came

`company_id` comes first in every key and index that belongs to a company, and in every condition.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import AwareDatetime
from runway_core.domain.documents import Lines, Links
from runway_core.domain.identity import RecordKind
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.record import Record
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

NIL: ColumnElement[int] = literal_column("0")
"""Written out, not bound: a partial index serves only a query that shows the index's own condition."""

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
WIDEST_ROW = "8160"
_WIDE_ROWS: dict[str, Any] = {"postgresql_with": {"toast_tuple_target": WIDEST_ROW}}
"""Rows up to a page stay whole: a payload of 1 to 4 KB is neither compressed nor moved aside."""


class FieldForm(StrEnum):
    """How one field of a record is kept."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    AMOUNT = "amount"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    ENUM = "enum"
    LINES = "lines"  # within `detail`
    LINKS = "links"  # within `detail`


_COLUMN_TYPES: dict[FieldForm, TypeEngine[Any]] = {
    FieldForm.TEXT: TEXT,
    FieldForm.INTEGER: BigInteger(),
    FieldForm.BOOLEAN: Boolean(),
    FieldForm.AMOUNT: BigInteger(),
    FieldForm.NUMBER: TEXT,
    FieldForm.DAY: TEXT,
    FieldForm.MOMENT: BigInteger(),
    FieldForm.ENUM: TEXT,
}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a record class and how it is kept."""

    name: str
    form: FieldForm
    is_optional: bool
    enum: type[Enum] | None = None

    @property
    def is_detail(self) -> bool:
        """Whether it is kept within the `detail` column."""
        return self.form in (FieldForm.LINES, FieldForm.LINKS)


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """How one kind of record is kept."""

    kind: RecordKind
    record_class: type[Record]
    columns: tuple[FieldSpec, ...]
    details: tuple[FieldSpec, ...]
    table: Table

    def has(self, name: str) -> bool:
        """Whether the record has a field kept in a column of that name."""
        return any(field.name == name for field in self.columns)


def _read_form(name: str, hint: Any) -> FieldSpec:
    is_optional = False
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (arg for arg in get_args(hint) if arg is not type(None))
        is_optional = True
    if hint in (Lines, Links):
        return FieldSpec(name, FieldForm.LINES if hint == Lines else FieldForm.LINKS, is_optional)
    is_annotated = get_origin(hint) is Annotated
    base = get_args(hint)[0] if is_annotated else hint
    if base is Decimal:
        return FieldSpec(name, FieldForm.AMOUNT if is_annotated else FieldForm.NUMBER, is_optional)
    if isinstance(base, type) and issubclass(base, Enum):
        return FieldSpec(name, FieldForm.ENUM, is_optional, base)
    forms: dict[Any, FieldForm] = {
        str: FieldForm.TEXT,
        bool: FieldForm.BOOLEAN,
        int: FieldForm.INTEGER,
        date: FieldForm.DAY,
        AwareDatetime: FieldForm.MOMENT,
    }
    return FieldSpec(name, forms[base], is_optional)


def _read_fields(record_class: type[Record]) -> list[FieldSpec]:
    hints = get_type_hints(record_class, include_extras=True)
    return [_read_form(name, hints[name]) for name in record_class.model_fields]


FRAME = (
    "is_deleted",
    "deleted_at",
    "rail",
    "source_time",
    "seen_at",
    "log_sequence",
    "content_hash",
    "raw",
)
"""What the mirror keeps of every record beside its fields, in the order of the columns. The payload stands last:
reading the others does not walk through it."""


def _make_record_table(record_class: type[Record]) -> RecordSpec:
    fields = _read_fields(record_class)
    columns = [field for field in fields if not field.is_detail]
    details = [field for field in fields if field.is_detail]
    table = Table(
        record_class.kind.value,
        metadata,
        Column("company_id", TEXT, nullable=False),
        *(Column(field.name, _COLUMN_TYPES[field.form], nullable=field.is_optional) for field in columns),
        *([Column("detail", TEXT, nullable=False)] if details else []),
        Column("is_deleted", Boolean, nullable=False),
        Column("deleted_at", BigInteger),  # the rail's time of deletion
        Column("rail", TEXT, nullable=False),
        Column("source_time", BigInteger, nullable=False),  # the rail's clock at the answer that brought it
        Column("seen_at", BigInteger, nullable=False),  # our clock
        Column("log_sequence", BigInteger, nullable=False),  # the entry that made the row what it is
        Column("content_hash", LargeBinary, nullable=False),
        Column("raw", LargeBinary, nullable=False),
        PrimaryKeyConstraint("company_id", "external_id"),
        **_WIDE_ROWS,
    )
    names = {field.name for field in columns}
    if {"due_date", "open_balance"} <= names:
        is_open = and_(table.c.open_balance > NIL, table.c.is_deleted == false())
        Index(
            f"ix_{table.name}_open",
            table.c.company_id,
            table.c.due_date,
            table.c.open_balance,
            postgresql_where=is_open,
            sqlite_where=is_open,
        )
    return RecordSpec(record_class.kind, record_class, tuple(columns), tuple(details), table)


RECORD_SPECS: dict[RecordKind, RecordSpec] = {
    kind: _make_record_table(record_class) for kind, record_class in RECORD_CLASSES.items()
}
"""Every mirrored kind with its table."""

companies = Table(
    "companies",
    metadata,
    Column("company_id", TEXT, primary_key=True),
    Column("firm_id", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("home_currency", TEXT, nullable=False),
    Column("time_zone", TEXT, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("owner", TEXT),
    Column("tags", TEXT, nullable=False),  # JSON
    Column("settings", TEXT, nullable=False),  # JSON
    Column("erased_at", BigInteger),  # then nothing is left of it but this row and its log
    Column("erased_by", TEXT),
    Column("scoured_at", BigInteger),  # since then no file of the database holds what was deleted
    Index("ix_companies_firm", "firm_id", "name", "company_id"),
)

connections = Table(
    "connections",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("connection_id", TEXT, nullable=False),
    Column("firm_id", TEXT, nullable=False),
    Column("rail", TEXT, nullable=False),
    Column("settings", TEXT, nullable=False),  # JSON
    Column("state", TEXT, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_attempt_at", BigInteger),
    Column("last_success_at", BigInteger),
    Column("last_full_at", BigInteger),
    Column("source_read_at", BigInteger),
    Column("last_error_code", TEXT),
    Column("last_error", TEXT),
    Column("failures_in_a_row", Integer, nullable=False),
    Column("last_swept_at", BigInteger),
    Column("rail_account", TEXT),
    PrimaryKeyConstraint("company_id", "connection_id"),
    UniqueConstraint("company_id", "rail"),
    UniqueConstraint("connection_id"),
    Index("ix_connections_firm", "firm_id", "company_id", "rail"),
    Index("ix_connections_account", "rail", "rail_account"),  # not unique: two firms may connect one company
)

leases = Table(
    "leases",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("connection_id", TEXT, nullable=False),
    Column("fencing", BigInteger, nullable=False),
    Column("holder", TEXT),  # none: let go
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("company_id", "connection_id"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("connection_id", TEXT, nullable=False),
    Column("token", TEXT, nullable=False),
    Column("moved_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("company_id", "connection_id"),
)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("run_id", TEXT, nullable=False),
    Column("connection_id", TEXT, nullable=False),
    Column("rail", TEXT, nullable=False),
    Column("cause", TEXT, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("outcome", TEXT, nullable=False),
    Column("pages", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("deleted", BigInteger, nullable=False),
    Column("unchanged", BigInteger, nullable=False),
    Column("outdated", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("error_code", TEXT),
    Column("error", TEXT),
    PrimaryKeyConstraint("company_id", "run_id"),
    Index("ix_sync_runs_started", "company_id", "started_at"),
)

BROUGHT_NOTHING = and_(
    *(sync_runs.c[name] == literal_column("0") for name in ("created", "updated", "deleted", "quarantined"))
)
Index("ix_sync_runs_idle", sync_runs.c.started_at, postgresql_where=BROUGHT_NOTHING, sqlite_where=BROUGHT_NOTHING)

quarantine = Table(
    "quarantine",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("quarantine_id", TEXT, nullable=False),
    Column("rail", TEXT, nullable=False),
    Column("kind", TEXT),
    Column("external_id", TEXT),
    Column("reason", TEXT, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("times_seen", Integer, nullable=False),
    PrimaryKeyConstraint("company_id", "quarantine_id"),
)

log_entries = Table(
    "log_entries",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("rail", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("external_id", TEXT, nullable=False),
    Column("what", TEXT, nullable=False),
    Column("correlation_id", TEXT, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("canonical", LargeBinary, nullable=False),  # exactly the bytes that were hashed
    PrimaryKeyConstraint("company_id", "sequence"),
    Index("ix_log_entries_record", "company_id", "kind", "external_id", "sequence"),
    **_WIDE_ROWS,
)

IS_CHANGE = text("what IN ('updated', 'deleted')")
"""Entries that tell how records changed or went."""

Index(  # most entries of a young log are first readings: what changed lately is found without them
    "ix_log_entries_changed",
    log_entries.c.company_id,
    log_entries.c.seen_at,
    postgresql_where=IS_CHANGE,
    sqlite_where=IS_CHANGE,
)

log_heads = Table(
    "log_heads",
    metadata,
    Column("company_id", TEXT, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("due_sequence", BigInteger, nullable=False),  # a stored position that saw less of the log is due
)

balance_changes = Table(
    "balance_changes",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("account_id", TEXT, nullable=False),
    Column("log_sequence", BigInteger, nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("source_time", BigInteger, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("balance", BigInteger, nullable=False),
    PrimaryKeyConstraint("company_id", "account_id", "log_sequence"),
)

balance_closes = Table(
    "balance_closes",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("day", TEXT, nullable=False),  # in the company's zone
    Column("account_id", TEXT, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("balance", BigInteger, nullable=False),
    PrimaryKeyConstraint("company_id", "day", "account_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("event_id", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("correlation_id", TEXT, nullable=False),
    Column("payload", TEXT, nullable=False),  # JSON
    Column("told_at", BigInteger),  # none: nobody who depends on it knows yet
    PrimaryKeyConstraint("company_id", "event_id"),
)
IS_UNTOLD = outbox.c.told_at.is_(None)
Index("ix_outbox_untold", outbox.c.created_at, postgresql_where=IS_UNTOLD, sqlite_where=IS_UNTOLD)

working_papers = Table(
    "working_papers",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("paper_kind", TEXT, nullable=False),
    Column("paper_id", TEXT, nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_closed", Boolean, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", TEXT, nullable=False),
    Column("document", LargeBinary, nullable=False),  # JSON, the whole paper
    PrimaryKeyConstraint("company_id", "paper_kind", "paper_id"),
)
_is_current = working_papers.c.is_closed == false()
Index(  # closed decisions, questions and fixes pile up; figures and lists want the others
    "ix_working_papers_open",
    working_papers.c.company_id,
    working_papers.c.paper_kind,
    working_papers.c.changed_at,
    postgresql_where=_is_current,
    sqlite_where=_is_current,
)

secrets = Table(
    "secrets",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("connection_id", TEXT, nullable=False),
    Column("key_id", TEXT, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),  # nonce, then the data key under the key-encryption key
    Column("ciphertext", LargeBinary, nullable=False),  # nonce, then the set under the data key
    PrimaryKeyConstraint("company_id", "connection_id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("company_id", TEXT, nullable=False),
    Column("job_id", TEXT, nullable=False),  # begins with the time it was enqueued
    Column("firm_id", TEXT, nullable=False),
    Column("connection_id", TEXT),
    Column("rail", TEXT),
    Column("work", TEXT, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("run_at", BigInteger, nullable=False),
    Column("turn_at", BigInteger, nullable=False),  # when it came due, or its company was last served in this lane
    Column("dedupe_key", TEXT, nullable=False),
    Column("cause_id", TEXT, nullable=False),
    Column("correlation_id", TEXT, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("payload", TEXT, nullable=False),  # JSON
    Column("state", TEXT, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("enqueued_at", BigInteger, nullable=False),
    Column("last_attempt_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("error_code", TEXT),
    Column("error", TEXT),
    Column("note", TEXT),
    Column("lease_token", BigInteger),  # none: nobody works on it
    Column("lease_until", BigInteger),
    Column("worker", TEXT),
    PrimaryKeyConstraint("company_id", "job_id"),
)
IS_WAITING = jobs.c.state == literal_column("'waiting'")
IS_RUNNING = jobs.c.state == literal_column("'running'")
IS_DONE = jobs.c.state == literal_column("'done'")
IS_DEAD = jobs.c.state == literal_column("'dead'")
for _name, _columns, _condition, _is_unique in (
    ("waiting", (jobs.c.company_id, jobs.c.dedupe_key), IS_WAITING, True),  # equal work waits once
    ("connection", (jobs.c.connection_id,), IS_RUNNING, True),  # one job a connection at a time
    ("turn", (jobs.c.lane, jobs.c.turn_at), IS_WAITING, False),
    ("lease", (jobs.c.lease_until,), IS_RUNNING, False),
    ("ended", (jobs.c.ended_at,), IS_DONE, False),
    ("dead", (jobs.c.company_id, jobs.c.dedupe_key), IS_DEAD, False),
):
    Index(f"ix_jobs_{_name}", *_columns, unique=_is_unique, postgresql_where=_condition, sqlite_where=_condition)
Index("ix_jobs_correlation", jobs.c.firm_id, jobs.c.correlation_id)

job_turns = Table(  # one row, locked by each claim: claimers take turns
    "job_turns",
    metadata,
    Column("turns_id", Integer, primary_key=True, autoincrement=False),
    Column("claims", BigInteger, nullable=False),  # the last lease token given
    Column("since_poll", Integer, nullable=False),  # urgent claims since the last poll or sweep
)
