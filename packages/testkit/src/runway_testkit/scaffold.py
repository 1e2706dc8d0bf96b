"""Begins a new rail: copies `packages/rail-sample` under another name, with its contract test and its page.

    python -m runway_testkit.scaffold rail acme

The copy works at once, on CSV files still; its author then replaces wire, mapping and transport, in that order.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

TEMPLATE = "sample"
_COPIED_SUFFIXES = frozenset({".py", ".toml", ".csv", ".typed", ".md"})

_PAGE = """# {title}

How to connect a company to the rail `{name}`.

## What it reads

Write here which kinds of record come from where, and what the vendor does not say.

## Settings and secrets

| name | meaning |
|---|---|
| | |

## When something goes wrong

`runway doctor {name}` asks the vendor who the company is. Every error has a [page](../../errors/index.md).
"""


class ScaffoldRefused(Exception):
    """The rail cannot be begun; the message says why and what to do."""


def begin_rail(root: Path, name: str) -> list[Path]:
    """Copy the sample rail of the checkout at `root` to one called `name`; return what was written, in order.

    Raises:
        ScaffoldRefused: the name cannot be a package's, is taken, or `root` is no checkout.
    """
    if re.fullmatch(r"[a-z][a-z0-9]{1,30}", name) is None:
        raise ScaffoldRefused(
            f"{name!r} cannot name a rail: use 2 to 31 lower-case letters and digits, as in NAME=acme"
        )
    template = root / "packages" / f"rail-{TEMPLATE}"
    target = root / "packages" / f"rail-{name}"
    if not template.is_dir():
        raise ScaffoldRefused(f"{str(template)!r} is not there: run this in a checkout of Runway")
    if target.exists():
        raise ScaffoldRefused(f"{str(target)!r} is there already: choose another name")
    rename = _renamer(name)
    written = [
        _copy(source, target / rename(source.relative_to(template).as_posix()), rename=rename)
        for source in sorted(template.rglob("*"))
        if source.is_file() and source.suffix in _COPIED_SUFFIXES and "__pycache__" not in source.parts
    ]
    written += _copy_tests(root, rename=rename)
    page = root / "docs" / "howto" / "rails" / f"{name}.md"
    if not page.exists():
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(_PAGE.format(title=name.capitalize(), name=name), encoding="utf-8")
        written.append(page)
    if _add_to_contracts(root / "pyproject.toml", name):
        written.append(root / "pyproject.toml")
    return written


def _renamer(name: str) -> Callable[[str], str]:
    title = name.capitalize()

    def rename(text: str) -> str:
        for old, new in (
            ("runway_rail_sample", f"runway_rail_{name}"),
            ("rail-sample", f"rail-{name}"),
            ("Sample", title),
            ("rails/sample", f"rails/{name}"),
            ("test_sample", f"test_{name}"),
            ('"sample"', f'"{name}"'),
            ("\nsample = ", f"\n{name} = "),
        ):
            text = text.replace(old, new)
        return text

    return rename


def _copy(source: Path, target: Path, *, rename: Callable[[str], str]) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(rename(source.read_text(encoding="utf-8")), encoding="utf-8")
    return target


def _copy_tests(root: Path, *, rename: Callable[[str], str]) -> list[Path]:
    """Copy the contract test and the rail's own tests, where the checkout has them."""
    sources = [root / "tests" / "contracts" / f"test_{TEMPLATE}_rail.py"]
    sources += sorted((root / "tests" / "rails" / TEMPLATE).glob("*.py"))
    written = []
    for source in sources:
        target = root / rename(source.relative_to(root).as_posix())
        if source.is_file() and not target.exists():
            written.append(_copy(source, target, rename=rename))
    return written


def _add_to_contracts(manifest: Path, name: str) -> bool:
    """Put the new rail beside the sample rail in every import contract."""
    module, template = f"runway_rail_{name}", f"runway_rail_{TEMPLATE}"
    before = manifest.read_text(encoding="utf-8")
    after = before.replace(f'"{template}"', f'"{template}", "{module}"')
    after = after.replace(f"| {template} |", f"| {template} | {module} |")
    manifest.write_text(after, encoding="utf-8")
    return after != before


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 0 when done, 2 when refused."""
    parser = argparse.ArgumentParser(prog="runway_testkit.scaffold", description="Begin a new part of Runway.")
    parser.add_argument("part", choices=["rail"])
    parser.add_argument("name", help="the rail's short name, such as acme")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the checkout; default: the working folder")
    chosen = parser.parse_args(arguments)
    try:
        written = begin_rail(chosen.root, chosen.name)
    except ScaffoldRefused as error:
        print(error, file=sys.stderr)
        return 2
    for path in written:
        print(path.relative_to(chosen.root))
    print(f"\nNext: describe the vendor in wire.py of packages/rail-{chosen.name}, then run: make test")
    return 0


if __name__ == "__main__":
    sys.exit(main())
