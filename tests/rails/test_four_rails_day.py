"""Hours of companies on all four rails at once, in which calls fail: the mirror ends as a first reading would be."""

import pytest
from runway_sandbox.serve import start_sandbox
from runway_testkit.invariants import find_broken_books, say

from tests.rails.four_rails import live_through

RAILS = {"qbo", "plaid", "stripe", "ramp"}


@pytest.mark.parametrize(("profile", "hours"), [("flaky", 4), ("moving_pages", 2)])
async def test_nothing_is_lost_or_doubled_on_any_rail(profile: str, hours: int) -> None:
    with start_sandbox(
        clients=3, bills_per_client=40, rails=",".join(RAILS), more_arguments=["--no-throttle"]
    ) as sandbox:
        outcome = await live_through(sandbox.ready, hours=hours, profile=profile, seed=3)

    assert {rail for _, rail, _ in outcome.truth} == RAILS
    assert {change.split()[0] for change in outcome.done} == RAILS
    assert (outcome.lost, outcome.beyond) == ([], [])
    assert not say(find_broken_books(outcome.remains))
