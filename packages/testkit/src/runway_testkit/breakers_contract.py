"""What every store promises of circuit breakers."""

import asyncio
from datetime import datetime, timedelta

from runway_core.domain.breakers import Admission, BreakerKey, BreakerState
from runway_core.domain.identity import ConnectionId
from runway_core.ports.store import Store

from runway_testkit.store_desk import START

RAIL = BreakerKey("acme")


def minutes(count: int) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=count)


def keys_of(connection: str) -> list[BreakerKey]:
    """The breakers before a call of one connection."""
    return [RAIL, BreakerKey("acme", ConnectionId(connection))]


class BreakersContract:
    """Promises of shared breakers."""

    async def fail(self, store: Store, connection: str, *, times: int = 1, at: int = 0) -> None:
        """Let calls of a connection get no answer."""
        for _ in range(times):
            await store.breakers.note(keys_of(connection), failed=ConnectionId(connection), now=minutes(at))

    async def admit(self, store: Store, connection: str, *, at: int = 0, is_live: bool = False) -> Admission:
        """Ask for one."""
        return await store.breakers.admit(keys_of(connection), now=minutes(at), is_live=is_live)

    async def test_a_connection_that_never_answers_is_left_alone_and_its_neighbours_are_not(self, store: Store) -> None:
        await self.fail(store, "books-1", times=5)
        refused = await self.admit(store, "books-1")

        assert (refused.is_open, refused.until) == (False, minutes(1))
        assert refused.refused_by == keys_of("books-1")[1]
        assert (await self.admit(store, "books-2")).is_open

    async def test_a_rail_is_left_alone_when_several_connections_get_no_answer(self, store: Store) -> None:
        for number in range(6):
            await self.fail(store, f"books-{number % 3}")

        assert (await self.admit(store, "books-9")).refused_by == RAIL

    async def test_one_success_closes_what_was_counted(self, store: Store) -> None:
        await self.fail(store, "books-1", times=4)
        await store.breakers.note(keys_of("books-1"), failed=None, now=START)
        await self.fail(store, "books-1", times=4)

        assert (await self.admit(store, "books-1")).is_open

    async def test_after_the_rest_one_worker_makes_the_probe(self, store: Store) -> None:
        await self.fail(store, "books-1", times=5)
        answers = await asyncio.gather(*(self.admit(store, "books-1", at=1) for _ in range(5)))

        assert sorted(answer.is_open for answer in answers) == [False, False, False, False, True]

    async def test_a_probe_that_fails_doubles_the_rest_and_one_that_succeeds_ends_it(self, store: Store) -> None:
        await self.fail(store, "books-1", times=5)
        await self.admit(store, "books-1", at=1)
        await self.fail(store, "books-1", at=1)
        refused = await self.admit(store, "books-1", at=2)
        await self.admit(store, "books-1", at=3)
        await store.breakers.note(keys_of("books-1"), failed=None, now=minutes(3))

        assert refused.until == minutes(3)
        assert await store.breakers.breakers() == {}

    async def test_a_probe_whose_worker_died_is_made_again(self, store: Store) -> None:
        await self.fail(store, "books-1", times=5)
        await self.admit(store, "books-1", at=1)

        assert not (await self.admit(store, "books-1", at=2)).is_open
        assert (await self.admit(store, "books-1", at=3)).is_open

    async def test_a_person_probes_at_once(self, store: Store) -> None:
        await self.fail(store, "books-1", times=5)

        assert (await self.admit(store, "books-1", is_live=True)).is_open
        assert not (await self.admit(store, "books-1", is_live=True)).is_open  # one at a time

    async def test_breakers_that_saw_a_failure_are_listed(self, store: Store) -> None:
        await self.fail(store, "books-1", times=5)
        await self.admit(store, "books-2")
        listed = await store.breakers.breakers()

        assert set(listed) == {"acme", "acme/books-1"}
        assert listed["acme/books-1"].state_at(START) is BreakerState.OPEN
        assert listed["acme/books-1"].state_at(minutes(1)) is BreakerState.HALF_OPEN
        assert listed["acme"].state_at(START) is BreakerState.CLOSED
