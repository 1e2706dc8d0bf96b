"""Which of some amounts add up to a sum, exactly: none, one way, or more than one."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

MOST_CANDIDATES = 25
MOST_PARTS = 8
LEAST_PARTS = 2


class SubsetAnswer(NamedTuple):
    """The ways found, at most two, each as places in the amounts given; two mean that no way is the right one."""

    ways: tuple[tuple[int, ...], ...]
    gave_up: str = ""  # why the search was not done, or what only a larger one would find

    @property
    def only(self) -> tuple[int, ...] | None:
        """The single way, if there is exactly one."""
        return self.ways[0] if len(self.ways) == 1 else None


def find_subsets(amounts: Sequence[int], target: int) -> SubsetAnswer:
    """Find the ways in which two to eight of `amounts` (positive whole units) add up to `target`; stop at two.

    The amounts are cut into halves and every sum of one half is looked up in the other: at most 2¹³ sums each.
    """
    if len(amounts) > MOST_CANDIDATES:
        return SubsetAnswer((), f"{len(amounts)} candidates, more than {MOST_CANDIDATES}")
    if len(amounts) < LEAST_PARTS or sum(amounts) < target:
        return SubsetAnswer(())
    middle = len(amounts) // 2
    left, right = _sum_all(amounts[:middle]), _sum_all(amounts[middle:])
    meeting = {target - total for total in left}.intersection(right)
    if not meeting:
        return SubsetAnswer(())
    ways: list[tuple[int, ...]] = []
    is_too_long = False
    for chosen in _join_halves(left, right, target, meeting, middle):
        parts = chosen.bit_count()
        if parts > MOST_PARTS:
            is_too_long = True
        elif parts >= LEAST_PARTS:
            ways.append(tuple(place for place in range(len(amounts)) if chosen >> place & 1))
            if len(ways) == 2:
                return SubsetAnswer(tuple(ways))
    return SubsetAnswer(tuple(ways), f"only sums of more than {MOST_PARTS} fit" if is_too_long and not ways else "")


def _sum_all(amounts: Sequence[int]) -> list[int]:
    """The sum of every choice; bit `n` of a choice's place says whether the n-th amount is in it."""
    sums = [0]
    for amount in amounts:
        sums += [total + amount for total in sums]
    return sums


def _join_halves(
    left: Sequence[int], right: Sequence[int], target: int, meeting: set[int], middle: int
) -> Iterator[int]:
    """Every choice of both halves that adds up to the target, as bits."""
    by_sum: dict[int, list[int]] = {}
    for choice, total in enumerate(right):
        if total in meeting:
            by_sum.setdefault(total, []).append(choice)
    for choice, total in enumerate(left):
        for other in by_sum.get(target - total, ()):
            yield choice | other << middle
