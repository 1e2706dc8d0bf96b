"""What a rail reports: pages of changes, and what becomes of each record in them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.record import Record


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next reading starts. `token` is the rail's own and opaque; it belongs to one connection."""

    token: str


@dataclass(slots=True)
class Change:
    """One record as the rail shows it now, with the payload it came in, byte for byte; never changed once made."""

    record: Record
    raw: bytes
    key: RecordKey = field(init=False, repr=False, compare=False)  # made once: it is asked for again and again

    def __post_init__(self) -> None:
        self.key = self.record.key


@dataclass(frozen=True, slots=True)
class Deletion:
    """The rail says that a record is gone."""

    key: RecordKey
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that could not be understood: it goes to quarantine while the others go on."""

    kind: RecordKind | None
    external_id: str | None
    reason: str  # for a person
    raw: bytes


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One answer of a rail. It may be stored as soon as it arrives: resuming at `next_cursor` loses nothing."""

    changes: tuple[Change, ...]
    next_cursor: Cursor
    source_time: datetime  # the rail's clock when it answered (UTC)
    deletions: tuple[Deletion, ...] = ()
    rejected: tuple[RejectedRecord, ...] = ()
    is_last: bool = False  # the pull is whole with this page
    present_keys: frozenset[RecordKey] | None = None
    """On the last page of a whole reading: every key the rail holds, so that what is missing can be retired."""
    present_kinds: frozenset[RecordKind] | None = None
    """The kinds of which `present_keys` tells; `None`: of all that the rail holds."""
    reading_began: datetime | None = None
    """The rail's clock when that whole reading began: what was seen later is not retired by it."""


class ChangeKind(StrEnum):
    """What the log says happened to a record."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    RESTORED = "restored"  # it was a tombstone and came back


class Cause(StrEnum):
    """Why Runway looked or acted."""

    PULL = "pull"
    FULL_READ = "full_read"
    WEBHOOK = "webhook"
    PERSON = "person"
    CASCADE = "cascade"
    SWEEP = "sweep"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who or what made an entry, and which larger act it belongs to."""

    cause: Cause
    actor: str  # a person's id, or "runway"
    correlation_id: str


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """What the mirror holds of one record, enough to tell whether news is news."""

    content_hash: bytes
    revision_number: int | None
    modified_at: datetime | None
    source_time: datetime
    is_deleted: bool
