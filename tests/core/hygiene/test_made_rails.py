"""The checks between books, bank, rails and people, on made-up companies: what was planted is found, nothing else."""

from collections import Counter

from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.calculators.hygiene.find import find_findings

from tests.core.hygiene.made_rails import JUDGED, make_rails_company
from tests.core.hygiene.planted import Judgement

SEEDS = range(30)


def judge(seeds: range, *, bills: int = 120) -> Judgement:
    judgement = Judgement()
    checks = [check for check in CHECKS if check.id in JUDGED]
    for seed in seeds:
        books, planted = make_rails_company(seed, bills=bills)
        found = {
            (finding.check, frozenset((s.kind.value, s.external_id) for s in finding.subjects))
            for finding in find_findings(books, checks=checks)
        }
        judgement.planted.update(check for check, _ in planted)
        judgement.found.update(check for check, _ in planted & found)
        judgement.extra.update(check for check, _ in found - planted)
    return judgement


def test_what_was_planted_between_books_rails_and_people_is_found_and_nothing_else() -> None:
    judgement = judge(SEEDS)

    assert judgement.found == judgement.planted
    assert judgement.extra == Counter()
    assert judgement.planted.keys() == JUDGED
