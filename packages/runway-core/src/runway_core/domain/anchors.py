"""Anchors: at one moment, where every company's chain ended, under one signature.

A chain shows what was changed within it; that it was cut off, or written anew as a whole, only shows beside something
that its database's owner cannot rewrite. An anchor is that: a Merkle tree over all heads (RFC 6962: `0x00` before a
leaf, `0x01` before a node), chained to the anchor before it and signed. The bytes stand in `docs/reference/log.md`.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from struct import Struct
from typing import NamedTuple

import msgspec

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import ChainHead, from_microseconds, to_microseconds

ANCHOR_SERIALISATION = 1
FIRST_PREVIOUS = bytes(32)
SIGNED_AS = b"runway anchor 1\x00"
"""What stands before the bytes of an anchor when they are signed: a signature of anything else is none of an anchor."""
ENDORSED_AS = b"runway key 1\x00"
"""The same before a new public key that the old key vouches for."""

_LEAF = Struct(">B3I")
_ANCHOR = Struct(">B6I")


class AnchorLeaf(NamedTuple):
    """Where one company's chain ended."""

    company_id: CompanyId
    sequence: int
    head_hash: bytes

    @property
    def head(self) -> ChainHead:
        """The same as the head of a chain."""
        return ChainHead(sequence=self.sequence, hash=self.head_hash)


@dataclass(frozen=True, slots=True)
class Anchor:
    """All heads at one moment.

    leaves       the heads that moved since the anchor before, by company; all of them where `is_whole`
    root, size   the tree over all heads, those that did not move too, and how many they are
    public_key   whose signature it is; `endorsement` is the signature of the key before, where the key is new
    """

    number: int  # 1, 2, 3 … without a gap
    made_at: datetime
    previous: bytes  # the hash of the anchor before
    root: bytes
    size: int
    public_key: bytes
    is_whole: bool
    leaves: tuple[AnchorLeaf, ...]
    signature: bytes = b""
    endorsement: bytes = b""


def _join(struct: Struct, fields: Sequence[bytes]) -> bytes:
    return b"".join((struct.pack(ANCHOR_SERIALISATION, *map(len, fields)), *fields))


def hash_leaf(leaf: AnchorLeaf) -> bytes:
    """The leaf of one company in the tree."""
    encoded = _join(_LEAF, (leaf.company_id.encode(), b"%d" % leaf.sequence, leaf.head_hash))
    return hashlib.sha256(b"\x00" + encoded).digest()


def compute_root(leaves: Mapping[CompanyId, AnchorLeaf]) -> bytes:
    """The root of the tree over all heads, by the bytes of the company's id; of no heads, the hash of nothing."""
    return _climb([hash_leaf(leaves[key]) for key in sorted(leaves, key=str.encode)])[-1][0]


def _climb(level: list[bytes]) -> list[list[bytes]]:
    """A tree level by level, from the leaves to the root."""
    levels = [level or [hashlib.sha256(b"").digest()]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([_join_nodes(below, at) for at in range(0, len(below), 2)])
    return levels


def _join_nodes(level: Sequence[bytes], at: int) -> bytes:
    """The node over a pair; an odd one moves up as it is: the tree of RFC 6962."""
    pair = level[at : at + 2]
    return hashlib.sha256(b"\x01" + pair[0] + pair[1]).digest() if len(pair) > 1 else pair[0]


class HeadTree:
    """The tree over all heads, brought from anchor to anchor: each costs what moved, not how many there are."""

    def __init__(self) -> None:
        self._leaves: dict[CompanyId, AnchorLeaf] = {}
        self._hashes: dict[CompanyId, bytes] = {}
        self._places: dict[CompanyId, int] = {}
        self._levels = _climb([])

    def __len__(self) -> int:
        return len(self._leaves)

    @property
    def root(self) -> bytes:
        """What `compute_root` is of the same heads."""
        return self._levels[-1][0]

    def follow(self, anchor: Anchor) -> None:
        """Take the heads of the next anchor."""
        changed = [leaf for leaf in anchor.leaves if self._leaves.get(leaf.company_id) != leaf]
        gone = self._leaves.keys() - {leaf.company_id for leaf in anchor.leaves} if anchor.is_whole else ()
        for company_id in tuple(gone):
            del self._leaves[company_id], self._hashes[company_id]
        for leaf in changed:
            self._leaves[leaf.company_id] = leaf
            self._hashes[leaf.company_id] = hash_leaf(leaf)
        if gone or any(leaf.company_id not in self._places for leaf in changed):
            names = sorted(self._leaves, key=str.encode)
            self._places = {name: place for place, name in enumerate(names)}
            self._levels = _climb([self._hashes[name] for name in names])
        else:
            self._renew([leaf.company_id for leaf in changed])

    def _renew(self, moved: Sequence[CompanyId]) -> None:
        """Compute anew only what stands above the leaves that moved."""
        touched = {self._places[name] for name in moved}
        for name in moved:
            self._levels[0][self._places[name]] = self._hashes[name]
        for below, above in pairwise(self._levels):
            touched = {place // 2 for place in touched}
            for place in touched:
                above[place] = _join_nodes(below, place * 2)


def encode_anchor(anchor: Anchor) -> bytes:
    """The canonical bytes of an anchor: what is hashed and signed."""
    fields = (
        b"%d" % anchor.number,
        b"%d" % to_microseconds(anchor.made_at),
        anchor.previous,
        anchor.root,
        b"%d" % anchor.size,
        anchor.public_key,
    )
    return _join(_ANCHOR, fields)


def hash_anchor(anchor: Anchor) -> bytes:
    """What the next anchor is chained to."""
    return hashlib.sha256(b"\x03" + encode_anchor(anchor)).digest()


def replay_leaves(held: Mapping[CompanyId, AnchorLeaf], anchor: Anchor) -> dict[CompanyId, AnchorLeaf]:
    """All heads as of `anchor`, where `held` are those of the anchor before it."""
    moved = {leaf.company_id: leaf for leaf in anchor.leaves}
    return moved if anchor.is_whole else {**held, **moved}


def write_anchor(anchor: Anchor) -> bytes:
    """An anchor as one line of JSON, for a file."""
    return msgspec.json.encode(
        {
            "runway_anchor": ANCHOR_SERIALISATION,
            "number": anchor.number,
            "made_at": to_microseconds(anchor.made_at),
            "previous": anchor.previous.hex(),
            "root": anchor.root.hex(),
            "size": anchor.size,
            "public_key": anchor.public_key.hex(),
            "is_whole": anchor.is_whole,
            "leaves": [(leaf.company_id, leaf.sequence, leaf.head_hash.hex()) for leaf in anchor.leaves],
            "signature": base64.b64encode(anchor.signature).decode(),
            "endorsement": base64.b64encode(anchor.endorsement).decode(),
        }
    )


class _AnchorDocument(msgspec.Struct):
    runway_anchor: int
    number: int
    made_at: int
    previous: str
    root: str
    size: int
    public_key: str
    is_whole: bool
    leaves: list[tuple[str, int, str]]
    signature: str
    endorsement: str


_decode = msgspec.json.Decoder(_AnchorDocument).decode


def read_anchor(document: bytes) -> Anchor:
    """Read what `write_anchor` wrote.

    Raises:
        ValueError: it is no anchor of this serialisation.
    """
    try:
        read = _decode(document)
        if read.runway_anchor != ANCHOR_SERIALISATION:
            raise ValueError(f"an anchor of serialisation {read.runway_anchor}")
        return Anchor(
            number=read.number,
            made_at=from_microseconds(read.made_at),
            previous=bytes.fromhex(read.previous),
            root=bytes.fromhex(read.root),
            size=read.size,
            public_key=bytes.fromhex(read.public_key),
            is_whole=read.is_whole,
            leaves=tuple(
                AnchorLeaf(CompanyId(company_id), sequence, bytes.fromhex(digest))
                for company_id, sequence, digest in read.leaves
            ),
            signature=base64.b64decode(read.signature, validate=True),
            endorsement=base64.b64decode(read.endorsement, validate=True),
        )
    except (msgspec.MsgspecError, binascii.Error, OverflowError, RecursionError) as error:
        raise ValueError(f"no anchor: {error}") from error
