"""The log from the command line: anchored, verified, its keys shown and rotated."""

import base64
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from runway_core.domain.log_entry import ChainHead, hash_entry
from runway_testkit.bucket_server import BucketServer

from tests.cli.conftest import Run
from tests.cli.test_companies import forge_first_entry
from tests.store.test_standalone_verifier import verify


def cut_newest_entry() -> None:
    """Cut the log and set its head back, as one could who owns the file: the chain fits itself afterwards."""
    with closing(sqlite3.connect("runway.db")) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("DELETE FROM log_entries WHERE sequence = 2")
        connection.execute("UPDATE log_heads SET sequence = 1, hash = (SELECT hash FROM log_entries)")


def test_an_anchor_is_written_beside_the_file_and_shows_a_log_that_was_cut(run: Run, acme: str, folder: Path) -> None:
    run("companies", "set", acme, "--owner", "ada")
    made = run("log", "anchor", "--json")
    sound = run("log", "verify", "--company", acme, "--json")
    cut_newest_entry()
    broken = run("log", "verify", "--json")

    assert made.code == 0, made.err
    assert (made.document["number"], made.document["companies"]) == (1, 1)
    assert [path.name for path in (folder / "runway.db.anchors").iterdir()] == ["anchor-000000001.json"]
    assert (sound.code, sound.document["anchors"], sound.document["entries"]) == (0, 1, 2)
    assert (broken.code, broken.document["items"][0]["difference"]) == (1, "truncated")
    assert "entries behind 0 were cut off" in broken.err or "entries behind 1 were cut off" in broken.err


def test_verifying_since_a_day_looks_at_what_came_later(run: Run, acme: str) -> None:
    forge_first_entry()
    ran = run("log", "verify", "--since", "2999-01-01", "--json")
    wrong = run("log", "verify", "--since", "yesterday")

    assert (ran.code, ran.document["entries"], ran.document["items"][0]["trusted_through"]) == (0, 0, 1)
    assert wrong.code == 2
    assert "is no day or moment" in wrong.err


def test_keys_are_made_shown_and_rotated(run: Run, acme: str) -> None:
    [first] = run("log", "public-key", "--json").document["items"]
    rotated = run("log", "rotate-key", "--json")

    assert len(bytes.fromhex(first["public_key"])) == 32
    assert [key["is_endorsed"] for key in rotated.document["items"]] == [False, True]
    assert rotated.document["items"][0] == first | {"is_current": False}


def test_a_deep_check_rebuilds_every_mirror(run: Run, acme: str) -> None:
    sound = run("db", "check", "--deep", "--json")
    forge_first_entry()
    broken = run("db", "check", "--deep", "--json")

    assert (sound.code, [one["is_sound"] for one in sound.document["items"]]) == (0, [True])
    assert (broken.code, broken.document["items"][0]["is_sound"]) == (1, False)


def test_closed_months_are_archived_in_signed_pieces_that_verify_without_runway(run: Run, acme: str) -> None:
    """Each run goes on where the folder ends; the pieces, the rest and the anchors are one chain."""
    run("companies", "set", acme, "--owner", "ada")
    first = run("log", "archive", "--before", "2999-01-01", "--to", "archive", "--json")
    run("companies", "set", acme, "--owner", "bob")
    nothing = run("log", "archive", "--before", "2001-01-01", "--to", "archive", "--json")
    second = run("log", "archive", "--before", "2999-01-01", "--to", "archive", "--json")
    manifests = sorted(str(path) for path in Path("archive").glob("*.manifest.json"))
    sound = verify(*manifests, "--anchors", "runway.db.anchors")
    piece = Path(second.document["items"][0]["file"])
    piece.chmod(0o644)
    piece.write_bytes(piece.read_bytes() + b"x")
    broken = verify(*manifests)

    assert [(item["first"], item["last"]) for item in first.document["items"]] == [(1, 2)], first.err
    assert nothing.document["items"] == []
    assert [(item["first"], item["last"]) for item in second.document["items"]] == [(3, 3)]
    assert sound[0] == 0, sound[1]
    assert "3 entries agree with 2 anchors" in sound[1]
    assert broken[0] == 1
    assert "is not the file that was signed" in broken[1]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda pieces: pieces[0].unlink(), "No such file"),
        (lambda pieces: pieces[1].write_bytes(pieces[0].read_bytes()), "is not the file that was signed"),
        (lambda pieces: name_manifest(pieces[0]).unlink(), "does not follow entry 0"),
        (lambda pieces: forge_manifest(pieces[0], last_hash="00" * 32), "does not follow entry 2"),
    ],
    ids=["gone", "another", "a gap", "a seam"],
)
def test_a_folder_whose_pieces_are_not_whole_takes_no_more(
    run: Run, acme: str, spoil: Callable[[list[Path]], object], said: str
) -> None:
    """What was archived is only as good as the piece before: nothing is put behind a gap."""
    for owner in ("ada", "bob"):
        run("companies", "set", acme, "--owner", owner)
        run("log", "archive", "--before", "2999-01-01", "--to", "archive")
    pieces = sorted(Path("archive").glob("*.jsonl.gz"))
    for path in Path("archive").iterdir():
        path.chmod(0o644)
    spoil(pieces)
    run("companies", "set", acme, "--owner", "cleo")
    ran = run("log", "archive", "--before", "2999-01-01", "--to", "archive")

    assert len(pieces) == 2
    assert ran.code == 4
    assert said in ran.err
    assert "archive into a new folder" in ran.err


def name_manifest(piece: Path) -> Path:
    return piece.with_name(piece.name.replace(".jsonl.gz", ".manifest.json"))


def forge_manifest(piece: Path, **values: str) -> None:
    path = name_manifest(piece)
    document = json.loads(path.read_bytes())
    said = json.loads(base64.b64decode(document["signed"])) | values
    path.write_text(json.dumps(document | {"signed": base64.b64encode(json.dumps(said).encode()).decode()}))


def test_a_folder_keeps_companies_apart_whose_ids_begin_alike(run: Run, acme: str) -> None:
    run("log", "archive", "--before", "2999-01-01", "--to", "archive")
    for path in Path("archive").iterdir():
        path.rename(path.with_name(path.name.replace(acme, f"{acme}-2")))
    ran = run("log", "archive", "--before", "2999-01-01", "--to", "archive", "--json")

    assert [item["first"] for item in ran.document["items"]] == [1], ran.err


def test_a_log_that_was_written_anew_is_not_put_behind_what_was_archived(run: Run, acme: str) -> None:
    run("companies", "set", acme, "--owner", "ada")
    run("log", "archive", "--before", "2999-01-01", "--to", "archive")
    cut_newest_entry()
    for owner in ("bob", "cleo"):
        run("companies", "set", acme, "--owner", owner)
    ran = run("log", "archive", "--before", "2999-01-01", "--to", "archive")

    assert ran.code == 4
    assert "is not the one that the folder ends with" in ran.err
    assert len(list(Path("archive").iterdir())) == 2


def test_a_writer_that_was_killed_leaves_nothing_that_stands_in_the_way(run: Run, acme: str) -> None:
    """The manifest gets its name when it is on the disk; a half one would be taken for the end of the folder."""
    folder = Path("archive")
    folder.mkdir()
    manifest = folder / f"{acme}-000000000001-000000000001.manifest.json"
    script = (
        "import os, pathlib, sys\n"
        "from runway_app_http.log_archive import whole_file\n"
        "with whole_file(pathlib.Path(sys.argv[1])) as draft:\n"
        "    draft.write_text('{')\n"
        "    os._exit(9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(manifest)], check=False, timeout=60)
    left = [path.name for path in folder.iterdir()]
    ran = run("log", "archive", "--before", "2999-01-01", "--to", "archive", "--json")

    assert killed.returncode == 9
    assert [name.endswith(".draft") for name in left] == [True]
    assert ran.code == 0, ran.err
    assert manifest.is_file()


def test_a_broken_log_is_not_archived(run: Run, acme: str) -> None:
    forge_first_entry()
    ran = run("log", "archive", "--before", "2999-01-01", "--to", "archive")

    assert ran.code == 4
    assert "nothing is archived" in ran.err
    assert list(Path().glob("archive/*")) == []


def test_the_firms_own_chain_is_verified_with_all_others_and_after_a_restore(run: Run, acme: str) -> None:
    run("firm-policy", "set", "payroll_cover_days=21")
    run("log", "anchor")
    run("db", "backup", "backup.db")
    sound = run("log", "verify", "--json")
    with closing(sqlite3.connect("backup.db")) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE log_entries SET what = 'nothing' WHERE company_id LIKE 'firm:%' AND sequence = 1")
    restored = run("db", "restore", "backup.db", "--database-url", "sqlite:///restored.db", "--json")

    assert (sound.code, sound.document["firm"]["is_sound"], sound.document["firm"]["entries"]) == (0, True, 1)
    assert restored.code == 1
    assert "'the firm itself': entry 1 is broken (changed)" in restored.document["faults"][0]


def test_verifying_trusts_the_public_keys_that_it_is_given(run: Run, acme: str) -> None:
    run("log", "anchor")
    [key] = run("log", "public-key", "--json").document["items"]
    trusted = run("log", "verify", "--public-key", key["public_key"])
    another = run("log", "verify", "--public-key", "00" * 32)
    none = run("log", "verify", "--public-key", "abc")

    assert (trusted.code, another.code, none.code) == (0, 1, 2)
    assert "none of the keys you trust" in another.err
    assert "runway log public-key" in none.err or "hexadecimal" in none.err


def test_a_key_from_the_settings_is_changed_and_a_lost_one_left(
    run: Run, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
    monkeypatch.setenv("RUNWAY_LOG_KEY", old)
    run("log", "anchor")
    monkeypatch.setenv("RUNWAY_LOG_KEY", new)
    run("companies", "set", acme, "--owner", "ada")
    refused = run("log", "anchor")
    monkeypatch.setenv("RUNWAY_LOG_KEY_BEFORE", old)
    endorsed = run("log", "rotate-key", "--json")
    monkeypatch.delenv("RUNWAY_LOG_KEY_BEFORE")
    monkeypatch.delenv("RUNWAY_LOG_KEY")
    lost = run("log", "rotate-key")
    left = run("log", "rotate-key", "--unendorsed", "--json")
    verified = run("log", "verify", "--json")

    assert "RUNWAY_LOG_KEY_BEFORE" in refused.err
    assert "--unendorsed" in lost.err
    assert [key["is_endorsed"] for key in endorsed.document["items"]] == [False, True]
    assert [key["is_endorsed"] for key in left.document["items"]] == [False, True, False]
    assert (verified.code, len(verified.document["anchor_faults"])) == (1, 1)


# --- out of the database and back ---


def age_log(days: int) -> None:
    """Make every entry older than it is, chain and head with it, before any anchor knows of them."""
    with closing(sqlite3.connect("runway.db")) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        heads: dict[str, ChainHead] = {}
        rows = connection.execute(
            "SELECT company_id, sequence, seen_at, canonical FROM log_entries ORDER BY 1, 2"
        ).fetchall()
        for owner, sequence, seen_at, canonical in rows:
            aged_at = seen_at - timedelta(days=days) // timedelta(microseconds=1)
            aged = canonical.replace(b"%d" % seen_at, b"%d" % aged_at, 1)  # what it holds stays sealed
            previous = heads.get(owner, ChainHead()).hash
            head = ChainHead(sequence, hash_entry(previous, aged))
            values = (aged_at, previous, head.hash, aged, owner, sequence)
            connection.execute(
                "UPDATE log_entries SET seen_at = ?, previous_hash = ?, hash = ?, canonical = ? "
                "WHERE company_id = ? AND sequence = ?",
                values,
            )
            connection.execute("UPDATE log_heads SET hash = ? WHERE company_id = ?", (head.hash, owner))
            heads[owner] = head
        for _, statement in triggers:
            connection.execute(statement)


def test_archived_months_leave_the_database_are_read_across_and_come_back(
    run: Run, acme: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("companies", "set", acme, "--owner", "ada")
    run("firm-policy", "set", "payroll_cover_days=21")
    age_log(200)
    unset = run("log", "archive", "--before", "2999-01-01", "--to", "archive", "--detach")
    monkeypatch.setenv("RUNWAY_LOG_ARCHIVE_FOLDER", "archive")
    out = run("log", "archive", "--before", "2999-01-01", "--detach", "--json")
    shown = run("log", "show", acme, "--json")
    verified = run("log", "verify", "--json")
    deep = run("db", "check", "--deep")
    alone = verify("archive", "--anchors", "runway.db.anchors")
    Path("archive").rename("away")
    absent = run("log", "verify")
    missing = run("log", "show", acme)
    Path("away").rename("archive")
    back = run("log", "restore", "--company", acme, "--json")
    again = run("log", "verify", "--json")

    assert (unset.code, "RUNWAY_LOG_ARCHIVE_FOLDER" in unset.err) == (2, True)
    assert sorted((one["name"], one["first"], one["last"]) for one in out.document["detached"]) == [
        ("Acme Hardware", 1, 2),
        ("the firm itself", 1, 1),
    ], out.err
    assert [one["what"] for one in shown.document["items"]] == ["company_added", "company_updated", "log_detached"]
    assert (verified.code, verified.document["entries"], deep.code) == (0, 5, 0)
    assert (alone[0], "3 anchors" in alone[1] or "anchors are sound" in alone[1]) == (0, True)
    assert absent.code == 1
    assert f"{acme}-000000000001-000000000002.jsonl.gz" in absent.err
    assert "is broken" not in absent.err
    assert (missing.code, "which is not in" in missing.err) == (4, True)
    assert [(one["first"], one["last"]) for one in back.document["items"]] == [(1, 2)]
    assert (again.code, again.document["entries"]) == (0, 6)


def test_doctor_names_archived_files_that_are_not_found(
    run: Run, acme: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def examine() -> tuple[int, list[str]]:
        ran = run("doctor", "--json")
        return ran.code, [one["found"] for one in ran.document["items"] if one["what"] == "archive of the log"]

    run("companies", "set", acme, "--owner", "ada")
    age_log(200)
    monkeypatch.setenv("RUNWAY_LOG_ARCHIVE_FOLDER", "archive")
    before = examine()
    run("log", "archive", "--before", "2999-01-01", "--detach")
    whole = examine()
    piece = Path("archive", f"{acme}-000000000001-000000000002.jsonl.gz")
    piece.rename("elsewhere")
    absent = examine()
    with BucketServer().serving() as server:
        monkeypatch.setenv("RUNWAY_LOG_ARCHIVE_BUCKET", "s3://vault/log")
        monkeypatch.setenv("RUNWAY_BUCKET_ENDPOINT", server.endpoint)
        monkeypatch.setenv("RUNWAY_BUCKET_KEY_ID", "id")
        monkeypatch.setenv("RUNWAY_BUCKET_KEY_SECRET", "secret")
        nowhere = examine()
        server.objects[f"vault/log/{piece.name}"] = Path("elsewhere").read_bytes()
        copied = examine()
    silent = examine()

    assert (before, whole) == ((0, []), (0, ["1 of 1 files found"]))
    assert absent[0] == 4
    assert f"0 of 1 files found; not in 'archive': '{piece.name}'" in absent[1][0]
    assert (nowhere[0], "nor in 's3://vault/log'" in nowhere[1][0]) == (4, True)
    assert copied == (0, ["1 of 1 files found"])
    assert not piece.exists()  # looking fetches nothing
    assert (silent[0], "does not answer" in silent[1][0]) == (4, True)


def test_entries_of_the_last_months_stay_in_the_database(run: Run, acme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWAY_LOG_ARCHIVE_FOLDER", "archive")
    ran = run("log", "archive", "--before", "2999-01-01", "--detach")

    assert ran.code == 2
    assert "of the last 90 days" in ran.err
