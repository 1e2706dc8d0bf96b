"""Anchors and their keys in memory. The signatures are keyed hashes: they prove nothing outside of one test."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from runway_core.domain.anchors import ENDORSED_AS, Anchor, AnchorLeaf
from runway_core.domain.identity import CompanyId
from runway_core.errors import LogBroken
from runway_core.ports.anchors import LogKey

from runway_testkit.memory_people import MemoryChain
from runway_testkit.memory_state import CompanyState


class MemoryAnchorStore:
    """The `AnchorStore` in memory. Tests may rewrite `kept`."""

    def __init__(self, states: Mapping[CompanyId, CompanyState], firms: Mapping[CompanyId, MemoryChain]) -> None:
        self._states = states
        self._firms = firms
        self.kept: list[Anchor] = []

    async def heads(self) -> Sequence[AnchorLeaf]:
        """Where every chain ends."""
        chains: list[tuple[CompanyId, CompanyState | MemoryChain]] = [*self._states.items(), *self._firms.items()]
        return [AnchorLeaf(owner, one.head.sequence, one.head.hash) for owner, one in chains if one.head.sequence]

    async def save(self, anchor: Anchor) -> bool:
        """Keep an anchor; false when another one took its number."""
        if any(held.number == anchor.number for held in self.kept):
            return False
        self.kept.append(anchor)
        return True

    async def anchors(self, *, after: int = 0) -> Sequence[Anchor]:
        """The anchors after a number."""
        return [anchor for anchor in self.kept if anchor.number > after]

    async def last_whole(self, *, before: datetime | None = None) -> int:
        """The number of the last anchor that holds all heads, made before a moment."""
        made = [anchor for anchor in self.kept if before is None or anchor.made_at < before]
        return max((anchor.number for anchor in made if anchor.is_whole), default=0)

    async def last(self) -> Anchor | None:
        """The newest anchor."""
        return self.kept[-1] if self.kept else None


class MemoryAnchorSink:
    """The `AnchorSink` in memory."""

    name = "memory"

    def __init__(self) -> None:
        self.held: dict[int, Anchor] = {}

    async def put(self, anchor: Anchor) -> None:
        """Write an anchor that it does not hold."""
        if self.held.setdefault(anchor.number, anchor) != anchor:
            raise LogBroken(f"another anchor {anchor.number} is held: the database's is not the one that was written")

    async def anchors(self, *, after: int = 0) -> Sequence[Anchor]:
        """What it holds after a number."""
        return [anchor for number, anchor in sorted(self.held.items()) if number > after]

    async def last_number(self) -> int:
        """The number of the newest anchor it holds."""
        return max(self.held, default=0)


class MemoryLogKeys:
    """The `LogKeys` in memory: the public key is the secret too."""

    def __init__(self) -> None:
        self._keys: list[LogKey] = []

    async def current(self, at: datetime) -> LogKey:
        """The key that signs."""
        return self._keys[-1] if self._keys else await self.rotate(at)

    async def rotate(self, at: datetime, *, unendorsed: bool = False) -> LogKey:
        """Make a new key. The one before is always at hand."""
        del unendorsed
        public_key = hashlib.sha256(b"key %d" % len(self._keys)).digest()
        before = self._keys[-1].public_key if self._keys else None
        endorsement = b"" if before is None else await self.sign(ENDORSED_AS + public_key, public_key=before)
        self._keys.append(LogKey(public_key=public_key, made_at=at, endorsement=endorsement))
        return self._keys[-1]

    async def keys(self) -> Sequence[LogKey]:
        """All keys."""
        return list(self._keys)

    async def sign(self, message: bytes, *, public_key: bytes) -> bytes:
        """The signature of a key."""
        return hmac.digest(public_key, message, "sha256")

    def is_signed(self, message: bytes, *, signature: bytes, public_key: bytes) -> bool:
        """Whether a signature is that of a key."""
        return hmac.compare_digest(hmac.digest(public_key, message, "sha256"), signature)
