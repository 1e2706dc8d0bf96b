"""A store: the ports that one database serves together."""

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from runway_core.ports.anchors import AnchorStore, LogKeys
from runway_core.ports.answered_calls import AnsweredCalls
from runway_core.ports.breakers import Breakers
from runway_core.ports.call_ledger import CallLedger
from runway_core.ports.coverage import Coverage
from runway_core.ports.erasures import CompanyErasures
from runway_core.ports.health_store import HealthStore
from runway_core.ports.inbox import Inbox
from runway_core.ports.job_queue import JobQueue
from runway_core.ports.log_archives import LogArchives
from runway_core.ports.mirror_store import MirrorStore
from runway_core.ports.outbox import Outbox
from runway_core.ports.people import PeopleStore
from runway_core.ports.position_store import PositionStore
from runway_core.ports.registry import CompanyRegistry
from runway_core.ports.subscriptions import SubscriptionStore
from runway_core.ports.token_vault import TokenVault
from runway_core.ports.transaction_log import TransactionLog
from runway_core.ports.working_papers import WorkingPapers


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """What a look at the database found. `warnings` are for people, each with what to do."""

    dialect: str
    version: str
    schema_revision: str | None
    is_current: bool
    warnings: tuple[str, ...]
    checked_at: datetime | None = None


class Store(Protocol):
    """One database behind all storing ports. Use it as an async context manager, once."""

    @property
    def mirror(self) -> MirrorStore:
        """The mirrored records."""
        ...

    @property
    def log(self) -> TransactionLog:
        """The transaction log."""
        ...

    @property
    def anchors(self) -> AnchorStore:
        """Anchors of the log."""
        ...

    @property
    def log_keys(self) -> LogKeys:
        """The keys that sign them."""
        ...

    @property
    def log_archives(self) -> LogArchives:
        """Pieces of the log that are in files alone."""
        ...

    @property
    def erasures(self) -> CompanyErasures:
        """Companies that were erased, and how."""
        ...

    @property
    def registry(self) -> CompanyRegistry:
        """Companies, connections, leases and runs."""
        ...

    @property
    def positions(self) -> PositionStore:
        """Stored positions and findings."""
        ...

    @property
    def papers(self) -> WorkingPapers:
        """What people keep beside the mirror."""
        ...

    @property
    def jobs(self) -> JobQueue:
        """Work that is due, running, done and dead."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Events that wait to be told."""
        ...

    @property
    def calls(self) -> CallLedger:
        """Budgets of calls that all workers share."""
        ...

    @property
    def breakers(self) -> Breakers:
        """Circuit breakers that all workers share."""
        ...

    @property
    def health(self) -> HealthStore:
        """What is known about the service itself."""
        ...

    @property
    def vault(self) -> TokenVault:
        """Secrets of connections."""
        ...

    @property
    def coverage(self) -> Coverage:
        """What each path by which changes come has brought and missed."""
        ...

    @property
    def inbox(self) -> Inbox:
        """What rails sent by themselves."""
        ...

    @property
    def people(self) -> PeopleStore:
        """The firm's people, and what was given out to them."""
        ...

    @property
    def answered_calls(self) -> AnsweredCalls:
        """Answers of calls that may be sent again."""
        ...

    @property
    def subscriptions(self) -> SubscriptionStore:
        """Who is told of events, and what is delivered."""
        ...

    async def upgrade(self) -> None:
        """Bring the schema to this code's version; repeating is harmless.

        Raises:
            SchemaMismatch: the database is newer than this code.
            StoreUnavailable: it cannot be reached or written.
        """
        ...

    async def keep_months(self) -> None:
        """Make room for the months of the log to come, where a database keeps it by month. Repeating is harmless.

        Raises:
            StoreUnavailable: it cannot be done now; entries find room all the same, and the next time will do.
        """
        ...

    async def check(self) -> StoreHealth:
        """Look at the database: reachable, migrated, sound.

        Raises:
            StoreUnavailable: it cannot be reached.
        """
        ...

    async def __aenter__(self) -> Self:
        """Open. An embedded database that does not exist yet is made and migrated; any other must be current.

        Raises:
            SchemaMismatch: not migrated, or newer than this code.
            StoreUnavailable: it cannot be reached or written.
        """
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        ...
