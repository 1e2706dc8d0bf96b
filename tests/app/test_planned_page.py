"""The page of planned items: entered, confirmed, changed, closed and reopened by forms."""

import re
from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest
from runway_core.domain.planned_items import PlannedItem

from tests.app.firm import HOSTILE, Firm

BUILDER = {"label": "Owed to the builder", "on": "2026-03-13", "amount": "5,000.00", "way": "out", "owner": "cy"}


def base(firm: Firm) -> str:
    return f"/companies/{firm.sample.company_id}"


async def send(client: httpx.AsyncClient, firm: Firm, end: str = "", **fields: str) -> httpx.Response:
    page = (await client.get(f"{base(firm)}/planned")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    return await client.post(f"{base(firm)}/planned{end}", data={"form_token": token[1], **fields})


async def enter(client: httpx.AsyncClient, firm: Firm, **fields: str) -> PlannedItem:
    assert (await send(client, firm, **BUILDER | fields)).status_code == 303
    return (await firm.runway.planned_items.list(firm.sample.company_id))[0].item


async def test_an_item_is_entered_with_owner_day_and_way_and_the_figures_count_it(
    client: httpx.AsyncClient, firm: Firm
) -> None:
    before = (await firm.runway.outlook(firm.sample.company_id)).outlook.low_28_days
    item = await enter(client, firm, by="ada", note=HOSTILE)
    page = (await client.get(f"{base(firm)}/planned")).text
    after = (await firm.runway.outlook(firm.sample.company_id)).outlook.low_28_days

    assert (item.on, item.amount, item.owner, item.changed_by) == (date(2026, 3, 13), Decimal(5000), "cy", "ada")
    assert not item.is_inflow
    assert "1 planned item: 5,000.00 USD out" in page
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page
    assert before.amount - after.amount == 5000


async def test_items_are_saved_as_a_table(client: httpx.AsyncClient, firm: Firm) -> None:
    item = await enter(client, firm, label="=1+1")
    saved = await client.get(f"{base(firm)}/planned.csv")

    assert "attachment" in saved.headers["content-disposition"]
    assert f"{item.paper_id},'=1+1,2026-03-13,false,5000.00,USD,false,confirmed,false,cy,2026-03-02" in saved.text


async def test_an_inflow_that_is_no_part_of_burn(client: httpx.AsyncClient, firm: Firm) -> None:
    item = await enter(client, firm, way="in", is_financing="yes", currency="eur")

    assert (item.is_inflow, item.is_financing, item.currency) == (True, True, "EUR")


async def test_an_item_is_changed_closed_and_reopened(client: httpx.AsyncClient, firm: Firm) -> None:
    item = await enter(client, firm)
    at = f"/{item.paper_id}"
    changed = await send(client, firm, at, action="move", version="1", **BUILDER | {"amount": "4000", "way": "in"})
    closed = await send(client, firm, at, action="drop", version="2", reason="paid by card")
    hidden = (await client.get(f"{base(firm)}/planned")).text
    shown = (await client.get(f"{base(firm)}/planned?closed=true")).text
    again = await send(client, firm, at, action="reopen", version="3", on="2026-03-20")
    held = await firm.runway.planned_items.get(firm.sample.company_id, item.paper_id)

    assert [answer.status_code for answer in (changed, closed, again)] == [303, 303, 303]
    assert "Owed to the builder" not in hidden
    assert "paid by card" in shown
    assert (held.is_closed, held.on, held.amount, held.is_inflow) == (False, date(2026, 3, 20), Decimal(4000), True)


async def test_a_word_that_an_item_still_holds_is_dated(client: httpx.AsyncClient, firm: Firm) -> None:
    item = await enter(client, firm, on="2026-03-30")
    firm.clock.advance(timedelta(days=20))
    stale = (await client.get(f"{base(firm)}/planned")).text
    await send(client, firm, f"/{item.paper_id}", action="confirm", version="1")
    page = (await client.get(f"{base(firm)}/planned")).text

    assert "1 waits for a word" in stale
    assert "to confirm" in stale
    assert "last said on Sun 22 Mar" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": ""}, "say how much it is"),
        ({"amount": "lots"}, "is no amount"),
        ({"amount": "-1"}, "must be positive"),
        ({"on": "2020-01-01"}, "has passed"),
        ({"on": ""}, "is no day"),
        ({"label": " "}, "what the money is for is missing"),
        ({"currency": "dollars"}, "currency"),
    ],
)
async def test_what_cannot_be_is_said_and_nothing_is_entered(
    client: httpx.AsyncClient, firm: Firm, fields: dict[str, str], said: str
) -> None:
    refused = await send(client, firm, **BUILDER | fields)

    assert refused.status_code == 422
    assert "Not done:" in refused.text
    assert said in refused.text
    assert await firm.runway.planned_items.list(firm.sample.company_id) == []


async def test_a_form_filled_in_on_an_old_version_changes_nothing(client: httpx.AsyncClient, firm: Firm) -> None:
    item = await enter(client, firm)
    await send(client, firm, f"/{item.paper_id}", action="move", version="1", **BUILDER | {"amount": "4000"})
    late = await send(client, firm, f"/{item.paper_id}", action="drop", version="1")
    unknown = await send(client, firm, "/nothing", action="drop")
    senseless = await send(client, firm, f"/{item.paper_id}", action="burn")

    assert [answer.status_code for answer in (late, unknown, senseless)] == [422, 422, 422]
    assert "was changed to version 2" in late.text
    assert not (await firm.runway.planned_items.get(firm.sample.company_id, item.paper_id)).is_closed


async def test_a_bill_stands_for_an_item(client: httpx.AsyncClient, firm: Firm) -> None:
    item = await enter(client, firm)
    strange = await send(client, firm, f"/{item.paper_id}", action="fulfil", record="B4")
    done = await send(client, firm, f"/{item.paper_id}", action="fulfil", record="bill:B4")
    page = (await client.get(f"{base(firm)}/planned?closed=true")).text

    assert (strange.status_code, done.status_code) == (422, 303)
    assert "bill B4</a> stands for it" in page
