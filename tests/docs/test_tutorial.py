"""From nothing to a passing contract, by the commands of the tutorial as they stand on its page."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "tutorials" / "write-a-rail.md"
READ_BY_AUTHORS = (
    "packages/rail-sample",
    "tests/contracts/test_sample_rail.py",
    "tests/rails/sample",
    "pyproject.toml",
)
ELSEWHERE = ("find-uv", "find-program")
"""Recipes' lines that need more than this machine's environment: the lock file is resolved with an index."""


def blocks(language: str) -> list[str]:
    """The code blocks of the page, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with what the author of a rail begins with, and no rail of that name."""
    for part in (*READ_BY_AUTHORS, "Makefile"):
        source, target = CHECKOUT / part, tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return tmp_path


def install(package: Path) -> None:
    """Stand in for the part of a command that installs a new package: what the environment knows of it."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folder = package / "src" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    found = "\n".join(f"{name} = {module}" for name, module in project["entry-points"]["runway"].items())
    (folder / "entry_points.txt").write_text(f"[runway]\n{found}\n")


def run(command: str, *, checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run what a command of the page does, with this environment in place of the checkout's own."""
    assert command.startswith("make "), command
    dry = f"make --dry-run --no-print-directory --old-file=.venv/.synced WORKERS=0 {command.removeprefix('make ')}"
    asked = subprocess.run(dry, shell=True, cwd=checkout, capture_output=True, text=True, check=True)
    here = Path(sys.executable).parent
    lines = [line.replace(".venv/bin/", f"{here}/") for line in asked.stdout.splitlines()]
    own = [line for line in lines if not any(name in line for name in ELSEWHERE)]
    assert own, asked.stdout
    paths = {"PYTHONPATH": os.pathsep.join(str(one) for one in checkout.glob("packages/*/src"))}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    # A run within this one would close the folder that the runs of a user share, and with it our PostgreSQL's files.
    environment["PYTEST_DEBUG_TEMPROOT"] = str(checkout)
    return subprocess.run(
        " && ".join(own),
        shell=True,
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
        env={**environment, **paths},
    )


def test_the_tutorials_own_commands_lead_from_nothing_to_a_rail_that_passes_its_contract(checkout: Path) -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]
    answers = [(commands[0], run(commands[0], checkout=checkout))]
    install(checkout / "packages" / "rail-acme")
    answers += [(command, run(command, checkout=checkout)) for command in commands[1:]]
    manifest = tomllib.loads((checkout / "packages/rail-acme/pyproject.toml").read_text(encoding="utf-8"))
    (shown,) = (tomllib.loads(block)["project"]["entry-points"]["runway"] for block in blocks("toml"))

    assert commands[0] == "make new-rail NAME=acme"
    assert [(command, answer.stdout + answer.stderr) for command, answer in answers if answer.returncode] == []
    passed = re.search(r"(\d+) passed", answers[-1][1].stdout)
    assert passed is not None
    assert int(passed[1]) >= 20
    assert manifest["project"]["entry-points"]["runway"] == {
        key.replace("sample", "acme"): value.replace("sample", "acme") for key, value in shown.items()
    }
