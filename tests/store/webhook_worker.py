"""A process in which statuses and findings change as fast as they can, and that tells a receiver of it meanwhile."""

import asyncio
from datetime import timedelta

from runway_app_http.announcer import make_announcer
from runway_core.domain.identity import DEFAULT_FIRM
from runway_core.domain.position import PositionStatus
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_testkit.clock import FixedClock
from runway_testkit.store_desk import START, StoreDesk, make_finding, make_position

KEY = "a key for tests alone, of 32 characters and more"
CHANGES = 20  # a life, each of about two events
STATUSES = (PositionStatus.GREEN, PositionStatus.RED)


def open_runway(url: str, round_: int) -> Runway:
    """Each round is ten minutes later than the one before: what its worker held has run out."""
    clock = FixedClock(START + timedelta(minutes=10 * round_))
    store = SqlStore(url, secret_key=KEY, clock=clock)
    announcer = make_announcer(base="https://runway.example", allow_private=True)
    return Runway.open(store=store, rails=[], clock=clock, announcer=announcer)


async def count_changes(desk: StoreDesk) -> int:
    """How many positions were stored: each is computed a second after the one before."""
    held = await desk.store.positions.position(DEFAULT_FIRM, desk.id)
    return 0 if held is None else (held.computed_at - START) // timedelta(seconds=1) + 1


async def change(desk: StoreDesk, number: int) -> None:
    """The nth position, from nil: of another status than the one before, with a finding or without."""
    said = {"status": STATUSES[number % 2], "computed_at": START + timedelta(seconds=number)}
    position = (await make_position(desk)).model_copy(update=said)
    await desk.store.positions.save_position(position, [make_finding(desk)] if number % 2 else [])


async def deliver(runway: Runway) -> bool:
    """Do the jobs that wait; false when there is none."""
    store, now = runway.scope.store, runway.scope.clock.now()
    await store.jobs.reap(now=now, most_attempts=100)
    await runway.deliveries.plan()
    claims = await store.jobs.claim(worker="w", now=now, limit=9, lease_seconds=60)
    for claim in claims:
        await runway.deliveries.deliver(claim.job, lambda: None)
        await store.jobs.finish(claim, now=now)
    return bool(claims)


async def tell(url: str, round_: int) -> None:
    async with open_runway(url, round_) as runway:
        desk = StoreDesk(runway.scope.store, firm=DEFAULT_FIRM)

        async def happen() -> None:
            first = await count_changes(desk)
            for number in range(first, first + CHANGES):
                await change(desk, number)

        async def carry() -> None:
            while True:
                await deliver(runway)

        await asyncio.gather(happen(), carry())


def run(url: str, round_: int) -> None:
    asyncio.run(tell(url, round_))
