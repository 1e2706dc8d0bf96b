"""The sync engine: plans what is due, and works it off with a bounded pool, beside any number of other processes.

The job table is the truth. Beats derive work from the database and put it there; workers take it from there under
leases, keep these alive, and end each job by what became of it. Whatever is lost with a process, another one's beats
find again.
"""

import asyncio
import contextlib
import random
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from runway_core.domain.identity import FirmId
from runway_core.domain.jobs import MOST_ATTEMPTS, ClaimedJob, Job, Lane, Work
from runway_core.errors import LeaseLost, NotSupported, RailUnavailable, RunwayError, StoreError
from runway_core.ports.clock import Clock
from runway_core.ports.job_queue import JobQueue
from runway_core.sync.retries import NOTHING, Remedy, Strategy, plan_retry

Alive = Callable[[], None]
"""To be called at each step of work that takes long: work that is silent for too long is stopped."""

Handler = Callable[[Job, Alive], Awaitable[datetime | None]]
"""Does a job's work: returns `None` when it is done, or when to look again; raises what plans its retry."""

REAP_EVERY = timedelta(seconds=10)
PRUNE_EVERY = timedelta(hours=1)
KEEP_DONE = timedelta(days=2)
"""So long done jobs are kept, for looking at chains of causes."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How an engine works."""

    at_once: int = 16  # jobs side by side
    lease_seconds: int = 60  # three heartbeats
    plan_every: timedelta = timedelta(seconds=5)  # how often connections are looked at for what is due
    look_every: timedelta = timedelta(seconds=1)  # how often the table is looked at while nothing wakes the pool
    silence: timedelta = timedelta(seconds=120)  # work that shows no sign of life for so long is stopped
    grace: timedelta = timedelta(seconds=25)  # how long running jobs may take once a stop was asked for
    most_attempts: int = MOST_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Beat:
    """Something that is looked at again and again; one that fails is tried at its next time."""

    name: str
    every: timedelta
    work: Callable[[], Awaitable[object]]


@dataclass(slots=True)
class _Running:
    """A job in work."""

    claim: ClaimedJob
    heard_at: datetime
    task: "asyncio.Task[None] | None" = None
    stopped: str = ""  # why it was cut off: "lost", "silent" or "stop"


@dataclass(slots=True)
class EngineCounts:
    """What an engine did since it was made."""

    done: int = 0
    pulls: int = 0
    failures: int = 0  # of pulls
    again: int = 0
    retried: int = 0
    buried: int = 0
    lost: int = 0


def find_strategy(job: Job) -> Strategy:
    """Who waits for a job, which decides how it is tried again."""
    if job.work in (Work.SWEEP, Work.CASCADE):
        return Strategy.BULK
    return Strategy.USER_ACTION if job.lane is Lane.PERSON else Strategy.DATA_FETCH


@dataclass(slots=True)
class SyncEngine:
    """Beats and workers over one job table. Start it, and stop it before the store is closed.

    Args:
        queue: the job table.
        clock: tells the time.
        name: names this process in leases.
        handlers: what to do for each kind of work; a job of another kind is buried.
        beats: what is looked at again and again, beside lost leases.
        settings: how it works.
        works: whether it takes jobs; a scheduler of its own does not.
        firm_id: whose jobs it takes; those of every firm when absent.
        pick_up_to: draws a whole number from nil to the given one, for pauses.
    """

    queue: JobQueue
    clock: Clock
    name: str
    handlers: Mapping[Work, Handler]
    beats: Sequence[Beat] = ()
    settings: EngineSettings = field(default_factory=EngineSettings)
    works: bool = True
    firm_id: FirmId | None = None
    pick_up_to: Callable[[int], int] = lambda most: random.randint(0, most)  # noqa: S311 - jitter, not a secret
    counts: EngineCounts = field(default_factory=EngineCounts)
    _running: dict[int, _Running] = field(default_factory=dict)
    _loops: "list[asyncio.Task[None]]" = field(default_factory=list)
    _worker: "asyncio.Task[None] | None" = None
    _heart: "asyncio.Task[None] | None" = None
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _is_stopping: bool = False

    def wake(self) -> None:
        """There may be something to do: look at once."""
        self._woken.set()

    async def start(self) -> None:
        """Begin to beat and to work; the first beats are now."""
        self._is_stopping = False
        beats = [*self.beats, Beat("reap", REAP_EVERY, self.reap), Beat("prune", PRUNE_EVERY, self._prune)]
        self._loops = [asyncio.create_task(self._keep_beating(beat)) for beat in beats]
        if self.works:
            self._heart = asyncio.create_task(self._keep_leases())
            self._worker = asyncio.create_task(self._keep_working())

    async def stop(self) -> None:
        """Take nothing more; let running jobs end, release those that take too long. Repeating is harmless."""
        self._is_stopping = True
        self.wake()
        loops, self._loops = self._loops, []
        await _cancel(loops)
        if self._worker is not None:  # not cut off: what it takes at this moment must be given back
            await self._worker
            self._worker = None
        tasks = [running.task for running in self._running.values() if running.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=self.settings.grace.total_seconds())
            for running in list(self._running.values()):
                self._cut_off(running, "stop")
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._heart is not None:
            await _cancel([self._heart])
            self._heart = None

    async def run_due(self, *, most: int | None = None) -> None:
        """Beat once, then work until nothing that is due is left, or `most` jobs were taken; for a run that ends."""
        for beat in self.beats:
            await self._beat(beat)
        await self.reap()
        if not self.works:
            return
        self._heart = asyncio.create_task(self._keep_leases())
        try:
            left = most
            while (taken := await self._take(left)) or self._running:
                left = None if left is None else left - taken
                tasks = [running.task for running in self._running.values() if running.task is not None]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel([self._heart])
            self._heart = None

    # --- beats ---

    async def _keep_beating(self, beat: Beat) -> None:
        while True:
            await self._beat(beat)
            await asyncio.sleep(beat.every.total_seconds())

    async def _beat(self, beat: Beat) -> None:
        with _going_on("beat", beat=beat.name):
            await beat.work()

    async def reap(self) -> None:
        """Take back what lost workers held."""
        reaped = await self.queue.reap(now=self.clock.now(), most_attempts=self.settings.most_attempts)
        if reaped.returned or reaped.buried:
            _log.warning("jobs_reaped", returned=reaped.returned, buried=reaped.buried)
            self.wake()

    async def _prune(self) -> None:
        await self.queue.prune(done_before=self.clock.now() - KEEP_DONE)

    # --- workers ---

    async def _keep_working(self) -> None:
        while not self._is_stopping:
            self._woken.clear()
            taken = 0
            with _going_on("claim"):
                taken = await self._take()
            if not taken:
                await self._rest()

    async def _rest(self) -> None:
        """Wait until something may be to do, or until it is time to look; once for each job, so without a task."""
        seconds = self.settings.look_every.total_seconds()
        alarm = asyncio.get_running_loop().call_later(seconds, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            alarm.cancel()

    async def _take(self, most: int | None = None) -> int:
        """Take as many jobs as there is room for, `most` at the most, and start them."""
        room = self.settings.at_once - len(self._running)
        room = room if most is None else min(room, most)
        if room < 1:
            return 0
        now = self.clock.now()
        claims = await self.queue.claim(
            worker=self.name,
            now=now,
            limit=room,
            lease_seconds=self.settings.lease_seconds,
            firm_id=self.firm_id,
        )
        if self._is_stopping:
            for claim in claims:
                await self.queue.release(claim, now=now)
            return 0
        for claim in claims:
            running = self._running[claim.lease_token] = _Running(claim, now)
            running.task = asyncio.create_task(self._run(running))
        return len(claims)

    async def _run(self, running: _Running) -> None:
        try:
            await self._do(running)
        except LeaseLost:
            self.counts.lost += 1
            _log.warning("job_lost", job=running.claim.job.job_id, work=running.claim.job.work.value)
        except StoreError as error:  # how it ended cannot be said: the lease runs out, and it is done again
            _log.warning("job_unended", job=running.claim.job.job_id, error_code=error.code, error=str(error))
        finally:
            del self._running[running.claim.lease_token]
            self.wake()

    async def _do(self, running: _Running) -> None:
        job = running.claim.job

        def alive() -> None:
            running.heard_at = self.clock.now()

        try:
            again_at = await self._find_handler(job)(job, alive)
        except asyncio.CancelledError:
            await self._end_cut_off(running)
        except LeaseLost:
            raise
        except RunwayError as error:
            await self._end_failed(running.claim, error)
        except Exception as error:  # the engine's edge: a fault of ours or of a plugin is that job's alone
            _log.error("job_failed_unexpectedly", job=job.job_id, work=job.work.value, trace=traceback.format_exc())
            await self._end_failed(running.claim, RunwayError(f"{type(error).__name__}: see the log"))
        else:
            await self._end_well(running.claim, again_at)

    def _find_handler(self, job: Job) -> Handler:
        handler = self.handlers.get(job.work)
        if handler is None:
            raise NotSupported(
                f"this worker does not know the work {job.work.value!r}: upgrade it, then replay the job"
            )
        return handler

    async def _end_well(self, claim: ClaimedJob, again_at: datetime | None) -> None:
        now = self.clock.now()
        if again_at is None:
            await self.queue.finish(claim, now=now)
            self.counts.done += 1
        else:
            await self.queue.release(claim, now=now, run_at=again_at)
            self.counts.again += 1

    async def _end_failed(self, claim: ClaimedJob, error: RunwayError) -> None:
        job, now = claim.job, self.clock.now()
        plan = plan_retry(
            error, strategy=find_strategy(job), attempt=job.attempts, elapsed=NOTHING, pick_up_to=self.pick_up_to
        )
        if plan.remedy in (Remedy.RETRY, Remedy.READ_BACK) and job.attempts < self.settings.most_attempts:
            await self.queue.retry(claim, run_at=now + plan.pause, error_code=error.code, error=str(error), now=now)
            self.counts.retried += 1
        elif plan.remedy in (Remedy.LEAVE, Remedy.PARK):
            await self.queue.finish(claim, now=now)
            self.counts.done += 1
        else:
            await self.queue.bury(claim, error_code=error.code, error=str(error), now=now)
            self.counts.buried += 1
        _log.warning(
            "job_failed",
            job=job.job_id,
            work=job.work.value,
            company=job.company_id,
            attempt=job.attempts,
            outcome=plan.remedy.value,
            error_code=error.code,
            error=str(error),
        )

    async def _end_cut_off(self, running: _Running) -> None:
        if running.stopped == "lost":
            raise LeaseLost(f"job {running.claim.job.job_id!r} is another worker's by now")
        if running.stopped == "silent":
            seconds = self.settings.silence.total_seconds()
            await self._end_failed(running.claim, RailUnavailable(f"no sign of life for {seconds:.0f} seconds"))
        else:
            await self.queue.release(running.claim, now=self.clock.now())

    # --- leases ---

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self.settings.lease_seconds // 3)
            with _going_on("renewal"):
                await self._renew()

    async def _renew(self) -> None:
        """Extend the leases of what lives; cut off what is silent, and what became another's."""
        now = self.clock.now()
        held = dict(self._running)
        for running in held.values():
            if now - running.heard_at > self.settings.silence:
                self._cut_off(running, "silent")
        renewed = await self.queue.renew(
            [running.claim for running in held.values()], now=now, lease_seconds=self.settings.lease_seconds
        )
        ours = {claim.lease_token: claim for claim in renewed}
        for token, running in held.items():
            if token in ours:
                running.claim = ours[token]
            elif token in self._running:  # else it ended meanwhile
                self._cut_off(running, "lost")

    def _cut_off(self, running: _Running, why: str) -> None:
        if running.task is not None and not running.task.done() and not running.stopped:
            running.stopped = why
            running.task.cancel()


@contextlib.contextmanager
def _going_on(what: str, **named: str) -> Iterator[None]:
    """The engine's edge: what fails within is told, and stops nothing else; it is tried at its next time."""
    try:
        yield
    except RunwayError as error:
        _log.warning(f"{what}_failed", error_code=error.code, error=str(error), **named)
    except Exception:  # a fault of ours or of a plugin
        _log.error(f"{what}_failed_unexpectedly", trace=traceback.format_exc(), **named)


async def _cancel(tasks: "Sequence[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
