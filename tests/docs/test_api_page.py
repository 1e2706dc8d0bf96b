"""The page of the JSON API names every address that the app answers, and no other."""

import re
from pathlib import Path

from runway_app_http.web import create_app
from runway_core.runway import Runway
from runway_testkit.memory_store import MemoryStore

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


def test_every_address_is_on_the_page() -> None:
    app = create_app(Runway.open(store=MemoryStore(), rails=[]), manages_runway=False)
    answered = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    named = set(re.findall(r"^\| `((?:GET|POST) /[^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))

    assert named == answered
