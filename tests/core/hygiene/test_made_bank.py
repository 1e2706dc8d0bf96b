"""The checks of the bank against made-up companies with a bank: what was planted is found, and nothing else."""

from collections import Counter

from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.calculators.hygiene.find import find_findings

from tests.core.hygiene.made_bank import make_bank_company
from tests.core.hygiene.planted import Judgement

BANK_CHECKS = {"BK01", "BK02", "BK03", "BK04", "BK05", "BK07", "BK10", "BK11", "BK12"}
SEEDS = range(40)


def judge(seeds: range) -> Judgement:
    judgement = Judgement()
    checks = [check for check in CHECKS if check.id in BANK_CHECKS]
    for seed in seeds:
        books, planted = make_bank_company(seed)
        found = {
            (finding.check, frozenset((s.kind.value, s.external_id) for s in finding.subjects))
            for finding in find_findings(books, checks=checks)
        }
        judgement.planted.update(check for check, _ in planted)
        judgement.found.update(check for check, _ in planted & found)
        judgement.extra.update(check for check, _ in found - planted)
    return judgement


def test_what_was_planted_between_bank_and_books_is_found_and_nothing_else() -> None:
    judgement = judge(SEEDS)

    assert judgement.found == judgement.planted
    assert judgement.extra == Counter()
    assert {check.id for check in CHECKS} & BANK_CHECKS == judgement.planted.keys()
