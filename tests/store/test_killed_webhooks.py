"""Whatever moment a worker is killed at: an event for each cause and no other, and each is delivered in the end."""

import asyncio
import random
from collections import Counter

from runway_core.domain.identity import DEFAULT_FIRM
from runway_core.domain.subscriptions import DeliveryFilter, DeliveryState, WebhookDelivery
from runway_core.runway import Runway
from runway_testkit.store_desk import StoreDesk

from tests.app.webhook_receiver import Receiver
from tests.processes import processes
from tests.store.webhook_worker import count_changes, deliver, open_runway, run

KILLS = 3
ALL = 100_000


async def read_kept(runway: Runway, name: str) -> list[WebhookDelivery]:
    found = await runway.scope.store.subscriptions.deliveries(DEFAULT_FIRM, name, DeliveryFilter(), limit=ALL)
    return list(found)


def expect(changes: int) -> Counter[str]:
    """The events of so many changes: each is one of status, every other opens a finding, the others close it."""
    opened, closed = changes // 2, max(changes - 1, 0) // 2
    return Counter({"runway.status_changed": changes, "finding.opened": opened, "finding.closed": closed})


async def test_no_event_is_lost_or_told_of_what_did_not_happen(database_url: str) -> None:
    context, chance = processes(), random.Random(20261126)
    async with Receiver().open() as receiver:
        async with open_runway(database_url, 0) as runway:
            await StoreDesk(runway.scope.store, firm=DEFAULT_FIRM).open()
            added, _ = await runway.subscriptions.add(receiver.url, actor="ann")
        name = added.subscription_id
        for number in range(1, KILLS + 1):
            process = context.Process(target=run, args=(database_url, number))
            process.start()
            await receiver.wait_for(len(receiver.posts) + chance.randint(1, 25))
            process.kill()
            await asyncio.to_thread(process.join)
            async with open_runway(database_url, number) as runway:
                changes = await count_changes(StoreDesk(runway.scope.store, firm=DEFAULT_FIRM))
                kept = Counter(one.event_type.value for one in await read_kept(runway, name))

            assert kept == expect(changes)
        async with open_runway(database_url, KILLS + 1) as runway:
            while await deliver(runway):
                pass
            everything = await read_kept(runway, name)
    told = Counter(headers["webhook-id"] for headers, _ in receiver.posts)

    assert {one.state for one in everything} == {DeliveryState.DELIVERED}
    assert told.keys() == {one.event_id for one in everything}
