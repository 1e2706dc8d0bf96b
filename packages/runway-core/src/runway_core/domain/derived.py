"""What was computed from books, and what it was made of: it holds for later books as far as that is the same."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

COMPARED_BY_VALUE = 100
"""Up to so many values are compared one by one; longer lists are the same only when nobody read them anew."""


class Derived(NamedTuple):
    """A value, the fields of the books that it was made of, and what else was given."""

    value: Any
    reads: frozenset[str]
    given: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})


class Piece(NamedTuple):
    """What one part of the books gave, and all that it was given: it holds as long as that is equal."""

    given: tuple[Any, ...]
    value: Any


class Derivable(Protocol):
    """What values are computed from."""

    @property
    def derived(self) -> Mapping[Callable[..., Any], Derived]:
        """What was made so far."""

    def derive(self, compute: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """The value that `compute` makes, made once."""

    def derive_each(
        self, compute: Callable[..., Any], given: Mapping[Any, tuple[Any, ...]], *, part: str = ""
    ) -> dict[Any, Any]:
        """What `compute` makes of each of many things given."""


class Watched:
    """Stands in for books while one value is computed from them, and notes which of their fields are looked at.

    It must not outlive that: a value that looked at the books later would change unseen.
    """

    def __init__(self, books: Derivable, fields_of: Mapping[str, frozenset[str]]) -> None:
        """`fields_of` names the fields behind every attribute; others stand for all of the books."""
        self.__dict__["_books"] = books
        self.__dict__["_fields_of"] = fields_of
        self.__dict__["_reads"] = set()

    def __getattr__(self, name: str) -> Any:
        """What the books have under that name; the second time it is found without asking."""
        if "_books" not in self.__dict__:
            raise RuntimeError(f"{name!r} was read after its value was made: derive what is needed at once")
        fields = self._fields_of
        self._reads.update(fields[name] if name in fields else frozenset[str]().union(*fields.values()))
        value = self.__dict__[name] = getattr(self._books, name)
        return value

    def derive(self, compute: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """What is made of another value is made of what that one read."""
        value = self._books.derive(compute, *args, **named)
        self._reads.update(self._books.derived[compute].reads)
        return value

    def derive_each(
        self, compute: Callable[..., Any], given: Mapping[Any, tuple[Any, ...]], *, part: str = ""
    ) -> dict[Any, Any]:
        """What is given was read here, or made of what was."""
        made: dict[Any, Any] = self._books.derive_each(compute, given, part=part)
        return made

    def close(self) -> frozenset[str]:
        """The fields that were looked at."""
        reads = frozenset(self._reads)
        self.__dict__.clear()
        return reads


def make_pieces(
    compute: Callable[..., Any], given: Mapping[Any, tuple[Any, ...]], held: Mapping[Any, Piece]
) -> dict[Any, Piece]:
    """A piece for each key, the held one where it was made of the same; records held on to compare at once."""
    made: dict[Any, Piece] = {}
    for key, each in given.items():
        piece = held.get(key)
        made[key] = piece if piece is not None and piece.given == each else Piece(each, compute(*each))
    return made


def is_same(before: object, now: object) -> bool:
    """Whether two readings of one field gave the same; a long list that was read anew counts as changed."""
    if before is now:
        return True
    if isinstance(before, tuple) and isinstance(now, tuple):
        return len(before) == len(now) <= COMPARED_BY_VALUE and before == now
    return before == now
