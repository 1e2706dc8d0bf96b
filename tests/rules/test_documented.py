"""What code offers and what pages describe are the same things."""

import ast
import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest
import runway_core.errors
from runway_core.errors import RunwayError
from runway_core.plugins import hookspecs
from runway_core.plugins.registry import RailRegistry
from runway_core.ports.ledger_rail import RailAbilities, RailFactory
from runway_testkit.reference import write_abilities

CHECKOUT = Path(__file__).parents[2]
VENDORS = [
    one.factory
    for one in RailRegistry.from_installed_plugins().installed.values()
    if one.factory.abilities.has_webhooks
]
CHECK_ID = re.compile(r"(?:AP|AR|BK|GL|SY|PL)\d\d")


def error_classes() -> list[type[RunwayError]]:
    return [
        value
        for value in vars(runway_core.errors).values()
        if isinstance(value, type) and issubclass(value, RunwayError)
    ]


def test_every_error_has_its_own_code_and_a_page() -> None:
    codes = [cls.code for cls in error_classes()]

    assert len(codes) == len(set(codes))
    pages = {page.stem for page in (CHECKOUT / "docs/errors").glob("*.md")} - {"index"}
    assert pages == set(codes)


def test_a_page_of_an_error_says_what_it_means_why_and_what_to_do() -> None:
    for cls in error_classes():
        text = (CHECKOUT / f"docs/errors/{cls.code}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {cls.code}\n"), cls.code
        assert "\n## Likely causes\n" in text, cls.code
        assert "\n## What to do\n" in text, cls.code
        assert f"({cls.code}.md)" in (CHECKOUT / "docs/errors/index.md").read_text(encoding="utf-8"), cls.code


def test_the_family_is_drawn_whole_at_the_top_of_its_file() -> None:
    drawing = runway_core.errors.__doc__ or ""

    assert [cls.__name__ for cls in error_classes() if not re.search(rf"\b{cls.__name__}\b", drawing)] == []


def test_every_hook_stands_in_the_reference_with_its_exact_signature() -> None:
    page = (CHECKOUT / "docs/reference/hooks.md").read_text(encoding="utf-8")
    tree = ast.parse(inspect.getsource(hookspecs))
    hooks = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(mark) == "hookspec" for mark in node.decorator_list)
    ]

    assert hooks
    for hook in hooks:
        signature = f"def {hook.name}({ast.unparse(hook.args)}) -> {ast.unparse(hook.returns or ast.Constant(None))}"
        assert f"\n## {hook.name}\n" in page, hook.name
        assert signature in page, signature


def test_the_reference_states_every_ability_as_the_code_has_it() -> None:
    page = (CHECKOUT / "docs/reference/hooks.md").read_text(encoding="utf-8")
    names = [field.name for field in fields(RailAbilities)]

    assert page == write_abilities(page), "run: python -m runway_testkit.reference docs/reference/hooks.md"
    assert [name for name in names if f"\n| `{name}` | " not in page] == []


@pytest.mark.parametrize("factory", VENDORS, ids=lambda factory: factory.name)
def test_the_page_of_each_vendors_rail_says_how_to_get_in_and_what_it_cannot_do(factory: RailFactory) -> None:
    page = (CHECKOUT / f"docs/howto/rails/{factory.name}.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (.+)$", page, re.MULTILINE))
    supplied = {*factory.settings_model.model_fields, *factory.secrets_model.model_fields}

    assert headings >= {
        *("What it reads", "What it cannot do", "Getting access", "Webhooks", "Limits", "Settings", "Secrets"),
    }
    assert [name for name in supplied if f"`{name}`" not in page] == []
    assert factory.name != "ramp" or "What it can miss, and for how long" in headings


def test_every_check_has_a_heading_in_the_hygiene_reference() -> None:
    checks = Path(runway_core.errors.__file__).parent / "calculators" / "hygiene" / "checks"
    found = {
        node.value
        for path in checks.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CHECK_ID.fullmatch(node.value)
    }
    page = (CHECKOUT / "docs/reference/hygiene.md").read_text(encoding="utf-8")
    headings = set(re.findall(rf"^#+ `?({CHECK_ID.pattern})\b", page, re.MULTILINE))

    assert found
    assert found - headings == set()


def test_every_task_of_the_makefile_has_a_line_of_help_and_is_no_file() -> None:
    text = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    rules = re.findall(r"^([a-z][a-z-]*):(?!=)(.*)$", text, re.MULTILINE)
    phony = (re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE) or [""])[1].split()

    assert [name for name, rest in rules if not re.search(r"## \S", rest)] == []
    assert sorted(phony) == sorted(name for name, _ in rules)
    promised = {"demo", "test", "test-all", "check", "bench", "docs", "new-rail"}
    assert promised <= {name for name, _ in rules}


def test_every_decision_says_what_and_why() -> None:
    for page in sorted((CHECKOUT / "docs/decisions").glob("0*.md")):
        text = page.read_text(encoding="utf-8")
        assert re.match(r"# \d{4} \S", text), page.name
        assert "Decision" in text, page.name
        assert "Reason" in text, page.name


def test_every_guarantee_names_tests_that_are_there() -> None:
    page = (CHECKOUT / "docs" / "explanation" / "guarantees.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    named = {name for row in rows for name in re.findall(r"`(tests/[^`]+|testkit/[^`]+)`", row)}
    places = (CHECKOUT, CHECKOUT / "packages" / "testkit" / "src" / "runway_testkit")
    missing = [n for n in named if not any((place / n.removeprefix("testkit/")).is_file() for place in places)]

    assert len(rows) > 30
    assert [row for row in rows if row.count("`") < 2] == []
    assert missing == []
