"""What a cursor of ours holds: which events and movements were seen, and when what else was last asked for."""

import msgspec
from runway_core.domain.changes import Cursor
from runway_rail_kit import UNREADABLE

OVERLAP_SECONDS = 120
"""So far back events are asked for again: two may share a second, and one may show late."""

EVENTS_LAST_SECONDS = 28 * 86_400
"""Stripe keeps events for thirty days: after a longer silence everything is read again."""

_TAIL = 14


class Place(msgspec.Struct, omit_defaults=True):
    """Seconds since 1970; those of Stripe's clock but for the times at which was asked."""

    event_at: int = 0  # when the newest event was made; nil: nothing was read yet
    events: list[str] = []  # the ends of the ids of events within the overlap
    entry_at: int = 0  # when the newest movement was made
    entries: list[str] = []  # the movements of that very second
    fed_at: int = 0  # our clock: when movements were last asked for
    swept_at: int = 0  # our clock

    @property
    def is_new(self) -> bool:
        """Whether nothing was read yet."""
        return self.event_at == 0

    def is_lost(self, now: int) -> bool:
        """Whether events of the time since may be gone."""
        return now - max(self.event_at, self.fed_at) > EVENTS_LAST_SECONDS

    def knows_event(self, event_id: str) -> bool:
        """Whether an event was seen."""
        return event_id[-_TAIL:] in self.events

    def see_events(self, made: dict[str, int]) -> "Place":
        """Move on to the newest of these events, by id."""
        if not made:
            return self
        newest = max(self.event_at, *made.values())
        kept = [event_id[-_TAIL:] for event_id, at in made.items() if at >= newest - OVERLAP_SECONDS]
        return msgspec.structs.replace(self, event_at=newest, events=sorted(kept))

    def see_entries(self, made: dict[str, int]) -> "Place":
        """Move on to the newest of these movements, by id."""
        newest = max(made.values(), default=0)
        if not newest or newest < self.entry_at:
            return self
        kept = {entry_id for entry_id, at in made.items() if at == newest}
        kept |= set(self.entries) if newest == self.entry_at else set()
        return msgspec.structs.replace(self, entry_at=newest, entries=sorted(kept))


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
