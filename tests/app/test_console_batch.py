"""The console's boxes: ticked bills are checked as a whole and decided in one form."""

import re
from collections.abc import Sequence

import httpx
import pytest
from runway_core.domain.decisions import DecisionOutcome
from runway_core.domain.policy import Ruling

from tests.app.firm import Firm


def base(firm: Firm) -> str:
    return f"/companies/{firm.sample.company_id}"


async def send(client: httpx.AsyncClient, firm: Firm, **fields: str | Sequence[str]) -> httpx.Response:
    page = (await client.get(f"{base(firm)}/console")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return await client.post(f"{base(firm)}/console/batch", data={"form_token": token[1], **named})


def section(text: str) -> str:
    """The part of the page about the batch."""
    return text.split("Checked as a whole")[1].split("Ready to decide", maxsplit=1)[0]


async def decided(firm: Firm) -> dict[str, str]:
    held = await firm.runway.decisions.list(firm.sample.company_id)
    return {decision.bill_id: decision.outcome.value for decision in held}


async def test_ready_bills_have_boxes(client: httpx.AsyncClient, firm: Firm) -> None:
    page = (await client.get(f"{base(firm)}/console")).text

    assert re.findall(r'form="batch" name="bill" value="([^"]+)"', page) == ["B1", "B5", "B2", "B3"]


async def test_ticked_bills_are_checked_together_and_nothing_is_decided(client: httpx.AsyncClient, firm: Firm) -> None:
    """Alone one bill wants approval; all of them early end below nil, and so each is blocked."""
    early = {"on__B2": "2026-03-05", "on__B3": "2026-03-05", "on__B5": "2026-03-05"}
    alone = await send(client, firm, action="check", bill="B2", on__B2="2026-03-05")
    whole = await send(client, firm, action="check", bill=["B1", "B2", "B3", "B5"], **early)

    assert (alone.status_code, whole.status_code) == (200, 200)
    assert "Checked as a whole" in whole.text
    assert "4 bills together" in whole.text
    assert "With these" in whole.text
    assert [section(answer.text).count("1,300.00 USD below the minimum") for answer in (alone, whole)] == [1, 0]
    assert [section(answer.text).count("3,600.00 USD below nil") for answer in (alone, whole)] == [0, 4]
    assert await decided(firm) == {}


async def test_ticked_bills_are_decided_in_one_form_and_each_is_reported(client: httpx.AsyncClient, firm: Firm) -> None:
    done = await send(client, firm, action="decide", bill=["B1", "B5", "B9"], by="ada")
    again = await send(client, firm, action="decide", bill=["B1"])
    held = await firm.runway.decisions.list(firm.sample.company_id)

    assert done.status_code == 200
    assert "What became of each" in done.text
    assert "wants approval by controller" in done.text
    assert "not decided: &#39;Sample&#39; has no open bill &#39;B9&#39;" in done.text
    assert "it is decided already" in again.text
    assert {decision.bill_id: decision.outcome for decision in held} == dict.fromkeys(("B1", "B5"), DecisionOutcome.PAY)
    assert {decision.changed_by for decision in held} == {"ada"}
    assert len({(d.before.low_28_days, d.after.low_28_days) for d in held}) == 1


async def test_a_bill_that_arrives_late_is_delayed_with_the_reason_given(client: httpx.AsyncClient, firm: Firm) -> None:
    late = {"on__B2": "2026-03-13"}
    silent = await send(client, firm, action="decide", bill="B2", **late)
    told = await send(client, firm, action="decide", bill="B2", reason="they agreed", **late)

    assert "delaying needs a reason" in silent.text
    assert told.status_code == 200
    assert await decided(firm) == {"B2": "delay"}


async def test_what_a_rule_blocks_is_left_out_and_the_rest_is_decided(client: httpx.AsyncClient, firm: Firm) -> None:
    """Money held for others is not paid late, whatever the reason."""
    await firm.runway.policies.change(firm.sample.company_id, {"vendor_tiers": {"V2": 0}}, actor="ada")
    done = await send(client, firm, action="decide", bill=["B1", "B2"], on__B1="2026-03-05", on__B2="2026-03-20")

    assert "not decided: delaying needs a reason" in done.text
    done = await send(client, firm, action="decide", bill="B2", on__B2="2026-03-20", reason="x")

    assert "not decided: It is money held for others" in done.text
    assert await decided(firm) == {"B1": "pay"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "tick the bills"),
        ({"bill": "B2", "amount__B2": "lots"}, "is no amount"),
        ({"bill": "B2", "on__B2": "2026-03-10", "amount__B2": "999999"}, "is more than"),
        ({"bill": "B2", "on__B2": "soon"}, "is no day"),
    ],
)
async def test_what_cannot_be_is_said_and_nothing_is_decided(
    client: httpx.AsyncClient, firm: Firm, fields: dict[str, str], said: str
) -> None:
    answers = [await send(client, firm, action=action, **fields) for action in ("check", "decide")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all(said in answer.text for answer in answers)
    assert await decided(firm) == {}


async def test_a_batch_over_the_api(client: httpx.AsyncClient, firm: Firm) -> None:
    address = f"/v1{base(firm)}/decisions/batch"
    done = await client.post(address, json={"bills": [{"bill_id": "B1"}, {"bill_id": "B9"}], "by": "ada"})
    twice = await client.post(address, json={"bills": [{"bill_id": "B5"}, {"bill_id": "B5"}]})
    good, bad = done.json()["outcomes"]

    assert (good["decision"]["outcome"], good["error"], bad["decision"]) == ("pay", None, None)
    assert bad["error_code"] == "invalid-request"
    assert twice.status_code == 422
    assert any(result["ruling"] == Ruling.NEED_APPROVAL for result in good["decision"]["results"])
