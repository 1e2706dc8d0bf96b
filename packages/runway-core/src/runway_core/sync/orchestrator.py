"""One pull of one connection: lease, cursor, pages, one transaction a page, and how it ended.

Killed at any instant, the mirror holds whole pages, the cursor stands after the last of them, and the lease runs out.
"""

import asyncio
import traceback
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from runway_core.domain.changes import Attribution, Cause, Change, ChangePage, Deletion
from runway_core.domain.company import Company, Connection, ConnectionState
from runway_core.domain.identity import RecordKey
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.record import encode_plain
from runway_core.domain.sweeps import Path, SweepReport
from runway_core.domain.sync_run import NOTHING_READ, PageCounts, RunOutcome, SyncRun
from runway_core.errors import (
    NotSupported,
    RailAccessLost,
    RailError,
    RailUnavailable,
    RecordGone,
    RecordRejected,
    RunwayError,
    StoreError,
)
from runway_core.ports.clock import Clock
from runway_core.ports.ledger_rail import LedgerRail, RailCatalog, RailContext
from runway_core.ports.mirror_store import Lease, PageReceipt
from runway_core.ports.store import Store
from runway_core.ports.sweeping import SweepableRail
from runway_core.sync.paths import PathWatch
from runway_core.sync.reports import ProgressListener, SyncProgress, ignore_progress
from runway_core.sync.sweep import Comparison, Sweeper, SweepTask

LEASE_SECONDS = 120
"""A lease outlives the longest silence of a rail; a dead worker's connection is free again after it."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Why and how to pull."""

    cause: Cause = Cause.PULL
    actor: str = "runway"
    full: bool = False  # read everything again, and retire what is gone
    accept_missing: bool = False  # a person says that many missing records are truly gone
    sweep: bool = False  # compare with the rail afterwards, and mend what differs
    by_turn: bool = False  # compare only the kinds whose turn it is, not all of them
    read_again: tuple[RecordKey, ...] = ()  # ask for these records by name afterwards, though they are no news
    correlation_id: str = ""  # the first cause of the chain that this pull is part of; its run when empty


@dataclass(slots=True)
class _Pull:
    """What is known of a pull while it runs."""

    company: Company
    connection: Connection
    lease: Lease
    run: SyncRun
    attribution: Attribution
    counts: PageCounts = NOTHING_READ
    source_time: datetime | None = None
    was_full: bool = False
    log_before: int | None = None  # the last entry before its first change
    comparison: Comparison | None = None


class SyncOrchestrator:
    """Pulls connections. Holds no state of its own: two of them may work side by side on one database."""

    def __init__(self, store: Store, rails: RailCatalog, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store = store
        self._rails = rails
        self._clock = clock
        self._new_id = new_id
        self._sweeper = Sweeper(store)
        self._watch = PathWatch(store, rails, clock)

    async def pull(
        self,
        company: Company,
        connection: Connection,
        request: PullRequest,
        on_progress: ProgressListener = ignore_progress,
    ) -> SyncRun:
        """Bring the mirror of one connection into agreement with its rail.

        A rail's trouble is not raised: it is in the run that is returned, and in the connection's state.

        Raises:
            LeaseHeld: another worker is pulling this connection.
            LeaseLost: this worker was too slow and another took over; what was committed before stands.
            StoreUnavailable: the database does not answer.
            NotFound: the connection's rail is not installed.
            NotSupported: a sweep of a rail that cannot be compared.
        """
        rail = self._open_rail(company, connection, is_live=request.cause is Cause.PERSON and not request.full)
        try:
            if request.sweep and not isinstance(rail, SweepableRail):
                raise NotSupported(f"the rail {connection.rail!r} cannot be compared with the mirror: pull it in full")
            pull = await self._begin(company, connection, request)
            failure: RailError | None = None
            try:
                await self._read_pages(pull, rail, request, on_progress)
                if request.read_again:
                    await self._read_again(pull, rail, request, on_progress)
                if request.sweep and isinstance(rail, SweepableRail):
                    await self._compare(pull, rail, request, on_progress)
            except RailError as error:
                failure = error
            except StoreError:
                raise
            except asyncio.CancelledError:
                await asyncio.shield(self._end(pull, rail, _stopped(connection)))
                raise
            run = await self._end(pull, rail, failure)
        finally:
            await rail.aclose()
        if failure is None:
            await self._tally(pull, run)
        on_progress(SyncProgress(company=company, rail=connection.rail, counts=run.counts, is_done=True))
        return run

    def _open_rail(self, company: Company, connection: Connection, *, is_live: bool) -> LedgerRail:
        return self._rails.factory(connection.rail).open(
            RailContext(
                company_id=company.company_id,
                connection_id=connection.connection_id,
                home_currency=company.home_currency,
                settings=connection.settings,
                vault=self._store.vault,
                clock=self._clock,
                calls=self._store.calls,
                is_live=is_live,
            )
        )

    async def _begin(self, company: Company, connection: Connection, request: PullRequest) -> _Pull:
        now = self._clock.now()
        run_id = self._new_id()
        lease = await self._store.registry.take_lease(connection, holder=run_id, now=now, lasts_seconds=LEASE_SECONDS)
        cause = Cause.FULL_READ if request.full and request.cause is Cause.PULL else request.cause
        cause = Cause.SWEEP if request.sweep else cause
        run = SyncRun(
            run_id=run_id,
            company_id=company.company_id,
            connection_id=connection.connection_id,
            rail=connection.rail,
            cause=cause,
            started_at=now,
        )
        await self._store.registry.begin_run(lease, run)
        # Before it compares, a sweep reads the change feed to its end: what that brings is no repair.
        cause = Cause.PULL if request.sweep else cause
        attribution = Attribution(cause=cause, actor=request.actor, correlation_id=request.correlation_id or run_id)
        return _Pull(company=company, connection=connection, lease=lease, run=run, attribution=attribution)

    async def _read_pages(
        self, pull: _Pull, rail: LedgerRail, request: PullRequest, on_progress: ProgressListener
    ) -> None:
        mirror = self._store.mirror
        cursor = None if request.full else await mirror.cursor(pull.connection.connection_id, pull.company.company_id)
        # Closed here and not by the collector, so that what the rail reads ahead ends with this pull.
        async with aclosing(rail.changes_since(cursor)) as pages:
            while (page := await _next_page(pages, pull.connection)) is not None:
                await self._commit(pull, page, pull.attribution, request.accept_missing)
                pull.source_time = page.source_time
                pull.was_full = pull.was_full or page.present_keys is not None
                on_progress(SyncProgress(company=pull.company, rail=pull.connection.rail, counts=pull.counts))

    async def _read_again(
        self, pull: _Pull, rail: LedgerRail, request: PullRequest, on_progress: ProgressListener
    ) -> None:
        """Ask for single records, and store those that are understood; what is gone is retired, the rest stays."""
        connection = pull.connection
        cursor = await self._store.mirror.cursor(connection.connection_id, connection.company_id)
        assert cursor is not None  # the pull before stored one
        assert pull.source_time is not None
        changes: list[Change] = []
        gone: list[Deletion] = []
        for key in request.read_again:
            try:
                changes.append(await rail.read_record(key))
            except RecordGone:
                gone.append(Deletion(key=key, deleted_at=pull.source_time))
            except (RecordRejected, NotSupported):
                pass  # it is still not understood, or the rail shows no single records: its news may come some day
            on_progress(SyncProgress(company=pull.company, rail=connection.rail, counts=pull.counts))
        if changes or gone:
            page = ChangePage(
                changes=tuple(changes),
                deletions=tuple(gone),
                next_cursor=cursor,
                source_time=pull.source_time,
                is_last=True,
            )
            await self._commit(pull, page, pull.attribution, request.accept_missing)

    async def _commit(
        self, pull: _Pull, page: ChangePage, attribution: Attribution, accept_missing: bool
    ) -> PageReceipt:
        now = self._clock.now()
        pull.lease = await self._keep_lease(pull.lease, now)
        receipt = await self._store.mirror.commit_page(
            pull.lease,
            page,
            run_id=pull.run.run_id,
            attribution=attribution,
            seen_at=now,
            accept_missing=accept_missing,
        )
        pull.counts = pull.counts + receipt.counts
        if pull.log_before is None:
            pull.log_before = receipt.log_sequence - receipt.counts.changed
        return receipt

    async def _compare(
        self, pull: _Pull, rail: SweepableRail, request: PullRequest, on_progress: ProgressListener
    ) -> None:
        """Compare all kinds; what is mended is logged with the cause `sweep`."""
        connection = pull.connection
        cursor = await self._store.mirror.cursor(connection.connection_id, connection.company_id)
        assert cursor is not None  # the pull before stored one
        assert pull.source_time is not None
        by_sweep = replace(pull.attribution, cause=Cause.SWEEP)

        async def commit(page: ChangePage) -> None:
            await self._commit(pull, page, by_sweep, request.accept_missing)

        def is_alive() -> None:
            on_progress(SyncProgress(company=pull.company, rail=connection.rail, counts=pull.counts))

        task = SweepTask(
            connection=connection,
            rail=rail,
            cursor=cursor,
            caught_up_at=pull.source_time,
            correlation_id=pull.attribution.correlation_id,
            commit=commit,
            is_alive=is_alive,
        )
        pull.comparison = await self._sweeper.compare(task, day=self._clock.now().date(), by_turn=request.by_turn)

    async def _tally(self, pull: _Pull, run: SyncRun) -> None:
        """Count what came by which path; a first or whole reading says nothing of that."""
        connection = pull.connection
        if pull.comparison is not None:
            missed = await self._watch.after_sweep(connection, pull.comparison.repairs)
            await self._log_sweep(pull, run, missed)
        elif pull.log_before is not None and pull.counts.changed and connection.last_success_at and not pull.was_full:
            await self._watch.after_pull(
                connection,
                run.cause,
                after=pull.log_before,
                correlation_id=pull.attribution.correlation_id,
            )

    async def _log_sweep(self, pull: _Pull, run: SyncRun, missed: Mapping[Path, int]) -> None:
        assert pull.comparison is not None
        report = SweepReport(
            run_id=run.run_id,
            company_id=run.company_id,
            connection_id=run.connection_id,
            rail=run.rail,
            began_at=run.started_at,
            ended_at=run.ended_at or run.started_at,
            calls=run.calls,
            kinds=tuple(pull.comparison.kinds),
            missed=dict(missed),
        )
        draft = LogDraft(
            seen_at=report.ended_at,
            rail=run.rail,
            kind="connection",
            external_id=run.connection_id,
            what="swept",
            attribution=replace(pull.attribution, cause=Cause.SWEEP),
            content=encode_plain(report),
        )
        await self._store.log.append(run.company_id, [draft])
        _log.info(
            "connection_swept",
            company=run.company_id,
            rail=run.rail,
            repaired=report.repaired,
            differing_kinds=[kind.kind.value for kind in report.kinds if not kind.agrees],
            missed={path.value: count for path, count in missed.items()},
            calls=run.calls,
        )

    async def _keep_lease(self, lease: Lease, now: datetime) -> Lease:
        if lease.expires_at - now > timedelta(seconds=LEASE_SECONDS / 2):
            return lease
        return await self._store.registry.renew_lease(lease, now=now, lasts_seconds=LEASE_SECONDS)

    async def _end(self, pull: _Pull, rail: LedgerRail, failure: RailError | None) -> SyncRun:
        now = self._clock.now()
        run = pull.run.model_copy(
            update={
                "ended_at": now,
                "outcome": RunOutcome.SUCCEEDED if failure is None else RunOutcome.FAILED,
                "counts": pull.counts,
                "calls": rail.calls,
                "error_code": None if failure is None else failure.code,
                "error": None if failure is None else str(failure),
            }
        )
        await self._store.registry.end_run(
            pull.lease,
            run,
            state=_state_after(failure),
            source_read_at=pull.source_time if failure is None else None,
            was_full=pull.was_full,
            attribution=pull.attribution,
        )
        _log.info(
            "ledger_mirrored",
            company=pull.company.company_id,
            rail=pull.connection.rail,
            changed=run.counts.changed,
            quarantined=run.counts.quarantined,
            calls=run.calls,
            duration_ms=(now - run.started_at) // timedelta(milliseconds=1),
            outcome=run.outcome.value,
            error_code=run.error_code,
            request_id=None if failure is None else failure.request_id,
        )
        return run


def _state_after(failure: RailError | None) -> ConnectionState:
    if failure is None:
        return ConnectionState.ACTIVE
    if isinstance(failure, RailAccessLost):
        return ConnectionState.RECONNECT_NEEDED
    return ConnectionState.FAILING


async def _next_page(pages: AsyncGenerator[ChangePage], connection: Connection) -> ChangePage | None:
    """The rail's next page, or `None` at its end. A rail is a plugin: its fault is its company's trouble alone."""
    try:
        return await anext(pages, None)
    except RunwayError:
        raise
    except Exception as error:
        # The text of the traceback, without the values of variables: one of them may be a token or a payload.
        trace = traceback.format_exc()
        _log.error("rail_failed_unexpectedly", company=connection.company_id, rail=connection.rail, trace=trace)
        raise _unexpected(connection, error) from error


def _unexpected(connection: Connection, error: Exception) -> RailError:
    return RailError(
        f"the rail {connection.rail!r} failed with {type(error).__name__}, which is a fault of the rail: the log has "
        "the details; report it to its authors",
        rail=connection.rail,
    )


def _stopped(connection: Connection) -> RailError:
    """Why a pull that was cut off ended: it passes by itself, so that the next one comes in half a minute."""
    return RailUnavailable("the pull was stopped before its end; the next one goes on from here", rail=connection.rail)
