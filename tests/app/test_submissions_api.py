"""Putting a released bill before the people who approve payments at the rail, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from runway_app_http.web import create_app
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_testkit.memory_payer import MemoryPayerFactory
from runway_testkit.memory_rail import MemoryRailFactory

from tests.app.firm import Firm

PAY_B5 = {"bill_id": "B5", "outcome": "pay"}


@pytest.fixture
async def paying_client(firm: Firm, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The app with a rail that pays the Sample company's bills."""
    rails = [MemoryRailFactory({"sample": firm.ledger}), MemoryPayerFactory()]
    store = SqlStore(f"sqlite:///{tmp_path / 'books.db'}", clock=firm.clock)
    async with Runway.open(store=store, rails=rails, clock=firm.clock) as runway:
        await runway.connections.add(firm.sample.company_id, rail="payer", settings={"books": "sample"}, secrets={})
        transport = httpx.ASGITransport(app=create_app(runway, manages_runway=False), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://runway.test") as client:
            yield client


async def decide(client: httpx.AsyncClient, firm: Firm) -> str:
    decided = await client.post(f"/v1/companies/{firm.sample.company_id}/decisions", json=PAY_B5)
    return f"/v1/companies/{firm.sample.company_id}/decisions/{decided.json()['decision']['paper_id']}"


async def release(client: httpx.AsyncClient, address: str) -> None:
    await client.post(f"{address}/approve", json={"by": "ada", "role": "controller"})
    released = await client.post(f"{address}/release", json={"by": "ada"})
    assert released.json()["decision"]["state"] == "released"


async def test_a_released_bill_is_submitted_once_and_listed(paying_client: httpx.AsyncClient, firm: Firm) -> None:
    address = await decide(paying_client, firm)
    early = await paying_client.post(f"{address}/submit")
    await release(paying_client, address)
    submitted = await paying_client.post(f"{address}/submit")
    again = await paying_client.post(f"{address}/submit")
    listed = await paying_client.get(f"/v1/companies/{firm.sample.company_id}/submissions")

    assert (early.status_code, early.json()["code"]) == (422, "invalid-request")
    assert submitted.status_code == 200, submitted.text
    assert (submitted.json()["state"], submitted.json()["bill_id"]) == ("submitted", "B5")
    assert submitted.json()["approved_by"] == ["ada"]
    assert again.json() == submitted.json()
    assert listed.json()["items"] == [submitted.json()]


async def test_without_such_a_rail_the_client_is_told_by_hand(client: httpx.AsyncClient, firm: Firm) -> None:
    address = await decide(client, firm)
    await release(client, address)
    refused = await client.post(f"{address}/submit")

    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
    assert "by hand" in refused.json()["detail"]
