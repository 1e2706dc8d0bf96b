"""Seasons of takings: what last year's weeks say of the coming ones, and what they do not."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.seasons import NEEDED_WEEKS, NO_SEASONS, find_seasons
from runway_core.domain.books import Books
from runway_testkit.books_making import AS_OF, deposit, make_books


def weeks(usual: int = 100, **more: int) -> list[Decimal]:
    """As much every week, but in those named: w0 is the oldest, w4 the same as this one a year ago."""
    changed = {int(name[1:]): value for name, value in more.items()}
    return [Decimal(changed.get(number, usual)) for number in range(NEEDED_WEEKS)]


DOUBLED = {f"w{number}": 200 for number in range(4, 12)}


def test_even_weeks_have_no_season() -> None:
    assert find_seasons(weeks()) == NO_SEASONS


def test_a_month_that_doubled_last_year_doubles_this_year() -> None:
    """At its edges the five weeks about last year's week scatter: chance takes half the square of that from it."""
    first, second, third, *_ = seasons = find_seasons(weeks(**DOUBLED))

    assert (first, second, third) == (Fraction(198, 100), Fraction(1995, 1000), Fraction(2))
    assert seasons[5] == 2
    assert seasons[8:] == NO_SEASONS[8:]


def test_growth_since_last_year_is_kept() -> None:
    """Last year 100 became 200; this year 150 are usual, so that 300 are expected."""
    grown = {f"w{number}": 150 for number in range(NEEDED_WEEKS - 13, NEEDED_WEEKS)}

    assert find_seasons(weeks(**DOUBLED, **grown))[2] == 2


def test_a_season_that_began_already_is_in_the_last_weeks() -> None:
    """The last four weeks doubled already, as did last year's: the coming ones are twice the usual, not four times."""
    doubled = {f"w{number}": 200 for number in (*range(12), *range(NEEDED_WEEKS - 4, NEEDED_WEEKS))}

    assert find_seasons(weeks(**doubled))[2] == 2


def test_one_odd_week_is_no_season() -> None:
    assert find_seasons(weeks(w6=900)) == NO_SEASONS


def test_what_scatters_as_much_as_it_moves_is_chance() -> None:
    """Last year's five weeks have a middle of 130, half of them far from it."""
    scattered = dict(zip((f"w{number}" for number in range(4, 9)), (30, 220, 130, 40, 210), strict=True))

    assert find_seasons(weeks(**scattered))[2] == 1


@pytest.mark.parametrize(
    "changed",
    [
        {f"w{number}": 40 for number in range(4)},  # a year ago less than half was usual
        DOUBLED | {f"w{number}": 0 for number in range(4)},
        {f"w{number}": 310 for number in range(4, 17)},  # more than threefold within weeks
    ],
)
def test_a_business_that_was_another_one_a_year_ago_has_no_season(changed: Mapping[str, int]) -> None:
    assert find_seasons(weeks(**changed))[2] == 1


@given(st.lists(st.integers(0, 500), min_size=NEEDED_WEEKS, max_size=NEEDED_WEEKS))
def test_a_season_never_turns_money_round(sums: list[int]) -> None:
    assert all(0 <= season <= 6 * 500 for season in find_seasons([Decimal(each) for each in sums]))


def shop(*, weeks_known: int = 57) -> Books:
    """Takings of 100 every Wednesday; of 200 in March and April last year."""
    days = [AS_OF + timedelta(days=2 - 7 * back) for back in range(1, weeks_known)]
    takings = tuple(
        deposit(f"D{on}", 200 if date(2025, 3, 3) <= on < date(2025, 5, 1) else 100, document_date=on) for on in days
    )
    return make_books(deposits=takings, history_from=AS_OF - timedelta(days=7 * weeks_known))


def receipts(books: Books) -> list[int]:
    return [int(e.amount) for e in compute_outlook(books).events if e.label == "Other receipts"]


def test_the_outlook_expects_takings_by_their_season() -> None:
    assert receipts(shop()) == [198, 199, 200, 200, 200, 200, 200, 199, 198, 100, 100, 100, 100]


def test_without_a_year_of_books_takings_are_as_usual() -> None:
    assert receipts(shop(weeks_known=50)) == [100] * 13
