"""The checks between books, bank, rails and people, on made-up companies: what was planted is found, nothing else."""

from collections import Counter

from tests.core.hygiene.made_rails import JUDGED, make_rails_company
from tests.core.hygiene.planted import judge_made

SEEDS = range(30)


def test_what_was_planted_between_books_rails_and_people_is_found_and_nothing_else() -> None:
    judgement = judge_made(map(make_rails_company, SEEDS), checks=JUDGED)

    assert judgement.found == judgement.planted
    assert judgement.extra == Counter()
    assert judgement.planted.keys() == JUDGED
