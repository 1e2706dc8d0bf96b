from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.matching.subset_sums import MOST_PARTS, find_subsets


def count_by_trying(amounts: list[int], target: int) -> int:
    return sum(sum(chosen) == target for size in range(2, MOST_PARTS + 1) for chosen in combinations(amounts, size))


@given(st.lists(st.integers(1, 40), max_size=11), st.integers(1, 200))
def test_one_way_is_told_from_none_and_from_many(amounts: list[int], target: int) -> None:
    answer = find_subsets(amounts, target)

    assert len(answer.ways) == min(count_by_trying(amounts, target), 2)
    assert all(sum(amounts[place] for place in way) == target for way in answer.ways)
    assert len(set(answer.ways)) == len(answer.ways)


def test_twenty_five_candidates_are_searched_whole() -> None:
    amounts = [3**n for n in range(25)]
    target = sum(amounts[::4])

    assert find_subsets(amounts, target).only == tuple(range(0, 25, 4))


def test_twenty_five_equal_amounts_are_not_counted_out() -> None:
    assert len(find_subsets([1000] * 25, 8000).ways) == 2


def test_what_is_too_much_is_said() -> None:
    assert find_subsets([1] * 26, 5).gave_up
    assert find_subsets([1] * 9, 9).gave_up == "only sums of more than 8 fit"
    assert find_subsets([5], 5) == find_subsets([], 5)
