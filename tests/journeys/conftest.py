"""Real parts: a sandbox as its own process, the installed program, a database on disk or on a server."""

import base64
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from runway_app_http.cli import main
from runway_sandbox.serve import SandboxProcess, start_sandbox

from tests.cli.reading import read_document

PROGRAM = str(Path(sys.executable).parent / "runway")
PATIENCE_S = 120


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output; there is nothing else."""
        return read_document(self.out)


@dataclass
class Desk:
    """One person at a terminal, in a folder of her own, beside a sandbox."""

    folder: Path
    sandbox: SandboxProcess

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PROGRAM, *arguments], cwd=self.folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more,
        )  # fmt: skip

    def run(self, *arguments: str) -> Ended:
        """Run a command to its end, in this process: a program of its own takes a second to begin."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(arguments)
        return Ended(code, out.getvalue(), err.getvalue())

    def run_program(self, *arguments: str) -> Ended:
        """Run a command to its end, as its own program."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        return Ended(process.returncode, out, err)

    def ask(self, *arguments: str) -> Any:
        """Run with `--json` and expect success."""
        ended = self.run(*arguments, "--json")

        assert ended.code == 0, ended.err
        return ended.document

    def connect(self) -> list[dict[str, Any]]:
        (self.folder / "ready.json").write_text(json.dumps(self.sandbox.ready) + "\n", encoding="utf-8")
        items: list[dict[str, Any]] = self.ask("connect", "sandbox", "--ready-file", "ready.json")["items"]
        return items

    def control(self, path: str, body: Any = None) -> Any:
        address = f"{self.sandbox.control_url}{path}"
        answer = httpx.get(address) if body is None else httpx.post(address, json=body)
        return answer.raise_for_status().json()

    def calls(self) -> dict[str, int]:
        """Calls by company since the last reset, sign-in left out."""
        counted: dict[str, int] = {}
        for line in self.control("/calls"):
            if line["company"]:
                counted[line["company"]] = counted.get(line["company"], 0) + line["calls"]
        return counted


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, and nothing set but who acts and the vault's key; logging is left as it was found."""
    for name in [name for name in os.environ if name.startswith(("RUNWAY_", "COLUMNS"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RUNWAY_SECRET_KEY", base64.b64encode(os.urandom(32)).decode())
    monkeypatch.setenv("RUNWAY_ACTOR", "ada")
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield folder
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    # Commands follow one another faster here than a person's do: the limits would meet the calls of several at once.
    with start_sandbox(clients=3, bills_per_client=40, seed=7, more_arguments=["--no-throttle"]) as process:
        yield process


@pytest.fixture
def desk(sandbox: SandboxProcess, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """On SQLite."""
    monkeypatch.setenv("RUNWAY_DATABASE_URL", f"sqlite:///{workplace.parent / 'books.db'}")
    return Desk(workplace, sandbox)


@pytest.fixture
def any_desk(sandbox: SandboxProcess, workplace: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """On SQLite, and on PostgreSQL."""
    monkeypatch.setenv("RUNWAY_DATABASE_URL", database_url)
    return Desk(workplace, sandbox)
