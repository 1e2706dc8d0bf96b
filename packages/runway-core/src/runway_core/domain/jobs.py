"""Work to be done: jobs, the lanes they wait in, and which of them are taken next.

The job table is the truth about what is due, running, done and dead. Whoever takes jobs, one process or many, decides
by `plan_claims`, so that every store gives the same turns.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from heapq import heapify, heappop, heapreplace

from pydantic import AwareDatetime, Field

from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.record import Value


class Work(StrEnum):
    """What a job does."""

    PULL = "pull"  # bring one connection's mirror into agreement with its rail
    POSITION = "position"  # compute a company's position from its books
    SWEEP = "sweep"  # compare a connection's ids, counts and totals with its rail
    CASCADE = "cascade"  # tell others what an event means for them
    ANNOUNCE = "announce"  # deliver what a subscription of the firm waits for; the firm's own chain owns the job


class Lane(IntEnum):
    """How urgent a job is; lower goes first."""

    PERSON = 1  # someone waits for it
    WEBHOOK = 2  # the rail said that something changed
    POLL = 5  # the schedule
    SWEEP = 8  # may wait for a quiet hour


class JobState(StrEnum):
    """Where a job stands. Each job is in exactly one state."""

    WAITING = "waiting"
    RUNNING = "running"  # a worker holds a lease on it
    DONE = "done"
    DEAD = "dead"  # failed for good: kept until someone replays or discards it


class NewJob(Value):
    """A job to be enqueued.

    `dedupe_key` names the effect within the company: two waiting jobs of one key are one. `cause_id` is what brought it
    about (an event, a delivery, another job), `correlation_id` the first cause of the chain (the job itself when it is
    empty), `depth` the job's distance from it. `payload` is small: ids and kinds, never a secret.
    """

    firm_id: FirmId
    company_id: CompanyId
    connection_id: ConnectionId | None = None  # jobs of one connection, or subscription, never run at the same time
    rail: str | None = None
    work: Work
    lane: Lane
    run_at: AwareDatetime  # not before
    dedupe_key: str
    cause_id: str = ""
    correlation_id: str = ""
    depth: int = 0
    payload: dict[str, str] = Field(default_factory=dict)


class Job(NewJob):
    """A job in the table."""

    job_id: str  # ids of later jobs are greater
    state: JobState
    attempts: int = 0  # counted when it is taken, so that a job that kills its worker is counted too
    enqueued_at: AwareDatetime
    last_attempt_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None  # when it was done, or died
    error_code: str | None = None  # of the last attempt that failed
    error: str | None = None
    note: str | None = None  # how it ended, where it did not simply run


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that a worker runs until `lease_until`. `lease_token` grows with every claim and fences what it does."""

    job: Job
    lease_token: int
    lease_until: datetime
    worker: str


MOST_ATTEMPTS = 8
"""So often a job is taken before it is dead."""

AGEING = timedelta(hours=1)
"""A job that has been due for so long counts as one lane more urgent, though never as a person's."""

POLL_EVERY = 5
"""At least one of so many claims goes to a poll or a sweep that is due."""

COALESCED = "coalesced"
"""The note of a job whose work another waiting job of the same key has taken over."""

HEALED = "healed"
"""The note of a dead job whose work was done after all, by a later job of the same key."""

LANES: Sequence[Lane] = tuple(Lane)
_URGENT: Sequence[Lane] = (Lane.PERSON, Lane.WEBHOOK)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is asked of a waiting job that is due, to decide whether it is taken.

    `turn_at` orders the jobs of a lane: when it came due, or when its company was last served in that lane, if later.
    """

    job_id: str
    company_id: CompanyId
    connection_id: ConnectionId | None
    lane: Lane
    run_at: datetime
    turn_at: datetime


_Place = tuple[int, int, datetime, datetime, str]
"""What orders candidates: lane, how lately its company was served in this plan, turn, time due, id."""


@dataclass(slots=True)
class ClaimPlan:
    """Which candidates are taken, in order, and how many urgent claims were made since the last other one."""

    chosen: list[Candidate] = field(default_factory=list)
    since_poll: int = 0


def find_lane(candidate: Candidate, now: datetime) -> Lane:
    """The lane a job counts in, having waited until `now`."""
    if candidate.lane in _URGENT:
        return candidate.lane
    lanes_up: int = (now - candidate.run_at) // AGEING
    at = LANES.index(candidate.lane) - max(lanes_up, 0)
    return LANES[max(at, LANES.index(Lane.WEBHOOK))]


def plan_claims(candidates: Iterable[Candidate], *, limit: int, since_poll: int, now: datetime) -> ClaimPlan:
    """Choose at most `limit` jobs: urgent lanes first, a floor for polls, turns between companies, one a connection.

    A company whose job was chosen stands behind the others of that lane. `since_poll` is how many claims went to urgent
    lanes since the last one that did not. The result does not depend on the order of `candidates`.
    """
    plan = ClaimPlan(since_poll=since_poll)
    served: dict[tuple[CompanyId, Lane], int] = {}
    taken: set[ConnectionId] = set()

    def place(one: Candidate) -> _Place:
        behind = served.get((one.company_id, one.lane), 0)
        return find_lane(one, now).value, behind, one.turn_at, one.run_at, one.job_id

    def first_of(heap: list[tuple[_Place, Candidate]]) -> tuple[_Place, Candidate] | None:
        """The next of these; what was chosen since only moves others back, or takes them out."""
        while heap:
            held, one = heap[0]
            if one.connection_id in taken:
                heappop(heap)
            elif (now_at := place(one)) != held:
                heapreplace(heap, (now_at, one))
            else:
                return heap[0]
        return None

    everyone = [(place(one), one) for one in candidates]
    urgent = [pair for pair in everyone if pair[1].lane in _URGENT]
    others = [pair for pair in everyone if pair[1].lane not in _URGENT]
    heapify(urgent)
    heapify(others)
    while len(plan.chosen) < limit:
        fronts = [front for front in (first_of(others), first_of(urgent)) if front is not None]
        if not fronts:
            break
        is_polls_turn = plan.since_poll >= POLL_EVERY - 1
        best = (fronts[0] if is_polls_turn else min(fronts))[1]
        heappop(urgent if best.lane in _URGENT else others)
        plan.chosen.append(best)
        plan.since_poll = plan.since_poll + 1 if best.lane in _URGENT else 0
        served[best.company_id, best.lane] = len(plan.chosen)
        if best.connection_id is not None:
            taken.add(best.connection_id)
    return plan


def coalesce_jobs(jobs: Iterable[NewJob]) -> list[NewJob]:
    """One job a company and key, in the order of both: the most urgent, to be run when the earliest was."""
    kept: dict[tuple[CompanyId, str], NewJob] = {}
    for job in jobs:
        key = (job.company_id, job.dedupe_key)
        held = kept.get(key)
        kept[key] = job if held is None else merge_jobs(held, job)
    return [kept[key] for key in sorted(kept)]


def merge_jobs(held: NewJob, news: NewJob) -> NewJob:
    """Two jobs of one key as one: the more urgent one's cause, the earlier time."""
    first = news if news.lane < held.lane else held
    run_at = min(held.run_at, news.run_at)
    return first if first.run_at == run_at else first.model_copy(update={"run_at": run_at})


@dataclass(frozen=True, slots=True)
class EnqueueReceipt:
    """What enqueuing did: `added` are new, `coalesced` joined a job that waits already."""

    added: int
    coalesced: int


@dataclass(frozen=True, slots=True)
class Reaped:
    """Jobs whose worker was lost: put back, or dead because they had all their attempts."""

    returned: int
    buried: int


@dataclass(frozen=True, slots=True)
class LaneDepth:
    """What stands in one lane. `due` are those that wait and could be taken now."""

    waiting: int = 0
    due: int = 0
    running: int = 0
    dead: int = 0
    oldest_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QueueDepths:
    """What stands in the queue, by lane; every lane is there."""

    lanes: Mapping[Lane, LaneDepth]

    def count(self, what: str, lanes: Collection[Lane] = LANES) -> int:
        """The sum of one number (`waiting`, `due`, `running`, `dead`) over lanes."""
        return sum(int(getattr(self.lanes[lane], what)) for lane in lanes)
