"""A company erased from the command line: said beforehand, confirmed, and still verified afterwards."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Run


def test_it_is_said_what_goes_and_nobody_is_erased_unasked(run: Run, acme: str, folder: Path) -> None:
    ran = run("erase", "acme")
    listed = run("companies", "list", "--json").document["items"]

    assert ran.code == 2
    assert "nobody can be asked here: nothing was erased; say --yes" in ran.err
    assert "1 entry of its log, whose content nobody can read any more" in ran.err
    assert [company["company_id"] for company in listed] == [acme]
    assert b"Acme Hardware" in read_all(folder)


def test_an_erased_company_is_in_no_list_and_no_file_and_its_log_still_verifies(
    run: Run, acme: str, folder: Path
) -> None:
    run("companies", "set", acme, "--owner", "ada", "--tag", "lumber")
    done = run("erase", "acme", "--yes", "--json")
    again = run("erase", acme, "--yes", "--json")
    listed = run("companies", "list", "--json").document["items"]
    verified = run("log", "verify", "--json")
    shown = run("log", "show", acme)
    asked = run("digest", acme)

    assert done.code == 0, done.err
    assert again.document == done.document
    assert (done.document["company_id"], done.document["is_finished"]) == (acme, True)
    assert listed == []
    assert (verified.code, verified.document["entries"]) == (0, 4)  # three of its own, one of the firm's
    assert ("company_erased" in shown.out, shown.out.count("erased") >= 3) == (True, True)
    assert asked.code == 2
    assert b"Acme Hardware" not in read_all(folder)
    assert b"lumber" not in read_all(folder)


def answer_at_a_terminal(acme: str, typed: str) -> int:
    """What somebody meets who sits at a terminal and types a name."""
    terminal, theirs = pty.openpty()
    os.write(terminal, f"{typed}\n".encode())
    asked = [sys.executable, "-c", "from runway_app_http.cli import main; raise SystemExit(main())", "erase", acme]
    code = subprocess.run(asked, stdin=theirs, capture_output=True, check=False).returncode
    os.close(theirs)
    os.close(terminal)
    return code


def test_who_is_asked_must_type_the_name(run: Run, acme: str) -> None:
    code = answer_at_a_terminal(acme, "Acme")
    listed = run("companies", "list", "--json").document["items"]

    assert (code, len(listed)) == (2, 1)


def read_all(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("runway.db*") if path.is_file())
