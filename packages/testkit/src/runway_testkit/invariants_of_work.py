"""What must hold of jobs and of what rails sent, whatever happened: each a function over what a run left.

I4  what was acknowledged is kept, and ends in log entries or in an attempt that still stands
I6  each job is in one state and none vanishes; no two run for one connection, equal work waits once
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runway_core.domain.identity import CompanyId, RecordKey
from runway_core.domain.jobs import JobState
from runway_core.domain.webhooks import DeliveryKey

from runway_testkit.invariants import Version, Violation, WasDeleted, is_covered, versions_of
from runway_testkit.remains import Remains

_OPEN = frozenset({JobState.WAITING, JobState.RUNNING, JobState.DEAD})
_ENDED = frozenset({JobState.DONE, JobState.DEAD})


@dataclass(frozen=True, slots=True)
class News:
    """What a delivery announced: the version that each record had when it was sent."""

    company_id: CompanyId
    versions: Mapping[RecordKey, Version]


def find_lost_news(
    remains: Remains, acknowledged: Mapping[DeliveryKey, News], was_deleted: WasDeleted
) -> Iterator[Violation]:
    """I4: each acknowledged delivery is kept, and unread, or still to be worked on, or its records are in the log.

    A pull that failed by its rail is done, and its connection's state plans the next: that counts as to be worked on.
    """
    kept = {delivery.key: delivery for delivery in remains.deliveries}
    at_work = {held.job.company_id for held in remains.jobs if held.job.state in _OPEN}
    at_work |= {company_id for company_id, company in remains.companies.items() if company.is_failing}
    logged = {company_id: dict(versions_of(company)) for company_id, company in remains.companies.items()}
    for key, news in acknowledged.items():
        if key not in kept:
            yield Violation("I4", news.company_id, f"the delivery {key.delivery_id} was acknowledged and is not kept")
        elif kept[key].read_at is not None and news.company_id not in at_work:
            for record, version in news.versions.items():
                is_gone = was_deleted(news.company_id, record, version)
                if not is_covered(logged[news.company_id].get(record), version, is_gone=is_gone):
                    yield Violation("I4", news.company_id, f"{record} of {key.delivery_id} was never read")


def find_work_out_of_order(remains: Remains) -> Iterator[Violation]:
    """I6 at one moment."""
    running = Counter(held.job.connection_id for held in remains.jobs if held.job.state is JobState.RUNNING)
    for connection_id, count in running.items():
        if connection_id is not None and count > 1:
            yield Violation("I6", connection_id, f"{count} jobs run")
    waiting = Counter((h.job.company_id, h.job.dedupe_key) for h in remains.jobs if h.job.state is JobState.WAITING)
    for (company_id, name), count in waiting.items():
        if count > 1:
            yield Violation("I6", company_id, f"{name} waits {count} times")
    for held in remains.jobs:
        job = held.job
        if (held.lease_token is None) is (job.state is JobState.RUNNING):
            yield Violation("I6", job.company_id, f"{job.job_id} is {job.state.value}, lease {held.lease_token}")
        if (job.ended_at is None) is (job.state in _ENDED):
            yield Violation("I6", job.company_id, f"{job.job_id} is {job.state.value} and ended at {job.ended_at}")


def find_lost_jobs(before: Remains, after: Remains) -> Iterator[Violation]:
    """I6 between two looks, when nothing was pruned: no job vanishes, and what is done stays done."""
    now = after.jobs_by_id
    for job_id, held in before.jobs_by_id.items():
        later = now.get(job_id)
        if later is None:
            yield Violation("I6", held.job.company_id, f"{job_id} was {held.job.state.value} and is gone")
        elif held.job.state is JobState.DONE and later.job.state is not JobState.DONE:
            yield Violation("I6", held.job.company_id, f"{job_id} was done and is {later.job.state.value}")
