"""Closed months of the log as signed files: written, read back and verified before they count.

The files are copies: entries stay in the database. A folder holds one chain a company in pieces, each with a manifest
that says what is in it, under the key that signs anchors.
"""

import base64
import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from runway_core.domain.company import Company
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import ChainHead
from runway_core.domain.log_files import read_file
from runway_core.errors import LogBroken, StoreUnavailable
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway

_MANIFEST = ".manifest.json"
_PLACE_DIGITS = 12
_REMEDY = "take the piece from another copy, or archive into a new folder"


class ArchivedPiece(View):
    """One piece that was written."""

    company: CompanyHeading
    first: int
    last: int
    file: str
    manifest: str


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


def find_archived(folder: Path, company_id: CompanyId) -> ChainHead:
    """Where the pieces of a company end that the folder holds; nil where it holds none.

    Raises:
        LogBroken: a manifest cannot be read, its file is gone or another one, or two pieces do not join.
    """
    end, place = ChainHead(), "[0-9]" * _PLACE_DIGITS  # another company's id may begin with this one
    for path in sorted(folder.glob(f"{company_id}-{place}-{place}{_MANIFEST}")):
        try:
            end = _follow_piece(path, end)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise LogBroken(f"the piece of {str(path)!r} cannot be read ({error}): {_REMEDY}") from error
    return end


def _follow_piece(path: Path, end: ChainHead) -> ChainHead:
    said = json.loads(base64.b64decode(json.loads(path.read_bytes())["signed"]))
    file = path.with_name(said["file"])
    with file.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != said["sha256"]:
            raise LogBroken(f"{str(file)!r} is not the file that was signed: {_REMEDY}")
    if said["first"] != end.sequence + 1 or _read_start(file) != end:
        raise LogBroken(f"{str(file)!r} does not follow entry {end.sequence}, where the piece before ends: {_REMEDY}")
    return ChainHead(sequence=said["last"], hash=bytes.fromhex(said["last_hash"]))


def _read_start(path: Path) -> ChainHead:
    """What a piece says of the entry before its first one."""
    with gzip.open(path, "rb") as lines:
        start = json.loads(lines.readline())
    return ChainHead(sequence=start["after"], hash=bytes.fromhex(start["previous"]))


async def archive_company(runway: Runway, company: Company, *, before: datetime, folder: Path) -> ArchivedPiece | None:
    """Write what a company's log says from where the folder ends up to a moment; `None` where that is nothing.

    Raises:
        LogBroken: the log does not verify, or what was written does not read back: nothing is kept.
        StoreUnavailable: the folder cannot be written.
    """
    company_id = company.company_id
    before_it = find_archived(folder, company_id)
    end = await runway.last_entry_before(company_id, before)
    if end.sequence <= before_it.sequence:
        return None
    found = await runway.verify_log(company_id)
    if not found.is_sound:
        raise LogBroken(f"{company.name!r}: entry {found.broken_at} is broken ({found.fault}): nothing is archived")
    anchor = await runway.anchors.anchor()
    first = before_it.sequence + 1
    path = folder / f"{company_id}-{first:0{_PLACE_DIGITS}d}-{end.sequence:0{_PLACE_DIGITS}d}.jsonl.gz"
    manifest = path.with_name(path.name.removesuffix(".jsonl.gz") + _MANIFEST)
    try:
        _make_folder(folder)
        with whole_file(path) as draft:
            with gzip.open(draft, "wb", compresslevel=6) as file:
                async for lines in runway.export_log(company_id, after=before_it.sequence, through=end.sequence):
                    file.write(lines)
            _demand_whole(draft, company_id, before=before_it, end=end)
            digest = hashlib.sha256(draft.read_bytes()).hexdigest()
        said = {
            "company": company_id,
            "first": first,
            "last": end.sequence,
            "last_hash": end.hash.hex(),
            "file": path.name,
            "sha256": digest,
            "anchor": anchor.number,
            "archived_at": runway.scope.clock.now().isoformat(),
        }
        document = _write_manifest(said, *await runway.anchors.sign_archive(_encode(said)))
        with whole_file(manifest) as draft:
            draft.write_bytes(document)
    except OSError as error:
        raise StoreUnavailable(f"the folder {str(folder)!r} cannot be written ({error.strerror})") from error
    return ArchivedPiece(
        company=CompanyHeading.of(company),
        first=first,
        last=end.sequence,
        file=str(path),
        manifest=str(manifest),
    )


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _demand_whole(path: Path, company_id: CompanyId, *, before: ChainHead, end: ChainHead) -> None:
    """Read a file back, entry by entry, before anyone relies on it."""
    last = before.sequence, before.hash
    try:
        if _read_start(path) != before:
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


def _encode(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def _write_manifest(said: dict[str, Any], public_key: bytes, signature: bytes) -> bytes:
    document = {
        "runway_archive": 1,
        "signed": base64.b64encode(_encode(said)).decode(),
        "public_key": public_key.hex(),
        "signature": base64.b64encode(signature).decode(),
    }
    return json.dumps(document).encode() + b"\n"
