"""Where the next reading starts: a small JSON document of this rail's own, opaque to everyone else.

A whole reading that is under way keeps the ids it has read in its cursor, a few bits each, so that a process that was
killed goes on where it stopped and still knows at the end which records are there. Afterwards a cursor is a few hundred
bytes.
"""

import base64
import re
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from runway_core.domain.changes import Cursor
from runway_rail_kit import UNREADABLE

VERSION = 1
_PLAIN_NUMBER = re.compile("0|[1-9][0-9]{0,16}")
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Whole(msgspec.Struct, tag="whole", tag_field="phase", kw_only=True):
    """A whole reading under way: `kind` is the next or present one; `read` holds packed ids per kind."""

    version: int = VERSION
    realm_id: str
    began: Time  # Intuit's clock when the first answer came
    asked_at: Time  # our clock at that moment
    kind: str  # empty once all kinds are read and only what happened meanwhile is missing
    position: int = 0  # how far `kind` is read, in the order of ids
    read: dict[str, list[str]] = {}


class Since(msgspec.Struct, tag="since", tag_field="phase", kw_only=True):
    """Everything is known up to `since`, by Intuit's clock; `asked_at` is our clock at that moment."""

    version: int = VERSION
    realm_id: str
    since: Time
    asked_at: Time
    company_at: Time
    seen: list[int] = []  # marks of money records that the overlap will bring again


State = Whole | Since
_decoder: msgspec.json.Decoder[State] = msgspec.json.Decoder(State)
_encoder = msgspec.json.Encoder()


def write_cursor(state: State) -> Cursor:
    """Turn a state into a cursor."""
    return Cursor(_encoder.encode(state).decode())


def read_cursor(cursor: Cursor | None, *, realm_id: str) -> State | None:
    """Turn a cursor into a state; `None` means to read everything.

    A cursor that cannot be understood, or belongs to another company, tells nothing: everything is read again.
    """
    if cursor is None:
        return None
    try:
        state = _decoder.decode(cursor.token)
    except UNREADABLE:
        return None
    return state if state.version == VERSION and state.realm_id == realm_id else None


def pack_ids(ids: Iterable[str]) -> str:
    """Write ids as little text; the order is not kept."""
    numbers = []
    others = []
    for external_id in ids:
        if _PLAIN_NUMBER.fullmatch(external_id):
            numbers.append(int(external_id))
        else:
            others.append(external_id)
    numbers.sort()
    steps = [after - before for before, after in zip([0, *numbers], numbers, strict=False)]
    return base64.b64encode(zlib.compress(_encoder.encode([steps, others]), 6)).decode()


def unpack_ids(packed: Sequence[str]) -> set[str]:
    """Read ids that `pack_ids` wrote."""
    ids: set[str] = set()
    for part in packed:
        steps, others = msgspec.json.decode(zlib.decompress(base64.b64decode(part)), type=tuple[list[int], list[str]])
        number = 0
        for step in steps:
            number += step
            ids.add(str(number))
        ids.update(others)
    return ids
