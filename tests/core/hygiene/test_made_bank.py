"""The checks of the bank against made-up companies with a bank: what was planted is found, and nothing else."""

from collections import Counter

from runway_core.calculators.hygiene.checks import CHECKS

from tests.core.hygiene.made_bank import make_bank_company
from tests.core.hygiene.planted import judge_made

BANK_CHECKS = {"BK01", "BK02", "BK03", "BK04", "BK05", "BK07", "BK10", "BK11", "BK12"}
SEEDS = range(40)


def test_what_was_planted_between_bank_and_books_is_found_and_nothing_else() -> None:
    judgement = judge_made(map(make_bank_company, SEEDS), checks=BANK_CHECKS)

    assert judgement.found == judgement.planted
    assert judgement.extra == Counter()
    assert {check.id for check in CHECKS} & BANK_CHECKS == judgement.planted.keys()
