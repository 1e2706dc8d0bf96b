"""From an error to one line on standard error and an exit code (domain.md section 11)."""

import os
import sys

from rich.console import Console
from runway_core.errors import RailError, RunwayError, StaleRevision, StoreError

DONE = 0
FOUND = 1
WRONG_USE = 2
RAIL_TROUBLE = 3
STORE_TROUBLE = 4
OWN_FAULT = 70
INTERRUPTED = 130


def choose_exit_code(error: RunwayError) -> int:
    """3 for a rail's trouble, 4 for the database's, 2 for what the caller can mend."""
    if isinstance(error, StaleRevision) and not error.rail:  # what people keep here, not what a rail holds
        return WRONG_USE
    if isinstance(error, RailError):
        return RAIL_TROUBLE
    if isinstance(error, StoreError):
        return STORE_TROUBLE
    return WRONG_USE


def say_error(message: str, code: str | None = None) -> None:
    """Write one line on standard error: what happened and what to do, with the page that says more."""
    line = " ".join(message.split())
    page = f" [{code}: docs/errors/{code}.md]" if code else ""
    print(f"runway: {line}{page}", file=sys.stderr)


def say_note(message: str) -> None:
    """Write a remark on standard error, where it cannot disturb what a program reads."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(message, markup=False)


def silence_output() -> None:
    """Let what is left of standard output go nowhere: whoever read it has gone, and that is no fault."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
