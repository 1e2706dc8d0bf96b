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
import heapq
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


class Export:
    """One file: a part of a company's chain, read as a stream and never held."""

    def __init__(self, path, said=None):
        self.path, self.said = path, said  # what its manifest says, where it has one
        header = next(read_lines(path))
        if header.get("runway_log") != 1:
            raise Broken(f"{path}: not an export of serialisation 1")
        self.company, self.after, self.previous = header["company"], header["after"], bytes.fromhex(header["previous"])
        self.last = self.after
        if self.after == 0 and self.previous != NIL:
            raise Broken(f"{path}: a chain starts at 32 nil bytes")

    def follow(self, marks):
        """Recompute the chain; yields each place with its hash, first the seam behind which the file begins.

        Entries that say that others were taken out of the database are put into `marks`.
        """
        lines = read_lines(self.path)
        next(lines)
        place, previous = self.after, self.previous
        yield place, True, previous, self
        end = None
        for line in lines:
            if "end" in line:
                end = line
                continue
            place += 1
            where = f"{self.path}: entry {place}"
            if end is not None:
                raise Broken(f"{where} stands behind the end")
            if line["sequence"] != place:
                raise Broken(f"{where} is missing: the next one is {line['sequence']}")
            canonical = base64.b64decode(line["canonical"], validate=True)
            fields = decode_entry(canonical)
            digest = sha256(b"\x02" + previous + sha256(b"\x00" + canonical))
            if digest.hex() != line["hash"]:
                raise Broken(f"{where} is not what was hashed, or does not follow the entry before it")
            if fields["company"].decode() != self.company or int(fields["sequence"]) != place:
                raise Broken(f"{where} says it is entry {int(fields['sequence'])} of {fields['company'].decode()!r}")
            if fields["what"] == b"log_detached":
                marks.append((place, fields["raw"]))
            previous = digest
            yield place, False, digest, self
        if end is None:
            raise Broken(f"{self.path}: the end is missing: the file was cut off behind entry {place}")
        if end["end"] != place or end["hash"] != previous.hex():
            raise Broken(f"{self.path}: ends at entry {place}, and should at {end['end']}")
        self.last = place
        self.compare_manifest(previous)
        print(f"{self.path}: entries {self.after + 1} to {place} of {self.company} are as they were written")

    def compare_manifest(self, last_hash):
        said = self.said
        if said is None:
            return
        is_same = (self.company, self.after + 1, self.last) == (said["company"], said["first"], said["last"])
        if not is_same or last_hash.hex() != said["last_hash"]:
            raise Broken(f"{self.path}: holds other entries than its manifest says")

    def find_hashes(self, places):
        """The hashes of some places of the file, which was verified before."""
        found = {self.after: self.previous}
        found |= {
            line["sequence"]: bytes.fromhex(line["hash"])
            for line in read_lines(self.path)
            if line.get("sequence") in places
        }
        return {place: found[place] for place in places & found.keys()}


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


def verify_chain(company, exports, anchored, trusted):
    """Follow one company's files side by side, and hold them to one another, to the anchors and to their marks."""
    marks, agreed = [], 0
    first = place = head = None
    for at, is_seam, found, export in heapq.merge(*(export.follow(marks) for export in exports), key=lambda it: it[:2]):
        if place is None:
            first = at
        elif is_seam and at > place:
            raise Broken(f"{export.path}: does not follow the entries before {export.after + 1} in the other files")
        elif at == place and found != head:
            what = "does not follow the entry" if is_seam else "says another entry"
            raise Broken(f"{export.path}: {what} {at} of {company} than the other files")
        if at != place and at in anchored:
            expected, anchor = anchored[at]
            if found != expected:
                raise Broken(f"{company}: anchor {anchor} knows entry {at} by another hash: history was written anew")
            agreed += 1
        place, head = at, found
    for at, (_, anchor) in sorted(anchored.items()):
        if at > place:
            raise Broken(f"{company}: anchor {anchor} knows entry {at}, and the export ends at {place}")
    verify_marks(company, marks, exports, trusted)
    return f"{company}: {place - first} entries agree with {agreed} anchors"


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


def open_manifest(path, trusted):
    """The export that an archive's manifest names, once the manifest's signature and the file were verified."""
    said = read_manifest(path.read_bytes(), path, trusted)
    file = path.with_name(said["file"])
    with file.open("rb") as piece:
        if hashlib.file_digest(piece, "sha256").hexdigest() != said["sha256"]:
            raise Broken(f"{file}: is not the file that was signed")
    return Export(file, said)


def verify_marks(company, marks, exports, trusted):
    """Hold what a chain says of its archived pieces to the pieces; names those that were not given."""
    pieces = []
    for place, document in marks:
        where = f"entry {place} of {company}, which says that others were archived"
        pieces.append((where, read_manifest(document, where, trusted)))
    ends = {said["last"] for _, said in pieces}
    hashes = {}
    for export in exports:
        within = {end for end in ends if export.after <= end <= export.last}
        hashes |= export.find_hashes(within) if within else {}
    for where, said in pieces:
        last = hashes.get(said["last"])
        if said["company"] != company or (last is not None and last.hex() != said["last_hash"]):
            raise Broken(f"{where}: its piece is another one")
        if not any(export.after <= said["first"] <= export.last for export in exports):
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
    chains, anchored = {}, {}
    try:
        if arguments.anchors is not None:
            anchored, count, key = verify_anchors(arguments.anchors, trusted)
            named = "" if key is None else f", signed by {key.hex()}"
            print(f"{arguments.anchors}: {count} anchors are sound{named}")
        for path in find_files(arguments.files):
            is_manifest = path.name.endswith(".manifest.json")
            export = open_manifest(path, trusted) if is_manifest else Export(path)
            chains.setdefault(export.company, []).append(export)
        agreements = [
            verify_chain(company, exports, anchored.get(company, {}), trusted) for company, exports in chains.items()
        ]
        for agreement in agreements:
            print(agreement)
    except Broken as fault:
        print(f"BROKEN {fault}")
        is_sound = False
    except (OSError, ValueError, KeyError, StopIteration) as error:
        print(f"cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
