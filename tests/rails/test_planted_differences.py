"""What the sandbox made to differ between its windows is found in books that came through the real rails."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from runway_core.calculators.hygiene.find import find_findings
from runway_core.domain.books import Books
from runway_rail_qbo.mapping import KIND_BY_NAME
from runway_sandbox.serve import SandboxProcess, start_sandbox

from tests.rails.four_rails import World, open_firm

Found = set[tuple[str, frozenset[tuple[str, str]]]]
"""Checks, each with the records of the ledger that it names."""

ALL_RAILS = "qbo,plaid,ramp,stripe"
IN_LEDGER = {kind.kind.value for kind in KIND_BY_NAME.values()}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    at = ["--no-throttle", "--start-at", "2026-05-05T15:00:00Z"]
    with start_sandbox(clients=4, bills_per_client=120, rails=ALL_RAILS, more_arguments=at) as running:
        yield running


def told(truths: list[dict[str, Any]]) -> Found:
    """What a check is meant to find, by the ledger's records."""
    return {
        (
            one["check"],
            frozenset((KIND_BY_NAME[r["kind"]].kind.value, r["id"]) for r in one["records"] if r["rail"] == "qbo"),
        )
        for one in truths
        if one["check"] is not None
    }


def found_in(books: Books) -> Found:
    return {
        (one.check, frozenset((s.kind.value, s.external_id) for s in one.subjects if s.kind.value in IN_LEDGER))
        for one in find_findings(books)
    }


async def test_what_was_planted_between_the_rails_is_found_and_nothing_that_was_not(sandbox: SandboxProcess) -> None:
    world = World(sandbox.ready, seed=1)
    planted: Found = set()
    async with open_firm(sandbox.ready, at=await world.now()) as firm, httpx.AsyncClient(timeout=60) as client:
        reports = await firm.pull()
        truth = {one["name"]: one for one in (await client.get(f"{sandbox.control_url}/truth")).json()["companies"]}
        connected = {(one.company_id, one.rail) for one in await firm.runway.connections.list()}
        for company in firm.companies:
            found = found_in(await firm.runway.books.read(company.company_id))
            rails = {rail for one, rail in connected if one == company.company_id}
            differences = [d for d in truth[company.name]["differences"] if {r["rail"] for r in d["records"]} <= rails]
            planted |= told(differences)

            assert told(differences) <= found, company.name
            assert found <= told(differences) | told(truth[company.name]["defects"]), company.name

    assert not any(report.failed for report in reports)
    assert {check for check, _ in planted} == {"AP08", "AP22", "BK03", "SY02", "SY04"}
