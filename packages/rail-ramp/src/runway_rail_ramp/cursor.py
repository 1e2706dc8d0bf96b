"""Where the next reading starts: times of windows and the open bills that were seen, or a place in a whole reading."""

from datetime import datetime

import msgspec
from runway_core.domain.changes import Cursor
from runway_core.domain.identity import RecordKind
from runway_rail_kit import UNREADABLE


class Loading(msgspec.Struct):
    """A whole reading that is under way."""

    kind: RecordKind  # that is read
    began: datetime
    url: str | None = None  # of the page that comes next; `None`: the first of the kind
    purchases_since: datetime | None = None  # `None`: as far back as a first load goes
    is_resumed: bool = False  # it was broken off: what was there before is not known any more


class Place(msgspec.Struct):
    """What a cursor holds."""

    since: datetime | None = None  # news are asked for from here on
    whole_at: datetime | None = None  # when the last whole reading began
    looked_at: datetime | None = None  # when what tells of no change was last looked through
    open_ids: list[str] | None = None  # the open bills, while they fit on one page
    several: dict[str, list[str]] = {}  # open bills with several payments: the ids of all but the first
    loading: Loading | None = None


def read_place(cursor: Cursor | None) -> Place:
    """Read a cursor; one that cannot be read counts as none."""
    if cursor is None:
        return Place()
    try:
        return msgspec.json.decode(cursor.token, type=Place)
    except UNREADABLE:
        return Place()


def write_place(place: Place) -> Cursor:
    """Write a cursor."""
    return Cursor(msgspec.json.encode(place).decode())
