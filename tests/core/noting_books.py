"""Books that note which of their fields somebody looks at."""

from collections.abc import Callable
from typing import Any

from runway_core.domain.books import LISTS, Books

FIELDS = sorted(Books.model_fields)

_seen: set[str] = set()


class NotingBooks(Books):
    """Who reads the chart or a list looks at that, not at the accounts, vendors or customers behind it."""

    def __getattribute__(self, name: str) -> Any:
        before = set(_seen)
        value = super().__getattribute__(name)
        if name in LISTS:
            _seen.intersection_update(before)
        if name in LISTS or name in Books.model_fields:
            _seen.add(name)
        return value


def list_looked_at(given_books: Books, look: Callable[[Books], object]) -> set[str]:
    """The fields and lists of books that `look` reads."""
    noting = NotingBooks.trusted({name: getattr(given_books, name) for name in FIELDS})
    _seen.clear()
    look(noting)
    return set(_seen)


def mix_books(first: Books, second: Books, names: list[str]) -> Books:
    """The first books, with some fields of the second."""
    return Books.trusted({name: getattr(second if name in names else first, name) for name in FIELDS})
