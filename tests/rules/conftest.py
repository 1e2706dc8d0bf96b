"""The source files that the rules are about."""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file of a package."""

    path: Path
    package: str  # the folder under packages/

    @property
    def name(self) -> str:
        """The path as a person writes it."""
        return self.path.relative_to(CHECKOUT).as_posix()

    @property
    def module(self) -> str:
        """The path below src/, such as `runway_core/ports/clock.py`."""
        return self.path.relative_to(CHECKOUT / "packages" / self.package / "src").as_posix()

    @cached_property
    def text(self) -> str:
        """Its content."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, filename=self.name)

    def at(self, node: ast.AST) -> str:
        """Where `node` stands, as editors and terminals understand it."""
        return f"{self.name}:{getattr(node, 'lineno', 1)}"


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder of the whole repository."""
    return CHECKOUT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every Python file of every package."""
    return [
        Source(path, package=path.relative_to(CHECKOUT / "packages").parts[0])
        for path in sorted((CHECKOUT / "packages").glob("*/src/**/*.py"))
    ]
