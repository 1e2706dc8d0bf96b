#!/usr/bin/env python3
"""Verify exported logs, archives and anchors of Runway, without Runway.

    python verify_log.py acme.jsonl.gz birch.jsonl --anchors anchors/ --public-key 3b6a27bc…
    python verify_log.py archive/ acme-rest.jsonl.gz --anchors anchors/ --public-key 3b6a27bc…

Nothing but Python 3.11 and the package `cryptography` is needed. The formats are described in
docs/reference/log.md; this file shares no code with the program that writes them. Exit code 0: all is as it
was written; 1: something is not, and is named; 2: a file cannot be read.
"""

import argparse
import base64
import gzip
import hashlib
import json
import struct
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FIELDS = (
    "company",
    "sequence",
    "seen_at",
    "rail",
    "kind",
    "external_id",
    "what",
    "revision",
    "content",
    "raw",
    "changed",
    "cause",
    "actor",
    "correlation_id",
)
HEADER = struct.Struct(">B14I")
NIL = bytes(32)


class Broken(Exception):
    """Something is not as it was written; the message names it."""


def sha256(data):
    return hashlib.sha256(data).digest()


def decode_entry(canonical):
    """The fields of an entry of serialisation 1 or 2; of the latter, what stands as content is sealed."""
    if len(canonical) < HEADER.size or canonical[0] not in (1, 2):
        raise Broken("is not of serialisation 1 or 2")
    lengths = HEADER.unpack_from(canonical)[1:]
    if HEADER.size + sum(lengths) != len(canonical):
        raise Broken("is not as long as its fields")
    fields, at = {}, HEADER.size
    for name, length in zip(FIELDS, lengths, strict=True):
        fields[name] = canonical[at : at + length]
        at += length
    return fields


def read_lines(path):
    """The lines of a file, each as what its JSON says."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def verify_export(path, marks):
    """Recompute the chain of one file; returns the company, and the hash of every place that was seen.

    Entries that say that others were taken out of the database are put into `marks`.
    """
    lines = read_lines(path)
    header = next(lines)
    if header.get("runway_log") != 1:
        raise Broken(f"{path}: not an export of serialisation 1")
    company, place, previous = header["company"], header["after"], bytes.fromhex(header["previous"])
    if place == 0 and previous != NIL:
        raise Broken(f"{path}: a chain starts at 32 nil bytes")
    hashes = {place: previous}
    end = None
    for line in lines:
        if "end" in line:
            end = line
            continue
        place += 1
        where = f"{path}: entry {place}"
        if end is not None:
            raise Broken(f"{where} stands behind the end")
        if line["sequence"] != place:
            raise Broken(f"{where} is missing: the next one is {line['sequence']}")
        canonical = base64.b64decode(line["canonical"], validate=True)
        fields = decode_entry(canonical)
        digest = sha256(b"\x02" + previous + sha256(b"\x00" + canonical))
        if digest.hex() != line["hash"]:
            raise Broken(f"{where} is not what was hashed, or does not follow the entry before it")
        if fields["company"].decode() != company or int(fields["sequence"]) != place:
            raise Broken(f"{where} says it is entry {int(fields['sequence'])} of {fields['company'].decode()!r}")
        if fields["what"] == b"log_detached":
            marks.append((company, place, fields["raw"]))
        previous = hashes[place] = digest
    if end is None:
        raise Broken(f"{path}: the end is missing: the file was cut off behind entry {place}")
    if end["end"] != place or end["hash"] != previous.hex():
        raise Broken(f"{path}: ends at entry {place}, and should at {end['end']}")
    return company, hashes


def join(fields):
    return struct.pack(f">B{len(fields)}I", 1, *map(len, fields)) + b"".join(fields)


def number(value):
    return b"%d" % value


def find_root(leaves):
    """The Merkle root of RFC 6962 over all heads, by the bytes of the company's id."""
    level = [
        sha256(b"\x00" + join((company.encode(), number(place), bytes.fromhex(head))))
        for company, (place, head) in sorted(leaves.items(), key=lambda item: item[0].encode())
    ]
    if not level:
        return sha256(b"")
    while len(level) > 1:
        pairs = [sha256(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def is_signed(public_key, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def verify_anchors(folder, trusted):
    """Verify a folder of anchors; returns what it says of each company: place → hash, both with the anchor's number."""
    anchored, leaves = {}, {}
    previous, key, expected = NIL, None, 0
    for path in sorted(folder.glob("anchor-*.json")):
        anchor = json.loads(path.read_bytes())
        expected += 1
        if anchor.get("runway_anchor") != 1 or anchor["number"] != expected:
            raise Broken(f"{path}: anchor {expected} is missing")
        if bytes.fromhex(anchor["previous"]) != previous:
            raise Broken(f"{path}: does not follow the anchor before it")
        moved = {company: (place, head) for company, place, head in anchor["leaves"]}
        leaves = moved if anchor["is_whole"] else {**leaves, **moved}
        root, public_key = bytes.fromhex(anchor["root"]), bytes.fromhex(anchor["public_key"])
        if find_root(leaves) != root or len(leaves) != anchor["size"]:
            raise Broken(f"{path}: its heads are not those that were signed")
        encoded = join(
            (number(anchor["number"]), number(anchor["made_at"]), previous, root, number(anchor["size"]), public_key)
        )
        if not is_signed(public_key, base64.b64decode(anchor["signature"]), b"runway anchor 1\x00" + encoded):
            raise Broken(f"{path}: is not signed by the key that it names")
        if key is None and trusted and public_key not in trusted:
            raise Broken(f"{path}: is signed by {public_key.hex()}, which is none of the keys you trust")
        if key is not None and public_key != key and public_key not in trusted:
            endorsement = base64.b64decode(anchor["endorsement"])
            if not is_signed(key, endorsement, b"runway key 1\x00" + public_key):
                raise Broken(f"{path}: is signed by a new key that the one before did not endorse")
        previous, key = sha256(b"\x03" + encoded), public_key
        for company, (place, head) in moved.items():
            anchored.setdefault(company, {})[place] = (bytes.fromhex(head), expected)
    return anchored, expected, key


def compare(company, hashes, anchored):
    """Hold one chain to the anchors; returns how many of them it agrees with."""
    agreed = 0
    for place, (head, anchor) in sorted(anchored.items()):
        if place < min(hashes):
            continue
        if place not in hashes:
            raise Broken(f"{company}: anchor {anchor} knows entry {place}, and the export ends at {max(hashes)}")
        if hashes[place] != head:
            raise Broken(f"{company}: anchor {anchor} knows entry {place} by another hash: history was written anew")
        agreed += 1
    return agreed


def read_manifest(document, where, trusted):
    """What a manifest says, once its signature was verified."""
    manifest = json.loads(document)
    signed = base64.b64decode(manifest["signed"], validate=True)
    public_key = bytes.fromhex(manifest["public_key"])
    if not is_signed(public_key, base64.b64decode(manifest["signature"]), b"runway archive 1\x00" + signed):
        raise Broken(f"{where}: is not signed by the key that it names")
    if trusted and public_key not in trusted:
        raise Broken(f"{where}: is signed by {public_key.hex()}, which is none of the keys you trust")
    return json.loads(signed)


def verify_manifest(path, trusted, marks):
    """The signature of an archive's manifest, and the file that it names."""
    said = read_manifest(path.read_bytes(), path, trusted)
    file = path.with_name(said["file"])
    if hashlib.sha256(file.read_bytes()).hexdigest() != said["sha256"]:
        raise Broken(f"{file}: is not the file that was signed")
    company, hashes = verify_export(file, marks)
    first = min(hashes) + 1
    is_same = (company, first, max(hashes)) == (said["company"], said["first"], said["last"])
    if not is_same or hashes[max(hashes)].hex() != said["last_hash"]:
        raise Broken(f"{file}: holds other entries than its manifest says")
    return company, hashes


def verify_marks(marks, chains, trusted):
    """Hold what a chain says of its archived pieces to the pieces; names those that were not given."""
    for company, place, document in marks:
        where = f"entry {place} of {company}, which says that others were archived"
        said = read_manifest(document, where, trusted)
        hashes = chains.get(company, {})
        if (
            said["company"] != company
            or hashes.get(said["last"], bytes.fromhex(said["last_hash"])).hex() != said["last_hash"]
        ):
            raise Broken(f"{where}: its piece is another one")
        if said["first"] not in hashes:
            print(f"{company}: entries {said['first']} to {said['last']} are archived in {said['file']}: not given")


def find_files(paths):
    """The files that were named, and of folders the manifests in them."""
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.manifest.json"))
        else:
            yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "files", nargs="*", type=Path, help="exports (.jsonl, .jsonl.gz), manifests (.manifest.json), folders of these"
    )
    parser.add_argument("--anchors", type=Path, help="the folder of anchors")
    parser.add_argument(
        "--public-key", action="append", default=[], help="a key that you trust, hex; may be given again"
    )
    arguments = parser.parse_args()
    trusted = {bytes.fromhex(key) for key in arguments.public_key}
    is_sound = True
    chains, anchored, marks = {}, {}, []
    try:
        if arguments.anchors is not None:
            anchored, count, key = verify_anchors(arguments.anchors, trusted)
            named = "" if key is None else f", signed by {key.hex()}"
            print(f"{arguments.anchors}: {count} anchors are sound{named}")
        parts = []
        for path in find_files(arguments.files):
            is_manifest = path.name.endswith(".manifest.json")
            found = verify_manifest(path, trusted, marks) if is_manifest else verify_export(path, marks)
            parts.append((path, *found))
        for path, company, hashes in sorted(parts, key=lambda part: min(part[2])):
            held = chains.setdefault(company, {})
            first, seam = min(hashes), hashes[min(hashes)]
            if held and held.get(first) != seam:
                raise Broken(f"{path}: does not follow the entries before {first + 1} in the other files")
            for place in sorted(hashes.keys() & held.keys()):
                if hashes[place] != held[place]:
                    raise Broken(f"{path}: says another entry {place} of {company} than the other files")
            held.update(hashes)
            print(f"{path}: entries {first + 1} to {max(hashes)} of {company} are as they were written")
        verify_marks(marks, chains, trusted)
        for company, hashes in chains.items():
            agreed = compare(company, hashes, anchored.get(company, {}))
            print(f"{company}: {max(hashes) - min(hashes)} entries agree with {agreed} anchors")
    except Broken as fault:
        print(f"BROKEN {fault}")
        is_sound = False
    except (OSError, ValueError, KeyError, StopIteration) as error:
        print(f"cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
