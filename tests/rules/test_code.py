"""House rules that no other tool holds. A rule said twice in review becomes a test here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MAX_LINES = 500
MAX_FUNCTION_LINES = 70

MAY_IMPORT_INSIDE = {"runway_core/plugins/registry.py"}
MAY_READ_THE_CLOCK = {"runway_core/ports/clock.py"}  # and the sandbox, which is a world of its own

FLOAT_FREE_FILES = re.compile(
    r"^runway_core/(domain|calculators|services|orchestrators|experiences|sync)/|/(mapping|wire|rows|tables|storable)\.py$"
)

VENDOR_FREE = {"runway-core", "store-sql", "app-http", "rail-kit", "testkit"}
VENDOR_WORDS = re.compile(
    r"SyncToken|realm|intuit|quickbooks|TxnDate|DocNumber|TotalAmt|VendorRef|CustomerRef|LastUpdatedTime|minor_?version"
    r"|changedSince|BillPaymentCheck|\bTxn",
    re.IGNORECASE,
)
MAY_NAME_VENDORS: dict[str, str] = {
    "runway_app_http/container.py": "the composition root names concrete adapters",
    "runway_app_http/demo.py": "plays the vendor beside the app",
    "runway_app_http/sandbox_portfolio.py": "reads the sandbox's ready line, which is in the vendors' words",
    "runway_app_http/cli/demo.py": "plays the vendor beside the app",
    "runway_app_http/cli/sandbox.py": "plays the vendor beside the app",
    "runway_app_http/cli/connect.py": "asks for what each vendor's connection needs",
}
MAY_NAME_BANNED: set[str] = set()

MAY_SLEEP = {"bench", "kills"}  # folders of tests that let real processes run for a drawn time

BANNED_NAMES = {"utils", "helpers", "common", "manager", "data", "info", "process", "handle", "misc"}


def lines_of(node: ast.AST) -> int:
    return (getattr(node, "end_lineno", 0) or 0) - getattr(node, "lineno", 0) + 1


def functions_in(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_files_and_functions_stay_short(sources: list[Any]) -> None:
    grown = [source for source in sources if "/migrations/versions/" not in source.module]  # history is not rewritten
    long_files = [f"{source.name} has {n} lines" for source in grown if (n := source.text.count("\n")) > MAX_LINES]
    long_functions = [
        f"{source.at(function)} {function.name} has {lines_of(function)} lines"
        for source in grown
        for function in functions_in(source.tree)
        if lines_of(function) > MAX_FUNCTION_LINES
    ]

    assert not (long_files + long_functions), "\n".join(long_files + long_functions)


def test_imports_stand_at_the_top(sources: list[Any]) -> None:
    inside = [
        source.at(node)
        for source in sources
        if source.module not in MAY_IMPORT_INSIDE
        for function in functions_in(source.tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert not inside, "\n".join(inside)


def test_only_the_clock_reads_the_clock(sources: list[Any]) -> None:
    readings = [
        source.at(node)
        for source in sources
        if source.module not in MAY_READ_THE_CLOCK and source.package != "sandbox"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
        and (
            (node.attr in {"now", "utcnow", "today"} and ast.unparse(node.value).endswith("datetime"))
            or (node.attr == "today" and ast.unparse(node.value).split(".")[-1] == "date")
            or (node.attr in {"time", "time_ns", "localtime", "gmtime"} and ast.unparse(node.value) == "time")
        )
    ]

    assert not readings, "\n".join(readings)


def test_no_float_comes_near_money(sources: list[Any]) -> None:
    floats = [
        source.at(node)
        for source in sources
        if FLOAT_FREE_FILES.search(source.module) and source.package != "sandbox"
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]

    assert not floats, "\n".join(floats)


def test_vendors_words_stay_in_their_rail(sources: list[Any]) -> None:
    named = [
        f"{source.name}:{number} {word[0]}"
        for source in sources
        if source.package in VENDOR_FREE and source.module not in MAY_NAME_VENDORS
        for number, line in enumerate(source.text.splitlines(), start=1)
        if (word := VENDOR_WORDS.search(line))
    ]

    assert not named, "\n".join(named)


def test_modules_are_named_for_what_they_hold(sources: list[Any]) -> None:
    vague = [
        source.name
        for source in sources
        if BANNED_NAMES & set(re.split(r"[_/.]", source.module.removesuffix(".py")))
        and source.module not in MAY_NAME_BANNED
    ]

    assert not vague, "\n".join(vague)


def test_what_a_package_defines_is_not_named_vaguely(sources: list[Any]) -> None:
    vague = [
        f"{source.at(node)} {node.name}"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and (node.name.strip("_").lower() in BANNED_NAMES or node.name.endswith(("Manager", "Helper", "Utils")))
    ]

    assert not vague, "\n".join(vague)


def test_todos_carry_an_issue_number(sources: list[Any]) -> None:
    bare = [
        f"{source.name}:{number}"
        for source in sources
        for number, line in enumerate(source.text.splitlines(), start=1)
        if re.search(r"#\s*(TODO|FIXME|XXX)\b(?!.*#\d)", line)
    ]

    assert not bare, "\n".join(bare)


def test_suppressions_name_their_code_and_their_reason(checkout: Path) -> None:
    bare = [
        f"{path.relative_to(checkout).as_posix()}:{number}"
        for folder in ("packages", "tests")
        for path in sorted((checkout / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"#\s*(noqa|type:\s*ignore)", line)
        and not re.search(
            r"#\s*(noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*|type: ignore\[[a-z-]+(, ?[a-z-]+)*\])\s+[#(–-]\s*\w", line
        )
        and path.name != "test_code.py"
    ]

    assert not bare, "\n".join(bare)


def test_tests_do_not_patch_sleep_or_skip(checkout: Path) -> None:
    forbidden = re.compile(
        r"monkeypatch\.setattr|unittest\.mock|mocker\b|\btime\.sleep\(|asyncio\.sleep\((?!0\))|pytest\.skip|mark\.skip"
    )
    found = [
        f"{path.relative_to(checkout).as_posix()}:{number}"
        for path in sorted((checkout / "tests").rglob("*.py"))
        if path.name != "test_code.py" and not MAY_SLEEP & set(path.parts)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if forbidden.search(line) and "SAMPLES" not in line  # vendors' recordings are not ours to commit
    ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", sorted(path.name for path in (Path(__file__).parents[2] / "packages").iterdir()))
def test_every_package_is_typed_named_and_licensed_alike(checkout: Path, package: str) -> None:
    [module] = [path for path in (checkout / "packages" / package / "src").iterdir() if path.is_dir()]
    manifest = (checkout / "packages" / package / "pyproject.toml").read_text(encoding="utf-8")
    distribution = package if package.startswith("runway-") else f"runway-{package}"

    assert module.name == distribution.replace("-", "_")
    assert (module / "py.typed").is_file()
    assert f'name = "{distribution}"' in manifest
    assert 'license = "Apache-2.0"' in manifest
    assert 'requires-python = ">=3.11"' in manifest


def test_every_package_stands_in_the_import_contracts(checkout: Path) -> None:
    contracts = (checkout / "pyproject.toml").read_text(encoding="utf-8")
    modules = [path.name for path in (checkout / "packages").glob("*/src/*") if path.is_dir()]

    assert [module for module in modules if f'"{module}"' not in contracts] == []


def test_every_rail_has_the_six_files(checkout: Path) -> None:
    for rail in (checkout / "packages").glob("rail-*"):
        if rail.name != "rail-kit":
            [module] = [path for path in (rail / "src").iterdir() if path.is_dir()]
            files = {path.name for path in module.glob("*.py")}
            assert {"__init__.py", "settings.py", "transport.py", "wire.py", "mapping.py", "rail.py"} <= files, (
                rail.name
            )
            assert (checkout / "docs" / "howto" / "rails" / f"{rail.name.removeprefix('rail-')}.md").is_file()
            assert (checkout / "tests" / "contracts" / f"test_{rail.name.removeprefix('rail-')}_rail.py").is_file()
