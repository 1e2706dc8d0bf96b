"""`/v1/webhooks`: adding, looking, replaying; secrets are shown once."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from runway_app_http.web import create_app
from runway_core.domain.identity import FirmId
from runway_core.domain.policy import Role
from runway_core.domain.subscriptions import DeliveryFilter
from runway_core.runway import Runway
from runway_testkit.memory_announcer import BROKEN, MemoryAnnouncer

from tests.app.firm import Firm
from tests.app.people_desk import add_owner, reach

URL = "https://hooks.firm.example/runway"


@pytest.fixture
def receiver() -> MemoryAnnouncer:
    return MemoryAnnouncer()


@pytest.fixture
def runway(firm: Firm, receiver: MemoryAnnouncer) -> Runway:
    """The firm's `Runway` with somebody who carries events outside."""
    scope = firm.runway.scope
    return Runway(
        store=scope.store,
        rails=firm.runway.rails,
        clock=firm.clock,
        firm_id=scope.firm_id,
        new_id=scope.new_id,
        announcer=receiver,
    )


@pytest.fixture
def app(runway: Runway) -> FastAPI:
    return create_app(runway, manages_runway=False)


async def add(client: httpx.AsyncClient, **values: object) -> Any:
    answer = await client.post("/v1/webhooks", json={"url": URL, **values})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def deliver(runway: Runway) -> None:
    await runway.deliveries.plan()
    store, now = runway.scope.store, runway.scope.clock.now()
    for claim in await store.jobs.claim(worker="w", now=now, limit=9, lease_seconds=60):
        await runway.deliveries.deliver(claim.job, lambda: None)
        await store.jobs.finish(claim, now=now)


async def test_a_secret_is_shown_once_and_never_again(client: httpx.AsyncClient) -> None:
    added = await add(client, event_types=["finding.opened"])
    name = added["webhook"]["subscription_id"]
    turned = (await client.post(f"/v1/webhooks/{name}/rotate", json={"grace_hours": 1})).json()
    shown = [(await client.get(path)).text for path in ("/v1/webhooks", f"/v1/webhooks/{name}")]
    paused = (await client.post(f"/v1/webhooks/{name}/pause")).json()
    resumed = (await client.post(f"/v1/webhooks/{name}/resume")).json()
    removed = await client.post(f"/v1/webhooks/{name}/remove")

    assert added["secret"].startswith("whsec_")
    assert turned["secret"] != added["secret"]
    assert all(URL in text and "whsec_" not in text for text in shown)
    assert (paused["state"], resumed["state"]) == ("paused", "active")
    assert removed.json() == {"subscription_id": name}
    assert (await client.get("/v1/webhooks")).json()["items"] == []
    assert (await client.get(f"/v1/webhooks/{name}")).status_code == 404


async def test_deliveries_of_real_events_come_in_pages_and_are_replayed(
    client: httpx.AsyncClient, firm: Firm, runway: Runway, receiver: MemoryAnnouncer
) -> None:
    """A person accepts findings: each is an event that closes it."""
    added = await add(client)
    path = f"/v1/webhooks/{added['webhook']['subscription_id']}"
    tray = (await client.get(f"/v1/companies/{firm.sample.company_id}/findings")).json()["items"]
    for finding in tray[:3]:
        decided = {"action": "accept", "reason": "it is right"}
        done = await client.post(
            f"/v1/companies/{firm.sample.company_id}/findings/{finding['finding_id']}", json=decided
        )
        assert done.status_code == 200, done.text
        firm.clock.advance(timedelta(seconds=1))
    await deliver(runway)
    first = (await client.get(f"{path}/deliveries?limit=2&event_type=finding.closed")).json()
    rest = (
        await client.get(f"{path}/deliveries?limit=2&event_type=finding.closed&cursor={first['next_cursor']}")
    ).json()
    told = len(receiver.told)
    named = [first["items"][0]["event_id"]]
    one = (await client.post(f"{path}/replay", json={"event_ids": named})).json()
    every = (await client.post(f"{path}/replay", json={"event_type": "finding.closed"})).json()
    neither = await client.post(f"{path}/replay", json={})
    await deliver(runway)

    ids = [item["event_id"] for item in first["items"] + rest["items"]]
    assert (len(ids), len(set(ids)), rest["has_more"]) == (3, 3, False)
    assert {item["state"] for item in first["items"]} == {"delivered"}
    assert {item["company_id"] for item in first["items"]} == {firm.sample.company_id}
    assert (one, every, neither.status_code) == ({"replayed": 1}, {"replayed": 2}, 422)
    assert len(receiver.told) == told + 3


async def test_a_test_says_what_became_of_it(client: httpx.AsyncClient, receiver: MemoryAnnouncer) -> None:
    added = await add(client)
    receiver.reply = lambda _: BROKEN
    tried = await client.post(f"/v1/webhooks/{added['webhook']['subscription_id']}/test")

    assert (tried.status_code, tried.json()["last_status"], tried.json()["state"]) == (200, 500, "failed")


async def test_what_cannot_be_is_refused(client: httpx.AsyncClient, firm: Firm) -> None:
    added = await add(client)
    path = f"/v1/webhooks/{added['webhook']['subscription_id']}"
    foreign = await client.post(
        "/v1/webhooks", json={"url": "https://b.example/", "companies": [firm.foreign.company_id]}
    )
    unknown = await client.post("/v1/webhooks", json={"url": "https://b.example/", "event_types": ["bill.seen"]})
    again = await client.post("/v1/webhooks", json={"url": URL})
    strange = [
        (await client.get(f"{path}/deliveries?cursor={cursor}")).status_code
        for cursor in ("nonsense", "WzEsMl0", "Wy0xLCJhIl0")
    ]

    assert (foreign.status_code, unknown.status_code, again.status_code) == (404, 422, 422)
    assert strange == [422, 422, 422]


async def test_another_firms_webhook_is_found_by_nobody(
    app: FastAPI, firm: Firm, runway: Runway, receiver: MemoryAnnouncer
) -> None:
    scope = firm.runway.scope
    other = Runway(
        store=scope.store,
        rails=firm.runway.rails,
        clock=firm.clock,
        firm_id=FirmId("others"),
        new_id=lambda: "theirs",
        announcer=receiver,
    )
    theirs, _ = await other.subscriptions.add(URL, actor="eve")
    await add_owner(runway)
    who = await reach(app, runway, Role.OWNER)
    path = f"/v1/webhooks/{theirs.subscription_id}"
    acts = ("pause", "resume", "rotate", "remove", "test", "replay")
    bodies = {"rotate": {"grace_hours": 1}, "replay": {"state": "failed"}}
    statuses = [(await who.program.post(f"{path}/{act}", json=bodies.get(act))).status_code for act in acts]
    statuses += [(await who.program.get(address)).status_code for address in (path, f"{path}/deliveries")]

    assert statuses == [404] * 8
    assert (await who.program.get("/v1/webhooks")).json()["items"] == []
    assert await other.subscriptions.get(theirs.subscription_id) == theirs
    assert list(await other.subscriptions.deliveries(theirs.subscription_id, DeliveryFilter())) == []
