"""What every store promises of the outbox."""

import asyncio
from datetime import timedelta

from runway_core.domain.identity import FirmId
from runway_core.domain.jobs import Lane
from runway_core.ports.outbox import PendingEvent
from runway_core.sync.schedule import make_pull

from runway_testkit.desk_contract import DeskContract
from runway_testkit.job_queue_contract import JobQueueContract
from runway_testkit.store_desk import BY, StoreDesk, make_account, make_bill

FIRM = FirmId("own")


class OutboxContract(DeskContract):
    """Promises of the outbox."""

    async def test_a_page_that_changed_something_leaves_its_events(self, desk: StoreDesk) -> None:
        page = desk.make_page(make_bill(), make_account())
        await desk.commit(page)
        await desk.commit(page)
        pending = await desk.store.outbox.pending(FIRM)

        assert sorted(one.event.name for one in pending) == ["balances_moved", "records_changed"]
        assert {one.event.payload["kinds"] for one in pending} == {"account,bill"}
        assert {(one.event.company_id, one.firm_id, one.depth) for one in pending} == {(desk.id, FIRM, 0)}
        assert list(await desk.store.outbox.pending(FirmId("other"))) == []

    async def test_an_event_is_told_once_with_what_follows_from_it(self, desk: StoreDesk) -> None:
        """If this fails: are marking and enqueuing one transaction, and are jobs of others' events left out?"""
        await desk.put(make_bill())
        pending = await desk.store.outbox.pending(FIRM)
        (event,) = (one.event for one in pending)
        job = make_pull(desk.connection, lane=Lane.WEBHOOK, run_at=desk.now, cause_id=event.event_id)
        receipts = await asyncio.gather(*(desk.store.outbox.settle(pending, [job], now=desk.now) for _ in range(3)))
        (claim,) = await desk.store.jobs.claim(worker="w", now=desk.now, limit=9, lease_seconds=60)

        assert sum(receipt.added for receipt in receipts) == 1
        assert sum(receipt.coalesced for receipt in receipts) == 0
        assert claim.job.cause_id == event.event_id
        assert list(await desk.store.outbox.pending(FIRM)) == []

    async def test_telling_settles_no_event_of_another_company(self, desk: StoreDesk) -> None:
        """Companies number their events alike. If this fails: are company and id looked for apart from one another?"""
        other = await StoreDesk(desk.store, company="brick").open()
        for one in (desk, other):
            await one.put(make_bill())
            await one.put(make_bill(revision=1, memo="x"))
        pending = await desk.store.outbox.pending(FIRM)
        ids = sorted({one.event.event_id for one in pending})
        crossed = [
            one
            for one in pending
            if (one.event.company_id, one.event.event_id) in {(desk.id, ids[0]), (other.id, ids[1])}
        ]
        await desk.store.outbox.settle(crossed, [], now=desk.now)
        left = await desk.store.outbox.pending(FIRM)

        assert len(ids) == 2
        assert {(one.event.company_id, one.event.event_id) for one in left} == {(desk.id, ids[1]), (other.id, ids[0])}

    async def test_an_event_stands_as_deep_as_the_pull_that_brought_it(self, desk: StoreDesk) -> None:
        job = make_pull(desk.connection, lane=Lane.WEBHOOK, run_at=desk.now, correlation_id=BY.correlation_id, depth=3)
        other = job.model_copy(update={"rail": "bank", "dedupe_key": "pull:bank", "depth": 4, "connection_id": None})
        await desk.store.jobs.enqueue([job, other], now=desk.now)
        await desk.put(make_bill())
        pending: list[PendingEvent] = list(await desk.store.outbox.pending(FIRM))

        assert [(one.event.correlation_id, one.depth) for one in pending] == [(BY.correlation_id, 3)]

    async def test_told_events_are_forgotten_and_untold_ones_stay(self, desk: StoreDesk) -> None:
        await desk.put(make_bill())
        told = await desk.store.outbox.pending(FIRM)
        await desk.store.outbox.settle(told, [], now=desk.now)
        await desk.put(make_bill(revision=1, memo="x"))
        early = await desk.store.outbox.prune(told_before=desk.now - timedelta(hours=1))
        gone = await desk.store.outbox.prune(told_before=desk.now + timedelta(hours=1))

        assert (early, gone) == (0, 1)
        assert len(await desk.store.outbox.pending(FIRM)) == 1


class JobsContract(JobQueueContract, OutboxContract):
    """Promises of jobs and of what brings them about."""
