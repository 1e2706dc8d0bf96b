"""What-ifs on their page: a bill, a customer and something new, asked in the address and kept by name."""

import re

import httpx
import pytest

from tests.app.firm import HOSTILE, Firm
from tests.app.people_desk import form_token


def page_of(firm: Firm) -> str:
    return f"/companies/{firm.sample.company_id}/scenarios"


async def send(client: httpx.AsyncClient, firm: Firm, end: str = "", **fields: str) -> httpx.Response:
    token = await form_token(client, page_of(firm))
    return await client.post(f"{page_of(firm)}{end}", data={"form_token": token, **fields})


async def test_delaying_a_bill_gains_the_days_that_the_reference_says(client: httpx.AsyncClient, firm: Firm) -> None:
    start = (await client.get(page_of(firm))).text
    asked = (await client.get(f"{page_of(firm)}?bill=B4&on=2026-04-08")).text

    assert "Nothing is supposed yet" in start
    assert re.search(r'<option value="B4">Bright Agency INV-BA1042, 8,000.00 USD</option>', start)
    assert "Then +5 days, +8,000.00 USD at the 28-day low" in asked
    assert "<li>Pay bill INV-BA1042 on Wed 8 Apr</li>" in asked
    assert "<td>32 days</td><td>37 days</td>" in asked


async def test_a_late_customer_and_something_new_are_asked_together(client: httpx.AsyncClient, firm: Firm) -> None:
    both = "invoice=I2&expected=2026-05-20&label=Van&day=2026-03-20&sum=1,900.00"
    asked = (await client.get(f"{page_of(firm)}?{both}")).text
    alone = (await client.get(f"{page_of(firm)}?label=Van&day=2026-03-20&sum=1900&way=in")).text

    assert "on Wed 20 May</li>" in asked
    assert "<li>Pay 1,900.00 on Fri 20 Mar: Van</li>" in asked
    assert re.search(r"Then −\d+ days, −", asked)
    assert "<li>Receive 1,900.00 on Fri 20 Mar: Van</li>" in alone


async def test_a_question_is_kept_opened_again_and_dropped(client: httpx.AsyncClient, firm: Firm) -> None:
    kept = await send(client, firm, name=HOSTILE, bill="B4", on="2026-04-08", amount="5000", by="ada")
    opened = (await client.get(kept.headers["location"])).text
    (scenario,) = await firm.runway.scenarios.list(firm.sample.company_id)
    listed = (await client.get(page_of(firm))).text
    stale = await send(client, firm, f"/{scenario.paper_id}/drop", version="7")
    dropped = await send(client, firm, f"/{scenario.paper_id}/drop", version="1")

    assert kept.status_code == dropped.status_code == 303
    assert scenario.changed_by == "ada"
    assert "<li>Pay 5,000.00 of bill INV-BA1042 on Wed 8 Apr</li>" in opened
    assert f"?kept={scenario.paper_id}" in listed
    assert HOSTILE not in listed
    assert stale.status_code == 422
    assert await firm.runway.scenarios.list(firm.sample.company_id) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("bill=B4&on=soon", "is no day"),
        ("day=2026-03-20", "say how much would move"),
        ("sum=900", "is no day"),
        ("label=Van&day=2026-03-20&sum=-5", "more than nil"),
        ("kept=nothing", "no scenario"),
    ],
)
async def test_what_is_no_question_is_said_on_the_page(
    client: httpx.AsyncClient, firm: Firm, query: str, said: str
) -> None:
    answer = await client.get(f"{page_of(firm)}?{query}")

    assert answer.status_code == 422
    assert said in answer.text
    assert "Kept scenarios" in answer.text


async def test_books_stay_as_they_are(client: httpx.AsyncClient, firm: Firm) -> None:
    before = (await firm.runway.outlook(firm.sample.company_id)).outlook
    await send(client, firm, name="Late", bill="B4", on="2026-04-08")

    assert (await firm.runway.outlook(firm.sample.company_id)).outlook == before
