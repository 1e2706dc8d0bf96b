"""However workers use their permits, the vendor never sees more calls in a window than it allows."""

import random
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runway_core.domain.call_budget import (
    FULL,
    SECOND,
    BudgetState,
    CallLimit,
    CallWindow,
    compute_factor,
    plan_lease,
    plan_refusal,
)

MINUTE = 60 * SECOND

limits = st.builds(
    CallLimit,
    st.lists(
        st.builds(CallWindow, st.integers(1, 12), st.sampled_from([200, 1_000, 5_000])),
        min_size=1,
        max_size=2,
        unique_by=lambda window: window.milliseconds,
    ).map(tuple),
    at_once=st.integers(1, 10),
    live_percent=st.sampled_from([0, 20, 50]),
)
steps = st.lists(
    st.tuples(
        st.integers(0, 2 * SECOND),  # how long after the one before
        st.integers(-SECOND, SECOND),  # how wrong this worker's clock is
        st.integers(1, 50),  # how many permits
        st.booleans(),  # for a person
        st.integers(0, 19) | st.just(20),  # 20: the vendor refuses before
    ),
    max_size=60,
)


def most_in_any_window(calls: list[int], span: int) -> int:
    ordered = sorted(calls)
    return max((bisect_left(ordered, at + span) - number for number, at in enumerate(ordered)), default=0)


@settings(max_examples=200)
@given(app=limits, own=limits, steps=steps, seed=st.integers(0, 10**6))
def test_no_window_ever_sees_more_calls_than_its_limit(
    app: CallLimit, own: CallLimit, steps: list[tuple[int, int, int, bool, int]], seed: int
) -> None:
    chance = random.Random(seed)
    states = [BudgetState(), BudgetState()]
    calls: list[int] = []
    now = 1_700_000_000 * SECOND
    for pause, error, permits, is_live, mood in steps:
        now += pause
        if mood == 20:
            states[1] = plan_refusal(states[1], now=now + error, pause=SECOND)
        lease, states = plan_lease(
            [(app, states[0]), (own, states[1])],
            holder=f"worker-{mood}",
            permits=permits,
            at_once=1,
            is_live=is_live,
            now=now + error,
        )
        for batch in lease.batches:  # used at once, at the last moment, or in between
            at = chance.choice([batch.opens_at, batch.closes_at - 1, chance.randrange(batch.opens_at, batch.closes_at)])
            calls += [at] * batch.permits

    for limit in (app, own):
        for window in limit.windows:
            assert most_in_any_window(calls, window.span) <= window.calls


@given(limit=limits, seed=st.integers(0, 10**6))
def test_calls_at_once_over_all_workers_never_pass_the_limit(limit: CallLimit, seed: int) -> None:
    chance = random.Random(seed)
    state = BudgetState()
    may_run: dict[str, tuple[int, int]] = {}
    now = 1_700_000_000 * SECOND
    for _ in range(40):
        now += chance.randrange(20 * SECOND)
        holder = f"worker-{chance.randrange(6)}"
        most, until = may_run.get(holder, (0, 0))
        under_way = chance.randint(0, most) if until > now else 0
        lease, [state] = plan_lease(
            [(limit, state)],
            holder=holder,
            permits=3,
            at_once=4,
            is_live=chance.random() < 0.3,
            now=now,
            under_way=under_way,
        )
        may_run[holder] = (max(lease.at_once, under_way), now + (30 * SECOND if lease.at_once else 4 * SECOND))

        assert sum(slots for slots, until in may_run.values() if until > now) <= limit.at_once


def test_a_budget_is_used_to_four_fifths_at_least_where_workers_keep_asking() -> None:
    """What moves between workers' clocks and windows costs something; not more than this."""
    limit = CallLimit((CallWindow(450, 60_000), CallWindow(9, 1_000)), at_once=4, live_percent=0)
    state, now, given_out = BudgetState(), 1_700_000_000 * SECOND, 0
    for _ in range(600):  # ten minutes
        lease, [state] = plan_lease([(limit, state)], holder="w", permits=20, at_once=4, is_live=False, now=now)
        given_out += lease.permits
        now += SECOND

    assert given_out >= 10 * 450 * 4 // 5


def test_a_state_stays_small_however_long_it_is_used() -> None:
    limit = CallLimit((CallWindow(10_000, 3_600_000), CallWindow(9, 1_000)), at_once=4)
    state, now = BudgetState(), 1_700_000_000 * SECOND
    for _ in range(5_000):
        _, [state] = plan_lease([(limit, state)], holder="w", permits=5, at_once=4, is_live=False, now=now)
        now += SECOND

    assert sum(len(grants) for grants in (*state.shared.values(), *state.reserved.values())) < 60


@pytest.mark.parametrize(("refusals", "factor"), [(1, 500), (2, 250), (3, 125), (4, 100), (9, 100)])
def test_each_refusal_halves_what_is_used_down_to_a_tenth(refusals: int, factor: int) -> None:
    state, now = BudgetState(), 1_700_000_000 * SECOND
    for _ in range(refusals):
        state = plan_refusal(state, now=now, pause=SECOND)
        now += 2 * SECOND

    assert compute_factor(state, now) == factor
    assert compute_factor(state, now + 18 * MINUTE) == min(FULL, factor + 900)


def test_a_refusal_that_names_no_time_rests_a_minute() -> None:
    now = 1_700_000_000 * SECOND

    assert plan_refusal(BudgetState(), now=now, pause=None).paused_until == now + MINUTE
