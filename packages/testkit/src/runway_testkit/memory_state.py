"""What the memory store holds: dictionaries, one state a company. A transaction writes once all is decided."""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from pydantic import SecretStr
from runway_core.domain.changes import Attribution, Cursor, HeldVersion
from runway_core.domain.company import Company, Connection
from runway_core.domain.erasure import Erasure
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKey
from runway_core.domain.ledger import BalanceChange, BalanceClose
from runway_core.domain.log_entry import ChainHead, LogDraft, LogEntry, is_to_be_sealed, seal_entries
from runway_core.domain.papers import PaperKey, WorkingPaper
from runway_core.domain.position import Position
from runway_core.domain.quotas import CallCount
from runway_core.domain.record import Record, Value, encode_plain
from runway_core.domain.sync_run import OutboxEvent, QuarantinedRecord, SyncRun
from runway_core.domain.webhooks import RailAccount
from runway_core.errors import CompanyErased


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """One record of the mirror."""

    record: Record
    raw: bytes
    rail: str
    content_hash: bytes
    source_time: datetime
    seen_at: datetime
    log_sequence: int
    is_deleted: bool = False
    deleted_at: datetime | None = None

    @property
    def version(self) -> HeldVersion:
        """What planning needs of it; a tombstone is as old as its deletion."""
        return HeldVersion(
            content_hash=self.content_hash,
            revision_number=self.record.revision_number,
            modified_at=self.deleted_at if self.is_deleted and self.deleted_at else self.record.modified_at,
            source_time=self.source_time,
            is_deleted=self.is_deleted,
        )


@dataclass(frozen=True, slots=True)
class HeldLease:
    """The lease of one connection; no holder means that it was let go."""

    fencing: int
    holder: str | None
    expires_at: datetime


@dataclass(slots=True)
class CompanyState:
    """Everything of one company."""

    company: Company
    connections: dict[ConnectionId, Connection] = field(default_factory=dict)
    leases: dict[ConnectionId, HeldLease] = field(default_factory=dict)
    cursors: dict[ConnectionId, Cursor] = field(default_factory=dict)
    secrets: dict[ConnectionId, dict[str, SecretStr]] = field(default_factory=dict)
    runs: dict[str, SyncRun] = field(default_factory=dict)
    records: dict[RecordKey, HeldRecord] = field(default_factory=dict)
    entries: list[LogEntry] = field(default_factory=list)
    head: ChainHead = field(default_factory=ChainHead)
    due_sequence: int = 0
    quarantine: dict[str, QuarantinedRecord] = field(default_factory=dict)
    balances: list[BalanceChange] = field(default_factory=list)
    closes: dict[tuple[date, str], BalanceClose] = field(default_factory=dict)
    events: list[OutboxEvent] = field(default_factory=list)
    told: dict[str, datetime] = field(default_factory=dict)  # events by id, when they were told
    position: Position | None = None
    findings: dict[str, TrackedFinding] = field(default_factory=dict)
    papers: dict[PaperKey, WorkingPaper] = field(default_factory=dict)
    erased: Erasure | None = None
    call_counts: dict[tuple[str, str], CallCount] = field(default_factory=dict)  # by rail and month

    def append(self, drafts: list[LogDraft], *, is_due: bool = False) -> list[LogEntry]:
        """Append entries to the company's chain.

        Raises:
            CompanyErased: they hold something, and the company was erased.
        """
        if self.erased is not None and any(map(is_to_be_sealed, drafts)):
            raise CompanyErased(f"company {self.company.company_id!r} was erased")
        sealed, self.head = seal_entries(self.company.company_id, self.head, drafts)
        self.entries.extend(sealed)
        if is_due and sealed:
            self.due_sequence = self.head.sequence
        return sealed


class States(dict[CompanyId, CompanyState]):
    """Every company's, with what a database has indexes for.

    The indexes say where to look: what they name may be gone since.
    """

    def __init__(self) -> None:
        super().__init__()
        self._of_firm: dict[FirmId, list[CompanyId]] = {}
        self._owners: dict[ConnectionId, CompanyId] = {}
        self._listening: dict[RailAccount, dict[ConnectionId, CompanyId]] = {}

    def __setitem__(self, company_id: CompanyId, state: CompanyState) -> None:
        if company_id not in self:
            insort(self._of_firm.setdefault(state.company.firm_id, []), company_id)
        super().__setitem__(company_id, state)

    def of_firm(self, firm_id: FirmId) -> Iterator[CompanyState]:
        """The states of a firm's companies, by company id."""
        return map(self.__getitem__, self._of_firm.get(firm_id, ()))

    def put_connection(self, connection: Connection) -> None:
        """Keep a connection that is new, or that got the rail's own name of its company."""
        state = self[connection.company_id]
        held = {**state.connections, connection.connection_id: connection}
        state.connections = dict(sorted(held.items(), key=lambda item: item[1].rail))
        self._owners[connection.connection_id] = connection.company_id
        if connection.rail_account is not None:
            account = RailAccount(connection.rail, connection.rail_account)
            self._listening.setdefault(account, {})[connection.connection_id] = connection.company_id

    def owner_of(self, connection_id: ConnectionId) -> CompanyState | None:
        """The company of a connection."""
        owner = self.get(self._owners.get(connection_id, CompanyId("")))
        return owner if owner is not None and connection_id in owner.connections else None

    def listening_to(self, account: RailAccount) -> list[Connection]:
        """The connections to one account of a rail."""
        places = self._listening.get(account, {}).items()
        held = (self[company_id].connections.get(connection_id) for connection_id, company_id in places)
        return [one for one in held if one is not None and one.rail_account == account.account]


def draft_act(
    what: str, kind: str, external_id: str, *, value: Value, by: Attribution, at: datetime, rail: str = ""
) -> LogDraft:
    """An entry about something that is no record."""
    return LogDraft(
        seen_at=at,
        rail=rail,
        kind=kind,
        external_id=external_id,
        what=what,
        attribution=by,
        content=encode_plain(value),
    )
