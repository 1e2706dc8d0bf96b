"""A bill is followed from when it was first seen to the record of its payment, with who, what and when."""

from datetime import timedelta

import httpx
from runway_core.domain.decisions import DecisionOutcome
from runway_core.domain.findings import FindingState
from runway_core.domain.policy import Role

from tests.app.firm import Firm


async def test_a_bill_that_was_decided_and_released_shows_each_step(firm: Firm, client: httpx.AsyncClient) -> None:
    runway, company_id = firm.runway, firm.sample.company_id
    [ready, *_] = await runway.bills.get_bills_ready_for_decision(company_id)
    bill = ready.bill
    firm.clock.advance(timedelta(minutes=5))
    decision = await runway.decisions.decide(company_id, bill.external_id, DecisionOutcome.PAY, actor="ada")
    firm.clock.advance(timedelta(minutes=5))
    await runway.decisions.approve(company_id, decision.paper_id, actor="cyd", role=Role.OWNER)
    firm.clock.advance(timedelta(hours=5))
    firm.ledger.now = firm.clock.now() - timedelta(minutes=3)
    firm.ledger.put(bill.model_copy(update={"memo": "please hurry"}))
    await runway.sync(company_id)

    answer = await client.get(f"/v1/companies/{company_id}/bills/{bill.external_id}/custody")
    steps = answer.json()["items"]
    told = [(step["stage"], step["who"]) for step in steps if step["stage"] not in ("found", "judged")]

    assert answer.status_code == 200, answer.text
    assert told[:3] == [("seen", "runway"), ("decided", "ada"), ("approved", "cyd")]
    assert ("changed", "runway") in told
    assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)
    logged = {entry.sequence: entry.hash.hex() for entry in await runway.log_entries(company_id, limit=1000)}
    assert all(logged[step["sequence"]] == step["hash"] for step in steps if step["sequence"] is not None)


async def test_what_a_person_decided_about_a_finding_of_the_bill_is_a_step(
    firm: Firm, client: httpx.AsyncClient
) -> None:
    runway, company_id = firm.runway, firm.sample.company_id
    [flawed, *_] = await runway.bills.get_bills_with_issues(company_id)
    finding = flawed.findings[0]
    await runway.findings.decide(
        company_id, finding.finding_id, FindingState.ACCEPTED, actor="bob", reason="agreed by telephone"
    )

    address = f"/v1/companies/{company_id}/bills/{flawed.bill.external_id}/custody"
    steps = (await client.get(address)).json()["items"]
    page = await client.get(f"/companies/{company_id}/history?kind=bill&external_id={flawed.bill.external_id}")

    assert {step["stage"] for step in steps} >= {"seen", "found", "judged"}
    [judged] = [step for step in steps if step["stage"] == "judged"]
    assert judged["who"] == "bob"
    assert "agreed by telephone" in judged["said"]
    assert "Chain of custody" in page.text
    assert "agreed by telephone" in page.text


async def test_a_bill_that_the_log_does_not_know_is_not_found(firm: Firm, client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/v1/companies/{firm.sample.company_id}/bills/none/custody")

    assert answer.status_code == 404
