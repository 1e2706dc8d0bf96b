"""`/hooks`: an owner adds an address, sees what became of deliveries, and acts; the secret is shown once."""

import re

import pytest
from fastapi import FastAPI
from runway_app_http.web import create_app
from runway_core.domain.policy import Role
from runway_core.domain.subscriptions import SubscriptionState
from runway_core.runway import Runway
from runway_testkit.memory_announcer import ACCEPTED, BROKEN, MemoryAnnouncer

from tests.app.firm import Firm
from tests.app.people_desk import Reached, add_owner, reach

URL = "https://hooks.firm.example/runway"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture
def receiver() -> MemoryAnnouncer:
    return MemoryAnnouncer()


@pytest.fixture
def app(firm: Firm, receiver: MemoryAnnouncer) -> FastAPI:
    scope = firm.runway.scope
    runway = Runway(
        store=scope.store,
        rails=firm.runway.rails,
        clock=firm.clock,
        firm_id=scope.firm_id,
        new_id=scope.new_id,
        announcer=receiver,
    )
    return create_app(runway, manages_runway=False)


@pytest.fixture
async def owner(app: FastAPI, firm: Firm) -> Reached:
    await add_owner(firm.runway)
    return await reach(app, firm.runway, Role.OWNER)


async def test_an_owner_adds_an_address_and_sees_its_secret_this_once(owner: Reached, firm: Firm) -> None:
    fields = {"form_token": owner.form_token, "url": URL, "note": "the <b>warehouse</b>"}
    choice = {"event": ["finding.opened", "digest.sent"], "reach": "some", "company": firm.sample.company_id}
    added = await owner.browser.post("/hooks", data=fields | choice)
    again = await owner.browser.post("/hooks", data=fields)
    (webhook,) = await firm.runway.subscriptions.list()
    listed = await owner.browser.get("/hooks")
    shown = await owner.browser.get(f"/hooks/{webhook.subscription_id}")

    assert len(SECRET.findall(added.text)) == 1
    assert (again.status_code, "told already" in again.text) == (422, True)
    assert webhook.companies == (firm.sample.company_id,)
    assert [kind.value for kind in webhook.event_types or ()] == ["finding.opened", "digest.sent"]
    assert all(URL in page.text and "whsec_" not in page.text for page in (listed, shown))
    assert "<b>warehouse" not in listed.text + shown.text
    assert "Sample" in shown.text


async def test_what_became_of_a_test_is_shown_and_may_be_sent_again(
    owner: Reached, firm: Firm, receiver: MemoryAnnouncer
) -> None:
    await owner.browser.post("/hooks", data={"form_token": owner.form_token, "url": URL})
    (webhook,) = await firm.runway.subscriptions.list()
    address, acts = f"/hooks/{webhook.subscription_id}", {"form_token": owner.form_token}
    said = []
    for reply in (ACCEPTED, BROKEN):
        receiver.reply = lambda _, reply=reply: reply  # type: ignore[misc]  # the reply of this turn
        assert (await owner.browser.post(address, data=acts | {"action": "test"})).status_code == 303
        said.append((await owner.browser.get(address)).text)
    failed = await firm.runway.subscriptions.deliveries(webhook.subscription_id)
    event_id = next(one.event_id for one in failed if one.last_error)
    await owner.browser.post(address, data=acts | {"action": "replay", "event_id": event_id})
    after = (await owner.browser.get(address)).text

    assert "The receiver took the test." in said[0]
    assert "did not take the test" in said[1]
    assert "the receiver answered 500" in said[1]
    assert "What is to come again is on its way." in after


async def test_it_is_paused_resumed_given_another_secret_and_removed(owner: Reached, firm: Firm) -> None:
    await owner.browser.post("/hooks", data={"form_token": owner.form_token, "url": URL})
    (webhook,) = await firm.runway.subscriptions.list()
    address, acts = f"/hooks/{webhook.subscription_id}", {"form_token": owner.form_token}
    states = []
    for act in ("pause", "resume"):
        await owner.browser.post(address, data=acts | {"action": act})
        states.append((await firm.runway.subscriptions.get(webhook.subscription_id)).state)
    turned = await owner.browser.post(address, data=acts | {"action": "rotate"})
    nothing = await owner.browser.post(address, data=acts)
    removed = await owner.browser.post(address, data=acts | {"action": "remove"})

    assert states == [SubscriptionState.PAUSED, SubscriptionState.ACTIVE]
    assert len(SECRET.findall(turned.text)) == 1
    assert nothing.status_code == 422
    assert removed.headers["location"] == "/hooks"
    assert "Nobody outside is told" in (await owner.browser.get("/hooks")).text
    assert (await owner.browser.get(address)).status_code == 404


async def test_only_owners_are_shown_the_way(app: FastAPI, owner: Reached, firm: Firm) -> None:
    controller = await reach(app, firm.runway, Role.CONTROLLER)
    some = await reach(app, firm.runway, Role.OWNER, companies=(firm.sample.company_id,))

    assert 'href="/hooks"' in (await owner.browser.get("/")).text
    assert 'href="/hooks"' not in (await controller.browser.get("/")).text
    assert 'href="/hooks"' not in (await some.browser.get("/")).text
    assert (await some.browser.get("/hooks")).status_code == 403
