"""The ticker: wakes every minute and pulls the companies whose turn it is, so that load is spread over the interval.

What is due is derived from the database (when a connection was last read), so a stopped ticker delays work and loses
none. One runs in each process that serves; the lease keeps two of them from pulling the same connection at once.
"""

import asyncio
import hashlib
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from runway_core.domain.company import Connection
from runway_core.domain.identity import CompanyId
from runway_core.errors import RunwayError
from runway_core.runway import PULLABLE, Runway

WAKES_EVERY = timedelta(minutes=1)
LATE_AFTER = 2
"""A connection not tried for so many intervals is due whatever its phase: the ticker was down, or the clock jumped."""

_log = structlog.get_logger(__name__)


def find_due(
    connections: list[Connection], now: datetime, *, interval: timedelta, window: timedelta = WAKES_EVERY
) -> list[CompanyId]:
    """Name the companies to pull now: those whose phase of the interval falls into this window, and the late ones.

    A company's phase is a hash of its id, so it is the same in every process and over restarts, and companies spread
    evenly. Companies are named once, in a fixed order.
    """
    elapsed = timedelta(seconds=int(now.timestamp()) % int(interval.total_seconds()))
    due: dict[CompanyId, None] = {}
    for connection in connections:
        if connection.state not in PULLABLE:
            continue
        tried = connection.last_attempt_at
        is_late = tried is None or now - tried > LATE_AFTER * interval
        offset = elapsed - phase_of(connection.company_id, interval)
        is_turn = timedelta(0) <= offset < window
        was_just_tried = tried is not None and now - tried < window
        if is_late or (is_turn and not was_just_tried):
            due[connection.company_id] = None
    return sorted(due)


def phase_of(company_id: CompanyId, interval: timedelta) -> timedelta:
    """When within the interval a company's turn is: stable, and evenly spread over companies."""
    digest = hashlib.sha256(company_id.encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8], "big") % int(interval.total_seconds()))


class Ticker:
    """Keeps a firm's companies fresh while the process runs."""

    def __init__(self, runway: Runway, *, interval_minutes: int, at_once: int) -> None:
        self._runway = runway
        self._interval = timedelta(minutes=interval_minutes)
        self._at_once = at_once
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._work: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to tick in the running event loop, the first time at once."""
        self._scheduler.add_job(
            self._wake,
            "interval",
            seconds=WAKES_EVERY.total_seconds(),
            next_run_time=datetime.now(self._scheduler.timezone),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.start()

    async def stop(self) -> None:
        """Stop ticking; a pull that runs is stopped between pages, and its lease is let go."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        if self._work is not None and not self._work.done():
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _wake(self) -> None:
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self.tick())
            await asyncio.gather(self._work, return_exceptions=True)

    async def tick(self) -> None:
        """Pull every company whose turn it is; trouble of the database is logged, and the next tick tries again."""
        try:
            connections = list(await self._runway.connections.list())
            due = find_due(connections, self._runway.scope.clock.now(), interval=self._interval)
            if due:
                await self._runway.sync_all(only=frozenset(due), at_once=self._at_once)
        except RunwayError as error:
            _log.warning("tick_failed", error_code=error.code, error=str(error))
