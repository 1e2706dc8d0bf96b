"""Whoever looks at the front of each line alone chooses what looking at every job would have chosen."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.jobs import LANES, Candidate, Job, JobState, Lane, Work, plan_claims
from runway_testkit.memory_waiting import JobRow, WaitingJobs
from runway_testkit.store_desk import START

MINUTES = st.integers(min_value=-10, max_value=1).map(lambda part: 20 * part)


def make_row(
    number: int, company: str, *, lane: Lane, run_minutes: int, turn_minutes: int, connection: str | None = None
) -> JobRow:
    job = Job(
        job_id=f"job-{number:03}",
        state=JobState.WAITING,
        enqueued_at=START,
        firm_id=FirmId("own"),
        company_id=CompanyId(company),
        connection_id=connection and ConnectionId(connection),
        work=Work.PULL,
        lane=lane,
        run_at=START + timedelta(minutes=run_minutes),
        dedupe_key=str(number),
    )
    return JobRow(job, START + timedelta(minutes=max(run_minutes, turn_minutes)))


@st.composite
def rows(draw: st.DrawFn) -> list[JobRow]:
    """Jobs of few companies, each with two connections at most; some wait for hours, some are not due yet."""
    companies = draw(st.lists(st.sampled_from("abcde"), min_size=5, max_size=15))
    return [
        make_row(
            number,
            company,
            lane=draw(st.sampled_from(Lane)),
            run_minutes=draw(MINUTES),
            turn_minutes=draw(MINUTES),
            connection=draw(st.sampled_from([None, f"{company}-1", f"{company}-2"])),
        )
        for number, company in enumerate(companies)
    ]


def as_candidate(row: JobRow) -> Candidate:
    job = row.job
    return Candidate(job.job_id, job.company_id, job.connection_id, job.lane, job.run_at, row.turn_at)


def let_wait(rows: Sequence[JobRow]) -> WaitingJobs:
    waiting = WaitingJobs()
    for row in rows:
        waiting.add(row)
    return waiting


@given(
    rows=rows(),
    limit=st.integers(min_value=1, max_value=3),
    since_poll=st.integers(min_value=0, max_value=5),
    busy=st.sets(st.sampled_from("abcde")),
    moments=st.lists(MINUTES, min_size=1, max_size=4),
)
def test_claims_see_all_that_could_be_theirs(
    rows: list[JobRow], limit: int, since_poll: int, busy: set[str], moments: list[int]
) -> None:
    """Whenever it is looked, also at an earlier moment than before, and whatever is taken out in between."""
    waiting = let_wait(rows)
    left = {row.job.job_id: row for row in rows}
    for minutes in moments:
        now = START + timedelta(minutes=minutes)
        due = [row for row in left.values() if row.job.run_at <= now and row.job.connection_id not in _first_of(busy)]
        wanted = plan_claims(map(as_candidate, due), limit=limit, since_poll=since_poll, now=now)
        front = waiting.first(
            limit, now=now, lanes=LANES, is_free=lambda row: row.job.connection_id not in _first_of(busy)
        )
        plan = plan_claims(front, limit=limit, since_poll=since_poll, now=now)

        assert plan == wanted

        for one in plan.chosen:
            waiting.take_out(left.pop(one.job_id))


def _first_of(companies: set[str]) -> set[str]:
    return {f"{company}-1" for company in companies}


def test_a_job_moves_up_while_it_waits_behind_others() -> None:
    """At first it has waited for less than an hour, and its company was served after the others' came due."""
    others = [
        make_row(number, company, lane=Lane.POLL, run_minutes=-30, turn_minutes=0)
        for number, company in enumerate("abc")
    ]
    old = make_row(9, "d", lane=Lane.POLL, run_minutes=-50, turn_minutes=5)
    waiting = let_wait([*others, old])
    fronts = [
        waiting.first(1, now=START + timedelta(minutes=minutes), lanes=LANES, is_free=lambda _: True)
        for minutes in (6, 11)
    ]

    assert [one.company_id for one in fronts[0]] == ["a"]
    assert "d" in [one.company_id for one in fronts[1]]
