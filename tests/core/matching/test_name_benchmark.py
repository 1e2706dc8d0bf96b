"""What names must reach on company names of two sources; `make bench ARGS="--only names"` prints every method."""

import time

import pytest
from runway_core.calculators.matching.names import normal_name, second_form

from tests.core.matching.company_names import index_registrants, read_company_names
from tests.core.matching.name_methods import acted, equal_form, matched, score, suggested

WRONG_LABELS = {"Apollo Commercial Real Estate Finance", "Arthur J. Gallagher & Co.", "Globe Life"}


def test_the_lists_are_large_enough_to_measure_by() -> None:
    names = read_company_names()

    assert len(names.pairs) > 1000
    assert len(names.registrants) > 7000


def test_what_acts_alone_is_wrong_only_where_the_labels_are() -> None:
    """Three pairs carry the ticker of another company; by their names they are found rightly."""
    result = score(acted)
    wrong = {name for name, cik in read_company_names().pairs if acted(name) not in {None, cik}}

    assert round(result.precision, 3) >= 0.997
    assert result.recall >= 0.83
    assert wrong <= WRONG_LABELS


def test_suggestions_find_most_and_seldom_mislead() -> None:
    result = score(suggested)

    assert result.recall >= 0.94
    assert result.precision >= 0.99


def test_the_order_of_proof_as_a_whole_reaches_as_much() -> None:
    result = score(matched)

    assert result.recall >= 0.95
    assert result.precision >= 0.99


@pytest.mark.parametrize(("form", "recall"), [(normal_name, 0.83), (second_form, 0.87)])
def test_equal_forms_are_as_good_as_the_reference_says(form: object, recall: float) -> None:
    result = score(equal_form(form))  # type: ignore[arg-type] # both are functions of a name

    assert round(result.precision, 3) >= 0.997
    assert result.recall >= recall


def test_a_name_is_looked_up_among_thousands_without_a_search() -> None:
    """Proofs are look-ups: a thousand names among eight thousand parties take a blink even on a busy machine."""
    index = index_registrants()
    names = [name for name, _ in read_company_names().pairs]
    began = time.perf_counter()
    found = [index.prove(name) for name in names]

    assert time.perf_counter() - began < 1
    assert sum(match is not None for match in found) > 900
