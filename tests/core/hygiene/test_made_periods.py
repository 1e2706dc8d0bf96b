"""Late changes, rails that were not read and payouts booked as one sale, on made-up companies."""

from collections import Counter

from tests.core.hygiene.made_periods import JUDGED, make_periods_company
from tests.core.hygiene.planted import judge_made

SEEDS = range(14)


def test_what_was_planted_in_closed_periods_and_between_rails_is_found_and_nothing_else() -> None:
    judgement = judge_made(map(make_periods_company, SEEDS), checks=JUDGED)

    assert judgement.found == judgement.planted
    assert judgement.extra == Counter()
    assert judgement.planted.keys() == JUDGED
