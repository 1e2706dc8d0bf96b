"""The ticker: keeps every company fresh from inside one process.

What is due is derived from the database at every beat, so nothing is forgotten by a restart: a company is due when the
last of its own moments has passed since it was last tried. Moments are an interval apart, and each company has its own
place in the interval, so that a hundred companies never knock at once.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from runway_core.domain.anchors import Anchor
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.identity import CompanyId
from runway_core.errors import RunwayError
from runway_core.runway import PULLABLE, Runway
from runway_core.services.scope import local_day

BEAT = timedelta(seconds=5)
NEW_DAY_BEAT = timedelta(minutes=1)
ANCHOR_BEAT = timedelta(minutes=1)
LONGEST_BACK_OFF = timedelta(hours=2)
GRACE_SECONDS = 10
"""How long pulls may take to end once a stop was asked for."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger(__name__)


def find_phase(company_id: CompanyId, interval: timedelta) -> timedelta:
    """A company's own place in the interval: the same in every process, spread evenly over companies."""
    number = int.from_bytes(hashlib.sha256(company_id.encode()).digest()[:8])
    microseconds: int = interval // timedelta(microseconds=1)
    return timedelta(microseconds=number % microseconds)


def find_last_moment(company_id: CompanyId, *, now: datetime, interval: timedelta) -> datetime:
    """The latest of a company's moments that has passed."""
    first = _EPOCH + find_phase(company_id, interval)
    rounds: int = (now - first) // interval
    return first + rounds * interval


def find_pause(connection: Connection, interval: timedelta) -> timedelta:
    """How long a failing connection is left alone: nothing after one failure, then an interval, doubling."""
    if connection.failures_in_a_row < 2:
        return timedelta(0)
    doublings = min(connection.failures_in_a_row - 2, 10)
    return min(interval * (1 << doublings), max(LONGEST_BACK_OFF, interval))


def is_due(connection: Connection, *, now: datetime, interval: timedelta) -> bool:
    """Whether a connection should be pulled now; those that wait for a person never are."""
    if connection.state not in PULLABLE:
        return False
    tried = connection.last_attempt_at
    if tried is None:
        return True
    if connection.state is ConnectionState.FAILING and now - tried < find_pause(connection, interval):
        return False
    return tried < find_last_moment(connection.company_id, now=now, interval=interval)


class Ticker:
    """Pulls what is due, within bounds, and keeps positions at their local day. Stop it before closing."""

    def __init__(self, runway: Runway, *, interval_minutes: int, at_once: int) -> None:
        self._runway = runway
        self._interval = timedelta(minutes=interval_minutes)
        self._gate = asyncio.Semaphore(at_once)
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running: dict[CompanyId, asyncio.Task[None]] = {}
        self.pulls = 0
        self.failures = 0

    async def start(self) -> None:
        """Begin to tick; the first beat is now."""
        beats = (
            (self.pull_due, BEAT, "pull"),
            (self.begin_days, NEW_DAY_BEAT, "new day"),
            (self.anchor_due, ANCHOR_BEAT, "anchor"),
        )
        for work, beat, name in beats:
            self._scheduler.add_job(
                work,
                "interval",
                seconds=beat.total_seconds(),
                name=name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
                next_run_time=self._runway.scope.clock.now(),
            )
        self._scheduler.start()

    async def stop(self) -> None:
        """Begin nothing more; let running pulls end, and cut off those that take too long. Repeating is harmless."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        tasks = list(self._running.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def pull_due(self) -> Sequence[CompanyId]:
        """Start to pull each company that is due and not being pulled; returns them without waiting."""
        try:
            connections = await self._runway.connections.list()
        except RunwayError as error:
            _log.warning("tick_failed", error_code=error.code, error=str(error))
            return []
        now = self._runway.scope.clock.now()
        due = dict.fromkeys(
            connection.company_id
            for connection in connections
            if connection.company_id not in self._running and is_due(connection, now=now, interval=self._interval)
        )
        for company_id in due:
            task = asyncio.create_task(self._pull(company_id))
            self._running[company_id] = task
            task.add_done_callback(lambda _, done=company_id: self._running.pop(done, None))  # type: ignore[misc]  # mypy cannot type the default
        return list(due)

    async def wait_for_pulls(self) -> None:
        """Wait until the pulls that were started have ended."""
        await asyncio.gather(*self._running.values())

    async def _pull(self, company_id: CompanyId) -> None:
        async with self._gate:
            try:
                report = await self._runway.sync(company_id)
            except RunwayError as error:
                self.failures += 1
                _log.warning("pull_failed", company=company_id, error_code=error.code, error=str(error))
                return
        self.pulls += 1
        self.failures += len(report.failed)

    async def begin_days(self) -> Sequence[CompanyId]:
        """Recompute the position of each company where a new day has begun; returns them."""
        begun: list[CompanyId] = []
        try:
            now = self._runway.scope.clock.now()
            companies = {company.company_id: company for company in await self._runway.companies.list()}
            for position in await self._runway.positions.all():
                company = companies.get(position.company_id)
                if company is not None and position.as_of != local_day(now, company):
                    await self._runway.positions.recompute(company.company_id)
                    begun.append(company.company_id)
        except RunwayError as error:
            _log.warning("new_day_failed", error_code=error.code, error=str(error))
        return begun

    async def anchor_due(self) -> Anchor | None:
        """Anchor the log when an anchor is due; trouble is logged, and the next beat tries again."""
        try:
            return await self._runway.anchors.anchor_due()
        except RunwayError as error:
            _log.warning("anchor_failed", error_code=error.code, error=str(error))
            return None
