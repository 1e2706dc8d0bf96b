"""Taking jobs within a transaction: claimers stand in line at one row, so turns, floors and leases are exact."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.jobs import LANES, Candidate, ClaimedJob, JobState, Lane, plan_claims
from runway_core.domain.log_entry import to_microseconds
from sqlalchemy import Connection, Select, and_, case, exists, or_, select, union_all, update

from runway_store_sql.bulk import among, is_postgres
from runway_store_sql.job_rows import CANDIDATE, IS_KNOWN, read_candidate, read_claim
from runway_store_sql.tables import IS_WAITING, job_turns, jobs


@dataclass(frozen=True, slots=True)
class Asked:
    """What a claimer asks for."""

    now: datetime
    limit: int
    lanes: Collection[Lane] = LANES
    firm_id: FirmId | None = None

    @property
    def is_due(self) -> Any:
        """A job that it may take by time, work and firm."""
        is_due = and_(IS_WAITING, jobs.c.run_at <= to_microseconds(self.now), IS_KNOWN)
        return is_due if self.firm_id is None else and_(is_due, jobs.c.firm_id == self.firm_id)


def find_due(connection: Connection, asked: Asked) -> bool:
    """Whether there is anything to take."""
    query = select(jobs.c.job_id).where(asked.is_due, _is_free(), jobs.c.lane.in_([int(lane) for lane in asked.lanes]))
    return connection.execute(query.limit(1)).first() is not None


def take_jobs(connection: Connection, asked: Asked, *, worker: str, until: datetime) -> Sequence[ClaimedJob]:
    """Take what is asked for, as far as there is so much."""
    locking = select(job_turns.c.claims, job_turns.c.since_poll)
    turns = connection.execute(locking.with_for_update() if is_postgres(connection) else locking).one()
    candidates = _read_candidates(connection, asked)
    plan = plan_claims(candidates, limit=asked.limit, since_poll=turns.since_poll, now=asked.now)
    if not plan.chosen:
        return []
    tokens = {one.job_id: turns.claims + place for place, one in enumerate(plan.chosen, start=1)}
    rows = _mark_running(connection, plan.chosen, tokens, worker=worker, now=asked.now, until=until)
    _let_others_go_first(connection, plan.chosen, asked.now)
    moved = {"claims": turns.claims + len(plan.chosen), "since_poll": plan.since_poll}
    connection.execute(update(job_turns).values(moved))
    return [read_claim(row) for row in sorted(rows, key=lambda row: tokens[row.job_id])]


def _is_free() -> Any:
    """No other job of its connection runs."""
    other = jobs.alias("other")
    is_running = other.c.state == JobState.RUNNING.value
    return ~exists(select(other.c.job_id).where(other.c.connection_id == jobs.c.connection_id, is_running))


def _read_candidates(connection: Connection, asked: Asked) -> Sequence[Candidate]:
    """The jobs whose turn is next, of each lane and of at least `limit` companies where there are so many."""
    found: list[Candidate] = []
    passed: dict[Lane, set[CompanyId]] = {lane: set() for lane in LANES if lane in asked.lanes}
    reading = list(passed)
    while reading:
        rows = connection.execute(_ask_next(connection, asked, reading, passed)).all()
        fresh = [read_candidate(row) for row in rows]
        found += fresh
        counts = dict.fromkeys(reading, 0)
        for one in fresh:
            counts[one.lane] += 1
            passed[one.lane].add(one.company_id)
        # A lane that was cut off may hold companies that wait behind the many jobs of another.
        reading = [lane for lane in reading if counts[lane] == asked.limit and len(passed[lane]) < asked.limit]
    return found


def _ask_next(connection: Connection, asked: Asked, lanes: Sequence[Lane], passed: dict[Lane, set[CompanyId]]) -> Any:
    parts: list[Select[Any]] = []
    for lane in lanes:
        query = select(*CANDIDATE).where(asked.is_due, jobs.c.lane == int(lane), _is_free())
        if passed[lane]:
            query = query.where(~among(connection, jobs.c.company_id, sorted(passed[lane])))
        query = query.order_by(jobs.c.turn_at, jobs.c.run_at, jobs.c.job_id).limit(asked.limit)
        parts.append(select(query.subquery(f"lane_{int(lane)}")))
    return union_all(*parts) if len(parts) > 1 else parts[0]


def _mark_running(
    connection: Connection,
    chosen: Sequence[Candidate],
    tokens: dict[str, int],
    *,
    worker: str,
    now: datetime,
    until: datetime,
) -> Sequence[Any]:
    # A row that someone else holds at this moment is skipped, here and below: a claim waits for no row, and so is
    # never part of a deadlock.
    wanted = select(jobs.c.job_id).where(
        among(connection, jobs.c.company_id, sorted({one.company_id for one in chosen})),
        among(connection, jobs.c.job_id, sorted(tokens)),
        IS_WAITING,
    )
    if is_postgres(connection):
        wanted = wanted.with_for_update(skip_locked=True)
    statement = (
        update(jobs)
        .where(jobs.c.company_id.in_({one.company_id for one in chosen}), jobs.c.job_id.in_(wanted))
        .values(
            state=JobState.RUNNING.value,
            attempts=jobs.c.attempts + 1,
            last_attempt_at=to_microseconds(now),
            lease_token=case(tokens, value=jobs.c.job_id),
            lease_until=to_microseconds(until),
            worker=worker,
        )
        .returning(jobs)
    )
    return connection.execute(statement).all()


def _let_others_go_first(connection: Connection, chosen: Sequence[Candidate], now: datetime) -> None:
    """Companies that were served stand behind the others of that lane."""
    served: dict[Lane, set[CompanyId]] = {}
    for one in chosen:
        served.setdefault(one.lane, set()).add(one.company_id)
    # Reckoned with, so that no index of lanes and turns is taken for them: the one of waiting jobs by company is meant.
    lane, turn_at = jobs.c.lane + 0, jobs.c.turn_at + 0
    is_served = [
        and_(lane == int(of_lane), among(connection, jobs.c.company_id, sorted(companies)))
        for of_lane, companies in served.items()
    ]
    of_company = among(connection, jobs.c.company_id, sorted({one.company_id for one in chosen}))
    at = to_microseconds(now)
    behind = select(jobs.c.job_id).where(of_company, IS_WAITING, turn_at < at, or_(*is_served))
    if is_postgres(connection):
        behind = behind.with_for_update(skip_locked=True)
    connection.execute(update(jobs).where(of_company, jobs.c.job_id.in_(behind)).values(turn_at=at))
