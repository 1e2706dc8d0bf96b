"""Matching measured on made-up receipts, and what must hold whatever the money is."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.matching.money import match_money
from runway_core.calculators.matching.money_match import MoneyReport
from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement
from runway_testkit.books_making import day

from tests.core.matching.made_receipts import MadeReceipts, make_receipts
from tests.core.matching.money_making import ADA, BO, open_invoice, receipt

SEEDS = range(12)

PARTIES = st.sampled_from((ADA, BO, None))
TOTALS = st.sampled_from(("100", "100", "200", "300", "97.10", "99.50", "150"))


@st.composite
def movements(draw: st.DrawFn, number: int) -> MoneyMovement:
    """Money in a world of few amounts and few customers, where everything collides."""
    text = draw(st.sampled_from(("", "", "INV-I1 INV-I22", "INV-I333", "PAYMENT 0I1")))
    ids = draw(st.sampled_from((frozenset[str](), frozenset[str](), frozenset({"po_1"}))))
    return receipt(
        f"N{number}", draw(TOTALS), day(draw(st.integers(-20, 150))), party=draw(PARTIES), text=text, rail_ids=ids
    )


@st.composite
def documents(draw: st.DrawFn, number: int) -> MoneyDocument:
    """An open invoice of that world."""
    ids = draw(st.sampled_from((frozenset[str](), frozenset[str](), frozenset({"po_1"}))))
    name = draw(st.sampled_from(("INV-I1", "INV-I22", "INV-I333", None)))
    return replace(open_invoice(f"I{number}", draw(TOTALS)), party=draw(PARTIES), number=name, rail_ids=ids)


@st.composite
def both_sides(draw: st.DrawFn) -> tuple[list[MoneyMovement], list[MoneyDocument]]:
    moved = [draw(movements(number)) for number in range(draw(st.integers(0, 7)))]
    return moved, [draw(documents(number)) for number in range(draw(st.integers(0, 7)))]


Sides = tuple[list[MoneyMovement], list[MoneyDocument]]


def used(report: MoneyReport) -> Counter[tuple[str, str]]:
    """How often each key stands in an answer that may be taken as it is."""
    alone = [match for match in (*report.acted, *report.suggested) if not match.is_tied]
    return Counter(key for match in alone for key in (*match.movements, *match.documents))


@given(both_sides(), st.randoms(use_true_random=False))
def test_the_order_of_either_side_never_matters(sides: Sides, random: Random) -> None:
    moved, papers = sides
    shuffled = match_money(random.sample(moved, len(moved)), random.sample(papers, len(papers)))

    assert shuffled == match_money(moved, papers)


@given(both_sides())
def test_each_bank_line_and_each_document_is_used_once(sides: Sides) -> None:
    report = match_money(*sides)

    assert all(count == 1 for count in used(report).values())
    assert not any(match.is_tied for match in report.acted)
    everything = {moved.key for moved in sides[0]} | {paper.key for paper in sides[1]}
    named = {key for match in (*report.acted, *report.suggested) for key in (*match.movements, *match.documents)}
    assert named | {*report.unmatched_movements, *report.unmatched_documents} == everything
    assert named.isdisjoint({*report.unmatched_movements, *report.unmatched_documents})


@given(both_sides())
def test_what_is_acted_on_adds_up_and_says_why(sides: Sides) -> None:
    amounts = {moved.key: moved.amount for moved in sides[0]} | {paper.key: paper.amount for paper in sides[1]}
    for match in match_money(*sides).acted:
        assert sum(amounts[key] for key in match.movements) == sum(amounts[key] for key in match.documents)
        assert len(match.evidence) >= 2


@given(both_sides())
def test_a_twin_of_any_document_that_was_acted_on_undoes_the_act(sides: Sides) -> None:
    """A tie never acts: with a second document that fits as well, the payment is left to a person."""
    moved, papers = sides
    by_key = {paper.key: paper for paper in papers}
    for match in match_money(moved, papers).acted:
        twin = replace(by_key[match.documents[0]], key=("invoice", "twin"))
        again = match_money(moved, [*papers, twin])

        assert match.movements[0] not in used(again)


@pytest.fixture(scope="module")
def measured() -> list[tuple[MadeReceipts, MoneyReport]]:
    made = [make_receipts(seed) for seed in SEEDS]
    return [(each, match_money(each.movements, each.documents)) for each in made]


def test_of_a_thousand_acts_on_made_up_receipts_at_most_five_are_wrong(
    measured: list[tuple[MadeReceipts, MoneyReport]],
) -> None:
    verdicts = [made.is_right(match) for made, report in measured for match in report.acted]

    assert len(verdicts) > 2000
    assert sum(verdicts) / len(verdicts) >= 0.995


def test_nearly_half_of_all_payments_need_no_person_and_most_others_are_suggested(
    measured: list[tuple[MadeReceipts, MoneyReport]],
) -> None:
    paid = sum(bool(documents) for made, _ in measured for documents in made.truth.values())
    acted = sum(len(match.movements) for _, report in measured for match in report.acted)
    left = sum(len(report.unmatched_movements) for _, report in measured)

    assert acted / paid > 0.45
    assert left / paid < 0.15


def test_known_counterparties_are_the_right_ones(measured: list[tuple[MadeReceipts, MoneyReport]]) -> None:
    known = [
        movement.party == made.payers[movement.key]
        for made, _ in measured
        for movement in made.movements
        if movement.party is not None
    ]

    assert len(known) > 3000
    assert sum(known) / len(known) >= 0.997


def test_receipts_are_the_same_from_the_same_seed() -> None:
    assert make_receipts(3).movements == make_receipts(3).movements
    assert make_receipts(3).movements != make_receipts(4).movements
