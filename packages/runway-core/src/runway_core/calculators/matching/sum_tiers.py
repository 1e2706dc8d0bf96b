"""Tiers that add up: one payment for several documents, and one document paid in several parts.

Both ask the same of different sides: a `Whole` stands for what is to be reached, its parts for what may be added.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from runway_core.calculators.matching.money_sides import SideKey
from runway_core.calculators.matching.subset_sums import SubsetAnswer, find_subsets


@dataclass(frozen=True, slots=True)
class Whole:
    """An amount to be reached, and the parts that may be added up for it, in whole units and in the order of keys."""

    key: SideKey
    units: int
    parts: tuple[tuple[SideKey, int], ...]


@dataclass(frozen=True, slots=True)
class SumAnswer:
    """How a whole may be reached: `ways` holds two where no way is the right one."""

    key: SideKey
    ways: tuple[tuple[SideKey, ...], ...]
    is_contested: bool  # another whole may need one of the parts
    note: str = ""


def find_sums(wholes: Iterable[Whole]) -> list[SumAnswer]:
    """The ways of each whole of one party, each judged beside the others: a part that two may need decides for none."""
    found = [(whole, find_subsets([units for _, units in whole.parts], whole.units)) for whole in wholes]
    found = [(whole, answer) for whole, answer in found if answer.ways or answer.gave_up]
    needed = [_may_need(whole, answer) for whole, answer in found]
    claims = Counter(part for parts in needed for part in parts)
    return [
        SumAnswer(
            whole.key,
            tuple(tuple(whole.parts[place][0] for place in way) for way in answer.ways),
            is_contested=any(claims[part] > 1 for part in parts),
            note=answer.gave_up,
        )
        for (whole, answer), parts in zip(found, needed, strict=True)
    ]


def _may_need(whole: Whole, answer: SubsetAnswer) -> frozenset[SideKey]:
    """The parts that a whole may take: those of its only way, else any of its parts."""
    if answer.only is not None:
        return frozenset(whole.parts[place][0] for place in answer.only)
    return frozenset(key for key, _ in whole.parts)
