"""The jobs that wait, by what they are looked for: what a database has indexes for."""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush

from runway_core.domain.identity import CompanyId
from runway_core.domain.jobs import AGEING, LANES, Candidate, ClaimedJob, Job, Lane, Work, find_lane

_Turn = tuple[datetime, datetime, str]
"""What orders the jobs of a line: turn, time due, id."""

_Line = tuple[Lane, Lane]
"""Jobs of one lane that count in the same one by now."""


@dataclass(slots=True)
class JobRow:
    """One job, its turn, and who works on it."""

    job: Job
    turn_at: datetime
    claim: ClaimedJob | None = None

    def change(self, **values: object) -> Job:
        """Change fields of the job."""
        self.job = self.job.model_copy(update=values)
        return self.job


class WaitingJobs:
    """Jobs that wait: one a company and key, and those whose time has come in lines, by turn.

    What orders a job (time due, lane, turn) is changed while it is taken out.
    """

    def __init__(self) -> None:
        self._of_company: dict[CompanyId, dict[str, JobRow]] = {}
        self._later: list[tuple[datetime, str]] = []  # when a job comes due, or moves up a lane; some are gone by then
        self._lines: dict[_Line, list[tuple[_Turn, Candidate]]] = {}
        self._standing: dict[str, tuple[_Line, _Turn]] = {}  # by job id
        self._rows: dict[str, JobRow] = {}
        self._now: datetime | None = None  # up to when jobs stand in their lines

    def find(self, company_id: CompanyId, key: str) -> JobRow | None:
        """The job of a company and key."""
        return self._of_company.get(company_id, {}).get(key)

    def of(self, company_id: CompanyId, lane: Lane) -> list[JobRow]:
        """The jobs of a company in a lane."""
        return [row for row in self._of_company.get(company_id, {}).values() if row.job.lane is lane]

    def add(self, row: JobRow) -> None:
        """Let a job wait."""
        job = row.job
        self._of_company.setdefault(job.company_id, {})[job.dedupe_key] = row
        self._rows[job.job_id] = row
        if _is_known(job):
            heappush(self._later, (job.run_at, job.job_id))

    def take_out(self, row: JobRow) -> None:
        """It waits no longer."""
        del self._of_company[row.job.company_id][row.job.dedupe_key]
        del self._rows[row.job.job_id]
        self._step_out(row.job.job_id)

    def first(
        self, limit: int, *, now: datetime, lanes: Collection[Lane], is_free: Callable[[JobRow], bool]
    ) -> list[Candidate]:
        """The jobs whose turn is next, of each line and of at least `limit` companies where there are so many.

        `plan_claims` chooses from them what it would choose from all: whoever it moves back or takes out for each job
        that it chooses is of one company.
        """
        self._move_up(now)
        found = []
        for (lane, _), line in self._lines.items():
            companies: set[CompanyId] = set()
            for _, one in line if lane in lanes else ():
                if len(companies) >= limit:
                    break
                if is_free(self._rows[one.job_id]):
                    companies.add(one.company_id)
                    found.append(one)
        return found

    def _move_up(self, now: datetime) -> None:
        """Let those whose time has come stand in their lines."""
        if self._now is not None and now < self._now:  # someone asks for an earlier moment
            self._lines, self._standing = {}, {}
            self._later = sorted((row.job.run_at, job_id) for job_id, row in self._rows.items() if _is_known(row.job))
        self._now = now
        while self._later and self._later[0][0] <= now:
            _, job_id = heappop(self._later)
            row = self._rows.get(job_id)
            if row is not None and row.job.run_at <= now:
                self._step_out(job_id)
                self._step_in(row, now)

    def _step_in(self, row: JobRow, now: datetime) -> None:
        job = row.job
        one = Candidate(job.job_id, job.company_id, job.connection_id, job.lane, job.run_at, row.turn_at)
        counts_in = find_lane(one, now)
        line, turn = (job.lane, counts_in), (row.turn_at, job.run_at, job.job_id)
        insort(self._lines.setdefault(line, []), (turn, one))
        self._standing[job.job_id] = (line, turn)
        if LANES.index(counts_in) > LANES.index(Lane.WEBHOOK):
            lanes_up: int = (now - job.run_at) // AGEING
            heappush(self._later, (job.run_at + (lanes_up + 1) * AGEING, job.job_id))

    def _step_out(self, job_id: str) -> None:
        standing = self._standing.pop(job_id, None)
        if standing is not None:
            line, turn = standing
            del self._lines[line][bisect_left(self._lines[line], (turn,))]


def _is_known(job: Job) -> bool:
    """Whether this release knows what to do; other work waits for a newer worker."""
    return isinstance(job.work, Work)
