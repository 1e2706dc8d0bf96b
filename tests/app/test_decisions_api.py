"""Deciding, approving and releasing over HTTP, and notes about what customers owe."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.app.firm import Firm

PAY_B5 = {"bill_id": "B5", "outcome": "pay"}


def base(firm: Firm) -> str:
    return f"/v1/companies/{firm.sample.company_id}"


async def post(client: httpx.AsyncClient, address: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await client.post(address, json=body, headers=headers)


async def test_a_bill_goes_from_proposal_to_release(client: httpx.AsyncClient, firm: Firm) -> None:
    decided = await post(client, f"{base(firm)}/decisions", PAY_B5)
    decision = decided.json()["decision"]
    address = f"{base(firm)}/decisions/{decision['paper_id']}"
    approved = await post(client, f"{address}/approve", {"by": "ada", "role": "controller"})
    released = await post(client, f"{address}/release", {"by": "ada"}, **{"If-Match": approved.headers["etag"]})

    assert decided.status_code == 200
    assert decided.json()["needs"] == ["approval by controller"]
    assert decision["payments"] == [{"on": "2026-03-31", "amount": "4300.00"}]
    assert next(result["rule"] for result in decision["results"]) == "minimum_cash"
    assert approved.json()["decision"]["state"] == "approved"
    assert released.json()["decision"]["state"] == "released"
    assert released.json()["decision"]["told_client"] is True
    assert (await client.get(address)).json() == released.json()


async def test_a_repeat_is_the_same_decision_and_a_stale_one_is_refused(client: httpx.AsyncClient, firm: Firm) -> None:
    first = await post(client, f"{base(firm)}/decisions", PAY_B5, **{"Idempotency-Key": "k1"})
    again = await post(client, f"{base(firm)}/decisions", PAY_B5, **{"Idempotency-Key": "k1"})
    delay = {"bill_id": "B5", "outcome": "delay", "payments": [{"on": "2026-04-02", "amount": 4300}], "reason": "ok"}
    stale = await post(client, f"{base(firm)}/decisions", delay, **{"If-Match": '"7"'})

    assert again.json() == first.json()
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-revision")


async def test_what_a_rule_blocks_is_a_problem_with_its_remedy(client: httpx.AsyncClient, firm: Firm) -> None:
    owed = firm.ledger.records
    bank = next(record for key, record in owed.items() if key.external_id == "bank-operating")
    firm.ledger.put(bank.model_copy(update={"balance": Decimal("-9000.0000")}))
    await firm.runway.sync(firm.sample.company_id)

    body = {"bill_id": "B2", "outcome": "pay", "payments": [{"on": "2026-03-05", "amount": "3200.00"}]}
    refused = await post(client, f"{base(firm)}/decisions", body)

    assert (refused.status_code, refused.json()["code"]) == (409, "policy-blocked")
    assert "Payroll" in refused.json()["detail"]


async def test_a_batch_is_checked_as_a_whole_and_nothing_is_kept(client: httpx.AsyncClient, firm: Firm) -> None:
    batch = {"payments": [{"bill_id": bill, "on": "2026-03-10", "amount": 3200} for bill in ("B2", "B3")]}

    checked = (await post(client, f"{base(firm)}/decisions/check", batch)).json()

    assert [payment["bill_id"] for payment in checked["payments"]] == ["B2", "B3"]
    assert checked["ruling"] == "need_approval"
    assert len(checked["days"]) == 91
    assert checked["before"]["runway_days"] == checked["after"]["runway_days"] == 32
    assert (await client.get(f"{base(firm)}/console")).json()["decisions"] == []


async def test_a_bill_that_needs_data_and_one_that_is_not_there(client: httpx.AsyncClient, firm: Firm) -> None:
    doubled = await post(client, f"{base(firm)}/decisions", {"bill_id": "B4", "outcome": "pay"})
    gone = await post(client, f"{base(firm)}/decisions", {"bill_id": "B99", "outcome": "pay"})
    foreign = await post(client, f"/v1/companies/{firm.foreign.company_id}/decisions", PAY_B5)

    assert (doubled.status_code, doubled.json()["code"]) == (422, "invalid-request")
    assert "AP06" in doubled.json()["detail"]
    assert [gone.status_code, foreign.status_code] == [404, 404]


async def test_a_decision_is_taken_back(client: httpx.AsyncClient, firm: Firm) -> None:
    decision = (await post(client, f"{base(firm)}/decisions", PAY_B5)).json()["decision"]
    address = f"{base(firm)}/decisions/{decision['paper_id']}"

    gone = await post(client, f"{address}/withdraw", {"reason": "wrong vendor"})
    console = (await client.get(f"{base(firm)}/console")).json()

    assert gone.json()["decision"]["state"] == "withdrawn"
    assert "B5" in [bill["bill_id"] for bill in console["ready"]]
    assert [one["decision"]["state"] for one in console["decisions"]] == ["withdrawn"]


@pytest.mark.parametrize("outcome", ["contacted", "disputed"])
async def test_notes_about_an_invoice(client: httpx.AsyncClient, firm: Firm, outcome: str) -> None:
    note = {"invoice_id": "I1", "outcome": outcome, "reason": "two crates broken"}
    written = await post(client, f"{base(firm)}/collections/notes", note)
    cases = (await client.get(f"{base(firm)}/collections")).json()["items"]
    listed = (await client.get(f"{base(firm)}/collections/notes", params={"invoice_id": "I1"})).json()["items"]
    dropped = await post(client, f"{base(firm)}/collections/notes/{written.json()['paper_id']}/drop", {})

    assert [case["step"] for case in cases] == ["settle" if outcome == "disputed" else "wait"]
    assert [one["paper_id"] for one in listed] == [written.json()["paper_id"]]
    assert dropped.json()["is_closed"] is True
