"""Movements and documents under the keys that tiers look them up by, within a key by day."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import date, timedelta

from runway_core.calculators.matching.money_sides import MoneyDocument, MoneyMovement


class DocumentShelves:
    """Documents by key; a document may stand under many. Within a key, those that began last come first."""

    def __init__(
        self, documents: Iterable[MoneyDocument], keys_of: Callable[[MoneyDocument], Iterable[Hashable]]
    ) -> None:
        self._unsorted: dict[Hashable, list[MoneyDocument]] = {}
        self._sorted: dict[Hashable, tuple[list[MoneyDocument], list[date], timedelta]] = {}
        for document in documents:
            for key in keys_of(document):
                self._unsorted.setdefault(key, []).append(document)

    def under(self, key: Hashable) -> list[MoneyDocument]:
        """All under a key."""
        return self._shelf(key)[0]

    def on(self, key: Hashable, day: date) -> Iterator[MoneyDocument]:
        """Those under a key whose money may move on `day`."""
        held, begins, longest = self._shelf(key)
        for place in range(bisect_right(begins, day) - 1, -1, -1):
            if day - begins[place] > longest:
                return
            if day <= held[place].until:
                yield held[place]

    def _shelf(self, key: Hashable) -> tuple[list[MoneyDocument], list[date], timedelta]:
        """A shelf in order, put so when it is first asked for: most never are."""
        if key not in self._unsorted:
            return _NO_DOCUMENTS
        if key not in self._sorted:
            held = sorted(self._unsorted[key], key=lambda document: (document.since, document.key))
            longest = max(document.until - document.since for document in held)
            self._sorted[key] = (held, [document.since for document in held], longest)
        return self._sorted[key]


class MovementShelves:
    """Movements by key; a movement may stand under many. Within a key by day."""

    def __init__(
        self, movements: Iterable[MoneyMovement], keys_of: Callable[[MoneyMovement], Iterable[Hashable]]
    ) -> None:
        self._unsorted: dict[Hashable, list[MoneyMovement]] = {}
        self._sorted: dict[Hashable, tuple[list[MoneyMovement], list[date]]] = {}
        for movement in movements:
            for key in keys_of(movement):
                self._unsorted.setdefault(key, []).append(movement)

    def under(self, key: Hashable) -> list[MoneyMovement]:
        """All under a key."""
        return self._shelf(key)[0]

    def between(self, key: Hashable, since: date, until: date) -> list[MoneyMovement]:
        """Those under a key from `since` to `until`, both included."""
        held, days = self._shelf(key)
        return held[bisect_left(days, since) : bisect_right(days, until)]

    def _shelf(self, key: Hashable) -> tuple[list[MoneyMovement], list[date]]:
        if key not in self._unsorted:
            return _NO_MOVEMENTS
        if key not in self._sorted:
            held = sorted(self._unsorted[key], key=lambda movement: (movement.day, movement.key))
            self._sorted[key] = (held, [movement.day for movement in held])
        return self._sorted[key]


_NO_DOCUMENTS: tuple[list[MoneyDocument], list[date], timedelta] = ([], [], timedelta())
_NO_MOVEMENTS: tuple[list[MoneyMovement], list[date]] = ([], [])
