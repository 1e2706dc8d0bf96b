"""A chain as a file: JSON Lines of the bytes that were hashed, for exports and archives.

The first line says whose chain it is and where it begins, then comes one line an entry, then one that says where it
ends. `docs/reference/log.md` describes it; `tools/verify_log.py` reads it without any of this.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import ChainHead, StoredEntry, hash_entry, read_copies

FILE_SERIALISATION = 1
ARCHIVE_SIGNED_AS = b"runway archive 1\x00"
"""What stands before the bytes of a manifest when they are signed."""


class FiledEntry(NamedTuple):
    """One entry of a file."""

    sequence: int
    previous_hash: bytes
    hash: bytes
    canonical: bytes

    def store(self) -> StoredEntry:
        """The entry as the table held it, its copies of fields made again.

        Raises:
            ValueError: its bytes cannot be read.
        """
        return StoredEntry(self.sequence, self.previous_hash, self.hash, self.canonical, *read_copies(self.canonical))


def write_start(company_id: CompanyId, before: ChainHead) -> bytes:
    """The first line: whose chain, and the end of what stands before it."""
    return _line(
        {
            "runway_log": FILE_SERIALISATION,
            "company": company_id,
            "after": before.sequence,
            "previous": before.hash.hex(),
        }
    )


def write_entries(entries: Iterable[StoredEntry]) -> bytes:
    """The lines of some entries."""
    return b"".join(
        b'{"sequence":%d,"hash":"%s","canonical":"%s"}\n'
        % (entry.sequence, entry.hash.hex().encode(), base64.b64encode(entry.canonical))
        for entry in entries
    )


def write_end(head: ChainHead) -> bytes:
    """The last line: where it ends, so that a file that was cut off shows."""
    return _line({"end": head.sequence, "hash": head.hash.hex()})


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


class _Start(msgspec.Struct):
    runway_log: int
    company: str
    after: int
    previous: str


class _Entry(msgspec.Struct):
    sequence: int | None = None
    hash: str = ""
    canonical: bytes = b""  # base64
    end: int | None = None


_decode_start = msgspec.json.Decoder(_Start).decode
_decode_entry = msgspec.json.Decoder(_Entry).decode


def read_file(lines: Iterable[bytes], company_id: CompanyId) -> Iterator[FiledEntry]:
    """The entries of a file, in order, each held to the one before it.

    Raises:
        ValueError: it is another company's, is cut off, or an entry is not what was hashed.
    """
    each = iter(lines)
    yield from read_entries(each, read_start(next(each, b""), company_id))


def read_start(line: bytes, company_id: CompanyId) -> ChainHead:
    """What the first line of a file says of the entry before its first one.

    Raises:
        ValueError: it is no file of this company's chain.
    """
    try:
        start = _decode_start(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"a line cannot be read: {error}") from error
    if start.runway_log != FILE_SERIALISATION or start.company != company_id:
        raise ValueError(f"it is no file of serialisation {FILE_SERIALISATION} of company {company_id!r}")
    return ChainHead(sequence=start.after, hash=bytes.fromhex(start.previous))


def read_entries(lines: Iterable[bytes], head: ChainHead, *, is_proven: bool = False) -> Iterator[FiledEntry]:
    """The entries of a file from the one behind `head` on.

    Args:
        lines: those of the file behind that entry.
        head: where the chain stands there.
        is_proven: the file as a whole is known to be what was written: hashes are taken as they stand.

    Raises:
        ValueError: it is cut off, or an entry is not what was hashed.
    """
    sequence, previous = head.sequence, head.hash
    try:
        for line in lines:
            read = _decode_entry(line)
            digest = bytes.fromhex(read.hash)
            if read.end is not None:
                if (read.end, digest) != (sequence, previous):
                    break
                return
            if read.sequence != sequence + 1 or (not is_proven and hash_entry(previous, read.canonical) != digest):
                raise ValueError(f"entry {sequence + 1} is not what was hashed, or does not follow the one before")
            yield FiledEntry(sequence + 1, previous, digest, read.canonical)
            sequence, previous = sequence + 1, digest
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"a line cannot be read: {error}") from error
    raise ValueError(f"it is cut off behind entry {sequence}")
