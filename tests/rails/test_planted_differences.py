"""What the sandbox made to differ between its windows is found in books that came through the real rails."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from runway_core.calculators.hygiene.find import find_findings
from runway_core.domain.books import Books
from runway_core.domain.processor import Payout
from runway_rail_qbo.mapping import KIND_BY_NAME
from runway_sandbox.serve import SandboxProcess, start_sandbox

from tests.rails.four_rails import World, open_firm

Found = set[tuple[str, frozenset[tuple[str, str]]]]
"""Checks, each with the records of the ledger that it names."""

BETWEEN = {"AP08", "AP14", "AP22", "AP23", "AR04", "BK01", "BK03", "BK04", "BK05", "SY02", "SY04", "SY05"}
DAYS = timedelta(days=14)  # a payout is made, arrives, and would be missed in the ledger by then
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


async def test_what_was_planted_between_the_rails_is_found_and_nothing_else_also_as_days_pass(
    sandbox: SandboxProcess,
) -> None:
    world = World(sandbox.ready, seed=1)
    planted: Found = set()
    async with open_firm(sandbox.ready, at=await world.now()) as firm, httpx.AsyncClient(timeout=60) as client:
        reports = await firm.pull()
        truth = {one["name"]: one for one in (await client.get(f"{sandbox.control_url}/truth")).json()["companies"]}
        connected = {(one.company_id, one.rail) for one in await firm.runway.connections.list()}
        before = {one.company_id: await firm.runway.books.read(one.company_id) for one in firm.companies}
        for company in firm.companies:
            found = found_in(before[company.company_id])
            rails = {rail for one, rail in connected if one == company.company_id}
            differences = [d for d in truth[company.name]["differences"] if {r["rail"] for r in d["records"]} <= rails]
            planted |= told(differences)

            assert told(differences) <= found, company.name
            assert found <= told(differences) | told(truth[company.name]["defects"]), company.name

        await world.post("clock", {"advance_seconds": DAYS.total_seconds()})
        firm.clock.advance(DAYS)
        reports += await firm.pull()
        after = {one.company_id: await firm.runway.books.read(one.company_id) for one in firm.companies}
    paid_out = [one for company_id in after for one in new_payouts(before[company_id], after[company_id])]

    assert not any(report.failed for report in reports)
    assert {check for check, _ in planted} == {"AP08", "AP22", "BK03", "SY02", "SY04"}
    for company_id, books in after.items():
        assert across(found_in(books)) == across(found_in(before[company_id]))
    assert len(paid_out) >= 2
    assert all(one.has_arrived and one.amount == sum(part.net for part in one.parts) for one in paid_out)


def across(found: Found) -> Found:
    """Of what was found, what two rails tell of."""
    return {one for one in found if one[0] in BETWEEN}


def new_payouts(before: Books, after: Books) -> list[Payout]:
    known = {one.external_id for one in before.payouts}
    return [one for one in after.payouts if one.external_id not in known]
