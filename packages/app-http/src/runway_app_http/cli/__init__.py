"""The command line `runway`. Here is only its door, so that Ctrl-C is heard while everything behind it still loads."""

from collections.abc import Callable, Sequence
from importlib import import_module

from runway_app_http.collector import collect_less_often

__all__ = ["main"]

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `runway_app_http.cli.program` says which there are."""
    collect_less_often()
    try:
        run: Callable[[Sequence[str] | None], int] = import_module("runway_app_http.cli.program").run
        return run(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED
