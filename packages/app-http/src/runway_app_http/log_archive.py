"""Closed months of the log as signed files: written, read back and verified before they count.

The files are copies: entries stay in the database. A folder holds one chain a company in pieces, each with a manifest
that says what is in it, under the key that signs anchors.
"""

import base64
import gzip
import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from runway_core.domain.company import Company
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_files import read_file
from runway_core.errors import LogBroken, StoreUnavailable
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway

_MANIFEST = ".manifest.json"


class ArchivedPiece(View):
    """One piece that was written."""

    company: CompanyHeading
    first: int
    last: int
    file: str
    manifest: str


def find_archived(folder: Path, company_id: CompanyId) -> int:
    """The last entry of a company that the folder holds; nil where it holds none.

    Raises:
        LogBroken: a manifest cannot be read.
    """
    last = 0
    for path in sorted(folder.glob(f"{company_id}-*{_MANIFEST}")):
        try:
            last = max(last, json.loads(base64.b64decode(json.loads(path.read_bytes())["signed"]))["last"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LogBroken(
                f"the manifest {str(path)!r} cannot be read ({error}): archive into a new folder"
            ) from error
    return last


async def archive_company(runway: Runway, company: Company, *, before: datetime, folder: Path) -> ArchivedPiece | None:
    """Write what a company's log says from where the folder ends up to a moment; `None` where that is nothing.

    Raises:
        LogBroken: the log does not verify, or what was written does not read back: nothing is kept.
        StoreUnavailable: the folder cannot be written.
    """
    company_id = company.company_id
    after = find_archived(folder, company_id)
    end = await runway.last_entry_before(company_id, before)
    if end.sequence <= after:
        return None
    found = await runway.verify_log(company_id)
    if not found.is_sound:
        raise LogBroken(f"{company.name!r}: entry {found.broken_at} is broken ({found.fault}): nothing is archived")
    anchor = await runway.anchors.anchor()
    path = folder / f"{company_id}-{after + 1:012d}-{end.sequence:012d}.jsonl.gz"
    draft = path.with_suffix(f".{os.getpid()}.draft")
    try:
        _make_folder(folder)
        with gzip.open(draft, "wb", compresslevel=6) as file:
            async for lines in runway.export_log(company_id, after=after, through=end.sequence):
                file.write(lines)
        _demand_whole(draft, company_id, count=end.sequence - after, last_hash=end.hash)
        said = {
            "company": company_id,
            "first": after + 1,
            "last": end.sequence,
            "last_hash": end.hash.hex(),
            "file": path.name,
            "sha256": hashlib.sha256(draft.read_bytes()).hexdigest(),
            "anchor": anchor.number,
            "archived_at": runway.scope.clock.now().isoformat(),
        }
        draft.chmod(0o444)
        draft.rename(path)
        manifest = path.with_name(path.name.removesuffix(".jsonl.gz") + _MANIFEST)
        _write_manifest(manifest, said, *await runway.anchors.sign_archive(_encode(said)))
    except OSError as error:
        raise StoreUnavailable(f"the folder {str(folder)!r} cannot be written ({error.strerror})") from error
    finally:
        draft.unlink(missing_ok=True)
    return ArchivedPiece(
        company=CompanyHeading.of(company),
        first=after + 1,
        last=end.sequence,
        file=str(path),
        manifest=str(manifest),
    )


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _demand_whole(path: Path, company_id: CompanyId, *, count: int, last_hash: bytes) -> None:
    """Read a file back, entry by entry, before anyone relies on it."""
    read, digest = 0, b""
    try:
        with gzip.open(path, "rb") as lines:
            for entry in read_file(lines, company_id):
                read, digest = read + 1, entry.hash
    except (OSError, EOFError, ValueError) as error:
        raise LogBroken(f"what was written into {str(path)!r} does not read back: {error}") from error
    if (read, digest) != (count, last_hash):
        raise LogBroken(f"what was written into {str(path)!r} is not what the log holds: archive again")


def _encode(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def _write_manifest(path: Path, said: dict[str, Any], public_key: bytes, signature: bytes) -> None:
    document = {
        "runway_archive": 1,
        "signed": base64.b64encode(_encode(said)).decode(),
        "public_key": public_key.hex(),
        "signature": base64.b64encode(signature).decode(),
    }
    with path.open("x", encoding="utf-8") as file:
        file.write(json.dumps(document) + "\n")
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o444)
