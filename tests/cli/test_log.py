"""The log from the command line: anchored, verified, its keys shown and rotated."""

import sqlite3
from contextlib import closing
from pathlib import Path

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
