"""What every store promises of its inbox."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from runway_core.domain.company import ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKind
from runway_core.domain.jobs import Lane, NewJob, Work
from runway_core.domain.webhooks import DeliveryKey, InboxDelivery, InboxLag, Listener, RailAccount, RailEvent
from runway_core.errors import NotFound
from runway_core.ports.store import Store

from runway_testkit.desk_contract import DeskContract
from runway_testkit.store_desk import BY, START, StoreDesk

ACCOUNT = RailAccount("qbo", "9341457021722202")


def make_event(external_id: str = "145", *, account: str = ACCOUNT.account, operation: str = "update") -> RailEvent:
    """A bill was edited."""
    return RailEvent(account, RecordKind.BILL, external_id, operation, START - timedelta(seconds=3))


def make_delivery(name: str, *events: RailEvent, after_seconds: int = 0, rail: str = "qbo") -> InboxDelivery:
    """A delivery as it was received some seconds after the start."""
    received_at = START + timedelta(seconds=after_seconds)
    return InboxDelivery(
        key=DeliveryKey(rail, name),
        body=b'{"sent": "' + name.encode() + b'"}',
        events=events,
        received_at=received_at,
        last_seen_at=received_at,
    )


async def connect_again(desk: StoreDesk, *, firm: str, company: str) -> StoreDesk:
    """Another firm connects the same company of the rail."""
    other = StoreDesk(desk.store, firm=firm, company=company)
    await other.open()
    await desk.store.registry.name_account(other.connection, ACCOUNT.account)
    return other


def make_nudge(desk: StoreDesk) -> NewJob:
    """A pull of the desk's connection, because its rail said something."""
    return NewJob(
        firm_id=desk.company.firm_id,
        company_id=desk.id,
        connection_id=desk.connection.connection_id,
        rail=desk.connection.rail,
        work=Work.PULL,
        lane=Lane.WEBHOOK,
        run_at=START,
        dedupe_key=f"pull:{desk.connection.connection_id}",
    )


class InboxContract(DeskContract):
    """The promises of `Inbox`."""

    async def test_a_delivery_is_kept_as_it_came(self, store: Store) -> None:
        delivery = make_delivery(
            "a", make_event(), replace(make_event("7"), kind=None, at=None, operation="emailed"), after_seconds=5
        )

        is_new = await store.inbox.accept(delivery)

        assert is_new
        assert await store.inbox.unread() == [delivery]

    async def test_a_delivery_that_comes_again_is_counted_and_changes_nothing(self, store: Store) -> None:
        first = make_delivery("a", make_event())
        again = replace(first, received_at=START + timedelta(minutes=5), last_seen_at=START + timedelta(minutes=5))
        await store.inbox.accept(first)

        is_new = await store.inbox.accept(again)

        assert not is_new
        assert await store.inbox.unread() == [replace(first, times_seen=2, last_seen_at=again.last_seen_at)]
        assert (await store.inbox.counts()).repeated == 1

    async def test_a_replay_of_what_was_read_stays_read(self, store: Store) -> None:
        delivery = make_delivery("a", make_event())
        await store.inbox.accept(delivery)
        await store.inbox.mark_read([delivery.key], now=START)

        await store.inbox.accept(delivery)

        assert await store.inbox.unread() == []

    async def test_one_delivery_sent_many_times_at_once_is_kept_once(self, store: Store) -> None:
        """If this fails: is there a moment between looking and writing?"""
        delivery = make_delivery("a", *(make_event(str(number)) for number in range(30)))

        news = await asyncio.gather(*(store.inbox.accept(delivery) for _ in range(20)))

        assert sum(news) == 1
        [kept] = await store.inbox.unread()
        assert (kept.times_seen, kept.events) == (20, delivery.events)

    async def test_one_name_on_two_rails_is_two_deliveries(self, store: Store) -> None:
        await store.inbox.accept(make_delivery("a", make_event()))

        assert await store.inbox.accept(make_delivery("a", make_event(), rail="other"))
        assert (await store.inbox.counts()).unread == 2

    async def test_unread_ones_come_in_the_order_received_and_not_more_than_asked(self, store: Store) -> None:
        for name, after in (("c", 2), ("a", 3), ("b", 1)):
            await store.inbox.accept(make_delivery(name, make_event(name), after_seconds=after))

        found = await store.inbox.unread(limit=2)

        assert [(kept.key.delivery_id, kept.events[0].external_id) for kept in found] == [("b", "b"), ("c", "c")]

    async def test_marking_as_read_is_done_once(self, store: Store) -> None:
        deliveries = [make_delivery(name, make_event()) for name in "abc"]
        for delivery in deliveries:
            await store.inbox.accept(delivery)

        first = await store.inbox.mark_read([deliveries[0].key, deliveries[1].key], now=START)
        second = await store.inbox.mark_read(
            [deliveries[1].key, deliveries[2].key, DeliveryKey("qbo", "never")], now=START
        )

        assert (first, second) == (2, 1)
        assert await store.inbox.unread() == []
        assert await store.inbox.mark_read([], now=START) == 0

    async def test_what_was_read_long_ago_is_forgotten_and_what_is_unread_never(self, store: Store) -> None:
        old, late, unread = (make_delivery(name, make_event(account="nobody")) for name in ("old", "late", "unread"))
        for delivery in (old, late, unread):
            await store.inbox.accept(delivery)
        await store.inbox.mark_read([old.key], now=START)
        await store.inbox.mark_read([late.key], now=START + timedelta(days=30))

        gone = await store.inbox.prune(read_before=START + timedelta(days=30))

        assert gone == 1
        assert (await store.inbox.counts()).deliveries == 2
        assert [unknown.events for unknown in await store.inbox.unknown_accounts()] == [2]
        assert await store.inbox.accept(old)  # it is as new again: one more reading of the rail, no more

    async def test_forgetting_is_done_in_steps(self, store: Store) -> None:
        deliveries = [make_delivery(str(number), make_event()) for number in range(5)]
        for delivery in deliveries:
            await store.inbox.accept(delivery)
        await store.inbox.mark_read([delivery.key for delivery in deliveries], now=START)

        steps = [await store.inbox.prune(read_before=START + timedelta(days=1), limit=2) for _ in range(4)]

        assert steps == [2, 2, 1, 0]

    async def test_the_inbox_says_how_it_stands(self, store: Store) -> None:
        assert (await store.inbox.counts()).deliveries == 0

        for delivery in (
            make_delivery("a", make_event(), after_seconds=1),
            make_delivery("b", make_event(), after_seconds=4),
            replace(make_delivery("c", after_seconds=9), problem="not JSON"),
        ):
            await store.inbox.accept(delivery)
        await store.inbox.mark_read([DeliveryKey("qbo", "a")], now=START)
        counts = await store.inbox.counts()

        assert await store.inbox.lag() == InboxLag(unread=2, oldest_unread_at=START + timedelta(seconds=4))
        assert (counts.deliveries, counts.unread, counts.unreadable) == (3, 2, 1)
        assert counts.oldest_unread_at == START + timedelta(seconds=4)
        assert counts.last_received_at == START + timedelta(seconds=9)

    async def test_every_firm_that_connected_an_account_hears_of_it(self, desk: StoreDesk) -> None:
        rival = await connect_again(desk, firm="rival", company="zeta")
        await desk.store.registry.name_account(desk.connection, ACCOUNT.account)

        heard = await desk.store.inbox.listeners([ACCOUNT, RailAccount("qbo", "nobody")])

        assert heard == [
            Listener(ACCOUNT, FirmId("own"), CompanyId("acme"), ConnectionId("acme-qbo"), ConnectionState.NEW),
            Listener(ACCOUNT, FirmId("rival"), rival.id, ConnectionId("zeta-qbo"), ConnectionState.NEW),
        ]
        assert await desk.store.inbox.listeners([RailAccount("other", ACCOUNT.account)]) == []
        assert await desk.store.inbox.listeners([]) == []

    async def test_an_account_is_noted_once_and_only_by_its_firm(self, desk: StoreDesk) -> None:
        registry = desk.store.registry
        rival = StoreDesk(desk.store, firm="rival", company="zeta")
        await rival.open()
        foreign = desk.connection.model_copy(update={"firm_id": rival.company.firm_id, "company_id": rival.id})

        taken = await registry.name_account(foreign, "3")
        noted = await registry.name_account(desk.connection, "1")
        again = await registry.name_account(desk.connection, "2")

        assert (taken, noted, again) == (False, True, False)
        [connection] = await registry.connections(desk.company.firm_id)
        assert connection.rail_account == "1"

    async def test_an_account_of_a_new_connection_is_kept(self, store: Store) -> None:
        desk = StoreDesk(store)
        desk.connection = desk.connection.model_copy(update={"rail_account": ACCOUNT.account, "last_swept_at": START})
        await store.registry.add_company(desk.company, attribution=BY)
        await store.registry.add_connection(desk.connection, attribution=BY)

        [kept] = await store.registry.connections(desk.company.firm_id)

        assert (kept.rail_account, kept.last_swept_at) == (ACCOUNT.account, START)

    async def test_events_of_an_account_that_nobody_connected_are_kept_and_shown(self, desk: StoreDesk) -> None:
        await desk.store.registry.name_account(desk.connection, ACCOUNT.account)
        stranger = make_event(account="777")
        await desk.store.inbox.accept(make_delivery("a", make_event(), stranger, after_seconds=1))
        await desk.store.inbox.accept(make_delivery("b", stranger, stranger, after_seconds=5))
        await desk.store.inbox.accept(make_delivery("c", make_event(account="888"), after_seconds=3))

        unknown = await desk.store.inbox.unknown_accounts()

        assert [(found.account.account, found.events) for found in unknown] == [("777", 3), ("888", 1)]
        assert unknown[0].first_at == START + timedelta(seconds=1)
        assert unknown[0].last_at == START + timedelta(seconds=5)
        assert len(await desk.store.inbox.unknown_accounts(limit=1)) == 1

    async def test_work_is_given_out_and_marked_as_read_together(self, desk: StoreDesk) -> None:
        await desk.store.inbox.accept(make_delivery("a", make_event()))
        await desk.store.inbox.accept(make_delivery("b", make_event()))

        first = await desk.store.inbox.hand_over([DeliveryKey("qbo", "a")], [make_nudge(desk)], now=START)
        second = await desk.store.inbox.hand_over([DeliveryKey("qbo", "b")], [make_nudge(desk)], now=START)

        assert (first.added, first.coalesced, second.added, second.coalesced) == (1, 0, 0, 1)
        assert await desk.store.inbox.unread() == []
        assert (await desk.store.jobs.depths(desk.company.firm_id, now=START)).lanes[Lane.WEBHOOK].due == 1

    async def test_work_that_cannot_be_given_out_leaves_its_delivery_unread(self, desk: StoreDesk) -> None:
        """If this fails: are the mark and the jobs two transactions?"""
        delivery = make_delivery("a", make_event())
        await desk.store.inbox.accept(delivery)
        foreign = make_nudge(desk).model_copy(update={"firm_id": FirmId("rival")})

        with pytest.raises(NotFound):
            await desk.store.inbox.hand_over([delivery.key], [make_nudge(desk), foreign], now=START)

        assert await desk.store.inbox.unread() == [delivery]
        assert (await desk.store.jobs.depths(desk.company.firm_id, now=START)).count("due") == 0

    async def test_a_delivery_that_asks_for_nothing_is_marked_as_read(self, desk: StoreDesk) -> None:
        delivery = make_delivery("a", make_event(account="nobody"))
        await desk.store.inbox.accept(delivery)

        receipt = await desk.store.inbox.hand_over([delivery.key], [], now=START)

        assert receipt.added == 0
        assert await desk.store.inbox.unread() == []
