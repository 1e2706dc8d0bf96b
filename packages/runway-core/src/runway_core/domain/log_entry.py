"""One entry of the transaction log, and the bytes that its hash is taken of.

Serialisation 1, documented in `docs/reference/log.md`: a version byte, then the length of each of the fourteen fields
as four big-endian bytes, then the fields themselves. Numbers are ASCII decimals, times are microseconds since 1970 in
UTC, absent is length zero. Serialisation 2 has the same fields, and what an entry holds is sealed in one of them.
`leaf = SHA-256(0x00 ‖ bytes)`, `hash = SHA-256(0x02 ‖ previous hash ‖ leaf)`; a chain starts at 32 zero bytes.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import NamedTuple

from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.identity import CompanyId

SERIALISATION = 1
SEALED = 2
"""The serialisation of entries whose content, raw and changed are one ciphertext, which stands where content does. They
are found and verified as others are: the hash is taken of what was sealed."""
_SERIALISATIONS = (SERIALISATION, SEALED)

Sealer = Callable[[bytes, bytes], bytes]
"""Makes the sealed field of an entry: what it holds, and the place in the log that this is bound to."""
Opener = Callable[[bytes, bytes], bytes | None]
"""Gives back what was sealed for a place; `None` once it was erased. It raises the store's errors, and `ValueError`
where what was sealed is not of this place."""

CLEAR_KIND = "log"
"""Entries about the log itself (`log_detached`) are never sealed: whoever verifies without a key reads them."""

GENESIS = bytes(32)
begin_leaf = hashlib.sha256(b"\x00").copy
"""Makes what every leaf's hash begins with: to copy it spares a copy of the entry's bytes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEADER = Struct(">B14I")
_HALF = Struct(">7I")
_REST_AT = 1 + _HALF.size
"""Where the second half of the header begins: before it the fields up to *what*, which place and copies tell."""
_RESTS_KEPT = 4096
_HELD = Struct(">II")  # within what is sealed: the lengths of content and raw


class LogDraft(NamedTuple):
    """An entry before it has its place in the chain.

    `what` is the kind of entry: a `ChangeKind` for records, or an act such as `connection_added`. `content` is the
    record's canonical JSON (empty for a deletion), `raw` the rail's own payload, `changed` canonical JSON of
    `{"field": [before, after]}`. `is_sealed` says of one that was read back that these three are empty because they
    were erased, or because nobody gave the means to open them.
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
    is_sealed: bool = False


class LogEntry(NamedTuple):
    """An entry in its place: the draft, its sequence number in the company's chain, and the hashes around it."""

    company_id: CompanyId
    sequence: int  # 1, 2, 3 … without a gap
    draft: LogDraft
    previous_hash: bytes
    hash: bytes
    canonical: bytes


StoredRow = tuple[int, bytes, bytes, bytes, int, str, str, str, str, str]
"""A `StoredEntry` as drivers make it: what is verified by the hundred thousand is not given names first."""


class StoredEntry(NamedTuple):
    """An entry as the database holds it, nothing decoded: what verifying reads, by the hundred thousand a second.

    Beside the hashed bytes stand copies of some of their fields, by which entries are found.
    """

    sequence: int
    previous_hash: bytes
    hash: bytes
    canonical: bytes
    seen_at: int  # microseconds since 1970
    rail: str
    kind: str
    external_id: str
    what: str
    correlation_id: str


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


class _Shared(NamedTuple):
    """What all entries of a page have in common, written once."""

    seen_at: bytes
    rail: bytes
    attribution: tuple[bytes, bytes, bytes]

    @classmethod
    def of(cls, draft: LogDraft) -> "_Shared":
        by = draft.attribution
        return cls(
            b"%d" % to_microseconds(draft.seen_at),
            draft.rail.encode(),
            (by.cause.encode(), by.actor.encode(), by.correlation_id.encode()),
        )


def _share(one: LogDraft, two: LogDraft) -> bool:
    """Whether they surely have in common what entries of a page have: the very same values."""
    return one.seen_at is two.seen_at and one.rail is two.rail and one.attribution is two.attribution


def encode_entry(company_id: CompanyId, sequence: int, draft: LogDraft, sealer: Sealer | None = None) -> bytes:
    """The canonical bytes of one entry."""
    return _encode(draft, _Shared.of(draft), company_id=company_id.encode(), sequence=sequence, sealer=sealer)


def is_to_be_sealed(draft: LogDraft) -> bool:
    """Whether an entry holds anything that may name a person."""
    return draft.kind != CLEAR_KIND and bool(draft.content or draft.raw or draft.changed)


def holds_in_clear(canonical: bytes) -> bool:
    """Whether the bytes of an entry hold something that is not sealed and may name a person.

    Raises:
        ValueError: they cannot be read.
    """
    if canonical[:1] != bytes([SERIALISATION]):
        return False
    _, _, draft = decode_entry(canonical)
    return is_to_be_sealed(draft)


def _place(company_id: bytes, sequence: int) -> bytes:
    """What the sealed field of an entry is bound to, so that none can be put in another's place."""
    return b"runway entry 2|%b|%d" % (company_id, sequence)


def _encode(draft: LogDraft, shared: _Shared, *, company_id: bytes, sequence: int, sealer: Sealer | None) -> bytes:
    serialisation, content, raw, changed = SERIALISATION, draft.content, draft.raw, draft.changed
    if sealer is not None and is_to_be_sealed(draft):
        held = b"".join((_HELD.pack(len(content), len(raw)), content, raw, changed))
        serialisation, content, raw, changed = SEALED, sealer(held, _place(company_id, sequence)), b"", b""
    fields = (
        company_id,
        b"%d" % sequence,
        shared.seen_at,
        shared.rail,
        draft.kind.encode(),
        draft.external_id.encode(),
        draft.what.encode(),
        draft.revision.encode(),
        content,
        raw,
        changed,
        *shared.attribution,
    )
    return b"".join((_HEADER.pack(serialisation, *map(len, fields)), *fields))


def _open_held(fields: list[bytes], opener: Opener | None) -> tuple[bytes, bytes, bytes] | None:
    """Content, raw and changed of a sealed entry; `None` where they are not to be had."""
    held = None if opener is None else opener(fields[8], _place(fields[0], int(fields[1])))
    if held is None:
        return None
    content, raw = _HELD.unpack_from(held)
    at = _HELD.size + content
    return held[_HELD.size : at], held[at : at + raw], held[at + raw :]


def decode_entry(canonical: bytes, opener: Opener | None = None) -> tuple[CompanyId, int, LogDraft]:
    """Read canonical bytes back; what is sealed only with an `opener`.

    Raises:
        ValueError: the bytes are of another serialisation, cut short or longer than their fields, or what is sealed
            is not of this entry.
    """
    if not canonical or canonical[0] not in _SERIALISATIONS:
        raise ValueError("not an entry of serialisation 1 or 2")
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
    held: tuple[bytes, bytes, bytes] | None = (fields[8], fields[9], fields[10])
    if canonical[0] == SEALED:
        held = _open_held(fields, opener)
    content, raw, changed = held or (b"", b"", b"")
    draft = LogDraft(
        seen_at=from_microseconds(int(fields[2])),
        rail=fields[3].decode(),
        kind=fields[4].decode(),
        external_id=fields[5].decode(),
        what=fields[6].decode(),
        revision=fields[7].decode(),
        content=content,
        raw=raw,
        changed=changed,
        is_sealed=held is None,
        attribution=Attribution(
            cause=Cause(fields[11].decode()), actor=fields[12].decode(), correlation_id=fields[13].decode()
        ),
    )
    return CompanyId(fields[0].decode()), int(fields[1]), draft


class CopyComparer:
    """Says whether the copies beside the hashed bytes of a chain's entries say what those say.

    Called for every entry that is verified, so nothing is decoded: what the bytes must begin and end with is made of
    the copies, and what neighbours have in common is made once.
    """

    def __init__(self, company_id: str) -> None:
        self._owner = company_id
        self._shared: tuple[object, ...] = ()
        self._places = 0  # as far as numbers have as many digits as the last one
        self._middle = ""
        self._correlation = b""
        self._begins: dict[int, tuple[bytes, ...]] = {}
        self._rests: dict[bytes, int] = {}

    def agrees(self, entry: StoredRow) -> bool:
        """Whether they do for this entry, and its bytes are as long as their fields."""
        sequence, _, _, canonical, seen_at, rail, kind, external_id, what, correlation_id = entry
        if (seen_at, rail, kind, what, correlation_id) != self._shared or sequence >= self._places:
            self._share(entry)
        named = f"{self._owner}{sequence}{self._middle}{external_id}{what}".encode()
        length = len(named)
        return (
            canonical.startswith(self._begins.get(length) or self._begin(entry, length))
            and canonical.startswith(named, _HEADER.size)
            and canonical.endswith(self._correlation)
            and (
                self._rests.get(canonical[_REST_AT : _HEADER.size]) == len(canonical) - length
                or self._fits(canonical, length)
            )
        )

    def _share(self, entry: StoredRow) -> None:
        sequence, _, _, _, seen_at, rail, kind, _, what, correlation_id = entry
        self._shared = (seen_at, rail, kind, what, correlation_id)
        self._places = 10 ** len(f"{sequence}")
        self._middle = f"{seen_at}{rail}{kind}"
        self._begins = {}
        correlation = correlation_id.encode()
        if len(correlation) != len(self._correlation):
            self._rests = {}
        self._correlation = correlation

    def _begin(self, entry: StoredRow, named: int) -> tuple[bytes, ...]:
        """What entries begin with, by serialisation, whose fields up to *what* have so many bytes; ids vary."""
        sequence, _, _, _, seen_at, rail, kind, _, what, _ = entry
        before = (self._owner, f"{sequence}", f"{seen_at}", rail, kind)
        lengths, last = [len(field.encode()) for field in before], len(what.encode())
        half = _HALF.pack(*lengths, named - sum(lengths) - last, last)
        begins = tuple(bytes([serialisation]) + half for serialisation in _SERIALISATIONS)
        self._begins[named] = begins
        return begins

    def _fits(self, canonical: bytes, named: int) -> bool:
        """Whether the bytes are as long as their fields; what the second half of a header comes to is kept."""
        if len(canonical) < _HEADER.size:
            return False
        rest = _HALF.unpack_from(canonical, _REST_AT)
        length = sum(rest, _HEADER.size)
        if rest[6] != len(self._correlation) or length + named != len(canonical):
            return False
        if len(self._rests) < _RESTS_KEPT:
            self._rests[canonical[_REST_AT : _HEADER.size]] = length
        return True


def read_copies(canonical: bytes) -> tuple[int, str, str, str, str, str]:
    """The fields of which copies stand beside an entry's bytes, in the order of `StoredEntry`.

    Raises:
        ValueError: the bytes are of another serialisation, or not as long as their fields.
    """
    if len(canonical) < _HEADER.size or canonical[0] not in _SERIALISATIONS:
        raise ValueError("not an entry of serialisation 1 or 2")
    lengths = _HEADER.unpack_from(canonical)
    if sum(lengths) - lengths[0] + _HEADER.size != len(canonical):
        raise ValueError("the entry is not as long as its fields")
    at = _HEADER.size + lengths[1] + lengths[2]
    found: list[str] = []
    for length in lengths[3:8]:
        found.append(canonical[at : at + length].decode())
        at += length
    seen_at, rail, kind, external_id, what = found
    return int(seen_at), rail, kind, external_id, what, canonical[len(canonical) - lengths[14] :].decode()


def read_place(canonical: bytes) -> tuple[bytes, int] | None:
    """Whose chain and which place the bytes of an entry say they belong to; `None` when they cannot be read."""
    if len(canonical) < _HEADER.size or canonical[0] not in _SERIALISATIONS:
        return None
    lengths = _HEADER.unpack_from(canonical)
    start = _HEADER.size + lengths[1]
    digits = canonical[start : start + lengths[2]]
    return (canonical[_HEADER.size : start], int(digits)) if digits.isdigit() else None


def hash_entry(previous_hash: bytes, canonical: bytes) -> bytes:
    """Chain one entry to the one before it."""
    leaf = begin_leaf()
    leaf.update(canonical)
    return hashlib.sha256(b"\x02" + previous_hash + leaf.digest()).digest()


def seal_entries(
    company_id: CompanyId, head: ChainHead, drafts: list[LogDraft], sealer: Sealer | None = None
) -> tuple[list[LogEntry], ChainHead]:
    """Give each draft its place after `head`, in order, and return the entries with the new head.

    With a `sealer` what they hold stands in them sealed, and in clear in `draft` alone.
    """
    entries: list[LogEntry] = []
    sequence, previous = head.sequence, head.hash
    owner = company_id.encode()
    last: LogDraft | None = None
    for draft in drafts:
        sequence += 1
        if last is None or not _share(draft, last):
            shared = _Shared.of(draft)
        last = draft
        canonical = _encode(draft, shared, company_id=owner, sequence=sequence, sealer=sealer)
        digest = hash_entry(previous, canonical)
        entries.append(LogEntry(company_id, sequence, draft, previous, digest, canonical))
        previous = digest
    return entries, ChainHead(sequence=sequence, hash=previous)
