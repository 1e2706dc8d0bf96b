"""How alike two names are: shared words and letters, rare ones counting more. Whole numbers only, so it repeats.

Measured on company names of two sources (docs/explanation/matching.md): precision 0.995, recall 0.95.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from math import log2
from typing import NamedTuple

from runway_core.calculators.matching.names import GENERIC_WORDS
from runway_core.domain.identity import RecordKey

SHORTLIST = 10
_WHOLE = 1024  # weight of a thing that half of the names have
_GENERIC_SHARE = 4


class LikelyName(NamedTuple):
    """One name of a party in its first form."""

    form: str
    party: RecordKey
    name: str


class Likeness(NamedTuple):
    """How alike a known name is to the one asked for, 0 to 100, and the words they share, rarest first."""

    score: int
    known: LikelyName
    shared: tuple[str, ...]


class NameLikeness:
    """Known names by their runs of three letters."""

    def __init__(self, known: Iterable[LikelyName]) -> None:
        self._known: Sequence[LikelyName] = sorted(set(known))
        words = [frozenset(name.form.split()) for name in self._known]
        runs = [_runs_of(name.form) for name in self._known]
        self._word_weights = _weigh(words)
        self._run_weights = _weigh(runs)
        self._unseen = _rarity(len(self._known), 1)
        self._words = words
        self._word_sums = [self._sum_words(each) for each in words]
        self._run_sums = [self._sum_runs(each) for each in runs]
        self._having: dict[str, list[int]] = {}
        for place, each in enumerate(runs):
            for run in each:
                self._having.setdefault(run, []).append(place)

    def rank(self, form: str) -> list[Likeness]:
        """The known names most alike to a first form, best first, one for each party; at most ten."""
        runs, words = _runs_of(form), frozenset(form.split())
        shared: Counter[int] = Counter()
        for run in runs:
            weight = self._run_weights.get(run, 0)
            for place in self._having.get(run, ()):
                shared[place] += weight
        run_sum, word_sum = self._sum_runs(runs), self._sum_words(words)
        near = nsmallest(
            SHORTLIST,
            shared,
            key=lambda place: (-2000 * shared[place] // (run_sum + self._run_sums[place]), place),
        )
        first = form.split()[:1]
        found: dict[RecordKey, Likeness] = {}
        for place in near:
            known = self._known[place]
            in_both = words & self._words[place]
            both = self._sum_words(in_both)
            parts = (
                200 * shared[place] // (run_sum + self._run_sums[place]),
                200 * both // max(word_sum + self._word_sums[place], 1),
                100 * shared[place] // min(run_sum, self._run_sums[place]),
                100 * both // max(min(word_sum, self._word_sums[place]), 1),
                100 if known.form.split()[:1] == first else 0,
            )
            rarest = sorted(in_both, key=lambda word: (-self._word_weights.get(word, 0), word))
            likeness = Likeness(sum(parts) // len(parts), known, tuple(rarest))
            if known.party not in found or found[known.party].score < likeness.score:
                found[known.party] = likeness
        return sorted(found.values(), key=lambda likeness: (-likeness.score, likeness.known))

    def _sum_words(self, words: Iterable[str]) -> int:
        return sum(self._weigh_word(word) for word in words)

    def _weigh_word(self, word: str) -> int:
        weight = self._word_weights.get(word, self._unseen)
        # In a short list of vendors "services" may be as rare as a name.
        return min(weight, self._unseen // _GENERIC_SHARE) if word in GENERIC_WORDS else weight

    def _sum_runs(self, runs: Iterable[str]) -> int:
        return sum(self._run_weights.get(run, self._unseen) for run in runs)


def _runs_of(form: str) -> frozenset[str]:
    padded = f" {form} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))


def _weigh(sets: Sequence[frozenset[str]]) -> dict[str, int]:
    counts = Counter(part for each in sets for part in each)
    rarities = {count: _rarity(len(sets), count) for count in set(counts.values())}
    return {part: rarities[count] for part, count in counts.items()}


def _rarity(names: int, having: int) -> int:
    return max(int(_WHOLE * log2((names + 1) / having)), 1)
