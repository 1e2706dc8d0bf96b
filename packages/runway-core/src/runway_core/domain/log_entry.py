"""One entry of the transaction log, and the bytes that its hash is taken of.

Serialisation 1, documented in `docs/reference/log.md`: a version byte, then the length of each of the fourteen fields
as four big-endian bytes, then the fields themselves. Numbers are ASCII decimals, times are microseconds since 1970 in
UTC, absent is length zero. Serialisation 2 has the same fields, and what an entry holds is sealed in one of them.
`leaf = SHA-256(0x00 ‖ bytes)`, `hash = SHA-256(0x02 ‖ previous hash ‖ leaf)`; a chain starts at 32 zero bytes.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any, NamedTuple

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
begin_link = hashlib.sha256(b"\x02").copy
"""What the hash begins with that chains a leaf to the one before it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEADER = Struct(">B14I")
_NAMED = 7
"""So many fields, up to *what*, say whose entry it is, which one and of what; correlation id is the last of all."""
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

    def as_head(self) -> "ChainHead":
        """The head of a chain that ends with it."""
        return ChainHead(sequence=self.sequence, hash=self.hash)


StoredRow = Sequence[Any]
"""A `StoredEntry` as drivers make it: what is verified by the hundred thousand is not given names first."""


StoredColumns = Sequence[Sequence[Any]]
"""Some stored entries, turned: each of the ten fields of all of them."""


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
    """What entries of a page have in common, written once."""

    before: bytes  # seen at, rail, kind
    what: bytes
    by: bytes  # cause, actor, correlation id
    before_lengths: tuple[int, int, int]
    by_lengths: tuple[int, int, int]

    @classmethod
    def of(cls, draft: LogDraft) -> "_Shared":
        by = draft.attribution
        seen_at, rail, kind = b"%d" % to_microseconds(draft.seen_at), draft.rail.encode(), draft.kind.encode()
        cause, actor, correlation_id = by.cause.encode(), by.actor.encode(), by.correlation_id.encode()
        return cls(
            before=seen_at + rail + kind,
            what=draft.what.encode(),
            by=cause + actor + correlation_id,
            before_lengths=(len(seen_at), len(rail), len(kind)),
            by_lengths=(len(cause), len(actor), len(correlation_id)),
        )


def _share(one: LogDraft, two: LogDraft) -> bool:
    """Whether they surely have in common what entries of a page have."""
    return (
        one.seen_at is two.seen_at
        and one.rail is two.rail
        and one.attribution is two.attribution
        and one.kind == two.kind
        and one.what == two.what
    )


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
    number, external_id, revision = b"%d" % sequence, draft.external_id.encode(), draft.revision.encode()
    before, what, by, before_lengths, by_lengths = shared
    header = _HEADER.pack(
        serialisation,
        len(company_id),
        len(number),
        *before_lengths,
        len(external_id),
        len(what),
        len(revision),
        len(content),
        len(raw),
        len(changed),
        *by_lengths,
    )
    return b"".join((header, company_id, number, before, external_id, what, revision, content, raw, changed, by))


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


@lru_cache(maxsize=4096)
def _separator(header: bytes) -> Callable[[bytes], tuple[bytes, ...]]:
    """What takes bytes with this header apart: company, sequence, and the fields of which copies are kept."""
    if len(header) < _HEADER.size or header[0] not in _SERIALISATIONS:
        raise ValueError("not an entry of serialisation 1 or 2")
    _, *lengths = _HEADER.unpack(header)
    named = "".join(f"{length}s" for length in lengths[:_NAMED])
    return Struct(f"{_HEADER.size}x{named}{sum(lengths[_NAMED:-1])}x{lengths[-1]}s").unpack


def copies_agree(company_id: bytes, columns: StoredColumns) -> bool:
    """Whether entries are of a company and as long as their fields, and the copies beside them say what those say.

    Called for every entry that is verified, so entries are compared field by field rather than one by one: neighbours
    have most in common, and what a header says is worked out once.
    """
    places, _, _, canonicals, *copies = columns
    try:
        fields = [_separator(canonical[: _HEADER.size])(canonical) for canonical in canonicals]
        owners, *hashed = zip(*fields, strict=True)
        return owners.count(company_id) == len(owners) and all(map(_say_the_same, (places, *copies), hashed))
    except (struct.error, ValueError):
        return False


def _say_the_same(copies: Sequence[object], fields: Sequence[bytes]) -> bool:
    if copies.count(copies[0]) == len(copies) == fields.count(fields[0]):
        return fields[0].decode() == str(copies[0])
    return list(map(bytes.decode, fields)) == list(map(str, copies))


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
    link = begin_link()
    link.update(previous_hash)
    link.update(leaf.digest())
    return link.digest()


def seal_in_turn(
    company_id: CompanyId, head: ChainHead, drafts: Iterable[LogDraft], sealer: Sealer | None = None
) -> Iterator[LogEntry]:
    """Give each draft its place after `head`, in order, when it is asked for.

    With a `sealer` what they hold stands in them sealed, and in clear in `draft` alone.
    """
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
        yield LogEntry(company_id, sequence, draft, previous, digest, canonical)
        previous = digest


def seal_entries(
    company_id: CompanyId, head: ChainHead, drafts: Iterable[LogDraft], sealer: Sealer | None = None
) -> tuple[list[LogEntry], ChainHead]:
    """The same for all at once, with the new head."""
    entries = list(seal_in_turn(company_id, head, drafts, sealer))
    return entries, entries[-1].as_head() if entries else head
