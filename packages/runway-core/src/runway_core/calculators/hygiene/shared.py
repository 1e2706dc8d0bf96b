"""What several checks need of the same books, computed once."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import ref

from runway_core.calculators.matching.at_bank import PAIRING_READS
from runway_core.calculators.matching.drift import Drift, compute_drifts
from runway_core.domain.books import Books

Made = TypeVar("Made")


class OncePerBooks(Generic[Made]):
    """A pure function of books that answers the next question about the same books without computing anew.

    It remembers the last books alone, and does not keep them alive. Who computes twice at once computes the same.
    """

    def __init__(self, compute: Callable[[Books], Made]) -> None:
        self._compute = compute
        self._last: tuple[ref[Books], Made] | None = None

    def __call__(self, books: Books) -> Made:
        """What the function makes of `books`."""
        last = self._last
        if last is not None and last[0]() is books:
            return last[1]
        made = self._compute(books)
        self._last = (ref(books), made)
        return made


find_drifts: OncePerBooks[tuple[Drift, ...]] = OncePerBooks(compute_drifts)
"""The drift of each account that both the bank and the ledger show."""

DRIFT_READS = PAIRING_READS | {"bank_balances", "read_at"}
"""The fields of books that drifts depend on."""
