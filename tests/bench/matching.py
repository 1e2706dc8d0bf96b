"""Matching: how well and how fast names are found, and how long the money of a large company takes."""

import time
from decimal import Decimal

from runway_core.calculators.matching.money import match_money
from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.matching.name_match import NamedParty
from runway_core.calculators.matching.names import normal_name, second_form
from runway_core.calculators.matching.subset_sums import find_subsets

from tests.bench.machine import Stopwatch, print_table
from tests.core.matching.company_names import party_of, read_company_names
from tests.core.matching.made_receipts import make_receipts
from tests.core.matching.name_methods import METHODS, score


def measure_names(*, is_small: bool) -> None:
    """Every method on the lists of company names; the small run leaves out those that compare all with all."""
    rows = []
    for name, build in METHODS.items():
        if is_small and "90" in name:
            continue
        with Stopwatch() as asking:
            result = score(build())
        milliseconds = asking.seconds * 1000 / result.questions
        rows.append((name, f"{result.precision:.3f}", f"{result.recall:.3f}", f"{milliseconds:.2f}"))
    print_table("Company names", ("method", "precision", "recall", "ms a name"), rows)
    companies = list(read_company_names().registrants.items())[:500]
    normal_name.cache_clear()
    second_form.cache_clear()
    began = time.perf_counter()
    index = NameIndex(NamedParty(party_of(cik), (name,)) for cik, name in companies)
    built = time.perf_counter()
    index.suggest("Nobody of that name")
    searched = time.perf_counter()
    spans = [
        ("index of 500 vendors", f"{(built - began) * 1000:.1f}"),
        ("its search, built when first asked", f"{(searched - built) * 1000:.1f}"),
    ]
    print_table("Index of names", ("what", "ms"), spans)


def measure_money(*, documents: int, movements: int) -> None:
    """Match a large company's receipts, and search the largest sum that is searched."""
    made = make_receipts(1, customers=max(documents // 35, 5), months=30)
    papers = made.documents[:documents]
    moved = [made.movements[len(made.movements) * n // movements] for n in range(movements)]
    with Stopwatch() as matching:
        report = match_money({each.key: each for each in moved}.values(), papers)
    amounts = [3**n for n in range(25)]
    with Stopwatch() as adding:
        find_subsets(amounts, sum(amounts[::4]))
    verdicts = [made.is_right(match) for match in report.acted]
    share = Decimal(sum(verdicts)) / max(len(verdicts), 1)
    rows = [
        (f"{len(papers):,} documents, {len(moved):,} bank lines", f"{matching.seconds:.2f} s"),
        ("acted on, of which right", f"{len(verdicts):,}, {share:.4f}"),
        ("one sum among 25 candidates", f"{adding.seconds * 1000:.1f} ms"),
    ]
    print_table("Money to documents", ("what", "measured"), rows)
