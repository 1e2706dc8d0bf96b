"""What is written is run: every Python snippet of the documentation is executed, or says why it cannot be.

A comment right above the fence decides: `<!-- run -->`, `<!-- run: FIXTURE -->` with a fixture of the conftest whose
dictionary is what the snippet finds, or `<!-- not run: REASON -->`. The snippets of a page with the same fixture run
one after the other in one namespace, in an empty folder.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGES = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")])
FENCE = re.compile(
    r"(?:^[ ]*<!--[ ]*(?P<mark>run|not run)(?::[ ]*(?P<detail>[^>]*?))?[ ]*-->[ ]*\n)?"
    r"^(?P<indent>[ ]*)```python\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Snippet:
    page: Path
    line: int
    code: str
    mark: str | None
    detail: str | None

    def compiled(self) -> CodeType:
        """The snippet with the page's own line numbers, so that a failure points at the page."""
        tree = ast.parse(self.code, filename=str(self.page), mode="exec")
        ast.increment_lineno(tree, self.line)
        code: CodeType = compile(tree, str(self.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        return code


def find_snippets(page: Path) -> Iterator[Snippet]:
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        code = "".join(line.removeprefix(found["indent"]) for line in found["code"].splitlines(keepends=True))
        yield Snippet(page, text.count("\n", 0, found.start("code")), code, found["mark"], found["detail"])


SNIPPETS = [snippet for page in PAGES for snippet in find_snippets(page)]


def stories() -> Iterator[Any]:
    groups: dict[tuple[Path, str], list[Snippet]] = {}
    for snippet in SNIPPETS:
        if snippet.mark == "run":
            groups.setdefault((snippet.page, snippet.detail or "plain"), []).append(snippet)
    for (page, fixture), group in groups.items():
        yield pytest.param(fixture, group, id=f"{page.relative_to(CHECKOUT)}:{fixture}")


@pytest.mark.parametrize(("fixture", "story"), list(stories()))
async def test_the_snippets_of_a_page_run(
    fixture: str, story: list[Snippet], request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace: dict[str, Any] = {"__name__": "snippet", **request.getfixturevalue(fixture)}
    monkeypatch.chdir(tmp_path)

    for snippet in story:
        answer = eval(snippet.compiled(), namespace)
        if inspect.isawaitable(answer):
            await answer


@pytest.mark.parametrize(
    "snippet", SNIPPETS, ids=lambda snippet: f"{snippet.page.relative_to(CHECKOUT)}:{snippet.line}"
)
def test_every_snippet_is_python_and_says_whether_it_runs(snippet: Snippet) -> None:
    assert snippet.mark is not None, "put <!-- run --> or <!-- not run: REASON --> above the fence"
    assert snippet.mark == "run" or snippet.detail, "say why it is not run"
    if snippet.mark == "run":
        snippet.compiled()


def test_the_readme_shows_the_embedding_example_and_runs_it() -> None:
    codes = [snippet.code for snippet in SNIPPETS if snippet.page.name == "README.md" and snippet.mark == "run"]

    assert any("Runway.open(store=SqlStore(" in code and "runway.digest(company.id)" in code for code in codes)
