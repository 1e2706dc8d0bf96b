"""Every address of the app, with every kind of stranger: who may not is refused, and who must not know finds nothing.

Addresses come from the routers and from the description of the API. A new one is tried by itself, and fails here until
a line of `needs.py` says what it needs.
"""

import httpx
import pytest
from fastapi import FastAPI
from runway_app_http.needs import NEEDS, OPEN, UnknownAddress, find_need
from runway_app_http.ui import pages
from runway_core.domain.identity import CompanyId
from runway_core.domain.people import GRANTS, Need
from runway_core.domain.policy import Role

from tests.app.firm import Firm
from tests.app.people_desk import Reached, add_owner, client_of, reach
from tests.app.test_edge import QUERIES, example_of, fill

FIELDS = {"action": "accept", "reason": "x", "number": "0", "to": "bo@x.example", "bill_id": "B1", "label": "Rent"}
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def addresses_of(app: FastAPI) -> list[tuple[str, str]]:
    """Each method and path of the app, pages too."""
    described = {(verb.upper(), path) for path, verbs in app.openapi()["paths"].items() for verb in verbs}
    modules = [vars(pages)[name] for name in vars(pages) if hasattr(vars(pages)[name], "router")]
    shown = {(verb, route.path) for module in modules for route in module.router.routes for verb in route.methods}
    return sorted((described | shown | {("GET", "/openapi.json")}) - {("HEAD", "/openapi.json")})


def closed_addresses(app: FastAPI) -> list[tuple[str, str]]:
    return [(method, path) for method, path in addresses_of(app) if find_need(method, path) is not OPEN]


async def call(app: FastAPI, who: Reached, method: str, path: str, *, company_id: str) -> httpx.Response:
    """Call an address as somebody would: pages from their browser, the API from their program."""
    address = fill(path, company_id=company_id) + QUERIES.get(path.removeprefix("/v1"), "")
    if path.startswith(("/v1", "/openapi", "/metrics")):
        body = example_of(app, path) if method == "POST" else None
        return await who.program.request(method, address, json=body)
    fields = FIELDS | {"form_token": who.form_token} if method in UNSAFE else None
    return await who.browser.request(method, address, data=fields)


def test_every_address_says_what_it_needs(app: FastAPI) -> None:
    silent = []
    for method, path in addresses_of(app):
        try:
            find_need(method, path)
        except UnknownAddress:
            silent.append(f"{method} {path}")

    assert not silent, f"say in runway_app_http/needs.py what these need: {silent}"


def test_no_line_of_the_table_is_left_over(app: FastAPI) -> None:
    """A line that no address meets any more is a door that somebody forgot."""
    known = addresses_of(app)
    templates = {f"{method} {path}" for method, path in known}
    patterns = [line for line in NEEDS if "**" in line]
    exact = {line for line in NEEDS if "**" not in line}

    assert exact <= templates, exact - templates
    for line in patterns:
        method, _, start = line.removesuffix("**").partition(" ")
        assert any(m == method and path.startswith(start) for m, path in known), line


def test_reading_needs_no_more_than_reading_and_writing_always_more(app: FastAPI) -> None:
    touches_no_other = ("/what-if", "/check", "/preview", "/account", "/sign-in/again", "/views")  # own views alone
    for method, path in closed_addresses(app):
        need = find_need(method, path)
        if method == "GET":
            assert need is (Need.ADMIN if path.startswith(("/people", "/hooks", "/v1/webhooks")) else Need.READ), path
        elif not any(word in path for word in touches_no_other):
            assert need in (Need.DECIDE, Need.MANAGE, Need.ADMIN), path


async def test_nobody_gets_anywhere_without_signing_in(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    stranger = client_of(app)
    closed = closed_addresses(app)
    assert len(closed) >= 90

    for method, path in closed:
        answer = await stranger.request(method, fill(path, company_id=firm.sample.company_id))
        if path.startswith(("/v1", "/openapi", "/metrics")):
            assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-needed"), path
        else:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BOOKKEEPER, Role.CONTROLLER])
async def test_a_lesser_role_is_refused_and_nothing_happens(app: FastAPI, firm: Firm, role: Role) -> None:
    await add_owner(firm.runway)
    who = await reach(app, firm.runway, role)
    company_id = firm.sample.company_id
    length, calls = await firm.runway.log_length(company_id), firm.ledger.calls
    beyond = [(m, p) for m, p in closed_addresses(app) if find_need(m, p) not in GRANTS[role]]
    assert beyond

    for method, path in beyond:
        answer = await call(app, who, method, path, company_id=company_id)
        assert answer.status_code == 403, (method, path)
        assert "not-allowed" in answer.text, (method, path)
    assert (await firm.runway.log_length(company_id), firm.ledger.calls) == (length, calls)


@pytest.mark.parametrize("whose", ["unassigned", "another firm's", "nobody's"])
async def test_what_is_not_assigned_does_not_exist(app: FastAPI, firm: Firm, whose: str) -> None:
    """Even for an owner: who may do everything still sees the assigned companies alone."""
    await add_owner(firm.runway)
    who = await reach(app, firm.runway, Role.OWNER, companies=(firm.unread.company_id,))
    wanted = {"unassigned": firm.sample, "another firm's": firm.foreign}.get(whose)
    company_id = wanted.company_id if wanted else CompanyId("nobody")
    log = firm.runway.scope.store.log
    length, calls = (await log.head(company_id)).sequence, firm.ledger.calls
    of_companies = [(m, p) for m, p in closed_addresses(app) if "{company_id}" in p]
    assert len(of_companies) >= 80

    for method, path in of_companies:
        answer = await call(app, who, method, path, company_id=company_id)
        assert answer.status_code == 404, (method, path, answer.text[:200])
        assert "Foreign" not in answer.text
    assert ((await log.head(company_id)).sequence, firm.ledger.calls) == (length, calls)


async def test_lists_leave_out_what_is_not_assigned(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    who = await reach(app, firm.runway, Role.CONTROLLER, companies=(firm.sample.company_id,))
    texts = [
        (await who.program.get(path)).text for path in ("/v1/portfolio", "/v1/companies", "/v1/health", "/metrics")
    ]
    texts += [(await who.browser.get(path)).text for path in ("/", "/portfolio.csv", "/health", "/account")]

    assert all("Zebra" not in text and firm.unread.company_id not in text for text in texts)
    assert all("Sample" in text for text in texts[:3] + texts[4:7])


async def test_each_role_reaches_what_it_may(app: FastAPI, firm: Firm) -> None:
    """The other side of the coin: refusals above are not because everything is refused."""
    await add_owner(firm.runway)
    company = f"/v1/companies/{firm.sample.company_id}"
    wanted = {
        Role.VIEWER: (200, 403, 403),
        Role.BOOKKEEPER: (200, 200, 403),
        Role.CONTROLLER: (200, 200, 200),
        Role.OWNER: (200, 200, 200),
    }
    for role, statuses in wanted.items():
        who = await reach(app, firm.runway, role)
        read = await who.program.get(f"{company}/digest")
        decided = await who.program.post(f"{company}/sync")
        managed = await who.program.post(f"{company}/policy", json={"settings": {"payment_weekdays": [1, 3]}})
        assert (read.status_code, decided.status_code, managed.status_code) == statuses, (role, managed.text)


async def test_an_address_that_says_nothing_is_closed(app: FastAPI, firm: Firm) -> None:
    @app.get("/v1/forgotten")
    async def forgotten() -> dict[str, str]:
        return {"secret": "told"}

    await add_owner(firm.runway)
    who = await reach(app, firm.runway, Role.OWNER)
    answer = await who.program.get("/v1/forgotten")

    assert answer.status_code == 404
    assert "told" not in answer.text


async def test_a_session_does_not_change_anything_through_the_api(app: FastAPI, firm: Firm) -> None:
    """The API takes no cookie for what changes something: a form of another site could bring one along."""
    await add_owner(firm.runway)
    who = await reach(app, firm.runway, Role.OWNER)
    base = f"/v1/companies/{firm.sample.company_id}"

    assert (await who.browser.get(f"{base}/digest")).status_code == 200
    assert (await who.browser.post(f"{base}/sync")).status_code == 401


async def test_the_log_names_the_person_whatever_name_is_sent(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    who = await reach(app, firm.runway, Role.BOOKKEEPER, name="bo")
    base = f"/v1/companies/{firm.sample.company_id}"
    finding = (await firm.runway.findings.list(firm.sample.company_id))[0].finding_id
    decided = await who.program.post(f"{base}/findings/{finding}", json={"action": "ask"})
    held = {t.finding_id: t for t in await firm.runway.findings.list(firm.sample.company_id)}
    (entry,) = [
        e
        async for e in firm.runway.scope.store.log.entries(firm.sample.company_id)
        if e.draft.what == "finding_decided"
    ]

    assert decided.status_code == 200
    assert (held[finding].decided_by, entry.draft.attribution.actor) == ("bo", "bo")


async def test_without_people_the_app_stays_as_it_is(client: httpx.AsyncClient, firm: Firm) -> None:
    assert (await client.get(f"/companies/{firm.sample.company_id}")).status_code == 200
    assert (await client.get("/sign-in")).headers["location"] == "/"
    assert (await client.get("/v1/me")).status_code == 404
