"""The console's page: deciding by forms, what moving a bill would do, and who is reminded."""

import re

import httpx
import pytest

from tests.app.firm import HOSTILE, Firm


def base(firm: Firm) -> str:
    return f"/companies/{firm.sample.company_id}"


async def open_console(client: httpx.AsyncClient, firm: Firm, query: str = "") -> tuple[str, str]:
    """The page and its form token."""
    text = (await client.get(f"{base(firm)}/console{query}")).text
    token = re.search(r'name="form_token" value="([^"]+)"', text)
    assert token is not None
    return text, token[1]


async def send(client: httpx.AsyncClient, firm: Firm, end: str, **fields: str) -> httpx.Response:
    _, token = await open_console(client, firm)
    return await client.post(f"{base(firm)}/console/{end}", data={"form_token": token, **fields})


PAY_B2 = {"bill_id": "B2", "outcome": "pay", "on": "2026-03-10", "amount": "3,200.00"}


async def test_ready_bills_show_day_tier_reason_and_rules(client: httpx.AsyncClient, firm: Firm) -> None:
    text, _ = await open_console(client, firm)

    assert "Pay, release Mon 2 Mar" in text
    assert "Ask a person" in text
    assert "1,300.00 USD below the minimum of 10,000.00 USD" in text
    assert "Approved by controller" in text
    assert text.index("Landlord Properties") < text.index("Harbor Insurance") < text.index("Nimbus Cloud")


async def test_a_bill_is_decided_approved_and_released_by_forms(client: httpx.AsyncClient, firm: Firm) -> None:
    decided = await send(client, firm, "bills", bill_id="B5", outcome="pay", on="2026-03-31", amount="4,300.00")
    page = await client.get(decided.headers["location"])
    address = re.search(r"/console/decisions/([0-9a-f]+)", page.text)
    assert address is not None
    approved = await send(
        client, firm, f"decisions/{address[1]}", action="approve", by="ada", role="controller", version="1"
    )
    released = await send(client, firm, f"decisions/{address[1]}", action="release", by=HOSTILE, version="2")
    text, _ = await open_console(client, firm)

    assert "It waits for the approvals" in page.text
    assert "Needs approval by controller." in page.text
    assert [decided.status_code, approved.status_code, released.status_code] == [303, 303, 303]
    assert "told the client, to be paid by hand" in text
    assert "paid by hand; the ledger records it" in text
    assert "&lt;script&gt;" in text
    assert HOSTILE not in text


async def test_two_days_split_a_bill(client: httpx.AsyncClient, firm: Firm) -> None:
    await send(client, firm, "bills", **PAY_B2 | {"amount": "1200", "on2": "2026-03-17", "amount2": "2000"})
    text, _ = await open_console(client, firm)

    assert "Split 1,200.00 USD on Tue 10 Mar, 2,000.00 USD on Tue 17 Mar" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "lots"}, "&#39;lots&#39; is no amount"),
        ({"on": "soon"}, "&#39;soon&#39; is no day"),
        ({"outcome": "delay"}, "delaying needs a reason"),
        ({"outcome": "steal"}, "outcome:"),
        ({"amount": "999999"}, "is more than"),
        ({"bill_id": "B99"}, "has no open bill"),
    ],
)
async def test_what_is_not_done_is_said_and_the_page_stands(
    client: httpx.AsyncClient, firm: Firm, fields: dict[str, str], said: str
) -> None:
    refused = await send(client, firm, "bills", **PAY_B2 | fields)

    assert refused.status_code == 422
    assert "Not done:" in refused.text
    assert said in refused.text
    assert await firm.runway.decisions.list(firm.sample.company_id) == []


async def test_a_form_from_elsewhere_decides_nothing(client: httpx.AsyncClient, firm: Firm) -> None:
    refused = await client.post(f"{base(firm)}/console/bills", data=PAY_B2)

    assert refused.status_code == 403
    assert await firm.runway.decisions.list(firm.sample.company_id) == []


async def test_moving_a_bill_shows_before_and_after_without_script(client: httpx.AsyncClient, firm: Firm) -> None:
    text, _ = await open_console(client, firm, "?bill=B4&on=2026-04-08")

    assert "Pay INV-BA1042 on Wed 8 Apr: +5 days, +8,000.00 USD at the 28-day low" in text
    assert await firm.runway.decisions.list(firm.sample.company_id) == []


async def test_the_script_gets_the_line_and_the_figures(client: httpx.AsyncClient, firm: Firm) -> None:
    asked = await client.get(f"{base(firm)}/console/what-if", params={"bill": "B4", "on": "2026-04-08"})
    absent = await client.get(f"{base(firm)}/console/what-if", params={"bill": "B99", "on": "2026-04-08"})

    document = asked.json()
    assert document["chart"].startswith("<svg")
    assert next((move["name"], move["booked"], move["asked"]) for move in document["moves"]) == (
        "Runway",
        "32 days",
        "37 days",
    )
    assert any("late" in rule for rule in document["rules"])
    assert absent.status_code == 404


async def test_a_contact_is_noted_and_shown(client: httpx.AsyncClient, firm: Firm) -> None:
    before, _ = await open_console(client, firm)
    noted = await send(
        client, firm, "notes", invoice_id="I1", outcome="promised", person="Ms Elm", promised_on="2026-03-13"
    )
    refused = await send(client, firm, "notes", invoice_id="I1", outcome="disputed")
    after, _ = await open_console(client, firm)

    assert "Wait: four of five come within 25 days, 10 are left" in before
    assert noted.headers["location"].endswith("/console#collections")
    assert "Wait for 2026-03-13, as promised" in after
    assert "a dispute needs its reason" in refused.text


async def test_a_moved_bill_is_kept_by_name(client: httpx.AsyncClient, firm: Firm) -> None:
    kept = await send(client, firm, "scenarios", bill="B4", on="2026-04-08", amount="", name="B4 in April")
    nameless = await send(client, firm, "scenarios", bill="B4", on="2026-04-08", amount="", name=" ")

    assert kept.status_code == 303
    assert nameless.status_code == 422
    assert [scenario.name for scenario in await firm.runway.scenarios.list(firm.sample.company_id)] == ["B4 in April"]
