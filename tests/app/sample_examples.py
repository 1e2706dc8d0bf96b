"""The examples of the API's description: what the app answers for the Sample company, cut to the first rows of lists.

`python -m tests.app.sample_examples` writes them anew after a change of what is answered.
"""

import asyncio
import json
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import runway_app_http
from runway_app_http.web import create_app
from runway_core.runway import Runway
from runway_testkit.clock import FixedClock
from runway_testkit.memory_rail import MemoryLedger, MemoryRailFactory
from runway_testkit.memory_store import MemoryStore
from runway_testkit.sample import READ_AT, sample_books

from tests.app.firm import sample_records

PATH = Path(runway_app_http.__file__).parent / "api" / "examples.json"
COMPANY = "/v1/companies/{company_id}"
MOST_ROWS = 2
QUERIES = {f"{COMPANY}/history": "?kind=bill&external_id=B4"}


async def gather_examples() -> dict[str, Any]:
    """Ask every address that reads, of the firm or of the Sample company, once."""
    clock, numbers = FixedClock(READ_AT), count(1)
    ledger = MemoryLedger(now=READ_AT - timedelta(minutes=3))
    ledger.put(*sample_records())
    store = MemoryStore(clock=clock)

    def new_id() -> str:
        number = next(numbers)
        return "sample" if number == 1 else f"id-{number}"

    rails = [MemoryRailFactory({"sample": ledger})]
    async with Runway.open(store=store, rails=rails, clock=clock, new_id=new_id) as runway:
        settings = sample_books().company.settings
        sample = await runway.companies.add(
            "Sample", home_currency="USD", time_zone="America/Chicago", owner="ada", tags=["retail"], settings=settings
        )
        await runway.connections.add(sample.company_id, rail="memory", settings={"books": "sample"}, secrets={})
        await runway.sync(sample.company_id)
        await runway.saved_views.save("Retail in trouble", "status=red&tag=retail", actor="ada", is_shared=True)
        app = create_app(runway, manages_runway=False)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://runway.test") as client:
            asked = {path: await _ask(client, path) for path in _list_paths(app.openapi())}
    return {path: answer for path, answer in asked.items() if answer.get("items", True)}  # nothing shows nothing


def _list_paths(described: dict[str, Any]) -> list[str]:
    """Addresses that answer JSON without another id than the company's, but those of the process itself."""
    paths = []
    for path, verbs in described["paths"].items():
        answered = verbs.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        is_named = "{" not in path.removeprefix(COMPANY)
        if path.startswith("/v1/") and is_named and "$ref" in answered.get("application/json", {}).get("schema", {}):
            paths.append(path)
    return sorted(set(paths) - {"/v1/me", "/v1/health", "/v1/portfolio"})


async def _ask(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path.replace("{company_id}", "sample") + QUERIES.get(path, ""))
    assert answer.status_code == 200, f"{path}: {answer.text}"
    return _cut(answer.json())


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return [_cut(part) for part in value[:MOST_ROWS]]
    return {name: _cut(part) for name, part in value.items()} if isinstance(value, dict) else value


def write_examples() -> None:
    """Write them where the description finds them."""
    examples = asyncio.run(gather_examples())
    PATH.write_text(json.dumps(examples, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_examples()
