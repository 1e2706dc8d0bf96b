"""Calls that are sent again under the same key: done once, answered alike."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from runway_app_http.gate import Visitor
from runway_app_http.idempotency import GIVEN_UP_AFTER, KEPT_FOR, Idempotency
from runway_app_http.web import answer_failure
from runway_core.domain.policy import Role
from runway_core.errors import StoreUnavailable
from starlette.types import Message, Receive, Scope, Send

from tests.app.firm import Firm
from tests.app.people_desk import add_owner, reach

ITEM = {"label": "New oven", "on": "2026-04-10", "amount": "4200.00"}
NOTE = {"action": "accept", "reason": "two deliveries, both real"}


def under(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


@pytest.fixture
async def finding(client: httpx.AsyncClient, firm: Firm) -> str:
    """The address of a finding."""
    base = f"/v1/companies/{firm.sample.company_id}/findings"
    found = (await client.get(base)).json()["items"][0]["finding_id"]
    return f"{base}/{found}"


async def test_the_same_call_gets_the_same_bytes_and_is_marked(client: httpx.AsyncClient, finding: str) -> None:
    first = await client.post(finding, json=NOTE, headers=under("k-1"))
    reopened = await client.post(finding, json={"action": "reopen"})
    again = await client.post(finding, json=NOTE, headers=under("k-1"))

    assert (first.status_code, reopened.json()["state"]) == (200, "open")
    assert (again.status_code, again.content) == (200, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["request-id"] != first.headers["request-id"]
    assert (await client.get(finding.rsplit("/", 1)[0])).json()["items"][0]["state"] == "open"  # it did nothing


async def test_what_is_versioned_is_answered_with_its_version(client: httpx.AsyncClient, firm: Firm) -> None:
    """A second call without a key would be refused by its old version; under the key it is answered."""
    address = f"/v1/companies/{firm.sample.company_id}/planned-items"
    entered = await client.post(address, json=ITEM, headers=under("oven"))
    item = f"{address}/{entered.json()['item']['paper_id']}"
    drop, version = {"action": "drop", "note": "leased"}, {"If-Match": entered.headers["etag"]}
    first = await client.post(item, json=drop, headers={**under("drop"), **version})
    again = await client.post(item, json=drop, headers={**under("drop"), **version})
    bare = await client.post(item, json=drop, headers=version)

    assert (first.status_code, again.status_code, bare.status_code) == (200, 200, 412)
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])


async def test_another_call_under_the_key_is_refused(client: httpx.AsyncClient, finding: str) -> None:
    await client.post(finding, json=NOTE, headers=under("k-1"))
    other_body = await client.post(finding, json={"action": "ask"}, headers=under("k-1"))
    other_address = await client.post(f"{finding}x", json=NOTE, headers=under("k-1"))
    other_query = await client.post(f"{finding}?x=1", json=NOTE, headers=under("k-1"))

    for refused in (other_body, other_address, other_query):
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")


async def test_a_refused_call_did_nothing_and_its_key_is_free(client: httpx.AsyncClient, finding: str) -> None:
    refused = await client.post(finding, json={"action": "accept"}, headers=under("k-1"))
    mended = await client.post(finding, json=NOTE, headers=under("k-1"))

    assert (refused.status_code, mended.status_code) == (422, 200)
    assert "idempotent-replayed" not in mended.headers


@pytest.mark.parametrize("key", ["", "two words", "ä", "k" * 256])
async def test_a_key_that_cannot_be_is_named(client: httpx.AsyncClient, finding: str, key: str) -> None:
    refused = await client.post(finding, json=NOTE, headers=[(b"Idempotency-Key", key.encode())])

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-request")
    assert refused.json()["errors"][0]["field"] == "header.Idempotency-Key"


async def test_answers_are_forgotten_after_two_days(client: httpx.AsyncClient, firm: Firm, finding: str) -> None:
    await client.post(finding, json=NOTE, headers=under("k-1"))
    firm.clock.advance(KEPT_FOR - timedelta(seconds=1))
    kept = await client.post(finding, json=NOTE, headers=under("k-1"))
    firm.clock.advance(timedelta(seconds=1))
    forgotten = await client.post(finding, json=NOTE, headers=under("k-1"))

    assert ("idempotent-replayed" in kept.headers, "idempotent-replayed" in forgotten.headers) == (True, False)


async def test_each_api_key_has_keys_of_its_own(app: FastAPI, firm: Firm, finding: str) -> None:
    await add_owner(firm.runway)
    one = await reach(app, firm.runway, Role.OWNER, name="one")
    other = await reach(app, firm.runway, Role.OWNER, name="other")
    await one.program.post(finding, json=NOTE, headers=under("k-1"))
    of_other = await other.program.post(finding, json={"action": "ask"}, headers=under("k-1"))
    no_key = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://runway.test")
    stranger = await no_key.post(finding, json=NOTE, headers=under("k-1"))

    assert (of_other.status_code, "idempotent-replayed" in of_other.headers) == (200, False)
    assert stranger.status_code == 401  # nothing is answered before the gate


async def test_every_post_of_the_description_takes_a_key(app: FastAPI) -> None:
    described = app.openapi()["paths"]
    posts = {
        path: methods["post"] for path, methods in described.items() if "post" in methods and path.startswith("/v1/")
    }
    names = {path: [one["name"] for one in post["parameters"]] for path, post in posts.items()}

    assert len(posts) > 20
    assert [path for path, held in names.items() if held.count("Idempotency-Key") != 1] == []


class Deed:
    """An app that does something slowly, and counts how often."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.count = 0
        self.began, self.goes_on = asyncio.Event(), asyncio.Event()
        self.fails: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        self.count += 1
        self.began.set()
        await self.goes_on.wait()
        if self.fails is not None:
            raise self.fails
        await send(
            {"type": "http.response.start", "status": self.status, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": message["body"] + b" done"})


async def ask(deed: Deed, firm: Firm, key: str, body: bytes = b"pay") -> list[Message]:
    """One call to the deed as it passes the middleware."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/deeds",
        "query_string": b"",
        "headers": [(b"idempotency-key", key.encode())],
        "state": {"visitor": Visitor(firm.runway)},
    }
    answered: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        answered.append(message)

    await Idempotency(deed, answer_failure)(scope, receive, send)
    return answered


async def test_of_calls_side_by_side_one_acts(firm: Firm) -> None:
    deed, key = Deed(), uuid.uuid4().hex
    first = asyncio.ensure_future(ask(deed, firm, key))
    await deed.began.wait()
    meanwhile = await ask(deed, firm, key)
    deed.goes_on.set()
    done = await first
    after = await ask(deed, firm, key)

    assert (meanwhile[0]["status"], dict(meanwhile[0]["headers"])[b"retry-after"]) == (409, b"5")
    assert (done[0]["status"], done[1]["body"], after[1]["body"]) == (200, b"pay done", b"pay done")
    assert deed.count == 1


@pytest.mark.parametrize("fault", [ValueError("a defect"), asyncio.CancelledError()])
async def test_what_broke_may_be_sent_again(firm: Firm, fault: BaseException) -> None:
    deed, key = Deed(), uuid.uuid4().hex
    deed.goes_on.set()
    deed.fails = fault
    with pytest.raises(type(fault)):
        await ask(deed, firm, key)
    deed.fails = None

    assert (await ask(deed, firm, key))[0]["status"] == 200
    assert deed.count == 2


async def test_what_was_killed_may_be_sent_again_when_its_claim_ran_out(firm: Firm) -> None:
    deed, key = Deed(), uuid.uuid4().hex
    killed = asyncio.ensure_future(ask(deed, firm, key))  # never answers
    await deed.began.wait()
    firm.clock.advance(GIVEN_UP_AFTER)
    deed.goes_on.set()
    again = await ask(deed, firm, key)
    late = await killed

    assert (again[0]["status"], late[0]["status"], deed.count) == (200, 200, 2)


async def test_a_deed_whose_answer_cannot_be_kept_is_told_all_the_same(firm: Firm) -> None:
    deed, key = Deed(), uuid.uuid4().hex
    asked = asyncio.ensure_future(ask(deed, firm, key))
    await deed.began.wait()
    await firm.runway.scope.store.__aexit__(None, None, None)
    deed.goes_on.set()

    assert (await asked)[0]["status"] == 200


async def test_a_store_that_does_not_answer_lets_nothing_act(firm: Firm) -> None:
    deed = Deed()
    await firm.runway.scope.store.__aexit__(None, None, None)
    refused = await ask(deed, firm, "k-1")

    assert (refused[0]["status"], deed.count) == (503, 0)
    assert StoreUnavailable.code.encode() in refused[1]["body"]
