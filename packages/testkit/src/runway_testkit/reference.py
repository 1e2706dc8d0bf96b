"""Writes the part of the hooks' page that says what a rail may state of itself, from the code that holds it.

    python -m runway_testkit.reference docs/reference/hooks.md

What is written stands between two marks on the page; the rest of it is left alone.
"""

import argparse
import ast
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from runway_core.ports import ledger_rail
from runway_core.ports.ledger_rail import RailAbilities

BEGIN = "<!-- abilities, written by python -m runway_testkit.reference -->"
END = "<!-- end of abilities -->"
_NOTHING = {"False": "no", "frozenset()": "none", "None": "none"}


def describe_abilities() -> str:
    """A table of what a rail may state: each field of `RailAbilities` with its default and the words beside it."""
    rows = ["| ability | is | unless stated | says |", "|---|---|---|---|"]
    return "\n".join([*rows, *_rows()])


def _rows() -> Iterator[str]:
    lines = inspect.getsource(ledger_rail).splitlines()
    for field in _fields():
        assert isinstance(field.target, ast.Name)
        name, words = field.target.id, lines[field.lineno - 1].partition("  # ")[2]
        default = "must be stated" if field.value is None else ast.unparse(field.value)
        assert words, f"say beside {name} what it states"
        kind = ast.unparse(field.annotation).replace("|", "\\|")
        yield f"| `{name}` | `{kind}` | {_NOTHING.get(default, default)} | {words} |"


def _fields() -> Iterator[ast.AnnAssign]:
    tree = ast.parse(inspect.getsource(ledger_rail))
    (cls,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == RailAbilities.__name__)
    return (node for node in cls.body if isinstance(node, ast.AnnAssign))


def write_abilities(page: str) -> str:
    """The page with its table as the code has it now.

    Raises:
        ValueError: the page has no place for it.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN!r} or {END!r}")
    return f"{before}{BEGIN}\n\n{describe_abilities()}\n\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="runway_testkit.reference", description="Write what rails may state.")
    parser.add_argument("page", type=Path)
    page: Path = parser.parse_args(arguments).page
    page.write_text(write_abilities(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
