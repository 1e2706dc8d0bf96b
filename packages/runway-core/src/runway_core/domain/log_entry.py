"""One entry of the transaction log, and the bytes that its hash is taken of.

Serialisation 1, documented in `docs/reference/log.md`: a version byte, then the length of each of the fourteen fields
as four big-endian bytes, then the fields themselves. Numbers are ASCII decimals, times are microseconds since 1970 in
UTC, absent is length zero.
`leaf = SHA-256(0x00 ‖ bytes)`, `hash = SHA-256(0x02 ‖ previous hash ‖ leaf)`; a chain starts at 32 zero bytes.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.identity import CompanyId

SERIALISATION = 1
GENESIS = bytes(32)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEADER = Struct(">B14I")


class LogDraft(NamedTuple):
    """An entry before it has its place in the chain.

    `what` is the kind of entry: a `ChangeKind` for records, or an act such as `connection_added`. `content` is the
    record's canonical JSON (empty for a deletion), `raw` the rail's own payload, `changed` canonical JSON of
    `{"field": [before, after]}`.
    """

    seen_at: datetime
    rail: str
    kind: str
    external_id: str
    what: str
    attribution: Attribution
    revision: str = ""
    content: bytes = b""
    raw: bytes = b""
    changed: bytes = b""


class LogEntry(NamedTuple):
    """An entry in its place: the draft, its sequence number in the company's chain, and the hashes around it."""

    company_id: CompanyId
    sequence: int  # 1, 2, 3 … without a gap
    draft: LogDraft
    previous_hash: bytes
    hash: bytes
    canonical: bytes


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where a company's chain ends."""

    sequence: int = 0
    hash: bytes = GENESIS


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """The moment `count` microseconds after 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=count)


@lru_cache(maxsize=64)
def _encode_moment(moment: datetime) -> bytes:
    return b"%d" % to_microseconds(moment)


@lru_cache(maxsize=64)
def _encode_attribution(attribution: Attribution) -> tuple[bytes, bytes, bytes]:
    """The three fields that all entries of a page share."""
    return attribution.cause.encode(), attribution.actor.encode(), attribution.correlation_id.encode()


def encode_entry(company_id: CompanyId, sequence: int, draft: LogDraft) -> bytes:
    """The canonical bytes of one entry."""
    fields = (
        company_id.encode(),
        b"%d" % sequence,
        _encode_moment(draft.seen_at),
        draft.rail.encode(),
        draft.kind.encode(),
        draft.external_id.encode(),
        draft.what.encode(),
        draft.revision.encode(),
        draft.content,
        draft.raw,
        draft.changed,
        *_encode_attribution(draft.attribution),
    )
    return _HEADER.pack(SERIALISATION, *map(len, fields)) + b"".join(fields)


def decode_entry(canonical: bytes) -> tuple[CompanyId, int, LogDraft]:
    """Read canonical bytes back.

    Raises:
        ValueError: the bytes are of another serialisation, cut short or longer than their fields.
    """
    if not canonical or canonical[0] != SERIALISATION:
        raise ValueError("not an entry of serialisation 1")
    if len(canonical) < _HEADER.size:
        raise ValueError("the entry is cut short")
    _, *lengths = _HEADER.unpack_from(canonical)
    if _HEADER.size + sum(lengths) != len(canonical):
        raise ValueError("the entry is not as long as its fields")
    fields: list[bytes] = []
    at = _HEADER.size
    for length in lengths:
        fields.append(canonical[at : at + length])
        at += length
    draft = LogDraft(
        seen_at=from_microseconds(int(fields[2])),
        rail=fields[3].decode(),
        kind=fields[4].decode(),
        external_id=fields[5].decode(),
        what=fields[6].decode(),
        revision=fields[7].decode(),
        content=fields[8],
        raw=fields[9],
        changed=fields[10],
        attribution=Attribution(
            cause=Cause(fields[11].decode()), actor=fields[12].decode(), correlation_id=fields[13].decode()
        ),
    )
    return CompanyId(fields[0].decode()), int(fields[1]), draft


def hash_entry(previous_hash: bytes, canonical: bytes) -> bytes:
    """Chain one entry to the one before it."""
    leaf = hashlib.sha256(b"\x00" + canonical).digest()
    return hashlib.sha256(b"\x02" + previous_hash + leaf).digest()


def seal_entries(company_id: CompanyId, head: ChainHead, drafts: list[LogDraft]) -> tuple[list[LogEntry], ChainHead]:
    """Give each draft its place after `head`, in order, and return the entries with the new head."""
    entries: list[LogEntry] = []
    sequence, previous = head.sequence, head.hash
    for draft in drafts:
        sequence += 1
        canonical = encode_entry(company_id, sequence, draft)
        digest = hash_entry(previous, canonical)
        entries.append(LogEntry(company_id, sequence, draft, previous, digest, canonical))
        previous = digest
    return entries, ChainHead(sequence=sequence, hash=previous)
