"""Work across companies on the page: ticked, looked at, done, reported and taken back without script."""

import re
from html import unescape

import httpx
import pytest
from fastapi import FastAPI
from runway_core.domain.company import Company
from runway_core.domain.findings import FindingState
from runway_core.domain.policy import Role

from tests.app.firm import FORMULA, HOSTILE, Firm
from tests.app.people_desk import add_owner, form_token, reach
from tests.store.statements import counted

ACCEPTED = frozenset({FindingState.ACCEPTED})


async def send(client: httpx.AsyncClient, end: str = "", **fields: str | list[str]) -> httpx.Response:
    return await client.post(f"/across{end}", data={"form_token": await form_token(client, "/"), **fields})


def carried_by(page: str) -> dict[str, str | list[str]]:
    """What the form of a preview carries to be done."""
    found = re.findall(r'name="(company|finding|seal|check|owner|reason|until)" value="([^"]*)"', page)
    return {name: [unescape(value) for one, value in found if one == name] for name, _ in found} | {"step": "do"}


async def do(client: httpx.AsyncClient, preview: httpx.Response, act: str) -> httpx.Response:
    assert preview.status_code == 200, preview.text
    fields = {"form_token": await form_token(client, "/"), "act": act, "by": "ada"}
    return await client.post("/across", data=fields | carried_by(preview.text))


async def owners_of(firm: Firm) -> list[str | None]:
    return [company.owner for company in await firm.runway.companies.list()]


async def test_companies_are_assigned_after_a_look_and_put_back_once(client: httpx.AsyncClient, firm: Firm) -> None:
    start = (await client.get("/")).text
    ids: list[str] = [firm.sample.company_id, firm.unread.company_id]
    preview = await send(client, act="assign", owner="bo", company=ids)
    untouched = await owners_of(firm)
    done = await do(client, preview, "assign")
    report = (await client.get(done.headers["location"])).text
    assigned = await owners_of(firm)
    version = re.search(r'name="version" value="(\d+)"', report)
    assert version is not None
    undone = await send(client, f"/{done.headers['location'].rpartition('/')[2]}/undo", version=version[1])
    after = (await client.get(undone.headers["location"])).text
    again = await send(client, f"/{done.headers['location'].rpartition('/')[2]}/undo")

    assert f'form="across" name="company" value="{firm.sample.company_id}"' in start
    assert "Assign 2 companies to bo" in preview.text
    assert "Nothing is done yet" in preview.text
    assert untouched == [FORMULA, "ada", None]
    assert assigned == [FORMULA, "bo", "bo"]
    assert "2 done" in report
    assert await owners_of(firm) == untouched
    assert "2 put back" in after
    assert "Assign 2 companies to bo" in (await client.get("/across")).text
    assert 'href="/across"' in (await client.get("/tray")).text
    assert "Undo all of it" not in after
    assert (again.status_code, "undone before" in again.text) == (422, True)


async def test_all_that_the_filters_show_are_meant_without_a_tick(client: httpx.AsyncClient, firm: Firm) -> None:
    preview = await send(client, act="assign", owner="", all="true", query="owner=ada&limit=5")

    assert "Leave 1 company without an owner" in preview.text
    assert firm.unread.company_id not in preview.text


async def like_finding(firm: Firm) -> tuple[Company, str]:
    """A finding that the sample company has, of a check that it has once."""
    waiting = await firm.runway.findings.list(firm.sample.company_id)
    tracked = next(one for one in waiting if one.finding.check == "AP01")
    return firm.sample, tracked.finding_id


async def test_like_findings_are_accepted_from_the_firms_tray(client: httpx.AsyncClient, firm: Firm) -> None:
    _, finding_id = await like_finding(firm)
    by_check = (await client.get("/tray")).text
    by_company = (await client.get("/tray?by=company")).text
    like = (await client.get("/tray?check=AP01")).text
    refused = await send(client, act="accept", check="AP01", finding=finding_id)
    preview = await send(client, act="accept", check="AP01", all="true", reason=HOSTILE)
    done = await do(client, preview, "accept")
    accepted = await firm.runway.findings.list(firm.sample.company_id, states=ACCEPTED)

    assert 'href="/tray?check=AP01"' in by_check
    assert f'href="/companies/{firm.sample.company_id}/tray"' in by_company
    assert f'name="finding" value="{finding_id}"' in like
    assert refused.status_code == 422
    assert "needs a reason" in refused.text
    assert f'name="finding" value="{finding_id}"' in refused.text
    assert "Accept: 1 finding at 1 company" in preview.text
    assert HOSTILE not in preview.text
    assert done.status_code == 303
    assert [(one.finding_id, one.decided_by) for one in accepted] == [(finding_id, "ada")]
    assert "No finding of AP01 waits" in (await client.get("/tray?check=AP01")).text


async def test_what_changed_since_the_look_is_said_and_not_done(client: httpx.AsyncClient, firm: Firm) -> None:
    preview = await send(client, act="assign", owner="bo", company=firm.sample.company_id)
    await firm.runway.companies.change_details(firm.sample.company_id, owner="di", actor="di")
    late = await do(client, preview, "assign")

    assert late.status_code == 422
    assert "changed since it was shown" in late.text
    assert (await firm.runway.companies.get(firm.sample.company_id)).owner == "di"


async def test_who_may_not_settle_companies_is_offered_no_assigning(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    bo = await reach(app, firm.runway, Role.BOOKKEEPER, name="bo")
    cy = await reach(app, firm.runway, Role.CONTROLLER, name="cy")
    fields = {"form_token": bo.form_token, "act": "assign", "owner": "bo", "company": firm.sample.company_id}
    tried = await bo.browser.post("/across", data=fields)

    assert "Assign the ticked" not in (await bo.browser.get("/")).text
    assert "Assign the ticked" in (await cy.browser.get("/")).text
    assert tried.status_code == 403


@pytest.mark.parametrize(
    ("address", "heading", "row"),
    [
        ("/tray.csv", "check,name,worst,findings,companies", "AP01,bill_due_date_missing,medium,1,1"),
        ("/tray.csv?by=company", "company_id,name,owner,findings,critical", ",Sample,ada,5,1"),
        ("/tray.csv?check=AP01", "company_id,company_name,owner,tracked.finding.check", ",Sample,ada,AP01,"),
    ],
)
async def test_what_the_firms_tray_shows_is_saved_as_a_table(
    client: httpx.AsyncClient, address: str, heading: str, row: str
) -> None:
    saved = await client.get(address)

    assert saved.headers["content-type"] == "text/csv; charset=utf-8"
    assert saved.text.startswith(heading)
    assert row in saved.text


async def test_the_firms_tray_takes_three_queries_whatever_the_number_of_companies(firm: Firm) -> None:
    with counted() as few:
        await firm.runway.firm_tray("AP01")
    for number in range(3):
        await firm.runway.companies.add(f"More {number}", home_currency="USD", time_zone="UTC")
    with counted() as many:
        await firm.runway.firm_tray("AP01")

    assert len(few) == len(many) == 3


async def test_the_api_previews_does_lists_and_undoes(client: httpx.AsyncClient, firm: Firm) -> None:
    _, finding_id = await like_finding(firm)
    body = {"act": "ask", "check": "AP01", "finding_ids": [finding_id]}
    preview = (await client.post("/v1/across/preview", json=body)).json()
    done = await client.post("/v1/across", json=body | {"seal": preview["seal"]})
    stale = await client.post("/v1/across", json=body | {"seal": preview["seal"]})
    address = f"/v1/across/{done.json()['paper_id']}"
    late = await client.post(f"{address}/undo", headers={"If-Match": '"1"'})
    undone = await client.post(f"{address}/undo", headers={"If-Match": done.headers["etag"]})
    listed = (await client.get("/v1/across")).json()

    assert [(part["before"], part["after"]) for part in preview["parts"]] == [("open", "asked")]
    assert [item["outcome"] for item in done.json()["items"]] == ["done"]
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-revision")
    assert (late.status_code, late.json()["code"]) == (412, "stale-revision")
    assert [item["outcome"] for item in undone.json()["items"]] == ["undone"]
    assert [item["paper_id"] for item in listed["items"]] == [done.json()["paper_id"]]
    assert (listed["has_more"], listed["next_cursor"]) == (False, None)


async def test_the_api_counts_and_lists_what_waits_at_all_companies(client: httpx.AsyncClient, firm: Firm) -> None:
    counts = (await client.get("/v1/tray")).json()
    first = (await client.get("/v1/tray/AP01?limit=1")).json()

    assert counts["findings"] == sum(line["findings"] for line in counts["checks"]) == 5
    assert [item["company_name"] for item in first["items"]] == ["Sample"]
    assert not first["has_more"]
