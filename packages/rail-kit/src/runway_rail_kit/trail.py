"""Following a list from page to page, without going round in circles when the vendor does."""

from collections import Counter

from runway_core.errors import RailUnavailable

SAME_PLACE_ALLOWED = 8
"""So often may a list name one place: a page may come again now and then, and a reading may begin anew."""


class PageTrail:
    """The places that a list named for its next pages: cursors, ids or addresses. One trail a reading."""

    def __init__(self, *, rail: str, title: str, doing: str) -> None:
        self._rail = rail
        self._title = title
        self._doing = doing
        self._named: Counter[str] = Counter()

    def follow(self, place: str) -> str:
        """The place, to be asked for next.

        Raises:
            RailUnavailable: the list leads there again and again, and would never end.
        """
        self._named[place] += 1
        if self._named[place] > SAME_PLACE_ALLOWED:
            raise RailUnavailable(
                f"{self._title} answers with the same page again and again ({self._doing}); try again later",
                rail=self._rail,
            )
        return place
