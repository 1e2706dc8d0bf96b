"""The part of `Runway` that reads and verifies the log of one company, and verifies the firm's own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from runway_core.domain.identity import CompanyId, RecordKey
from runway_core.domain.log_entry import ChainHead, LogEntry
from runway_core.domain.people import firm_chain
from runway_core.ports.store import Store
from runway_core.services.anchors import AnchorService
from runway_core.services.archives import ArchiveService, describe_absent
from runway_core.services.companies import CompanyService
from runway_core.services.scope import Scope
from runway_core.sync.log_export import export_log
from runway_core.sync.mirror_check import find_mirror_differences
from runway_core.sync.verification import LogVerification, find_start, verify_log


class LogReading:
    """What the facade answers about a company's log."""

    scope: Scope
    _store: Store
    companies: CompanyService
    anchors: AnchorService
    archives: ArchiveService

    async def log_entries(self, company_id: CompanyId, *, after: int = 0, limit: int = 50) -> Sequence[LogEntry]:
        """Entries of a company's log after a sequence number, in order, at most `limit`.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._demand_chain(company_id)
        found: list[LogEntry] = []
        async for entry in self._store.log.entries(company_id, after=after, batch=min(limit, 1000)):
            found.append(entry)
            if len(found) == limit:
                break
        return found

    async def _demand_chain(self, owner: CompanyId) -> None:
        """A company's chain, or the firm's own one where nobody is asked on behalf of."""
        if owner != firm_chain(self.scope.firm_id) or self.scope.caller is not None:
            await self.companies.get(owner, or_erased=True)

    async def log_length(self, company_id: CompanyId) -> int:
        """How many entries a company's log has.

        Raises:
            NotFound: no such company in this firm.
        """
        await self.companies.get(company_id, or_erased=True)
        return (await self._store.log.head(company_id)).sequence

    async def history(self, company_id: CompanyId, key: RecordKey) -> Sequence[LogEntry]:
        """Everything the log says about one record, oldest first.

        Raises:
            NotFound: no such company in this firm.
        """
        await self.companies.get(company_id, or_erased=True)
        return await self._store.log.history(company_id, key)

    async def verify_log(
        self,
        company_id: CompanyId,
        *,
        since: datetime | None = None,
        heads: Mapping[CompanyId, ChainHead] | None = None,
    ) -> LogVerification:
        """Recompute a company's chain of log entries, all of it or what was seen `since` a moment.

        It then begins where the last anchor before the moment ended; without one, at the entry before.

        Args:
            company_id: whose.
            since: the moment.
            heads: what `anchors.heads_before` says of it; it is asked when this is not given.

        Raises:
            NotFound: no such company in this firm.
            LogBroken: the anchors are not what was signed.
        """
        await self._demand_chain(company_id)
        return await self._verify_chain(company_id, since, heads)

    async def verify_firm_log(
        self, *, since: datetime | None = None, heads: Mapping[CompanyId, ChainHead] | None = None
    ) -> LogVerification:
        """Recompute the firm's own chain, which tells of people and of the firm's papers, in the same way.

        Raises:
            LogBroken: the anchors are not what was signed.
        """
        return await self._verify_chain(firm_chain(self.scope.firm_id), since, heads)

    async def _verify_chain(
        self, owner: CompanyId, since: datetime | None, heads: Mapping[CompanyId, ChainHead] | None
    ) -> LogVerification:
        log = self._store.log
        pieces = await self._store.log_archives.detached(owner)
        start: ChainHead | None = None
        if since is not None:
            start = (await self.anchors.heads_before(since) if heads is None else heads).get(owner)
            start = start or await find_start(log, owner, await log.last_before(owner, since))
        absent = next((one for one in reversed(pieces) if not one.is_at_hand), None)
        is_absent = absent is not None and (start is None or start.sequence < absent.last)
        if absent is not None and is_absent:
            start = ChainHead(sequence=absent.last, hash=absent.last_hash)
        found = await verify_log(log, owner, start=start)
        if not found.is_sound:
            return found
        fault = await self.archives.find_unmarked(owner, pieces)
        return found.with_fault(fault or (describe_absent(pieces) if is_absent else None))

    async def export_log(
        self, company_id: CompanyId, *, after: int = 0, through: int | None = None
    ) -> AsyncIterator[bytes]:
        """A company's chain behind an entry as the lines of a file, some at a time; see `docs/reference/log.md`.

        It ends at entry `through`, or where the chain does.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._demand_chain(company_id)
        before = await find_start(self._store.log, company_id, after)
        async for lines in export_log(self._store.log, company_id, before=before, last=through):
            yield lines

    async def check_mirror(self, company_id: CompanyId) -> Sequence[str]:
        """Hold a company's mirror to its log; names at most twenty records that differ.

        Raises:
            NotFound: no such company in this firm.
            LogBroken: an entry of the log cannot be read.
        """
        await self.companies.get(company_id)
        return await find_mirror_differences(self._store, company_id)

    async def last_entry_before(self, company_id: CompanyId, moment: datetime) -> ChainHead:
        """The last entry of a company that was seen before a moment, by number and hash; nil where there is none.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._demand_chain(company_id)
        return await find_start(self._store.log, company_id, await self._store.log.last_before(company_id, moment))
