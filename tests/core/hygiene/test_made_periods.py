"""Late changes, rails that were not read and payouts booked as one sale, on made-up companies."""

from collections import Counter

from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.calculators.hygiene.find import find_findings

from tests.core.hygiene.made_periods import JUDGED, make_periods_company
from tests.core.hygiene.planted import Judgement

SEEDS = range(14)


def judge(seeds: range, *, bills: int = 120) -> Judgement:
    judgement = Judgement()
    checks = [check for check in CHECKS if check.id in JUDGED]
    for seed in seeds:
        books, planted = make_periods_company(seed, bills=bills)
        found = {
            (finding.check, frozenset((s.kind.value, s.external_id) for s in finding.subjects))
            for finding in find_findings(books, checks=checks)
        }
        judgement.planted.update(check for check, _ in planted)
        judgement.found.update(check for check, _ in planted & found)
        judgement.extra.update(check for check, _ in found - planted)
    return judgement


def test_what_was_planted_in_closed_periods_and_between_rails_is_found_and_nothing_else() -> None:
    judgement = judge(SEEDS)

    assert judgement.found == judgement.planted
    assert judgement.extra == Counter()
    assert judgement.planted.keys() == JUDGED
