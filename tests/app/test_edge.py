"""What every answer carries, what is refused at the door, and that another firm's companies are nowhere."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from runway_app_http.problems import PROBLEMS, explain, problem_answer
from runway_app_http.ui import pages
from runway_app_http.web import create_app
from runway_core import errors
from runway_core.errors import LeaseHeld, RailThrottled, RailUnavailable, RunwayError, StoreUnavailable

from tests.app.firm import Firm

QUERIES = {
    "/companies/{company_id}/history": "?kind=bill&external_id=B4",
    "/companies/{company_id}/history.csv": "?kind=bill&external_id=B4",
    "/companies/{company_id}/console/what-if": "?bill=B4&on=2026-04-08",
}
OF_ONE_COMPANY = "{company_id}"


def pages_of(method: str) -> set[str]:
    """The pages of one company, each by its own router: none is left out because nobody listed it."""
    modules = [vars(pages)[name] for name in vars(pages) if hasattr(vars(pages)[name], "router")]
    return {
        route.path
        for module in modules
        for route in module.router.routes
        if method in route.methods and OF_ONE_COMPANY in route.path
    }


def routes_of(app: FastAPI, method: str) -> list[str]:
    found = {path for path, verbs in app.openapi()["paths"].items() if method.lower() in verbs}
    return sorted(path for path in found | pages_of(method) if OF_ONE_COMPANY in path)


def example_of(app: FastAPI, route: str) -> object:
    """The example of the body that the description of the API gives."""
    described = app.openapi()
    body = described["paths"][route]["post"].get("requestBody")
    if body is None:
        return None
    schema = body["content"]["application/json"]["schema"]
    named = described["components"]["schemas"].get(schema.get("$ref", "").rsplit("/", 1)[-1], {})
    return named.get("example")


def fill(route: str, *, company_id: str) -> str:
    """The address of a route for a company; whatever else it names is called 1."""
    return re.sub(r"\{\w+\}", "1", route.replace("{company_id}", company_id))


@pytest.mark.parametrize("whose", ["foreign", "unknown", "strange", "long"])
async def test_a_company_of_nobody_or_of_another_firm_is_not_found(
    app: FastAPI, client: httpx.AsyncClient, firm: Firm, whose: str
) -> None:
    """Every route, and the same answer whichever reason: nobody learns that another firm's company exists."""
    wanted = {"foreign": firm.foreign.company_id, "unknown": "nobody", "strange": "%00%0a", "long": "x" * 500}
    routes = routes_of(app, "GET")
    assert len(routes) >= 20

    for route in routes:
        address = fill(route, company_id=wanted[whose]) + QUERIES.get(route.removeprefix("/v1"), "")
        answer = await client.get(address)
        assert answer.status_code == 404, address
        kind = "application/problem+json" if route.startswith("/v1") else "text/html; charset=utf-8"
        assert answer.headers["content-type"] == kind
        assert "Foreign" not in answer.text


async def test_nothing_can_be_done_to_a_company_of_another_firm(
    app: FastAPI, client: httpx.AsyncClient, firm: Firm
) -> None:
    """Every address that changes something, with the body that its description gives as an example."""
    routes = [route for route in routes_of(app, "POST") if route.startswith("/v1")]
    length = (await firm.runway.scope.store.log.head(firm.foreign.company_id)).sequence
    assert len(routes) >= 20

    for route in routes:
        address = fill(route, company_id=firm.foreign.company_id)
        assert (await client.post(address, json=example_of(app, route))).status_code == 404, address
    assert (await firm.runway.scope.store.log.head(firm.foreign.company_id)).sequence == length


async def test_no_form_reaches_a_company_of_another_firm(client: httpx.AsyncClient, firm: Firm) -> None:
    page = await client.get(f"/companies/{firm.sample.company_id}/tray")
    token = page.text.split('name="form_token" value="')[1].split('"')[0]
    fields = {
        "form_token": token,
        "action": "accept",
        "reason": "x",
        "number": "0",
        "to": "bo@x.example",
        "bill_id": "B1",
    }
    length = (await firm.runway.scope.store.log.head(firm.foreign.company_id)).sequence

    for route in sorted(pages_of("POST")):
        address = fill(route, company_id=firm.foreign.company_id)
        assert (await client.post(address, data=fields)).status_code == 404, address
    assert (await firm.runway.scope.store.log.head(firm.foreign.company_id)).sequence == length


async def test_nothing_of_one_company_is_changed_through_another(client: httpx.AsyncClient, firm: Firm) -> None:
    found = (await firm.runway.findings.list(firm.sample.company_id))[0].finding_id
    other = f"/v1/companies/{firm.hostile.company_id}/findings/{found}"

    assert (await client.post(other, json={"action": "ask"})).status_code == 404


@pytest.mark.parametrize("path", ["/", "/v1/portfolio", "/v1/nothing", "/nothing", "/healthz", "/static/runway.css"])
async def test_every_answer_is_dressed(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers

    assert re.fullmatch(r"[0-9a-f]{32}", headers["request-id"])
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    if path != "/static/runway.css":
        assert headers["cache-control"] == "no-store"


async def test_a_caller_may_name_its_request_unless_the_name_is_harmful(client: httpx.AsyncClient) -> None:
    kept = await client.get("/healthz", headers={"Request-Id": "job-2026-03-02.7"})
    replaced = await client.get("/healthz", headers={"Request-Id": "evil\tvalue"})

    assert kept.headers["request-id"] == "job-2026-03-02.7"
    assert replaced.headers["request-id"] != "evil\tvalue"


async def test_https_is_remembered(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://runway.test") as client:
        answer = await client.get("/healthz")

    assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"}]
)
async def test_posts_from_other_sites_are_refused(
    client: httpx.AsyncClient, firm: Firm, headers: dict[str, str]
) -> None:
    answer = await client.post(f"/v1/companies/{firm.sample.company_id}/sync", headers=headers)

    assert answer.status_code == 403
    assert answer.json()["code"] == "cross-site-request"


async def test_large_bodies_are_refused_whether_announced_or_not(client: httpx.AsyncClient, firm: Firm) -> None:
    address = f"/v1/companies/{firm.sample.company_id}/sync"

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b" " * 1024

    announced = await client.post(address, content=b" " * 80 * 1024)
    dripped = await client.post(address, content=drip(), headers={"content-type": "application/json"})

    assert (announced.status_code, dripped.status_code) == (413, 413)
    assert announced.json()["code"] == dripped.json()["code"] == "request-too-large"


async def test_only_allowed_hosts_are_served(firm: Firm) -> None:
    app = create_app(firm.runway, manages_runway=False, allowed_hosts=["127.0.0.1", "localhost"])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport) as client:
        wanted = await client.get("http://127.0.0.1:8000/healthz")
        rebound = await client.get("http://evil.example:8000/healthz")

    assert (wanted.status_code, rebound.status_code) == (200, 421)


async def test_methods_that_a_path_does_not_know_are_named(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/portfolio")

    assert answer.status_code == 405
    assert answer.json()["code"] == "method-not-allowed"
    assert answer.headers["allow"] == "GET"


async def test_what_nobody_foresaw_is_told_without_its_inside(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.get("/v1/broken")
    async def break_down() -> None:
        raise ValueError("the password is hunter2")

    answer = await client.get("/v1/broken", headers={"Request-Id": "broken-on-purpose"})

    assert answer.status_code == 500
    assert answer.headers["request-id"] == "broken-on-purpose"
    assert answer.json()["code"] == "internal-error"
    assert "hunter2" not in answer.text


async def test_a_closed_description_is_not_found(firm: Firm) -> None:
    app = create_app(firm.runway, manages_runway=False, serve_docs=False)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://runway.test") as client:
        answer = await client.get("/openapi.json")

    assert answer.status_code == 404


async def test_the_app_opens_and_closes_what_it_is_given() -> None:
    happened: list[str] = []

    class Recorder:
        async def __aenter__(self) -> "Recorder":
            happened.append("opened")
            return self

        async def __aexit__(self, *_: object) -> None:
            happened.append("closed")

    async def start() -> None:
        happened.append("started")

    async def stop() -> None:
        happened.append("stopped")

    app = create_app(Recorder(), on_startup=[start], on_shutdown=[stop])  # type: ignore[arg-type]  # only its opening is asked
    async with app.router.lifespan_context(app):
        happened.append("served")

    assert happened == ["opened", "started", "served", "stopped", "closed"]


def _family(kind: type[RunwayError]) -> list[type[RunwayError]]:
    return [kind, *(member for child in kind.__subclasses__() for member in _family(child))]


def test_every_error_code_has_its_answer() -> None:
    codes = {kind.code for kind in _family(RunwayError) if kind.__module__ == errors.__name__}

    assert codes <= set(PROBLEMS)


@pytest.mark.parametrize(
    ("error", "status", "wait"),
    [
        (RailUnavailable("no answer", retry_after_seconds=17), 503, "17"),
        (RailThrottled("slow down", retry_after_seconds=60), 429, "60"),
        (RailThrottled("slow down"), 429, "30"),
        (StoreUnavailable("no database"), 503, "30"),
        (LeaseHeld("another worker reads it"), 409, None),
    ],
)
def test_who_must_wait_is_told_how_long(error: RunwayError, status: int, wait: str | None) -> None:
    answer = problem_answer(explain(error), "/v1/portfolio")

    assert answer.status_code == status
    assert answer.headers.get("retry-after") == wait


@pytest.mark.parametrize("code", sorted(PROBLEMS))
async def test_every_code_has_a_page(client: httpx.AsyncClient, code: str) -> None:
    answer = await client.get(f"/errors/{code}")

    assert answer.status_code == 200
    assert code in answer.text
