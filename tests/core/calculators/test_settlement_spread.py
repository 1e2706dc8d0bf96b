from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.settlement_spread import ALIKE_DOCUMENTS, LEAST_DOCUMENTS, Placed, group_alike
from runway_core.calculators.settlement_spread import spread as spread_by

MONDAY = date(2026, 3, 2)
LAST = MONDAY + timedelta(days=90)
HALF_A_WEEK_LATE = sorted([0] * 30 + [7] * 30)


def week(number: int) -> date:
    return MONDAY + timedelta(days=7 * (number - 1))


def placed(on: date, home: int = 1_000, *, due: date | None = None, own: Sequence[int] = ()) -> Placed:
    """A document that the outlook has on its due date, unless another one is given."""
    return Placed(due or on, on, Decimal(home), own)


def spread(documents: Sequence[Placed], whole: Sequence[int]) -> dict[date, Decimal]:
    return spread_by(documents, whole, as_of=MONDAY, last=LAST)


def test_where_half_came_a_week_late_half_of_what_is_expected_does() -> None:
    moved = spread([placed(date(2026, 3, 11))], HALF_A_WEEK_LATE)

    assert moved == {week(2): -500, week(3): 500}


def test_what_did_not_come_on_its_day_is_among_the_late_ones() -> None:
    """Expected on Friday and not paid by Monday: the other half is left, and all of it comes a week after its day."""
    document = placed(date(2026, 3, 3), due=date(2026, 2, 27))

    assert spread([document], HALF_A_WEEK_LATE) == {}
    assert spread([placed(week(2), due=date(2026, 2, 27))], HALF_A_WEEK_LATE) == {
        week(1): 1_000,
        week(2): -1_000,
    }


def test_documents_later_than_nearly_all_past_ones_stay_on_their_day() -> None:
    document = placed(week(3), due=MONDAY - timedelta(days=8))

    assert spread([document], HALF_A_WEEK_LATE) == {}


def test_a_party_s_own_settlements_count_each_and_the_whole_counts_as_one() -> None:
    """Three of its own came two weeks late: they take three quarters, and an eighth each goes the whole's two ways."""
    moved = spread([placed(date(2026, 3, 11), own=[14, 14, 14])], HALF_A_WEEK_LATE)

    assert moved == {week(2): -875, week(3): 125, week(4): 750}


def test_own_settlements_that_would_be_past_by_now_tell_nothing_more() -> None:
    """Eight days late, as two of its own and none of the whole: it comes as those two did."""
    document = placed(week(3), due=MONDAY - timedelta(days=8), own=[0, 0, 0, 9, 23])

    assert spread([document], HALF_A_WEEK_LATE) == {week(1): 500, week(3): -500}


def test_few_settled_documents_tell_nothing() -> None:
    few = sorted([0, 7] * (LEAST_DOCUMENTS // 2))[:-1]

    assert spread([placed(date(2026, 3, 11))], few) == {}


def test_what_comes_behind_the_last_day_leaves_the_horizon() -> None:
    moved = spread([placed(LAST)], HALF_A_WEEK_LATE)

    assert list(moved.values()) == [-500]


def test_bills_leave_late_as_money_that_stays_longer() -> None:
    moved = spread([placed(date(2026, 3, 11), -1_000)], HALF_A_WEEK_LATE)

    assert moved == {week(2): 500, week(3): -500}


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5_000)), max_size=12),
    st.lists(st.integers(-10, 20), min_size=LEAST_DOCUMENTS, max_size=80),
)
def test_within_a_long_horizon_nothing_is_lost_or_won(documents: list[tuple[int, int]], delays: list[int]) -> None:
    given_documents = [placed(MONDAY + timedelta(days=ahead), home) for ahead, home in documents]

    moved = spread(given_documents, sorted(delays))

    assert abs(sum(moved.values(), Decimal(0))) <= Decimal("0.0020")
    assert spread(given_documents[::-1], sorted(delays)) == moved


def test_parties_with_alike_habits_count_as_three_of_its_own() -> None:
    """Three fifths come a week late with those alike, a fifth two weeks late as its own, a tenth each as the whole."""
    document = placed(date(2026, 3, 11), own=[14])._replace(alike=[7] * 30)

    assert spread([document], HALF_A_WEEK_LATE) == {week(2): -900, week(3): 700, week(4): 200}


def test_what_those_alike_would_have_paid_by_now_tells_nothing_more() -> None:
    """A day late: of those alike none is left, and what is left of the whole comes a week after its day."""
    document = placed(week(2), due=date(2026, 3, 1))._replace(alike=[0] * 30)

    assert spread([document], HALF_A_WEEK_LATE) == {week(1): 1_000, week(2): -1_000}


def test_groups_hold_whom_their_median_puts_side_by_side() -> None:
    early, late = {f"{n}E": [-2, 0, 1] for n in range(9)}, {f"{n}L": [5, 40] for n in range(13)}
    groups = group_alike(early | late)

    assert groups["0E"] == sorted([-2, 0, 1] * 9)
    assert groups["0L"] == sorted([5, 40] * 13)
    assert len({id(days) for days in groups.values()}) == 2


def test_the_slowest_few_join_those_before_them() -> None:
    groups = group_alike({f"E{n}": [0] for n in range(ALIKE_DOCUMENTS)} | {"slow": [90]})

    assert groups["slow"] == groups["E0"] == [0] * ALIKE_DOCUMENTS + [90]


@given(
    st.dictionaries(st.text(max_size=3), st.lists(st.integers(-30, 90), min_size=1).map(sorted), max_size=60),
    st.randoms(use_true_random=False),
)
def test_every_party_is_in_one_group_whatever_their_order(own: dict[str, list[int]], random: Random) -> None:
    groups = group_alike(own)
    shuffled = dict(random.sample(list(own.items()), len(own)))

    assert group_alike(shuffled) == groups
    assert groups.keys() == own.keys()
    shared = {id(days): days for days in groups.values()}.values()
    assert sorted(chain.from_iterable(shared)) == sorted(chain.from_iterable(own.values()))
    assert len(shared) == 1 or all(len(days) >= ALIKE_DOCUMENTS for days in shared) or not own
