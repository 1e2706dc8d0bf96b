"""The verifier that shares no code with Runway judges exports and anchors as Runway does."""

import base64
import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import ChainHead, LogDraft, StoredEntry, read_copies, seal_entries
from runway_core.domain.log_files import write_end, write_entries, write_start
from runway_core.runway import Runway
from runway_store_sql import FolderAnchorSink, SqlStore
from runway_testkit.clock import FixedClock
from runway_testkit.store_desk import START, StoreDesk, make_bill

SCRIPT = Path(__file__).parents[2] / "tools" / "verify_log.py"

Lines = list[dict[str, Any]]


def verify(*arguments: str | Path) -> tuple[int, str]:
    """Run it alone: isolated, so that nothing of this environment but the standard library and cryptography is met."""
    command = [sys.executable, "-I", str(SCRIPT), *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def test_it_imports_nothing_of_runway() -> None:
    assert "runway_" not in SCRIPT.read_text(encoding="utf-8").replace("runway_log", "").replace("runway_anchor", "")


@pytest.fixture
async def audited(tmp_path: Path, sqlite: Callable[[Path], str]) -> Path:
    """A folder with the export of a company and the anchors of four moments, two keys among them."""
    clock = FixedClock(START)
    store = SqlStore(sqlite(tmp_path / "books.db"), clock=clock)
    sink = FolderAnchorSink(tmp_path / "anchors")
    runway = Runway.open(store=store, rails=[], clock=clock, firm_id=FirmId("own"), anchor_sinks=[sink])
    async with runway:
        desks = [await StoreDesk(store, company=name).open() for name in ("acme", "birch", "cedar")]
        for revision in range(3):
            for desk in desks[: 3 - revision]:
                await desk.put(*(make_bill(f"№{n}", revision=revision) for n in range(4)))
            await runway.anchors.anchor()
            clock.advance(timedelta(hours=30))
        await runway.anchors.rotate_key()
        with gzip.open(tmp_path / "acme.jsonl.gz", "wb") as file:
            async for lines in runway.export_log(desks[0].id):
                file.write(lines)
        with (tmp_path / "rest.jsonl").open("wb") as plain:
            async for lines in runway.export_log(desks[0].id, after=6):
                plain.write(lines)
        keys = [key.public_key.hex() for key in await runway.anchors.keys()]
    (tmp_path / "keys").write_text(" ".join(keys), encoding="utf-8")
    return tmp_path


async def test_a_sound_export_agrees_with_the_anchors(audited: Path) -> None:
    first, _ = (audited / "keys").read_text(encoding="utf-8").split()

    code, said = verify(audited / "acme.jsonl.gz", "--anchors", audited / "anchors", "--public-key", first)

    assert code == 0, said
    assert "4 anchors are sound" in said
    assert "acme: 14 entries agree with 3 anchors" in said


def write_long(path: Path, entries: int) -> None:
    """An export of so many short entries."""
    by = Attribution(cause=Cause.SYSTEM, actor="runway", correlation_id="run")
    draft = LogDraft(seen_at=START, rail="", kind="note", external_id="1", what="noted", attribution=by)
    sealed, head = seal_entries(CompanyId("acme"), ChainHead(), [draft] * entries)
    stored = [
        StoredEntry(entry.sequence, entry.previous_hash, entry.hash, entry.canonical, *read_copies(entry.canonical))
        for entry in sealed
    ]
    path.write_bytes(write_start(CompanyId("acme"), ChainHead()) + write_entries(stored) + write_end(head))


def test_a_chain_is_never_held_whole(tmp_path: Path) -> None:
    """Twenty times the entries take no more memory: the hash of each alone would be seven megabytes."""
    # Of the process's own memory: what `getrusage` tells includes what stood in this one when it was forked.
    watching = "import runpy, sys; sys.argv = sys.argv[1:]\ntry: runpy.run_path(sys.argv[0], run_name='__main__')\n"
    watching += (
        "except SystemExit as end: print(end.code, *(line for line in open('/proc/self/status') if 'VmHWM' in line))"
    )
    peaks = []
    for entries in (2_000, 40_000):
        write_long(tmp_path / "long.jsonl", entries)
        command = [sys.executable, "-I", "-c", watching, str(SCRIPT), str(tmp_path / "long.jsonl")]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        code, _, peak, _ = said.split()[-4:]
        peaks.append(int(peak))
        assert code == "0", said
        assert f"entries 1 to {entries} of acme" in said

    assert peaks[1] - peaks[0] < 2_000  # KiB


async def test_files_with_a_gap_between_them_are_refused(audited: Path) -> None:
    with gzip.open(audited / "acme.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    early = audited / "early.jsonl"
    end = {"end": 5, "hash": lines[5]["hash"]}
    early.write_text("".join(f"{json.dumps(line)}\n" for line in [*lines[:6], end]), encoding="utf-8")

    code, said = verify(early, audited / "rest.jsonl")

    assert code == 1
    assert "rest.jsonl: does not follow the entries before 7 in the other files" in said


async def test_a_part_of_a_chain_is_verified_from_where_it_begins(audited: Path) -> None:
    code, said = verify(audited / "rest.jsonl", "--anchors", audited / "anchors")

    assert code == 0, said
    assert "entries 7 to 14 of acme" in said


async def test_a_key_that_nobody_trusts_is_named(audited: Path) -> None:
    code, said = verify("--anchors", audited / "anchors", "--public-key", "00" * 32)

    assert code == 1
    assert "none of the keys you trust" in said


def alter(canonical: bytes) -> bytes:
    """The same entry with another byte in the middle of what it holds, sealed as it is."""
    middle = len(canonical) // 2
    return canonical[:middle] + bytes([canonical[middle] ^ 1]) + canonical[middle + 1 :]


def forge_content(lines: Lines) -> Lines:
    canonical = base64.b64decode(lines[5]["canonical"])
    lines[5]["canonical"] = base64.b64encode(alter(canonical)).decode()
    return lines


def swap_company(lines: Lines) -> Lines:
    lines[0]["company"] = "birch"
    return lines


TAMPERINGS: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "an entry changed": (forge_content, "entry 5 is not what was hashed"),
    "an entry removed": (lambda lines: lines[:5] + lines[6:], "entry 5 is missing: the next one is 6"),
    "entries swapped": (lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]], "entry 5 is missing"),
    "an entry twice": (lambda lines: [*lines[:6], lines[5], *lines[6:]], "entry 6 is missing"),
    "cut off": (lambda lines: lines[:-3], "the end is missing"),
    "cut off before its end": (lambda lines: [*lines[:-3], lines[-1]], "ends at entry 12, and should at 14"),
    "another company's": (swap_company, "says it is entry 1 of 'acme'"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_what_was_done_to_an_export_is_named(audited: Path, name: str) -> None:
    tamper, fault = TAMPERINGS[name]
    with gzip.open(audited / "acme.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    forged = audited / "forged.jsonl"
    forged.write_text("".join(f"{json.dumps(line)}\n" for line in tamper(lines)), encoding="utf-8")

    code, said = verify(forged, "--anchors", audited / "anchors")

    assert code == 1, said
    assert fault in said


async def test_a_shorter_history_that_fits_itself_is_found_by_the_anchors(audited: Path) -> None:
    with gzip.open(audited / "acme.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = file.readlines()
    last = json.loads(lines[-3])
    end = json.dumps({"end": last["sequence"], "hash": last["hash"]})
    (audited / "short.jsonl").write_text("".join([*lines[:-2], end, "\n"]), encoding="utf-8")

    alone, _ = verify(audited / "short.jsonl")
    code, said = verify(audited / "short.jsonl", "--anchors", audited / "anchors")

    assert alone == 0
    assert code == 1
    assert "knows entry 14, and the export ends at 13" in said


def reseal(lines: Lines, place: int) -> Lines:
    """Write an entry anew, and every hash from there on: the file fits itself, as that of another history would."""
    previous = bytes.fromhex(lines[place - 1]["hash"])
    for line in lines[place:-1]:
        canonical = base64.b64decode(line["canonical"])
        if line["sequence"] == place:
            canonical = alter(canonical)
        previous = hashlib.sha256(b"\x02" + previous + hashlib.sha256(b"\x00" + canonical).digest()).digest()
        line |= {"canonical": base64.b64encode(canonical).decode(), "hash": previous.hex()}
    return [*lines[:-1], {"end": lines[-1]["end"], "hash": previous.hex()}]


async def test_files_that_tell_two_histories_of_one_company_contradict_each_other(audited: Path) -> None:
    """Both fit themselves and begin alike; which of them is the true one an anchor would say."""
    with gzip.open(audited / "acme.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = reseal([json.loads(line) for line in file], 9)
    other = audited / "other.jsonl"
    other.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")

    alone = verify(other)
    code, said = verify(audited / "acme.jsonl.gz", other)
    overlapping = verify(audited / "acme.jsonl.gz", audited / "rest.jsonl")

    assert (alone[0], overlapping[0]) == (0, 0), (alone, overlapping)
    assert code == 1
    assert "says another entry 9 of acme" in said


@pytest.mark.parametrize(
    ("number", "was", "becomes", "fault"),
    [
        (2, '"size":3', '"size":2', "are not those that were signed"),
        (2, '["acme",10', '["acme",11', "are not those that were signed"),
        (3, '"made_at":', '"made_at":1', "is not signed by the key that it names"),
        (4, '"endorsement":"', '"endorsement":"AAAA', "did not endorse"),
    ],
)
async def test_what_was_done_to_an_anchor_is_named(
    audited: Path, number: int, was: str, becomes: str, fault: str
) -> None:
    path = audited / "anchors" / f"anchor-{number:09d}.json"
    path.chmod(0o644)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(was, becomes), encoding="utf-8")

    code, said = verify("--anchors", audited / "anchors")

    assert was in text
    assert code == 1, said
    assert fault in said


async def test_a_missing_anchor_is_named(audited: Path) -> None:
    (audited / "anchors" / "anchor-000000002.json").unlink()

    code, said = verify("--anchors", audited / "anchors")

    assert code == 1
    assert "anchor 2 is missing" in said


async def test_a_file_that_is_none_is_told_apart_from_a_broken_one(audited: Path) -> None:
    (audited / "none.jsonl").write_text("hello", encoding="utf-8")

    assert verify(audited / "none.jsonl")[0] == 2
    assert verify(audited / "absent.jsonl")[0] == 2
