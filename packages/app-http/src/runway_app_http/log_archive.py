"""Closed months of the log as signed files: written, read back and verified before they count.

A folder holds one chain a company in pieces, each with a manifest that says what is in it, under the key that signs
anchors. They are copies until their entries are taken out of the table, which `runway_core.services.archives` does.
"""

import gzip
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_archive import ArchivedPiece, encode_said, read_manifest, write_manifest
from runway_core.domain.log_entry import ChainHead
from runway_core.domain.log_files import read_file, read_start
from runway_core.errors import LogBroken, StoreUnavailable
from runway_core.ports.log_archives import ArchiveCopies
from runway_core.runway import Runway

_MANIFEST = ".manifest.json"
_PLACE_DIGITS = 12
_REMEDY = "take the piece from another copy, or archive into a new folder"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A name to write under; the file gets its own, for reading alone, once it is whole and on the disk.

    Whatever ends the writing, even without notice, leaves nothing under that name. A file that was there is replaced.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.chmod(0o444)
        draft.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name is on the disk too, before anything that relies on it
        finally:
            os.close(folder)
    finally:
        draft.unlink(missing_ok=True)


def find_archived(folder: Path, owner: CompanyId) -> ChainHead:
    """Where the pieces of a chain end that the folder holds; nil where it holds none.

    Raises:
        LogBroken: a manifest cannot be read, its file is gone or another one, or two pieces do not join.
    """
    end = ChainHead()
    for path in _find_manifests(folder, owner):
        piece = _read_manifest(path)
        try:
            end = _follow_piece(path.with_name(piece.file), piece, end)
        except (OSError, EOFError, ValueError) as error:
            raise LogBroken(f"the piece of {str(path)!r} cannot be read ({error}): {_REMEDY}") from error
    return end


def _follow_piece(file: Path, piece: ArchivedPiece, end: ChainHead) -> ChainHead:
    if _hash_file(file) != piece.sha256.hex():
        raise LogBroken(f"{str(file)!r} is not the file that was signed: {_REMEDY}")
    if piece.first != end.sequence + 1 or _read_start(file, piece.owner) != end:
        raise LogBroken(f"{str(file)!r} does not follow entry {end.sequence}, where the piece before ends: {_REMEDY}")
    return ChainHead(sequence=piece.last, hash=piece.last_hash)


def _read_start(path: Path, owner: CompanyId) -> ChainHead:
    """What a piece says of the entry before its first one."""
    with gzip.open(path, "rb") as lines:
        return read_start(lines.readline(), owner)


async def archive_chain(
    runway: Runway, owner: CompanyId, name: str, *, before: datetime, folder: Path
) -> list[ArchivedPiece]:
    """Write what a chain says from where the folder ends up to a moment, a piece a month.

    Raises:
        LogBroken: the log does not verify, what was written does not read back, or the folder lacks what left the
            database: nothing of it is kept.
        StoreUnavailable: the folder cannot be written.
    """
    at = find_archived(folder, owner)
    out = await runway.archives.detached(owner)
    if out and at.sequence < out[-1].last:  # written anew it would be another file than the one that is known
        raise LogBroken(
            f"{name!r}: {str(folder)!r} lacks pieces or manifests of entries up to {out[-1].last}, which left the "
            "database: copy them there first"
        )
    end = await runway.last_entry_before(owner, before)
    if end.sequence <= at.sequence:
        return []
    found = await runway.verify_log(owner)
    if not found.is_sound:
        raise LogBroken(f"{name!r}: entry {found.broken_at} is broken ({found.fault}): nothing is archived")
    anchor = await runway.anchors.anchor()
    pieces: list[ArchivedPiece] = []
    while at.sequence < end.sequence:
        last = await _find_month_end(runway, owner, after=at.sequence, end=end)
        try:
            pieces.append(await _write_piece(runway, owner, before=at, end=last, folder=folder, anchor=anchor.number))
        except OSError as error:
            raise StoreUnavailable(f"the folder {str(folder)!r} cannot be written ({error.strerror})") from error
        at = last
    return pieces


async def _find_month_end(runway: Runway, owner: CompanyId, *, after: int, end: ChainHead) -> ChainHead:
    """The last entry of the month (UTC) in which the next one was seen, or `end` where that comes before."""
    [first] = await runway.log_entries(owner, after=after, limit=1)
    seen = first.draft.seen_at.astimezone(UTC)
    next_month = datetime(seen.year + seen.month // 12, seen.month % 12 + 1, 1, tzinfo=UTC)
    last = await runway.last_entry_before(owner, next_month)
    return last if after < last.sequence < end.sequence else end


async def _write_piece(
    runway: Runway, owner: CompanyId, *, before: ChainHead, end: ChainHead, folder: Path, anchor: int
) -> ArchivedPiece:
    first = before.sequence + 1
    path = folder / f"{owner}-{first:0{_PLACE_DIGITS}d}-{end.sequence:0{_PLACE_DIGITS}d}.jsonl.gz"
    manifest = path.with_name(path.name.removesuffix(".jsonl.gz") + _MANIFEST)
    _make_folder(folder)
    with whole_file(path) as draft:
        with draft.open("wb") as file:  # a member each time, so that a reader need not unpack the others
            async for lines in runway.export_log(owner, after=before.sequence, through=end.sequence):
                file.write(gzip.compress(lines, compresslevel=6, mtime=0))
        _demand_whole(draft, owner, before=before, end=end)
        digest = _hash_file(draft)
    said = encode_said(
        {
            "company": owner,
            "first": first,
            "last": end.sequence,
            "previous": before.hash.hex(),
            "last_hash": end.hash.hex(),
            "file": path.name,
            "sha256": digest,
            "anchor": anchor,
            "archived_at": runway.scope.clock.now().isoformat(),
        }
    )
    public_key, signature = await runway.anchors.sign_archive(said)
    document = write_manifest(said, public_key=public_key, signature=signature)
    with whole_file(manifest) as draft:
        draft.write_bytes(document)
    return read_manifest(document)


def copy_pieces(folder: Path, owner: CompanyId, copies: ArchiveCopies) -> None:
    """Keep the pieces of a chain and their manifests in another place too; what it holds already is not sent again.

    Raises:
        LogBroken: it holds another file under one of their names.
        StoreUnavailable: it does not answer, or a file is not in the folder.
    """
    for path in _find_manifests(folder, owner):
        copies.put(path.with_name(_read_manifest(path).file))
        copies.put(path)  # last: a manifest is there only with its piece


def read_manifests(folder: Path, owner: CompanyId) -> list[ArchivedPiece]:
    """The pieces of a chain that a folder holds, in order.

    Raises:
        LogBroken: a manifest cannot be read.
    """
    return [_read_manifest(path) for path in _find_manifests(folder, owner)]


def _find_manifests(folder: Path, owner: CompanyId) -> list[Path]:
    place = "[0-9]" * _PLACE_DIGITS  # another company's id may begin with this one
    return sorted(folder.glob(f"{owner}-{place}-{place}{_MANIFEST}"))


def _read_manifest(path: Path) -> ArchivedPiece:
    try:
        return read_manifest(path.read_bytes())
    except (OSError, ValueError) as error:
        raise LogBroken(f"the piece of {str(path)!r} cannot be read ({error}): {_REMEDY}") from error


def _hash_file(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _demand_whole(path: Path, company_id: CompanyId, *, before: ChainHead, end: ChainHead) -> None:
    """Read a file back, entry by entry, before anyone relies on it."""
    last = before.sequence, before.hash
    try:
        if _read_start(path, company_id) != before:
            raise LogBroken(
                f"entry {before.sequence} of {company_id!r} is not the one that the folder ends with: the log was "
                "written anew or set back; archive into a new folder, and keep this one"
            )
        with gzip.open(path, "rb") as lines:
            for entry in read_file(lines, company_id):
                last = entry.sequence, entry.hash
    except (OSError, EOFError, ValueError) as error:
        raise LogBroken(f"what was written into {str(path)!r} does not read back: {error}") from error
    if last != (end.sequence, end.hash):
        raise LogBroken(f"what was written into {str(path)!r} is not what the log holds: archive again")
