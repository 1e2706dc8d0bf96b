"""A ledger rail: one company's books in an outside system, read as a sequence of changes."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from runway_core.domain.changes import Change, ChangePage, Cursor
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.domain.quotas import MeteredQuota
from runway_core.ports.call_ledger import CallLedger
from runway_core.ports.clock import Clock
from runway_core.ports.token_vault import TokenVault


class RailRole(StrEnum):
    """What a rail is to a company."""

    LEDGER = "ledger"
    EXECUTION = "execution"
    VERIFICATION = "verification"
    INSIGHTS = "insights"


class Trouble(StrEnum):
    """What a vendor may put a rail through; the sandbox plays each in all its windows under the same name."""

    FLAKY = "flaky"  # it fails, breaks off, or is slow now and then
    THROTTLED = "throttled"  # it refuses calls as too many
    EXPIRED = "expired"  # it ends what was signed in with, or replaces it
    HOSTILE = "hostile"  # it answers with nonsense, with rows twice and in any order, with a page again


@dataclass(frozen=True, slots=True)
class RailAbilities:
    """What a rail states that it can do; the contract suite holds it to this."""

    kinds: frozenset[RecordKind]  # what it brings
    has_change_feed: bool = False  # reads only what changed
    reports_deletions: bool = False  # within the change feed
    has_webhooks: bool = False  # the vendor tells of changes: its factory has a `webhook_reader`
    can_be_swept: bool = False  # its rails can be compared with the mirror: `ports.sweeping.SweepableRail`
    writes: frozenset[RecordKind] = frozenset()  # kinds on which `apply_fix` works
    metered: MeteredQuota | None = None  # what the vendor counts by the month; `None`: nothing
    survives: frozenset[Trouble] = frozenset()  # once it is over nothing is lost, doubled or told


@dataclass(frozen=True, slots=True)
class CompanyProfile:
    """What a rail says about the company behind a connection. `None` where it does not say."""

    name: str | None
    home_currency: str | None
    external_id: str


@dataclass(frozen=True, slots=True)
class RecordFix:
    """One write that mends a record. `fields` are names of the record's own fields with their new values.

    `line_account` says to which account lines go: a mapping from line id to account id, or that as JSON text.

    `expected_revision` is the revision that the plan was made on; the rail refuses when the record moved since.
    """

    key: RecordKey
    expected_revision: str
    fields: Mapping[str, Any] = field(default_factory=dict)


class LedgerRail(Protocol):
    """One company's books in an outside system.

    external id  the outside system's own key for a record; opaque
    revision     a token that moves with most changes of a record; opaque
    cursor       where the next reading starts; opaque, belongs to one connection
    page         one answer; may be stored as soon as it arrives

    Every method may raise RailUnavailable (safe to repeat), RailThrottled (safe to repeat later), RailAccessLost (a
    person must connect again) and RailMisconfigured (our own keys are wrong).
    """

    @property
    def calls(self) -> int:
        """How many requests this object has sent that the vendor counts."""
        ...

    async def check_connection(self) -> CompanyProfile:
        """Ask the rail who the company is: the cheapest call that proves the access."""
        ...

    def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        """Yield what changed after `cursor`, oldest page first; `None` yields everything.

        A page may be stored as soon as it arrives: resuming at its `next_cursor` loses nothing. Records may come twice;
        none is left out. When the rail cannot tell what changed since `cursor` (too old, too much), it reads as much
        more as it needs to be sure. Closing the generator early is allowed at any page. The last page has `is_last`;
        after a whole reading it carries `present_keys`.
        """
        ...

    async def read_record(self, key: RecordKey) -> Change:
        """Read one record as it is now.

        Raises:
            RecordGone: it is deleted or was never there.
            RecordRejected: it is there and cannot be understood.
        """
        ...

    async def apply_fix(self, fix: RecordFix, *, idempotency_key: str) -> Change:
        """Write one fix and return the record as the rail then shows it.

        Repeating with the same key is the same write.

        Raises:
            StaleRevision: the record moved since `fix.expected_revision`: read it, plan again.
            OutcomeUnknown: no answer came: read the record back before repeating.
            RailRefused: the rail said no, or a field cannot be written: change the fix.
            RecordGone: it is deleted.
        """
        ...

    async def aclose(self) -> None:
        """Let go of network connections. Repeating is harmless."""
        ...


@dataclass(frozen=True, slots=True)
class RailContext:
    """What a rail is given to work for one connection."""

    company_id: CompanyId
    connection_id: ConnectionId
    home_currency: str
    settings: Mapping[str, Any]
    vault: TokenVault
    clock: Clock
    calls: CallLedger | None = None  # the budget that all workers share; without one each process keeps its own
    is_live: bool = False  # a person waits for the answers


class RailFactory(Protocol):
    """Makes the rails of one vendor; registered once through the plugin hook."""

    @property
    def name(self) -> str:
        """The rail's short name, such as `qbo`."""
        ...

    @property
    def title(self) -> str:
        """The vendor's name as people know it."""
        ...

    @property
    def roles(self) -> frozenset[RailRole]:
        """What it may be to a company."""
        ...

    @property
    def abilities(self) -> RailAbilities:
        """What it states that it can do."""
        ...

    @property
    def settings_model(self) -> type[BaseModel]:
        """What a person must supply that is no secret; validated when a connection is added."""
        ...

    @property
    def secrets_model(self) -> type[BaseModel]:
        """What a person must supply that is secret; every field is a `SecretStr` or optional."""
        ...

    def open(self, context: RailContext) -> LedgerRail:
        """Make the rail of one connection. Must not connect."""
        ...

    async def aclose(self) -> None:
        """Let go of what the rails share. Repeating is harmless."""
        ...


class RailCatalog(Protocol):
    """The rails that are installed, by name."""

    def factory(self, name: str) -> RailFactory:
        """The factory of a rail.

        Raises:
            NotFound: no installed plugin offers it.
        """
        ...
