"""What every store promises of answers that are given again."""

import asyncio
from datetime import datetime, timedelta

from runway_core.domain.answered_calls import CallKey, Claim, ClaimState, KeptAnswer
from runway_core.domain.identity import FirmId
from runway_core.ports.store import Store

from runway_testkit.store_desk import START

CALL = CallKey(FirmId("own"), "key-1", "pay-b4")
ANSWER = KeptAnswer(200, (("content-type", "application/json"), ("etag", '"3"')), b'{"state":"decided"}\xff')
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


async def claim(
    store: Store, claim_id: str, *, call: CallKey = CALL, said: str = "approve B4", now: datetime = START
) -> Claim:
    """Ask under a key, for a minute."""
    return await store.answered_calls.claim(call, said, claim_id, now=now, until=now + MINUTE)


class AnsweredCallsContract:
    """Promises of kept answers. They need a store and no company."""

    async def test_a_call_that_is_sent_again_gets_the_answer_of_the_first(self, store: Store) -> None:
        first = await claim(store, "a")
        meanwhile = await claim(store, "b")
        is_kept = await store.answered_calls.keep(CALL, "a", ANSWER, until=START + DAY)
        again = await claim(store, "c", now=START + DAY - MINUTE)

        assert (first, meanwhile) == (Claim(ClaimState.MINE), Claim(ClaimState.RUNNING))
        assert is_kept
        assert again == Claim(ClaimState.ANSWERED, ANSWER)

    async def test_another_call_under_the_key_is_told_apart(self, store: Store) -> None:
        await claim(store, "a")
        while_it_runs = await claim(store, "b", said="approve B5")
        await store.answered_calls.keep(CALL, "a", ANSWER, until=START + DAY)

        assert while_it_runs == Claim(ClaimState.OTHER)
        assert await claim(store, "c", said="approve B5") == Claim(ClaimState.OTHER)

    async def test_of_calls_side_by_side_one_is_let_through(self, store: Store) -> None:
        claims = await asyncio.gather(*(claim(store, str(number)) for number in range(8)))

        assert sorted(one.state for one in claims) == [ClaimState.MINE] + 7 * [ClaimState.RUNNING]

    async def test_firms_and_callers_have_keys_of_their_own(self, store: Store) -> None:
        await claim(store, "a")
        await store.answered_calls.keep(CALL, "a", ANSWER, until=START + DAY)

        for number, other in enumerate((CALL._replace(firm_id=FirmId("others")), CALL._replace(caller="key-2"))):
            assert await claim(store, f"other-{number}", call=other) == Claim(ClaimState.MINE)

    async def test_what_did_nothing_may_be_sent_again(self, store: Store) -> None:
        await claim(store, "a")
        await store.answered_calls.release(CALL, "a")

        assert await claim(store, "b", said="approve B5") == Claim(ClaimState.MINE)

    async def test_what_was_given_up_may_be_sent_again_and_its_late_answer_counts_no_more(self, store: Store) -> None:
        await claim(store, "killed")
        assert await claim(store, "soon", now=START + MINUTE / 2) == Claim(ClaimState.RUNNING)
        assert await claim(store, "later", now=START + MINUTE) == Claim(ClaimState.MINE)

        assert not await store.answered_calls.keep(CALL, "killed", ANSWER, until=START + DAY)
        await store.answered_calls.release(CALL, "killed")
        assert await claim(store, "again", now=START + MINUTE) == Claim(ClaimState.RUNNING)

    async def test_an_answer_is_kept_once_and_forgotten_in_the_end(self, store: Store) -> None:
        await claim(store, "a")
        await store.answered_calls.keep(CALL, "a", ANSWER, until=START + DAY)
        other = KeptAnswer(500, (), b"")

        assert not await store.answered_calls.keep(CALL, "a", other, until=START + 2 * DAY)
        await store.answered_calls.release(CALL, "a")
        assert await claim(store, "b") == Claim(ClaimState.ANSWERED, ANSWER)
        assert await claim(store, "c", now=START + DAY) == Claim(ClaimState.MINE)
