"""Saved views of the portfolio: kept by name on the page, each person's own or everybody's, and over the API."""

import re

import httpx
import pytest
from fastapi import FastAPI
from runway_core.domain.people import firm_chain
from runway_core.domain.policy import Role
from runway_core.domain.saved_views import SavedView
from runway_core.errors import InvalidRequest, NotAllowed, NotFound
from runway_core.services.saved_views import MOST_VIEWS

from tests.app.firm import HOSTILE, Firm
from tests.app.people_desk import Reached, add_owner, form_token, reach


async def send(client: httpx.AsyncClient, end: str = "", **fields: str) -> httpx.Response:
    return await client.post(f"/views{end}", data={"form_token": await form_token(client, "/"), **fields})


def names_above_the_table(page: str) -> list[str]:
    above = page.partition("<table")[0]
    chips = re.search(r'aria-label="Saved views">(.*?)</nav>', above)
    return re.findall(r'<a class="chip"[^>]*>([^<]*?)(?: <small>mine</small>)?</a>', chips[1]) if chips else []


async def test_the_filters_of_the_page_are_saved_by_name_and_stand_above_the_table(
    client: httpx.AsyncClient, firm: Firm
) -> None:
    start = (await client.get("/?tag=retail&sort=-cash&limit=1")).text
    form = start.partition('action="/views"')[2].partition("</form>")[0]
    (query,) = re.findall(r'name="query" value="([^"]*)"', form)
    saved = await send(client, name="  Shops   by cash ", query=query.replace("&amp;", "&"))
    followed = (await client.get(saved.headers["location"])).text
    elsewhere = (await client.get("/")).text

    assert saved.status_code == 303
    assert saved.headers["location"] == "/?tag=retail&sort=-cash"
    assert "Saved: it stands above the table." in followed
    assert names_above_the_table(followed) == ["Shops by cash"]
    assert '<a class="chip" href="/?tag=retail&amp;sort=-cash" aria-current="true">Shops by cash</a>' in followed
    assert '<a class="chip" href="/?tag=retail&amp;sort=-cash">Shops by cash</a>' in elsewhere
    assert "1 of 3 companies" in followed


async def test_a_name_that_is_taken_is_saved_anew_and_a_view_is_renamed_and_removed(
    client: httpx.AsyncClient, firm: Firm
) -> None:
    await send(client, name="Mine", query="status=red")
    await send(client, name="MINE", query="status=amber")
    (view,) = await firm.runway.saved_views.list()
    renamed = await send(client, f"/{view.paper_id}", action="rename", name=HOSTILE, query="status=amber", version="2")
    page = (await client.get(renamed.headers["location"])).text
    (named,) = await firm.runway.saved_views.list()
    stale = await send(client, f"/{view.paper_id}", action="remove", query="", version="2")
    removed = await send(client, f"/{view.paper_id}", action="remove", query="status=amber", version="3")

    assert (view.name, view.query, view.version) == ("MINE", "status=amber", 2)
    assert renamed.headers["location"] == removed.headers["location"] == "/?status=amber"
    assert named.name == HOSTILE
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert stale.status_code == 422
    assert "was changed to version 3" in stale.text
    assert await firm.runway.saved_views.list() == []
    assert names_above_the_table((await client.get("/")).text) == []


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [("", "status=red", "a view needs a name"), ("x" * 101, "", "a view needs a name"), ("A\x07", "", "printable")],
)
async def test_what_is_no_view_is_said_on_the_page(
    client: httpx.AsyncClient, firm: Firm, name: str, query: str, said: str
) -> None:
    answer = await send(client, name=name, query=query)

    assert answer.status_code == 422
    assert said in answer.text
    assert await firm.runway.saved_views.list() == []


async def test_a_name_of_another_view_is_not_given_twice(firm: Firm) -> None:
    views = firm.runway.saved_views
    await views.save("Red ones", "status=red", actor="ada")
    other = await views.save("Amber ones", "status=amber", actor="ada")

    with pytest.raises(InvalidRequest, match="another view is called 'Red ones'"):
        await views.rename(other.paper_id, "red  ONES", actor="ada")
    assert (await views.rename(other.paper_id, "AMBER ones", actor="ada")).name == "AMBER ones"


async def test_there_is_an_end_to_views_that_one_can_find(firm: Firm) -> None:
    views = firm.runway.saved_views
    for number in range(MOST_VIEWS):
        await views.save(f"View {number}", "", actor="ada")

    with pytest.raises(InvalidRequest, match="remove one"):
        await views.save("One more", "", actor="ada")
    assert (await views.save("view 7", "status=red", actor="ada")).query == "status=red"


async def seen_by(somebody: Reached) -> set[str]:
    listed = await somebody.program.get("/v1/views")
    assert listed.status_code == 200
    return {view["name"] for view in listed.json()["items"]}


async def test_each_person_has_views_of_their_own_and_shared_ones_are_everybodys(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    bo = await reach(app, firm.runway, Role.BOOKKEEPER, name="bo")
    vi = await reach(app, firm.runway, Role.VIEWER, name="vi")
    await send(bo.browser, name="Bo's own", query="status=red")
    await send(bo.browser, name="Ours", query="status=amber", is_shared="true")
    await send(vi.browser, name="Vi's own", query="")
    page = (await vi.browser.get("/")).text

    assert await seen_by(bo) == {"Bo's own", "Ours"}
    assert await seen_by(vi) == {"Vi's own", "Ours"}
    assert names_above_the_table(page) == ["Ours", "Vi&#39;s own"]
    assert "for everybody in the firm" in (await bo.browser.get("/")).text
    assert "for everybody in the firm" not in page


async def test_who_only_looks_changes_no_shared_view_and_nobody_another_ones(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    bo = await reach(app, firm.runway, Role.BOOKKEEPER, name="bo")
    vi = await reach(app, firm.runway, Role.VIEWER, name="vi")
    body = {"name": "Ours", "query": "status=red", "is_shared": True}
    shared = (await bo.program.post("/v1/views", json=body)).json()
    own = (await vi.program.post("/v1/views", json={"name": "Mine", "query": "status=red"})).json()
    refused = await vi.program.post(f"/v1/views/{shared['paper_id']}/remove")
    sharing = await vi.program.post("/v1/views", json=body | {"name": "Mine too"})
    foreign = [
        await bo.program.get(f"/v1/views/{own['paper_id']}"),
        await bo.program.post(f"/v1/views/{own['paper_id']}", json={"name": "Bo's"}),
        await bo.program.post(f"/v1/views/{own['paper_id']}/remove"),
    ]

    assert (own["person_id"], own["changed_by"], shared["person_id"]) == ("vi", "vi", None)
    assert [refused.status_code, sharing.status_code] == [403, 403]
    assert [answer.status_code for answer in foreign] == [404, 404, 404]
    assert await seen_by(vi) == {"Mine", "Ours"}


async def test_the_api_changes_a_view_on_the_version_that_was_read(client: httpx.AsyncClient, firm: Firm) -> None:
    saved = await client.post("/v1/views", json={"name": "Due", "query": "?sort=-due_7_days&cursor=100&limit=5"})
    view_id, tag = saved.json()["paper_id"], saved.headers["etag"]
    renamed = await client.post(f"/v1/views/{view_id}", json={"name": "Due soon"}, headers={"If-Match": tag})
    late = await client.post(f"/v1/views/{view_id}/remove", headers={"If-Match": tag})
    read = await client.get(f"/v1/views/{view_id}")
    wrong = await client.post("/v1/views", json={"name": "Wrong", "query": "colour=red"})

    assert saved.json()["query"] == "sort=-due_7_days"
    assert (renamed.status_code, read.json()["name"], read.headers["etag"]) == (200, "Due soon", '"2"')
    assert (late.status_code, late.json()["code"]) == (412, "stale-revision")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid-request")
    assert "colour" in wrong.json()["detail"]


async def test_views_come_in_pages_by_name(client: httpx.AsyncClient, firm: Firm) -> None:
    for name in ("c", "A", "b"):
        await firm.runway.saved_views.save(name, "", actor="ada")
    first = (await client.get("/v1/views?limit=2")).json()
    rest = (await client.get(f"/v1/views?limit=2&cursor={first['next_cursor']}")).json()

    assert [view["name"] for view in first["items"]] == ["A", "b"]
    assert first["has_more"]
    assert ([view["name"] for view in rest["items"]], rest["has_more"], rest["next_cursor"]) == (["c"], False, None)


async def test_what_was_saved_and_removed_stands_in_the_firms_log(firm: Firm) -> None:
    views = firm.runway.saved_views
    view = await views.save("Red ones", "status=red", actor="ada")
    await views.remove(view.paper_id, actor="bo")

    with pytest.raises(NotFound):
        await views.get(view.paper_id)
    with pytest.raises(NotFound, match="saved are none yet"):
        await views.find("Red ones")
    kept = await firm.runway.scope.store.papers.papers_of(
        firm_chain(firm.runway.scope.firm_id), SavedView, [view.paper_id]
    )
    assert (kept[view.paper_id].is_closed, kept[view.paper_id].changed_by) == (True, "bo")


async def test_whoever_may_not_share_is_told_so(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    vi = await reach(app, firm.runway, Role.VIEWER, name="vi")
    caller, _ = await firm.runway.people.find_key(vi.program.headers["Authorization"].removeprefix("Bearer "))

    with pytest.raises(NotAllowed):
        await firm.runway.for_caller(caller).saved_views.save("Ours", "", actor="vi", is_shared=True)
