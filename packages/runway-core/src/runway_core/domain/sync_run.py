"""The traces a pull leaves: its run, its quarantine, its outbox events."""

from enum import StrEnum

from pydantic import AwareDatetime

from runway_core.domain.changes import Cause
from runway_core.domain.identity import CompanyId, ConnectionId
from runway_core.domain.record import Value


class RunOutcome(StrEnum):
    """How a pull ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PageCounts(Value):
    """What became of the records of one page, or of all pages of a run."""

    pages: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    outdated: int = 0  # older than what is held: kept out
    quarantined: int = 0

    def __add__(self, other: "PageCounts") -> "PageCounts":
        theirs = other.__dict__
        return self.trusted({name: count + theirs[name] for name, count in self.__dict__.items()})

    @property
    def changed(self) -> int:
        """How many records differ from before."""
        return self.created + self.updated + self.deleted


NOTHING_READ = PageCounts()


class SyncRun(Value):
    """One pull of one connection."""

    run_id: str
    company_id: CompanyId
    connection_id: ConnectionId
    rail: str
    cause: Cause
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    outcome: RunOutcome = RunOutcome.RUNNING
    counts: PageCounts = NOTHING_READ
    calls: int = 0
    error_code: str | None = None
    error: str | None = None


class QuarantinedRecord(Value):
    """A record that could not be understood, kept with its payload until someone mends the cause or discards it."""

    quarantine_id: str
    company_id: CompanyId
    rail: str
    kind: str | None
    external_id: str | None
    reason: str
    raw: bytes
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    times_seen: int = 1


class OutboxEvent(Value):
    """A fact for others, written in the transaction that made it true. `payload` is small: ids and kinds only."""

    event_id: str
    company_id: CompanyId
    name: str  # past tense: "ledger_mirrored"
    created_at: AwareDatetime
    correlation_id: str
    payload: dict[str, str | int]
