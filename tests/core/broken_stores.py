"""Stores that break one promise each, for tests of what shall notice it, and one that may die beside a commit."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from runway_core.domain.changes import ChangePage
from runway_core.domain.identity import CompanyId, RecordKey
from runway_core.domain.jobs import ClaimedJob, Reaped
from runway_core.domain.log_entry import ChainHead
from runway_core.domain.money import AMOUNT_STEP
from runway_core.domain.record import hash_content
from runway_core.domain.webhooks import InboxDelivery
from runway_core.ports.mirror_store import Lease, PageReceipt
from runway_testkit.memory_inbox import MemoryInbox
from runway_testkit.memory_jobs import MemoryJobQueue
from runway_testkit.memory_mirror import MemoryMirrorStore
from runway_testkit.memory_state import CompanyState, HeldRecord
from runway_testkit.memory_store import MemoryCompanyRegistry

from tests.core.desk import Killed


class MortalMirror(MemoryMirrorStore):
    """The mirror in memory, whose process may sleep or be killed beside a commit: before it, or behind it."""

    dies: str | None = None
    first: Callable[[], Awaitable[None]] | None = None

    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        if self.first is not None:
            meanwhile, self.first = self.first, None
            await meanwhile()
        if self.dies == "before":
            raise Killed
        receipt = await super().commit_page(lease, page, **given)
        if self.dies == "behind":
            raise Killed
        return receipt


class CursorInItsOwnTransaction(MortalMirror):
    """Killed between the two, rows are lost: the next pull starts behind them."""

    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        self._fenced(lease, now=given["seen_at"]).cursors[lease.connection_id] = page.next_cursor
        return await super().commit_page(lease, page, **given)


class LogInItsOwnTransaction(MortalMirror):
    """Killed between the two, the mirror moved and nothing says why."""

    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        entries = list(self._states[lease.company_id].entries)
        try:
            return await super().commit_page(lease, page, **given)
        except Killed:
            self._states[lease.company_id].entries = entries
            raise


class NoFencing(MortalMirror):
    """Who lost the lease goes on writing."""

    def _fenced(self, lease: Lease, *, now: datetime) -> CompanyState:
        return self._states[lease.company_id]


class RenewedUnseen(MemoryCompanyRegistry):
    """A lease is renewed for whoever once had it."""

    async def renew_lease(self, lease: Lease, *, now: datetime, lasts_seconds: int) -> Lease:
        return replace(lease, expires_at=now + timedelta(seconds=lasts_seconds))


class NoVersionGuard(MortalMirror):
    """What comes last is taken for the newest."""

    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        records = self._fenced(lease, now=given["seen_at"]).records
        for change in page.changes:
            held = records.get(change.record.key)
            if held is not None and held.content_hash != hash_content(change.record.content()):
                del records[change.record.key]
        return await super().commit_page(lease, page, **given)


class UnchangedRowsAreWritten(MortalMirror):
    """Every page is news."""

    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        for change in page.changes:
            self._fenced(lease, now=given["seen_at"]).records.pop(change.record.key, None)
        return await super().commit_page(lease, page, **given)


class OutboxInItsOwnTransaction(MortalMirror):
    """Killed between the two, something changed and nobody is told."""

    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        events = list(self._states[lease.company_id].events)
        try:
            return await super().commit_page(lease, page, **given)
        except Killed:
            self._states[lease.company_id].events = events
            raise


class ChainHeadUnchecked(MortalMirror):
    """Each worker appends where it stood itself, whoever wrote meanwhile."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.heads: dict[tuple[str, int], ChainHead] = {}

    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        state, mine = self._states[lease.company_id], (lease.connection_id, lease.fencing)
        state.head = self.heads.get(mine, state.head)
        receipt = await super().commit_page(lease, page, **given)
        self.heads[mine] = self._states[lease.company_id].head
        return receipt


class PositionNotDue(MortalMirror):
    """What changed is not marked for figures to follow."""

    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        due = self._states[lease.company_id].due_sequence
        try:
            return await super().commit_page(lease, page, **given)
        finally:
            self._states[lease.company_id].due_sequence = due


class NoCompanyPredicate(MortalMirror):
    """Lists show what is anybody's."""

    def _records(self, company_id: CompanyId) -> dict[RecordKey, HeldRecord]:
        del company_id
        return {
            RecordKey(key.kind, f"{owner} {key.external_id}"): held
            for owner, state in self._states.items()
            for key, held in state.records.items()
        }


class CentsAreRounded(MortalMirror):
    """Amounts are kept in whole units."""

    async def commit_page(self, lease: Lease, page: ChangePage, **given: Any) -> PageReceipt:
        rounded = tuple(
            replace(change, record=change.record.model_copy(update={"open_balance": _whole(change.record)}))
            for change in page.changes
        )
        return await super().commit_page(lease, replace(page, changes=rounded), **given)


def _whole(record: Any) -> Decimal:
    amount: Decimal = record.open_balance
    return amount.quantize(Decimal(1)).quantize(AMOUNT_STEP)


class AnswerBeforeCommit(MemoryInbox):
    """The last delivery that was acknowledged is not written yet."""

    unwritten: InboxDelivery | None = None

    async def accept(self, delivery: InboxDelivery) -> bool:
        held, self.unwritten = self.unwritten, delivery
        if held is not None:
            await super().accept(held)
        return True


class BlindClaims(MemoryJobQueue):
    """Whose connection is being worked on is not looked at."""

    async def claim(self, **asked: Any) -> Sequence[ClaimedJob]:
        running, self._running = self._running, {}
        claims = await super().claim(**asked)
        self._running |= running
        return claims


class ForgetfulReaper(MemoryJobQueue):
    """What a lost worker held is lost with it."""

    async def reap(self, *, now: datetime, most_attempts: int) -> Reaped:
        lost = [name for name, held in self._running.items() if held.claim and held.claim.lease_until <= now]
        for name in lost:
            del self._running[name], self._jobs[name]
        return await super().reap(now=now, most_attempts=most_attempts)


class DoneBeforeWork(MemoryJobQueue):
    """A job is called done before its work is."""

    async def claim(self, **asked: Any) -> Sequence[ClaimedJob]:
        claims = await super().claim(**asked)
        for claim in claims:
            await self.finish(claim, now=asked["now"])
        return claims
