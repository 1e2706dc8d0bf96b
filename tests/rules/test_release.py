"""A release wants an audit of its dependencies that took place, and a list of its parts."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOLES = "echo 'Found 1 known vulnerability in 1 package' >&2; exit 1"
NOT_FOUND = "echo 'ERROR:pip_audit._cli:urllib3: Dependency not found on PyPI and could not be audited' >&2; exit 1"
NO_ANSWER = "echo 'Traceback (most recent call last):' >&2; exit 1"
SOUND = "echo 'No known vulnerabilities found' >&2; exit 0"


@pytest.mark.parametrize(
    ("auditor", "code", "says_so"), [(SOUND, 0, False), (HOLES, 1, False), (NOT_FOUND, 2, True), (NO_ANSWER, 2, True)]
)
def test_an_audit_that_could_not_ask_says_so_and_is_told_apart_from_holes(
    tmp_path: Path, auditor: str, code: int, says_so: bool
) -> None:
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\n{auditor}\n", encoding="utf-8")
    program.chmod(0o755)
    command = [str(ROOT / ".ci" / "audit"), os.devnull]
    environment = os.environ | {"PIP_AUDIT": str(program)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert ran.returncode == code
    assert ("NOT AUDITED" in ran.stderr) is says_so


def test_a_release_is_checked_audited_and_lists_its_parts() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert "\nrelease: check audit sbom " in makefile
