"""Pieces of the log that are in files alone, read back: each file held to the hash that its mark knows it by.

A piece is read entry by entry, each recomputed from the one before, before it is taken out. From then on the same bytes
are the same entries. It is gzipped in members of a few thousand entries each, so that a few are read without the rest.
"""

import hashlib
import os
import zlib
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_archive import ArchivedPiece, DetachedPiece
from runway_core.domain.log_entry import GENESIS, ChainHead, StoredEntry, read_copies
from runway_core.domain.log_files import FiledEntry, read_entries, read_start
from runway_core.errors import LogBroken, StoreUnavailable
from runway_core.ports.log_archives import ArchiveCopies

_CHUNK = 1 << 18
_GZIP = 16 + zlib.MAX_WBITS
BATCH = 2_000
INDEXES = 64
"""So many pieces' indexes are kept: eight bytes an entry."""

_REMEDY = "take it from another copy: `runway log verify` says whether that is the right one"


@dataclass(slots=True)
class _Index:
    """Where in a piece entries stand that are about one thing."""

    places: "array[int]" = field(default_factory=lambda: array("q"))  # by entry: a number made of what it is about
    firsts: list[int] = field(default_factory=list)  # by member: its first entry …
    starts: list[tuple[int, bytes]] = field(default_factory=list)  # … where it begins, and the hash before it


class _Lines:
    """The lines of a piece, a member at a time; `begins_at` is where the member of the last line begins."""

    def __init__(self, file: BinaryIO, *, at: int = 0) -> None:
        file.seek(at)
        self._file = file
        self.begins_at = at

    def __iter__(self) -> Iterator[bytes]:
        at, held = self.begins_at, b""
        while True:
            member = zlib.decompressobj(_GZIP)
            parts: list[bytes] = []
            size = 0
            while not member.eof:
                taken = held or self._file.read(_CHUNK)
                if not taken:
                    if parts:
                        raise EOFError("it is cut off within a member")
                    return
                parts.append(member.decompress(taken))
                held = member.unused_data
                size += len(taken) - len(held)
            self.begins_at = at
            at += size
            yield from b"".join(parts).splitlines()


class ArchiveFolder:
    """The folder in which archived pieces are, or none."""

    def __init__(self, folder: Path | None, copies: ArchiveCopies | None = None) -> None:
        self._folder = folder
        self._copies = copies
        self._known: dict[Path, tuple[int, int, bytes]] = {}  # size, time of change and hash, as they were found
        self._indexes: OrderedDict[tuple[str, bytes], _Index] = OrderedDict()
        self._lock = Lock()

    def has(self, file: str) -> bool:
        """Whether a piece is there, or may be fetched when it is read."""
        return self._folder is not None and (self._copies is not None or (self._folder / file).is_file())

    def look_for(self, files: Collection[str]) -> dict[str, bool]:
        """Whether each file is in the folder, or where copies are kept; that place is asked once, and only if need be.

        Raises:
            StoreUnavailable: that place does not answer.
        """
        found = {file: self._folder is not None and (self._folder / file).is_file() for file in files}
        if self._copies is not None and not all(found.values()):
            kept = self._copies.names()
            found = {file: is_there or file in kept for file, is_there in found.items()}
        return found

    def open_piece(self, piece: ArchivedPiece | DetachedPiece) -> Path:
        """Where a piece is, which is the file that was signed.

        Raises:
            StoreUnavailable: it is not there, or cannot be read.
            LogBroken: it is another file.
        """
        what = f"entries {piece.first} to {piece.last} are archived in {piece.file!r}"
        if self._folder is None:
            raise StoreUnavailable(f"{what}, and no archive is at hand: set RUNWAY_LOG_ARCHIVE_FOLDER")
        path = self._folder / piece.file
        try:
            self._fetch(path)
            found = path.stat()
            known = self._known.get(path)
            if known is None or known[:2] != (found.st_size, found.st_mtime_ns):
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").digest()
                known = self._known[path] = (found.st_size, found.st_mtime_ns, digest)
        except OSError as error:
            raise StoreUnavailable(
                f"{what}, which is not in {str(self._folder)!r} ({error.strerror}): bring it back there"
            ) from error
        if known[2] != piece.sha256:
            raise LogBroken(f"{str(path)!r} is not the file that was archived: {_REMEDY}")
        return path

    def _fetch(self, path: Path) -> None:
        """Bring a piece that is not in the folder from where its copy is; whole or not at all."""
        if self._copies is None or path.is_file():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
        try:
            if self._copies.fetch(path.name, draft):
                draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)

    def stream(
        self, owner: CompanyId, piece: DetachedPiece, *, after: int = 0
    ) -> Generator[list[StoredEntry], None, None]:
        """The entries of a piece after a number, so many at a time."""
        batch: list[StoredEntry] = []
        with self._read(piece) as file:
            for entry in _read_whole(_Lines(file), owner, piece, is_proven=True):
                if entry.sequence > after:
                    batch.append(entry.store())
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def prove(self, piece: ArchivedPiece) -> StoredEntry:
        """Read a piece from its first to its last entry; returns the first one.

        Raises:
            StoreUnavailable: it is not there, or cannot be read.
            LogBroken: it is not what its manifest says.
        """
        first: StoredEntry | None = None
        with self._read(piece) as file:
            for entry in _read_whole(_Lines(file), piece.owner, piece):
                stored = entry.store()
                first = first or stored
        if first is None:
            raise LogBroken(f"{piece.file!r} holds no entry: {_REMEDY}")
        return first

    def history(self, owner: CompanyId, piece: DetachedPiece, about: tuple[str, str]) -> list[StoredEntry]:
        """The entries of a piece about one thing by kind and id; of the rest nothing is unpacked."""
        index = self._index_of(owner, piece)
        wanted = [piece.first + place for place in _find_all(index.places, hash(about))]
        members: dict[int, list[int]] = {}
        for sequence in wanted:
            members.setdefault(bisect_right(index.firsts, sequence) - 1, []).append(sequence)
        found: list[StoredEntry] = []
        with self._read(piece) as file:
            for member, sequences in members.items():
                at, before = index.starts[member]
                rest = set(sequences)
                lines = iter(_Lines(file, at=at))
                if at == 0:
                    read_start(next(lines, b""), owner)
                for entry in read_entries(lines, ChainHead(index.firsts[member] - 1, before), is_proven=True):
                    if entry.sequence in rest:
                        found.append(entry.store())
                        rest.discard(entry.sequence)
                    if not rest:
                        break
        return [entry for entry in found if (entry.kind, entry.external_id) == about]

    def _index_of(self, owner: CompanyId, piece: DetachedPiece) -> _Index:
        key = (owner, piece.sha256)
        with self._lock:
            held = self._indexes.pop(key, None)
        held = held or self._make_index(owner, piece)
        with self._lock:  # readers are threads
            self._indexes[key] = held  # the last one used stands last
            if len(self._indexes) > INDEXES:
                self._indexes.popitem(last=False)
        return held

    def _make_index(self, owner: CompanyId, piece: DetachedPiece) -> _Index:
        index, begun_at = _Index(), -1
        with self._read(piece) as file:
            lines = _Lines(file)
            for entry in _read_whole(lines, owner, piece):
                if lines.begins_at != begun_at:
                    begun_at = lines.begins_at
                    index.firsts.append(entry.sequence)
                    index.starts.append((begun_at, entry.previous_hash))
                copies = read_copies(entry.canonical)
                index.places.append(hash(copies[2:4]))
        return index

    @contextmanager
    def _read(self, piece: ArchivedPiece | DetachedPiece) -> Iterator[BinaryIO]:
        path = self.open_piece(piece)
        try:
            with path.open("rb") as file:
                yield file
        except OSError as error:
            raise StoreUnavailable(f"{str(path)!r} cannot be read ({error.strerror})") from error
        except (EOFError, ValueError, zlib.error) as error:
            raise LogBroken(f"{str(path)!r} is not what was archived ({error}): {_REMEDY}") from error


def _read_whole(
    lines: Iterable[bytes], owner: CompanyId, piece: ArchivedPiece | DetachedPiece, *, is_proven: bool = False
) -> Iterator[FiledEntry]:
    """All entries of a piece, which must begin and end where it says."""
    each = iter(lines)
    last = read_start(next(each, b""), owner)
    end = last.sequence, last.hash
    if last.sequence != piece.first - 1 or (not last.sequence and last.hash != GENESIS):
        raise ValueError(f"it begins behind entry {last.sequence}")
    for entry in read_entries(each, last, is_proven=is_proven):
        yield entry
        end = entry.sequence, entry.hash
    if end != (piece.last, piece.last_hash):
        raise ValueError(f"it ends with another entry {end[0]}")


def _find_all(places: "array[int]", wanted: int) -> Iterator[int]:
    at = -1
    try:
        while True:
            at = places.index(wanted, at + 1)
            yield at
    except ValueError:
        return
