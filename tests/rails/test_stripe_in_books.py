"""From the processor to a finding: books of the ledger and of the card reader together, held to the sandbox's truth."""

from typing import Any

import httpx
from runway_core import Runway
from runway_core.calculators.hygiene.find import find_findings
from runway_core.domain.identity import RecordKind
from runway_sandbox.serve import start_sandbox
from runway_testkit.memory_store import MemoryStore


async def connect(runway: Runway, ready: dict[str, Any]) -> Any:
    """Add the first company of a ready line, with its books and its card processor."""
    qbo, stripe = ready["qbo"], ready["stripe"]
    held, account = qbo["companies"][0], stripe["companies"][0]
    company = await runway.companies.add(held["name"], home_currency=held["home_currency"], time_zone=held["time_zone"])
    addresses = ("base_url", "discovery_url", "authorize_url", "token_url", "revoke_url")
    await runway.connections.add(
        company.company_id,
        rail="qbo",
        settings={"realm_id": held["realm_id"], "environment": "custom"} | {name: qbo[name] for name in addresses},
        secrets={name: qbo[name] for name in ("client_id", "client_secret")}
        | {name: held[name] for name in ("access_token", "refresh_token")},
    )
    settings = {"account_id": account["account_id"], "base_url": stripe["base_url"], "calls_per_second": 10_000}
    await runway.connections.add(
        company.company_id, rail="stripe", settings=settings, secrets={"secret_key": account["restricted_key"]}
    )
    return company


async def test_a_payout_that_was_booked_as_one_sale_is_found_and_no_other_is() -> None:
    with start_sandbox(clients=1, bills_per_client=60, rails="qbo,stripe", more_arguments=["--no-throttle"]) as sandbox:
        async with Runway.open(store=MemoryStore()) as runway:
            company = await connect(runway, sandbox.ready)
            report = await runway.sync(company.company_id)
            books = await runway.books.read(company.company_id)
        async with httpx.AsyncClient() as client:
            (truth,) = (await client.get(f"{sandbox.control_url}/truth")).json()["companies"]
    booked = {
        record["id"]
        for one in truth["differences"]
        if one["what"] == "payout booked as income"
        for record in one["records"]
        if record["rail"] == "qbo"
    }
    found = {
        subject.external_id
        for finding in find_findings(books)
        if finding.check == "SY04"
        for subject in finding.subjects
        if subject.kind is RecordKind.DEPOSIT
    }

    assert report
    assert len(booked) == 1
    assert found == booked
    wrong = {r["id"] for one in truth["differences"] if one["what"] == "payout sum wrong" for r in one["records"]}
    for payout in books.payouts:
        parts = sum(part.net for part in payout.parts)
        assert (parts == payout.amount) is (payout.external_id not in wrong)
    assert all(balance.amount > 0 and balance.rail == "stripe" for balance in books.processor_balances)
