"""What every store promises of jobs."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import pytest
from runway_core.domain.company import Company
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.jobs import (
    AGEING,
    COALESCED,
    HEALED,
    POLL_EVERY,
    ClaimedJob,
    EnqueueReceipt,
    JobState,
    Lane,
    NewJob,
    Reaped,
    Work,
)
from runway_core.errors import LeaseLost, NotFound
from runway_core.ports.store import Store

from runway_testkit.desk_contract import DeskContract
from runway_testkit.store_desk import BY, START, StoreDesk

FIRM = FirmId("own")
LEASE_SECONDS = 60


class NewerWork(StrEnum):
    """Work that only a newer release knows."""

    DREAM = "dream"


def at(seconds: int) -> datetime:
    """So many seconds after the start."""
    return START + timedelta(seconds=seconds)


def make_job(
    key: str = "pull:acme-qbo",
    *,
    company: str = "acme",
    lane: Lane = Lane.POLL,
    run_at: datetime = START,
    **fields: object,
) -> NewJob:
    """A job that is due at the start. A key `pull:<connection>` belongs to that connection."""
    work, _, rest = key.partition(":")
    return NewJob(
        firm_id=FIRM,
        company_id=CompanyId(company),
        connection_id=ConnectionId(rest) if work == "pull" else None,
        rail="qbo",
        work=Work.PULL if work == "pull" else Work.POSITION,
        lane=lane,
        run_at=run_at,
        dedupe_key=key,
    ).model_copy(update=fields)


async def claim(store: Store, *, seconds: int = 0, limit: int = 100, worker: str = "w") -> Sequence[ClaimedJob]:
    """Take what is due some seconds after the start."""
    return await store.jobs.claim(worker=worker, now=at(seconds), limit=limit, lease_seconds=LEASE_SECONDS)


async def add_companies(store: Store, *names: str, firm: FirmId = FIRM) -> None:
    """Companies without connections."""
    for name in names:
        company = Company(
            company_id=CompanyId(name),
            firm_id=firm,
            name=name,
            home_currency="USD",
            time_zone="America/Chicago",
            created_at=START,
        )
        await store.registry.add_company(company, attribution=BY)


def keys(claims: Sequence[ClaimedJob]) -> list[str]:
    """Whose jobs they are, in order."""
    return [claim.job.dedupe_key for claim in claims]


class JobQueueContract(DeskContract):
    """Promises of the job table."""

    async def test_equal_work_waits_once(self, desk: StoreDesk) -> None:
        """If this fails: is there one waiting job a company and key, the earlier time and the more urgent lane?"""
        jobs = desk.store.jobs
        first = await jobs.enqueue([make_job(run_at=at(50)), make_job(run_at=at(40))], now=START)
        again = await jobs.enqueue([make_job(run_at=at(60))], now=at(1))
        urgent = make_job(lane=Lane.WEBHOOK, run_at=at(10), cause_id="delivery-1", payload={"kind": "bill"})
        joined = await jobs.enqueue([urgent], now=at(2))
        (taken,) = await claim(desk.store, seconds=10)

        assert first == EnqueueReceipt(added=1, coalesced=1)
        assert again == joined == EnqueueReceipt(added=0, coalesced=1)
        assert (taken.job.lane, taken.job.run_at, taken.job.cause_id) == (Lane.WEBHOOK, at(10), "delivery-1")
        assert (taken.job.payload, taken.job.enqueued_at) == ({"kind": "bill"}, START)
        assert (taken.job.state, taken.job.attempts, taken.worker) == (JobState.RUNNING, 1, "w")
        assert taken.lease_until == at(10 + LEASE_SECONDS)

    async def test_less_urgent_news_changes_nothing_of_what_waits(self, desk: StoreDesk) -> None:
        await desk.store.jobs.enqueue([make_job(lane=Lane.WEBHOOK, cause_id="delivery-1")], now=START)
        await desk.store.jobs.enqueue([make_job(lane=Lane.SWEEP, cause_id="sweep", run_at=at(5))], now=START)
        (taken,) = await claim(desk.store)

        assert (taken.job.lane, taken.job.cause_id, taken.job.run_at) == (Lane.WEBHOOK, "delivery-1", START)

    async def test_the_same_key_of_two_companies_is_two_jobs(self, desk: StoreDesk) -> None:
        await add_companies(desk.store, "brick")
        receipt = await desk.store.jobs.enqueue(
            [make_job("position"), make_job("position", company="brick")], now=START
        )

        assert receipt == EnqueueReceipt(added=2, coalesced=0)

    async def test_what_comes_while_a_job_runs_is_looked_at_afterwards(self, desk: StoreDesk) -> None:
        """If this fails: news that came too late for the running pull would be lost."""
        await desk.store.jobs.enqueue([make_job()], now=START)
        (running,) = await claim(desk.store)
        receipt = await desk.store.jobs.enqueue([make_job(lane=Lane.WEBHOOK)], now=at(1))
        meanwhile = await claim(desk.store, seconds=2)
        await desk.store.jobs.finish(running, now=at(3))
        (after,) = await claim(desk.store, seconds=3)

        assert receipt.added == 1
        assert list(meanwhile) == []
        assert after.job.job_id > running.job.job_id
        assert after.lease_token > running.lease_token

    async def test_no_two_jobs_of_a_connection_run_at_once(self, desk: StoreDesk) -> None:
        sweep = make_job("sweep", lane=Lane.SWEEP, connection_id=desk.connection.connection_id)
        await desk.store.jobs.enqueue([make_job(), sweep, make_job("position", lane=Lane.SWEEP)], now=START)
        first = await claim(desk.store)
        blocked = await claim(desk.store, seconds=1)
        for taken in first:
            await desk.store.jobs.finish(taken, now=at(2))
        then = await claim(desk.store, seconds=2)

        assert keys(first) == ["pull:acme-qbo", "position"]
        assert list(blocked) == []
        assert keys(then) == ["sweep"]

    async def test_two_claimers_never_get_one_job(self, desk: StoreDesk) -> None:
        """If this fails: do claims of different connections stand in line?"""
        await add_companies(desk.store, *(f"c{n}" for n in range(20)))
        many = [make_job(f"pull:{n}-{k}", company=f"c{n}") for n in range(20) for k in range(3)]
        twins = [make_job(f"again:{n}", company=f"c{n}", connection_id=ConnectionId(f"{n}-0")) for n in range(20)]
        await desk.store.jobs.enqueue([*many, *twins], now=START)
        batches = await asyncio.gather(*(claim(desk.store, limit=7, worker=f"w{n}") for n in range(12)))
        taken = [one for batch in batches for one in batch]
        tokens = [one.lease_token for one in taken]
        busy = Counter(one.job.connection_id for one in taken)

        assert len(taken) == len({one.job.job_id for one in taken}) == 60
        assert len(set(tokens)) == 60
        assert max(busy.values()) == 1

    async def test_nothing_is_taken_before_its_time(self, desk: StoreDesk) -> None:
        await desk.store.jobs.enqueue([make_job(run_at=at(30))], now=START)

        assert list(await claim(desk.store, seconds=29)) == []
        assert len(await claim(desk.store, seconds=30)) == 1

    async def test_a_lane_can_be_taken_alone(self, desk: StoreDesk) -> None:
        await desk.store.jobs.enqueue([make_job(), make_job("position", lane=Lane.WEBHOOK)], now=START)
        taken = await desk.store.jobs.claim(
            worker="w", now=START, limit=5, lease_seconds=LEASE_SECONDS, lanes=[Lane.POLL, Lane.SWEEP]
        )

        assert keys(taken) == ["pull:acme-qbo"]

    async def test_work_of_a_newer_release_is_left_to_it(self, desk: StoreDesk) -> None:
        """If this fails: one process of a newer release would bring all older ones to a stop."""
        newer = make_job("newer", lane=Lane.PERSON, work=NewerWork.DREAM, correlation_id="c")
        await desk.store.jobs.enqueue([newer, make_job(correlation_id="c")], now=START)
        taken = await claim(desk.store)
        nothing = await claim(desk.store, seconds=1)

        assert keys(taken) == ["pull:acme-qbo"]
        assert list(nothing) == []
        assert [job.dedupe_key for job in await desk.store.jobs.correlated(FIRM, "c")] == ["pull:acme-qbo"]
        assert (await desk.store.jobs.depths(FIRM, now=START)).lanes[Lane.PERSON].due == 1

    async def test_the_jobs_of_a_firm_can_be_taken_alone(self, desk: StoreDesk) -> None:
        other = FirmId("other")
        await add_companies(desk.store, "theirs", firm=other)
        await desk.store.jobs.enqueue([make_job(), make_job("x", company="theirs", firm_id=other)], now=START)
        theirs = await desk.store.jobs.claim(worker="w", now=START, limit=5, lease_seconds=60, firm_id=other)
        nobodys = await desk.store.jobs.claim(worker="w", now=START, limit=5, lease_seconds=60, firm_id=FirmId("none"))

        assert keys(theirs) == ["x"]
        assert list(nobodys) == []
        assert keys(await claim(desk.store)) == ["pull:acme-qbo"]

    async def test_urgent_lanes_go_first_and_polls_have_a_floor(self, desk: StoreDesk) -> None:
        """If this fails: a storm of webhooks would let polls wait for ever."""
        urgent = [make_job(f"webhook {n:02}", lane=Lane.WEBHOOK) for n in range(20)]
        polls = [make_job(f"poll {n}", run_at=START - timedelta(seconds=9)) for n in range(3)]
        await desk.store.jobs.enqueue([*urgent, *polls, make_job("person", lane=Lane.PERSON)], now=START)
        order = [keys(await claim(desk.store, limit=1))[0] for _ in range(15)]
        floors = [place for place, key in enumerate(order, start=1) if key.startswith("poll")]

        assert order[0] == "person"
        assert floors == [POLL_EVERY, 2 * POLL_EVERY, 3 * POLL_EVERY]

    async def test_the_floor_counts_within_one_claim_too(self, desk: StoreDesk) -> None:
        urgent = [make_job(f"webhook {n:02}", lane=Lane.WEBHOOK) for n in range(20)]
        await desk.store.jobs.enqueue([*urgent, make_job("poll 1"), make_job("poll 2")], now=START)
        order = keys(await claim(desk.store, limit=12))

        assert [place for place, key in enumerate(order, start=1) if key.startswith("poll")] == [5, 10]

    async def test_what_waited_long_enough_moves_up_but_never_before_a_person(self, desk: StoreDesk) -> None:
        old = [make_job("old sweep", lane=Lane.SWEEP, run_at=START - AGEING)]
        new = [make_job(f"poll {n}") for n in range(3)] + [make_job("person", lane=Lane.PERSON)]
        await desk.store.jobs.enqueue([*new, *old], now=START)

        assert keys(await claim(desk.store, limit=2)) == ["person", "old sweep"]

    async def test_companies_take_turns(self, desk: StoreDesk) -> None:
        """If this fails: one company's thousand jobs would make its neighbours wait."""
        await add_companies(desk.store, "brick", "cedar")
        flood = [make_job(f"flood {n:03}", run_at=START - timedelta(seconds=60)) for n in range(50)]
        others = [make_job("b1", company="brick"), make_job("b2", company="brick"), make_job("c1", company="cedar")]
        await desk.store.jobs.enqueue([*flood, *others], now=START)
        together = keys(await claim(desk.store, limit=3))
        later = [keys(await claim(desk.store, seconds=n, limit=1))[0] for n in range(1, 5)]

        assert [key[0] for key in together] == ["f", "b", "c"]
        assert "b2" in later[:2]
        assert sum(key.startswith("flood") for key in later) == 3

    async def test_leases_are_renewed_while_they_are_ours(self, desk: StoreDesk) -> None:
        await desk.store.jobs.enqueue([make_job(), make_job("position")], now=START)
        kept, lost = await claim(desk.store)
        await desk.store.jobs.finish(lost, now=at(1))
        (renewed,) = await desk.store.jobs.renew([kept, lost], now=at(30), lease_seconds=LEASE_SECONDS)
        reaped = await desk.store.jobs.reap(now=at(LEASE_SECONDS + 1), most_attempts=3)

        assert renewed.job.job_id == kept.job.job_id
        assert (renewed.lease_token, renewed.lease_until) == (kept.lease_token, at(30 + LEASE_SECONDS))
        assert reaped == Reaped(returned=0, buried=0)
        assert list(await desk.store.jobs.renew([], now=at(30), lease_seconds=1)) == []

    async def test_a_job_of_a_lost_worker_comes_back_until_its_attempts_are_used_up(self, desk: StoreDesk) -> None:
        """If this fails: a job that kills its worker would kill the next one for ever."""
        jobs = desk.store.jobs
        await jobs.enqueue([make_job()], now=START)
        (first,) = await claim(desk.store)
        early = await jobs.reap(now=at(LEASE_SECONDS - 1), most_attempts=2)
        back = await jobs.reap(now=at(LEASE_SECONDS), most_attempts=2)
        (second,) = await claim(desk.store, seconds=LEASE_SECONDS)
        dead = await jobs.reap(now=at(LEASE_SECONDS * 2), most_attempts=2)
        (letter,) = await jobs.dead_letters(FIRM)

        assert (early.returned, back, dead) == (0, Reaped(1, 0), Reaped(0, 1))
        assert (second.job.attempts, second.lease_token > first.lease_token) == (2, True)
        assert (letter.state, letter.error_code, letter.attempts) == (JobState.DEAD, "worker-lost", 2)
        assert letter.ended_at == at(LEASE_SECONDS * 2)

    async def test_a_worker_that_lost_its_lease_changes_nothing(self, desk: StoreDesk) -> None:
        """If this fails: is the token compared within the transaction of every act?"""
        jobs = desk.store.jobs
        await jobs.enqueue([make_job()], now=START)
        (slow,) = await claim(desk.store)
        await jobs.reap(now=at(LEASE_SECONDS), most_attempts=9)
        (quick,) = await claim(desk.store, seconds=LEASE_SECONDS, worker="other")
        now = at(LEASE_SECONDS + 1)
        for act in (
            jobs.finish(slow, now=now),
            jobs.retry(slow, run_at=now, error_code="x", error="y", now=now),
            jobs.bury(slow, error_code="x", error="y", now=now),
            jobs.release(slow, now=now),
        ):
            with pytest.raises(LeaseLost):
                await act
        renewed = await jobs.renew([slow], now=now, lease_seconds=9)
        held = await jobs.job(FIRM, quick.job.job_id)
        await jobs.finish(quick, now=now)

        assert list(renewed) == []
        assert (held.state, held.attempts) == (JobState.RUNNING, 2)
        assert (await jobs.job(FIRM, quick.job.job_id)).state is JobState.DONE

    async def test_a_failed_attempt_waits_and_keeps_its_error(self, desk: StoreDesk) -> None:
        jobs = desk.store.jobs
        await jobs.enqueue([make_job()], now=START)
        (taken,) = await claim(desk.store)
        await jobs.retry(taken, run_at=at(90), error_code="rail-throttled", error="wait", now=at(1))
        waiting = await jobs.job(FIRM, taken.job.job_id)
        early = await claim(desk.store, seconds=89)
        (again,) = await claim(desk.store, seconds=90)

        assert (waiting.state, waiting.run_at, waiting.error_code) == (JobState.WAITING, at(90), "rail-throttled")
        assert list(early) == []
        assert (again.job.attempts, again.job.error) == (2, "wait")

    async def test_a_released_job_has_not_been_tried(self, desk: StoreDesk) -> None:
        await desk.store.jobs.enqueue([make_job()], now=START)
        (taken,) = await claim(desk.store)
        await desk.store.jobs.release(taken, now=at(1))
        (again,) = await claim(desk.store, seconds=1)
        await desk.store.jobs.release(again, now=at(2), run_at=at(20))

        assert again.job.attempts == 1
        assert list(await claim(desk.store, seconds=19)) == []
        assert len(await claim(desk.store, seconds=20)) == 1

    async def test_a_job_that_comes_back_joins_its_twin(self, desk: StoreDesk) -> None:
        """If this fails: what came while it ran and what is tried again are one job, with all its attempts."""
        jobs = desk.store.jobs
        await jobs.enqueue([make_job()], now=START)
        (taken,) = await claim(desk.store)
        await jobs.enqueue([make_job(lane=Lane.WEBHOOK, run_at=at(5))], now=at(5))
        await jobs.retry(taken, run_at=at(90), error_code="rail-throttled", error="wait", now=at(6))
        old = await jobs.job(FIRM, taken.job.job_id)
        (twin,) = await claim(desk.store, seconds=6)

        assert (old.state, old.note) == (JobState.DONE, COALESCED)
        assert (twin.job.lane, twin.job.run_at, twin.job.attempts) == (Lane.WEBHOOK, at(5), 2)

    async def test_dead_letters_are_listed_by_what_is_asked(self, desk: StoreDesk) -> None:
        jobs = desk.store.jobs
        await add_companies(desk.store, "brick")
        await jobs.enqueue([make_job()], now=START)
        await jobs.enqueue([make_job("pull:b", company="brick", rail="ramp")], now=at(1))
        for taken in await claim(desk.store, seconds=1):
            code = "rail-refused" if taken.job.rail == "qbo" else "rail-misconfigured"
            await jobs.bury(taken, error_code=code, error="no", now=at(2))
        both = await jobs.dead_letters(FIRM)

        assert [letter.rail for letter in both] == ["ramp", "qbo"]
        assert list(await jobs.dead_letters(FIRM, limit=1)) == [both[0]]
        assert list(await jobs.dead_letters(FIRM, after=both[0].job_id)) == [both[1]]
        assert list(await jobs.dead_letters(FIRM, company_ids=[CompanyId("brick")], limit=1)) == [both[0]]
        assert list(await jobs.dead_letters(FIRM, company_ids=[both[1].company_id], limit=1)) == [both[1]]
        assert list(await jobs.dead_letters(FIRM, company_ids=[])) == []
        assert list(await jobs.dead_letters(FIRM, rail="qbo")) == [both[1]]
        assert list(await jobs.dead_letters(FIRM, error_code="rail-misconfigured")) == [both[0]]

    async def test_one_defect_is_one_letter_however_often_it_is_met(self, desk: StoreDesk) -> None:
        """If this fails: a connection that fails for good would fill the list at every interval."""
        letter = await self.bury_one(desk)
        await desk.store.jobs.enqueue([make_job(run_at=at(60))], now=at(60))
        (taken,) = await claim(desk.store, seconds=60)
        await desk.store.jobs.bury(taken, error_code="rail-misconfigured", error="other", now=at(61))
        (held,) = await desk.store.jobs.dead_letters(FIRM)
        second = await desk.store.jobs.job(FIRM, taken.job.job_id)

        assert (held.job_id, held.attempts, held.error_code) == (letter, 2, "rail-misconfigured")
        assert (held.enqueued_at, held.last_attempt_at) == (START, at(61))
        assert (second.state, second.note) == (JobState.DONE, COALESCED)

    async def test_work_that_succeeds_later_heals_its_dead_letter(self, desk: StoreDesk) -> None:
        letter = await self.bury_one(desk)
        await desk.store.jobs.enqueue([make_job(), make_job("position")], now=at(60))
        for taken in await claim(desk.store, seconds=60):
            await desk.store.jobs.finish(taken, now=at(61))
        healed = await desk.store.jobs.job(FIRM, letter)

        assert (healed.state, healed.note, healed.ended_at) == (JobState.DONE, HEALED, at(61))
        assert list(await desk.store.jobs.dead_letters(FIRM)) == []

    async def test_a_replay_is_logged_and_done_once(self, desk: StoreDesk) -> None:
        jobs = desk.store.jobs
        letter = await self.bury_one(desk)
        replayed = await jobs.replay(FIRM, [letter], actor="ann", now=at(10))
        again = await jobs.replay(FIRM, [letter], actor="ann", now=at(11))
        (taken,) = await claim(desk.store, seconds=10)
        acts = [entry.draft async for entry in desk.store.log.entries(desk.id) if entry.draft.kind == "job"]

        assert [job.state for job in replayed] == [JobState.WAITING]
        assert list(again) == []
        assert (taken.job.job_id, taken.job.attempts) == (letter, 1)
        assert [(act.what, act.external_id, act.attribution.actor) for act in acts] == [("job_replayed", letter, "ann")]
        await desk.check_chain()

    async def test_a_replay_joins_work_that_waits_already(self, desk: StoreDesk) -> None:
        letter = await self.bury_one(desk)
        await desk.store.jobs.enqueue([make_job(run_at=at(300))], now=at(5))
        (replayed,) = await desk.store.jobs.replay(FIRM, [letter], actor="ann", now=at(10))
        (taken,) = await claim(desk.store, seconds=10)

        assert (replayed.state, replayed.note) == (JobState.DONE, COALESCED)
        assert taken.job.job_id > letter

    async def test_a_discarded_letter_is_closed_with_its_reason(self, desk: StoreDesk) -> None:
        letter = await self.bury_one(desk)
        (closed,) = await desk.store.jobs.discard(FIRM, [letter], actor="ann", reason="client left", now=at(10))
        again = await desk.store.jobs.discard(FIRM, [letter], actor="ann", reason="twice", now=at(11))
        acts = [entry.draft async for entry in desk.store.log.entries(desk.id) if entry.draft.kind == "job"]

        assert (closed.state, closed.note) == (JobState.DONE, "discarded: client left")
        assert list(again) == []
        assert list(await desk.store.jobs.dead_letters(FIRM)) == []
        assert [act.what for act in acts] == ["job_discarded"]
        assert b"client left" in acts[0].content

    async def bury_one(self, desk: StoreDesk) -> str:
        """One dead job."""
        await desk.store.jobs.enqueue([make_job()], now=START)
        (taken,) = await claim(desk.store)
        await desk.store.jobs.bury(taken, error_code="rail-refused", error="no", now=at(1))
        return taken.job.job_id

    async def test_another_firms_jobs_are_not_found(self, desk: StoreDesk) -> None:
        jobs, other = desk.store.jobs, FirmId("other")
        letter = await self.bury_one(desk)
        for act in (
            jobs.job(other, letter),
            jobs.find(other, [letter]),
            jobs.find(FIRM, [letter, "no-such-job"]),
            jobs.replay(other, [letter], actor="eve", now=at(9)),
            jobs.discard(other, [letter], actor="eve", reason="mine", now=at(9)),
            jobs.replay(FIRM, [letter, "no-such-job"], actor="ann", now=at(9)),
            jobs.enqueue([make_job(firm_id=other)], now=at(9)),
            jobs.enqueue([make_job(company="nobody")], now=at(9)),
        ):
            with pytest.raises(NotFound):
                await act

        assert list(await jobs.dead_letters(other)) == []
        assert [job.job_id for job in await jobs.dead_letters(FIRM)] == [letter]
        assert list(await claim(desk.store, seconds=9)) == []

    async def test_every_job_is_counted_in_its_lane_and_state(self, desk: StoreDesk) -> None:
        """If this fails: what was accepted must be waiting, running, done or dead, and nothing else."""
        jobs = desk.store.jobs
        lanes = [Lane.WEBHOOK, Lane.WEBHOOK, Lane.POLL, Lane.POLL, Lane.SWEEP]
        await jobs.enqueue([make_job(f"job {n}", lane=lane) for n, lane in enumerate(lanes)], now=START)
        await jobs.enqueue([make_job("later", run_at=at(500))], now=START)
        first, second, third = await claim(desk.store, limit=3)
        await jobs.bury(first, error_code="rail-refused", error="no", now=at(1))
        await jobs.finish(second, now=at(1))
        depths = await jobs.depths(FIRM, now=at(2))
        counts = {what: depths.count(what) for what in ("waiting", "due", "running", "dead")}

        assert counts == {"waiting": 1, "due": 2, "running": 1, "dead": 1}
        assert (depths.lanes[Lane.WEBHOOK].dead, depths.lanes[third.job.lane].running) == (1, 1)
        assert depths.lanes[Lane.SWEEP].oldest_due_at == START
        assert depths.lanes[Lane.PERSON].oldest_due_at is None

    async def test_the_work_of_another_firm_is_not_counted(self, desk: StoreDesk) -> None:
        other = FirmId("other")
        await add_companies(desk.store, "theirs", firm=other)
        theirs = [make_job(f"x{n}", company="theirs", firm_id=other) for n in range(3)]
        await desk.store.jobs.enqueue([make_job(), *theirs], now=START)
        counts = [(await desk.store.jobs.depths(firm, now=START)).count("due") for firm in (FIRM, other, FirmId("no"))]

        assert counts == [1, 3, 0]

    async def test_old_done_jobs_are_forgotten_and_dead_ones_stay(self, desk: StoreDesk) -> None:
        jobs = desk.store.jobs
        letter = await self.bury_one(desk)
        await jobs.enqueue([make_job("position")], now=at(2))
        (done,) = await claim(desk.store, seconds=2)
        await jobs.finish(done, now=at(3))
        kept = await jobs.prune(done_before=at(3))
        gone = await jobs.prune(done_before=at(4))

        assert (kept, gone) == (0, 1)
        assert (await jobs.job(FIRM, letter)).state is JobState.DEAD
        with pytest.raises(NotFound):
            await jobs.job(FIRM, done.job.job_id)

    async def test_a_chain_of_causes_is_found_by_its_correlation(self, desk: StoreDesk) -> None:
        jobs = desk.store.jobs
        await jobs.enqueue([make_job(correlation_id="c", cause_id="event-1")], now=START)
        await jobs.enqueue([make_job("position", correlation_id="c", cause_id="event-2", depth=1)], now=at(1))
        await jobs.enqueue([make_job("other", correlation_id="d")], now=at(2))
        chain = await jobs.correlated(FIRM, "c")
        await jobs.enqueue([make_job("alone")], now=at(3))
        alone = next(one.job for one in await claim(desk.store, seconds=3) if one.job.dedupe_key == "alone")

        assert [(job.cause_id, job.depth) for job in chain] == [("event-1", 0), ("event-2", 1)]
        assert list(await jobs.correlated(FirmId("other"), "c")) == []
        assert [job.job_id for job in await jobs.correlated(FIRM, alone.job_id)] == [alone.job_id]

    async def test_ten_thousand_jobs_are_added_at_once(self, desk: StoreDesk) -> None:
        many = [make_job(f"position {n}") for n in range(10_000)]
        first = await desk.store.jobs.enqueue(many, now=START)
        again = await desk.store.jobs.enqueue(many, now=at(1))
        nothing = await desk.store.jobs.enqueue([], now=at(1))

        assert first == EnqueueReceipt(added=10_000, coalesced=0)
        assert again == EnqueueReceipt(added=0, coalesced=10_000)
        assert nothing == EnqueueReceipt(added=0, coalesced=0)
        assert (await desk.store.jobs.depths(FIRM, now=at(1))).lanes[Lane.POLL].due == 10_000
