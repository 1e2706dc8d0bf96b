"""Pieces of a chain that were written into files, and the entry that says one of them was taken out of the table.

A piece is a file of a chain's entries with a manifest beside it: what is in it, signed. When its entries leave the
table, the chain itself says so: the mark holds the manifest, signature and all, so that a head that was archived and
one that was deleted are told apart for as long as the chain stands.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runway_core.domain.changes import Attribution
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.log_files import ARCHIVE_SIGNED_AS

MANIFEST_SERIALISATION = 1
DETACHED = "log_detached"
RESTORED = "log_restored"
ABOUT = "log"
"""The kind of both entries; what they are about is named by its first and last number."""


@dataclass(frozen=True, slots=True)
class ArchivedPiece:
    """What the manifest of a piece says."""

    owner: CompanyId  # whose chain
    first: int
    last: int
    last_hash: bytes
    file: str  # beside the manifest
    sha256: bytes  # of the file
    anchor: int  # the number of one that covers it
    document: bytes  # the manifest, as it stands
    signed: bytes  # the bytes that are signed, what stands before them included
    public_key: bytes
    signature: bytes

    @property
    def name(self) -> str:
        """What entries about it call it."""
        return f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class DetachedPiece:
    """A piece whose entries were taken out of the table: they are in its file alone."""

    first: int
    last: int
    last_hash: bytes
    first_seen_at: datetime
    file: str
    sha256: bytes
    mark: int  # the entry that says so
    is_at_hand: bool  # whether the file can be read here and now

    @property
    def name(self) -> str:
        """What entries about it call it."""
        return f"{self.first}-{self.last}"


def encode_said(said: dict[str, Any]) -> bytes:
    """What a manifest says, as the bytes that are signed."""
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def write_manifest(said: bytes, *, public_key: bytes, signature: bytes) -> bytes:
    """A manifest as a file."""
    document = {
        "runway_archive": MANIFEST_SERIALISATION,
        "signed": base64.b64encode(said).decode(),
        "public_key": public_key.hex(),
        "signature": base64.b64encode(signature).decode(),
    }
    return json.dumps(document).encode() + b"\n"


def read_manifest(document: bytes) -> ArchivedPiece:
    """What a manifest says; whether it is signed is not asked here.

    Raises:
        ValueError: it is no manifest of serialisation 1.
    """
    try:
        outer = json.loads(document)
        if outer["runway_archive"] != MANIFEST_SERIALISATION:
            raise ValueError(f"it is no manifest of serialisation {MANIFEST_SERIALISATION}")
        said_bytes = base64.b64decode(outer["signed"], validate=True)
        said = json.loads(said_bytes)
        return ArchivedPiece(
            owner=CompanyId(said["company"]),
            first=int(said["first"]),
            last=int(said["last"]),
            last_hash=bytes.fromhex(said["last_hash"]),
            file=str(said["file"]),
            sha256=bytes.fromhex(said["sha256"]),
            anchor=int(said["anchor"]),
            document=document,
            signed=ARCHIVE_SIGNED_AS + said_bytes,
            public_key=bytes.fromhex(outer["public_key"]),
            signature=base64.b64decode(outer["signature"], validate=True),
        )
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"it is no manifest: {error!r}") from error


def draft_detached(piece: ArchivedPiece, *, by: Attribution, at: datetime) -> LogDraft:
    """The entry that says that a piece was taken out of the table. Its payload is the manifest."""
    return _draft(piece, DETACHED, by=by, at=at)._replace(raw=piece.document)


def draft_restored(piece: DetachedPiece, *, by: Attribution, at: datetime) -> LogDraft:
    """The entry that says that a piece was put back."""
    return _draft(piece, RESTORED, by=by, at=at)


def _draft(piece: ArchivedPiece | DetachedPiece, what: str, *, by: Attribution, at: datetime) -> LogDraft:
    said = {
        "file": piece.file,
        "first": piece.first,
        "last": piece.last,
        "last_hash": piece.last_hash.hex(),
        "sha256": piece.sha256.hex(),
    }
    return LogDraft(
        seen_at=at,
        rail="",
        kind=ABOUT,
        external_id=piece.name,
        what=what,
        attribution=by,
        content=encode_said(said),
    )


def is_mark_of(draft: LogDraft, piece: DetachedPiece, owner: CompanyId) -> ArchivedPiece | None:
    """The manifest that an entry holds, where that entry says that just this piece was taken out; else `None`."""
    if draft.what != DETACHED or draft.kind != ABOUT or draft.external_id != piece.name:
        return None
    try:
        said = read_manifest(draft.raw)
    except ValueError:
        return None
    same = (said.first, said.last, said.last_hash, said.sha256, said.file)
    is_same = same == (piece.first, piece.last, piece.last_hash, piece.sha256, piece.file)
    return said if is_same and said.owner == owner else None


def find_absent(pieces: Sequence[DetachedPiece]) -> int:
    """Up to which entry a chain cannot be recomputed because a file is not at hand; nil where all are."""
    return max((piece.last for piece in pieces if not piece.is_at_hand), default=0)
