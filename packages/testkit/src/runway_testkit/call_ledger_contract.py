"""What every call ledger promises: inherit `CallLedgerContract`; the `store` fixture is open and empty."""

import asyncio
from datetime import timedelta

from runway_core.domain.call_budget import SECOND, BudgetAsk, CallLease, CallLimit, CallWindow
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.ports.store import Store

from runway_testkit.store_desk import START

AT = to_microseconds(START)
APP = BudgetAsk("acme/app", CallLimit((CallWindow(60, 60_000),), at_once=8))
ONE = BudgetAsk("acme/app/books-1", CallLimit((CallWindow(40, 60_000), CallWindow(10, 1_000)), at_once=4))
OTHER = BudgetAsk("acme/app/books-2", ONE.limit)


async def take(
    store: Store,
    *asks: BudgetAsk,
    permits: int = 50,
    seconds: int = 0,
    holder: str = "worker-1",
    at_once: int = 4,
    is_live: bool = False,
    under_way: int = 0,
) -> CallLease:
    """Ask for permits some seconds after the start."""
    return await store.calls.lease(
        asks,
        holder=holder,
        permits=permits,
        at_once=at_once,
        is_live=is_live,
        under_way=under_way,
        now=START + timedelta(seconds=seconds),
    )


class CallLedgerContract:
    """Promises of shared call budgets."""

    async def test_permits_fit_every_window_of_every_budget(self, store: Store) -> None:
        """A second takes ten calls, of which two are kept for people; the minute and the app have room."""
        lease = await take(store, APP, ONE)

        assert [batch.permits for batch in lease.batches][:2] == [8, 8]
        assert lease.batches[0].opens_at == AT
        assert lease.batches[1].opens_at - lease.batches[0].closes_at >= SECOND
        assert lease.permits <= 32  # the minute's forty without people's share

    async def test_workers_share_one_budget(self, store: Store) -> None:
        first = await take(store, APP, permits=40)
        second = await take(store, APP, permits=40, holder="worker-2")
        later = await take(store, APP, permits=40, holder="worker-2", seconds=66)

        assert (first.permits, second.permits, later.permits) == (40, 8, 40)

    async def test_a_full_app_leaves_no_connection_of_it_a_permit(self, store: Store) -> None:
        await take(store, APP, permits=48)
        lease = await take(store, APP, OTHER, holder="worker-2")

        assert (lease.permits, lease.is_paused) == (0, False)
        assert lease.again_at > AT

    async def test_people_have_a_share_that_polls_cannot_take(self, store: Store) -> None:
        await take(store, APP, permits=100)
        lease = await take(store, APP, permits=2, holder="worker-2", is_live=True, at_once=1)

        assert lease.batches[0].opens_at == AT
        assert lease.permits == 2

    async def test_people_may_use_the_shared_rest_too(self, store: Store) -> None:
        taken = 0
        for _ in range(3):
            taken += (await take(store, APP, permits=100, is_live=True)).permits

        assert taken == 60

    async def test_only_so_many_calls_are_under_way_over_all_workers(self, store: Store) -> None:
        """Four at once, one of them kept for people."""
        first = await take(store, ONE, permits=1, at_once=2)
        second = await take(store, ONE, permits=1, at_once=2, holder="worker-2")
        third = await take(store, ONE, permits=1, at_once=2, holder="worker-3")
        person = await take(store, ONE, permits=1, at_once=2, holder="worker-3", is_live=True)

        assert [lease.at_once for lease in (first, second, third, person)] == [2, 1, 0, 1]
        assert (third.permits, person.permits) == (0, 1)

    async def test_workers_divide_the_calls_at_once_evenly_as_they_ask_again(self, store: Store) -> None:
        """Nine at once: eight for two workers that both want all of them. Calls under way are never taken back."""
        ask = BudgetAsk("acme/wide", CallLimit((CallWindow(1_000, 1_000),), at_once=9))
        first = await take(store, ask, permits=1, at_once=9)
        none_free = await take(store, ask, permits=1, at_once=9, holder="worker-2")
        still_busy = await take(store, ask, permits=1, at_once=9, under_way=6)
        second = await take(store, ask, permits=1, at_once=9, holder="worker-2")

        assert [first.at_once, none_free.at_once, still_busy.at_once, second.at_once] == [8, 0, 4, 2]

    async def test_what_is_released_others_have_at_once(self, store: Store) -> None:
        await take(store, ONE, permits=1, at_once=3)
        await store.calls.release([ONE, OTHER], holder="worker-1", now=START)
        second = await take(store, ONE, permits=1, at_once=3, holder="worker-2")

        assert second.at_once == 3

    async def test_a_worker_that_died_gives_its_calls_at_once_back(self, store: Store) -> None:
        await take(store, ONE, permits=1, at_once=3)
        held = await take(store, ONE, permits=1, seconds=20, holder="worker-2")
        person = await take(store, ONE, permits=1, seconds=20, holder="worker-2", is_live=True)
        freed = await take(store, ONE, permits=1, seconds=51, holder="worker-2")

        assert (held.at_once, person.at_once, freed.at_once) == (0, 1, 3)

    async def test_a_refusal_pauses_its_key_and_no_other(self, store: Store) -> None:
        await store.calls.note_refusal([ONE], now=START, retry_after_seconds=30)
        paused = await take(store, APP, ONE, seconds=29)
        neighbour = await take(store, APP, OTHER, seconds=29)

        assert (paused.permits, paused.is_paused) == (0, True)
        assert from_microseconds(paused.again_at) == START + timedelta(seconds=30)
        assert neighbour.permits > 0

    async def test_a_refusal_halves_what_is_used_and_good_minutes_give_it_back(self, store: Store) -> None:
        await store.calls.note_refusal([ONE], now=START, retry_after_seconds=1)
        await store.calls.note_refusal([ONE], now=START)  # of the same burst: counts once
        percents = []
        for minutes in (1, 2, 6, 11):
            looks = await store.calls.budgets(now=START + timedelta(minutes=minutes, seconds=1))
            percents += [(look.key, look.percent, look.paused_until is None) for look in looks]
        halved = await take(store, ONE, permits=4, seconds=61)

        assert percents == [(ONE.key, 50, True), (ONE.key, 55, True), (ONE.key, 75, True)]
        assert halved.batches[0].permits == 4  # five a second, one of them for people

    async def test_workers_that_ask_at_the_same_moment_get_no_more_together(self, store: Store) -> None:
        leases = await asyncio.gather(*(take(store, APP, permits=10, holder=f"w{n}", at_once=1) for n in range(7)))

        assert sum(lease.permits for lease in leases) == 48
