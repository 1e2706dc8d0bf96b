"""Companies, connections, leases and runs: who is connected, and what is being pulled."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from runway_core.domain.changes import Attribution
from runway_core.domain.company import Company, Connection, ConnectionState
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.sync_run import SyncRun
from runway_core.ports.mirror_store import Lease


class CompanyRegistry(Protocol):
    """Keeps companies and connections, scoped to a firm: what belongs to another firm is not found.

    Changes are logged in the same transaction.
    """

    async def add_company(self, company: Company, *, attribution: Attribution) -> None:
        """Add a company.

        Raises:
            InvalidRequest: the id is taken.
        """
        ...

    async def update_company(self, company: Company, *, attribution: Attribution) -> None:
        """Replace a company's name, zone, owner, tags and settings.

        Raises:
            NotFound: no such company in its firm.
        """
        ...

    async def company(self, firm_id: FirmId, company_id: CompanyId, *, or_erased: bool = False) -> Company:
        """One company. Of an erased one, which is given only where it is asked for, nothing is left but its id.

        Raises:
            NotFound: no such company in this firm.
            CompanyErased: it was erased.
        """
        ...

    async def companies(self, firm_id: FirmId, *, with_erased: bool = False) -> Sequence[Company]:
        """All companies of a firm, by name, then id; erased ones only on request."""
        ...

    async def add_connection(self, connection: Connection, *, attribution: Attribution) -> None:
        """Add a connection, at most one a company and rail.

        Raises:
            InvalidRequest: the company has one to this rail already.
        """
        ...

    async def connections(self, firm_id: FirmId, company_id: CompanyId | None = None) -> Sequence[Connection]:
        """The connections of one company, or of the whole firm, by company, then rail, in one query."""
        ...

    async def name_account(self, connection: Connection, account: str) -> bool:
        """Note the rail's own name of a connection's company, where none is noted. It follows from the settings.

        Returns:
            Whether it was noted now.
        """
        ...

    async def take_lease(self, connection: Connection, *, holder: str, now: datetime, lasts_seconds: int) -> Lease:
        """Take the right to pull a connection.

        Raises:
            LeaseHeld: another holder's lease has not run out.
        """
        ...

    async def renew_lease(self, lease: Lease, *, now: datetime, lasts_seconds: int) -> Lease:
        """Extend a lease that is still ours.

        Raises:
            LeaseLost: it ran out and was taken over.
        """
        ...

    async def begin_run(self, lease: Lease, run: SyncRun) -> None:
        """Record that a pull began."""
        ...

    async def end_run(
        self,
        lease: Lease,
        run: SyncRun,
        *,
        state: ConnectionState,
        source_read_at: datetime | None,
        was_full: bool,
        attribution: Attribution,
    ) -> None:
        """Record how a pull ended, set the connection's state and let go of the lease, in one transaction.

        `source_read_at` moves only on success, as `last_swept_at` does when the run's cause is a sweep. A failed run,
        and a change of the connection's state, is logged. Counts of the stored run are those the pages added; `run`
        gives outcome, calls and error.

        Raises:
            LeaseLost: another worker has taken over; its result stands.
        """
        ...

    async def runs(self, firm_id: FirmId, company_id: CompanyId, *, limit: int = 20) -> Sequence[SyncRun]:
        """The latest runs of a company, newest first."""
        ...

    async def last_runs(self, firm_id: FirmId) -> Mapping[CompanyId, SyncRun]:
        """The latest run of each company of a firm, in one query."""
        ...

    async def count_quarantined(self, firm_id: FirmId) -> Mapping[CompanyId, int]:
        """How many records wait in quarantine, by company, in one query; companies without any are absent."""
        ...
