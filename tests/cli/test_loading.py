"""What a command loads: itself, and not what other commands need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from runway_app_http.cli.program import PLACES

from tests.cli.conftest import Run

PROGRAM = Path(sys.executable).parent / "runway"
WEB = {"fastapi", "jinja2", "argon2", "authlib", "uvicorn"}
STORE = {"sqlalchemy", "alembic", "dependency_injector"}
RUN_AND_LIST = """
import json, sys
from runway_app_http.cli import main
code = main(sys.argv[1:])
sys.stderr.write(json.dumps([code, [name for name in sys.modules if "." not in name]]))
"""


def libraries_of(*arguments: str) -> set[str]:
    """What a process has loaded once it ran that command."""
    ran = subprocess.run(
        [sys.executable, "-c", RUN_AND_LIST, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    code, loaded = json.loads(ran.stderr.splitlines()[-1])

    assert code == 0, ran.stderr
    return set(loaded)


def test_a_command_that_opens_no_database_loads_no_library_for_one_nor_the_web() -> None:
    loaded = libraries_of("people", "add", "--help")

    assert loaded & (STORE | WEB) == set()


def test_a_command_that_serves_nothing_does_not_load_the_web() -> None:
    loaded = libraries_of("people", "list")

    assert loaded & WEB <= {"fastapi"}  # which dependency-injector loads by itself wherever it is installed
    assert loaded >= STORE


@pytest.mark.parametrize("name", PLACES)
def test_every_command_is_where_the_list_says(run: Run, name: str) -> None:
    ran = run(name, "--help")

    assert (ran.code, ran.err) == (0, "")
    assert f"Usage: runway {name} " in ran.out


@pytest.mark.parametrize(("typed", "offered"), [("runway dig", ["digest", "digests"]), ("runway keys e", ["end"])])
def test_the_shell_completes_names_of_commands(folder: Path, typed: str, offered: list[str]) -> None:
    asked = {"_RUNWAY_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    ran = subprocess.run(
        [PROGRAM], env={**os.environ, **asked}, cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )

    assert ran.stdout.split() == offered


def test_a_slip_is_met_with_the_name_that_was_meant(run: Run) -> None:
    assert "Did you mean 'portfolio'?" in run("portfoli").err
