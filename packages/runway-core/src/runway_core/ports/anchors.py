"""Anchors of the log: where they are kept, where else they are written to, and the keys that sign them.

sink        a place outside the database, best one that its owner cannot rewrite: a folder on another machine, a
            bucket with object lock, a mailbox
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runway_core.domain.anchors import Anchor, AnchorLeaf


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key that signs anchors and archives. The newest one signs; older ones stay to verify what they signed."""

    public_key: bytes  # 32 bytes, Ed25519
    made_at: datetime
    endorsement: bytes  # the signature of the key before; empty of the first, or where that one was not at hand


class LogKeys(Protocol):
    """Keys that sign. Private ones never leave."""

    async def current(self, at: datetime) -> LogKey:
        """The key that signs; the first time it is made, and never again: other keys come by `rotate` alone.

        Raises:
            StoreUnavailable: a key cannot be kept: no secret key is set.
            InvalidRequest: this process is given another key than the one that signs.
        """
        ...

    async def rotate(self, at: datetime, *, unendorsed: bool = False) -> LogKey:
        """Make a new key that signs from now on, endorsed by the one before.

        Args:
            at: when.
            unendorsed: also where the one before is not at hand. Whoever verifies must be told the new key.

        Raises:
            StoreUnavailable: the key before is not at hand, or the new one cannot be kept.
            InvalidRequest: this process is given the key that signs already.
        """
        ...

    async def keys(self) -> Sequence[LogKey]:
        """All keys, the first one first."""
        ...

    async def sign(self, message: bytes, *, public_key: bytes) -> bytes:
        """The signature of a key, which the caller names: another one may be current a moment later.

        Raises:
            StoreUnavailable: this process does not have the private key.
        """
        ...

    def is_signed(self, message: bytes, *, signature: bytes, public_key: bytes) -> bool:
        """Whether a signature of `message` is that of a key."""
        ...


class AnchorStore(Protocol):
    """Anchors in the database, beside the chains."""

    async def heads(self) -> Sequence[AnchorLeaf]:
        """Where every company's chain ends, whoever's company it is, on one snapshot."""
        ...

    async def save(self, anchor: Anchor) -> bool:
        """Keep an anchor; false when another one took its number."""
        ...

    async def anchors(self, *, after: int = 0) -> Sequence[Anchor]:
        """The anchors after a number, in order.

        Raises:
            LogBroken: one cannot be read.
        """
        ...

    async def last_whole(self, *, before: datetime | None = None) -> int:
        """The number of the last anchor that holds all heads, made before a moment; nil when there is none."""
        ...

    async def last(self) -> Anchor | None:
        """The newest anchor."""
        ...


class AnchorSink(Protocol):
    """A place outside the database to which anchors are written, each once and in order."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def put(self, anchor: Anchor) -> None:
        """Write an anchor that it does not hold; the same one again is harmless.

        Raises:
            StoreUnavailable: it cannot be written.
            LogBroken: it holds another anchor under that number.
        """
        ...

    async def anchors(self, *, after: int = 0) -> Sequence[Anchor]:
        """What it holds after a number, in order.

        Raises:
            StoreUnavailable: it cannot be read.
            LogBroken: an anchor cannot be read.
        """
        ...

    async def last_number(self) -> int:
        """The number of the newest anchor it holds; nil when it is empty."""
        ...
