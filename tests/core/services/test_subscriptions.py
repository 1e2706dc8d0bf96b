"""Webhooks out: who may have them, what is delivered when, and that nothing is lost whoever is killed."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count, pairwise
from typing import Any

import pytest
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, FirmId
from runway_core.domain.people import GRANTS, Caller, firm_chain
from runway_core.domain.policy import Role
from runway_core.domain.subscriptions import (
    WAITS,
    Attempt,
    DeliveryFilter,
    DeliveryState,
    EventType,
    Subscription,
    SubscriptionState,
    WebhookDelivery,
)
from runway_core.errors import InvalidRequest, NotAllowed, NotFound, NotSupported
from runway_core.runway import Runway
from runway_testkit.clock import FixedClock
from runway_testkit.memory_announcer import ACCEPTED, BROKEN, GONE, MemoryAnnouncer
from runway_testkit.memory_store import MemoryStore
from runway_testkit.store_desk import START, StoreDesk, make_finding, make_position
from runway_testkit.subscriptions_contract import find_red

URL = "https://hooks.example/runway?token=in-the-path"


class Killed(BaseException):
    """The process is gone: nobody tidies up behind it."""


class Fate:
    """Kills at the nth step from now, if there is one."""

    def __init__(self, step: int) -> None:
        self.left = step

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


class Mortal:
    """A port before and after each of whose calls the process may be killed."""

    def __init__(self, port: object, fate: Fate) -> None:
        self._port, self._fate = port, fate

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        async def call(*given: object, **named: object) -> object:
            self._fate.step()
            done = await method(*given, **named)
            self._fate.step()
            return done

        return call


class Desk:
    """A firm with one company, whose webhooks lead to a receiver of the test's."""

    def __init__(self) -> None:
        self.clock = FixedClock(START)
        self.store = MemoryStore(clock=self.clock)
        self.receiver = MemoryAnnouncer()
        self.runway = self.open()
        self.company = StoreDesk(self.store, firm=DEFAULT_FIRM)

    def open(self, firm_id: FirmId = DEFAULT_FIRM) -> Runway:
        return Runway.open(store=self.store, rails=[], clock=self.clock, firm_id=firm_id, announcer=self.receiver)

    async def subscribe(self, url: str = URL, **values: Any) -> Subscription:
        added, _ = await self.runway.subscriptions.add(url, actor="ann", **values)
        return added

    async def happen(self) -> None:
        """Two events: a first status, and a finding."""
        if not self.store.states:
            await self.company.open()
        await find_red(self.company, self.clock.now())

    async def work(self, runway: Runway | None = None) -> None:
        """Plan what is due, and do the jobs that wait."""
        working = runway or self.runway
        await working.deliveries.plan()
        for claim in await self.store.jobs.claim(worker="w", now=self.clock.now(), limit=9, lease_seconds=60):
            await working.deliveries.deliver(claim.job, lambda: None)
            await self.store.jobs.finish(claim, now=self.clock.now())

    async def deliveries(self, subscription: Subscription) -> list[WebhookDelivery]:
        found = await self.runway.subscriptions.deliveries(subscription.subscription_id)
        return sorted(found, key=lambda one: one.event_type.value)

    async def state(self, subscription: Subscription) -> Subscription:
        return await self.runway.subscriptions.get(subscription.subscription_id)

    async def log(self) -> list[str]:
        return [entry.draft.what async for entry in self.store.log.entries(firm_chain(DEFAULT_FIRM))]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_an_event_is_delivered_by_the_engine_with_the_secret_that_was_shown_once(desk: Desk) -> None:
    _, secret = await desk.runway.subscriptions.add(URL, actor="ann")
    await desk.happen()
    await desk.runway.engine("w").run_due()

    assert sorted((told.delivery.event_type.value, told.url) for told in desk.receiver.told) == [
        ("finding.opened", URL),
        ("runway.status_changed", URL),
    ]
    assert {told.secrets for told in desk.receiver.told} == {(secret.get_secret_value(),)}
    assert secret.get_secret_value().startswith("whsec_")


async def test_a_receiver_that_fails_is_asked_again_after_growing_waits(desk: Desk) -> None:
    hook = await desk.subscribe(event_types=[EventType.FINDING_OPENED])
    desk.receiver.reply = lambda _: BROKEN
    await desk.happen()
    for wait in (*WAITS, timedelta(days=9)):
        await desk.work()
        await desk.work()  # too early: nothing happens
        desk.clock.advance(wait)
    (failed,) = await desk.deliveries(hook)
    moments = [told.at for told in desk.receiver.told]

    assert [later - earlier for earlier, later in pairwise(moments)] == list(WAITS)
    assert len({told.delivery.event_id for told in desk.receiver.told}) == 1
    assert (failed.state, failed.attempts, failed.last_status) == (DeliveryState.FAILED, 10, 500)
    assert failed.next_attempt_at is None


async def test_after_three_days_in_which_nothing_got_through_it_is_switched_off_and_someone_is_told(desk: Desk) -> None:
    hook = await desk.subscribe(event_types=[EventType.FINDING_OPENED])
    desk.receiver.reply = lambda _: BROKEN
    await desk.happen()
    for wait in WAITS:
        await desk.work()
        desk.clock.advance(wait)
    before = await desk.state(hook)
    await desk.work()
    after = await desk.state(hook)
    alerts = await desk.runway.watch.watch()
    await desk.runway.subscriptions.resume(hook.subscription_id, actor="ann")
    over = await desk.runway.watch.watch()

    assert (before.state, before.failing_since) == (SubscriptionState.ACTIVE, START)
    assert (after.state, after.reason) == (
        SubscriptionState.OFF,
        "nothing got through since 2026-03-02 15:00 UTC",
    )
    key = f"webhook:{hook.subscription_id}"
    assert [(one.kind.value, one.resolved_at) for one in alerts if one.key == key] == [("webhook-off", None)]
    assert [one.resolved_at for one in over if one.key == key] == [desk.clock.now()]
    assert "webhook_switched_off" in await desk.log()


async def test_one_that_gets_through_keeps_it_alive(desk: Desk) -> None:
    """Only one kind of event is refused: the receiver is well."""
    hook = await desk.subscribe()
    desk.receiver.reply = lambda one: BROKEN if one.event_type is EventType.FINDING_OPENED else ACCEPTED
    await desk.happen()
    for wait in WAITS:
        await desk.work()
        desk.clock.advance(wait)
    calm = (await make_position(desk.company)).model_copy(update={"computed_at": desk.clock.now()})
    await desk.store.positions.save_position(calm, [make_finding(desk.company)])
    await desk.work()
    states = [(one.event_type.value, one.state.value) for one in await desk.deliveries(hook)]

    assert states == [
        ("finding.opened", "failed"),
        ("runway.status_changed", "delivered"),
        ("runway.status_changed", "delivered"),
    ]
    assert (await desk.state(hook)).state is SubscriptionState.ACTIVE


async def test_a_receiver_that_is_gone_is_told_nothing_more(desk: Desk) -> None:
    hook = await desk.subscribe()
    desk.receiver.reply = lambda _: GONE
    await desk.happen()
    await desk.work()
    told = len(desk.receiver.told)
    desk.clock.advance(timedelta(days=1))
    await desk.work()
    off = await desk.state(hook)

    assert off.state is SubscriptionState.OFF
    assert "410" in (off.reason or "")
    assert len(desk.receiver.told) == told


async def test_a_receiver_that_asks_for_patience_is_given_it(desk: Desk) -> None:
    hook = await desk.subscribe(event_types=[EventType.FINDING_OPENED])
    for asked, waited in ((90, 90), (1, 300), (10**7, 86_400)):
        busy = Attempt(503, "the receiver answered 503", timedelta(seconds=asked))
        desk.receiver.reply = partial(_give, busy)
        if asked == 90:
            await desk.happen()
        await desk.work()
        (waiting,) = await desk.deliveries(hook)
        assert waiting.next_attempt_at == desk.clock.now() + timedelta(seconds=waited)
        desk.clock.advance(timedelta(seconds=waited))


def _give(attempt: Attempt, _: WebhookDelivery) -> Attempt:
    return attempt


async def test_what_happens_while_it_is_paused_waits(desk: Desk) -> None:
    hook = await desk.subscribe()
    await desk.runway.subscriptions.pause(hook.subscription_id, actor="ann")
    await desk.happen()
    await desk.work()
    quiet = len(desk.receiver.told)
    await desk.runway.subscriptions.resume(hook.subscription_id, actor="ann")
    await desk.work()

    assert (quiet, len(desk.receiver.told)) == (0, 2)
    assert await desk.log() == ["webhook_added", "webhook_paused", "webhook_resumed"]


async def test_both_secrets_sign_until_the_old_ones_time_is_over(desk: Desk) -> None:
    added, first = await desk.runway.subscriptions.add(URL, actor="ann")
    _, second = await desk.runway.subscriptions.rotate(added.subscription_id, actor="ann", grace=timedelta(hours=2))
    old, new = first.get_secret_value(), second.get_secret_value()
    await desk.runway.subscriptions.test(added.subscription_id, actor="ann")
    desk.clock.advance(timedelta(hours=2))
    await desk.happen()
    await desk.work()
    _, third = await desk.runway.subscriptions.rotate(added.subscription_id, actor="ann", grace=timedelta(0))
    await desk.runway.subscriptions.test(added.subscription_id, actor="ann")

    assert [told.secrets for told in desk.receiver.told] == [(new, old), (new,), (new,), (third.get_secret_value(),)]
    with pytest.raises(InvalidRequest, match="168 hours"):
        await desk.runway.subscriptions.rotate(added.subscription_id, actor="ann", grace=timedelta(days=8))


async def test_a_test_says_at_once_what_became_of_it_and_is_not_tried_again(desk: Desk) -> None:
    hook = await desk.subscribe()
    well = await desk.runway.subscriptions.test(hook.subscription_id, actor="ann")
    desk.receiver.reply = lambda _: GONE
    ill = await desk.runway.subscriptions.test(hook.subscription_id, actor="ann")
    desk.clock.advance(timedelta(days=1))
    await desk.work()

    assert (well.state, well.last_status, well.company_id) == (DeliveryState.DELIVERED, 204, None)
    assert (ill.state, ill.last_error) == (DeliveryState.FAILED, "the receiver answered 410")
    assert (await desk.state(hook)).state is SubscriptionState.ACTIVE
    assert len(desk.receiver.told) == 2


async def test_replaying_delivers_again_under_the_same_id(desk: Desk) -> None:
    hook = await desk.subscribe(event_types=[EventType.FINDING_OPENED])
    await desk.happen()
    await desk.work()
    (done,) = await desk.deliveries(hook)
    none = await desk.runway.subscriptions.replay(
        hook.subscription_id, DeliveryFilter(state=DeliveryState.FAILED), actor="ann"
    )
    again = await desk.runway.subscriptions.replay(hook.subscription_id, event_ids=[done.event_id], actor="ann")
    await desk.work()

    assert (none, again) == (0, 1)
    assert [told.delivery.event_id for told in desk.receiver.told] == [done.event_id] * 2
    with pytest.raises(InvalidRequest, match="say which"):
        await desk.runway.subscriptions.replay(hook.subscription_id, actor="ann")


async def test_whoever_is_killed_whenever_every_event_arrives_under_its_one_id() -> None:
    """Before and after each call to the store and to the receiver; some come twice, and none never."""
    doubles = 0
    for step in count(1):
        desk = Desk()
        hook = await desk.subscribe()
        await desk.happen()
        store, fate = desk.store.subscriptions, Fate(step)
        desk.store.subscriptions = Mortal(store, fate)  # type: ignore[assignment]  # it has its methods
        desk.runway = Runway.open(store=desk.store, rails=[], clock=desk.clock, announcer=Mortal(desk.receiver, fate))
        try:
            await desk.work()
        except Killed:
            desk.store.subscriptions = store
            desk.runway = desk.open()
            desk.clock.advance(timedelta(minutes=2))
            await desk.store.jobs.reap(now=desk.clock.now(), most_attempts=8)
            await desk.work()
        ids = [told.delivery.event_id for told in desk.receiver.told]
        kept = await store.deliveries(DEFAULT_FIRM, hook.subscription_id, DeliveryFilter())

        assert {one.event_id for one in kept} == set(ids)
        assert {one.state for one in kept} == {DeliveryState.DELIVERED}
        doubles += len(ids) - len(set(ids))
        if fate.left > 0:
            break

    assert step > 10
    assert doubles > 0


async def test_one_that_hangs_holds_up_no_other(desk: Desk) -> None:
    """Each has a job of its own, and never two at a time."""
    for name in ("a", "b"):
        await desk.subscribe(f"https://{name}.example/")
    await desk.happen()
    await desk.runway.deliveries.plan()
    claims = await desk.store.jobs.claim(worker="w", now=desk.clock.now(), limit=9, lease_seconds=60)
    await desk.runway.deliveries.plan()
    more = await desk.store.jobs.claim(worker="w2", now=desk.clock.now(), limit=9, lease_seconds=60)

    assert len({claim.job.payload["subscription_id"] for claim in claims}) == 2
    assert list(more) == []


async def test_deliveries_of_a_month_ago_are_forgotten(desk: Desk) -> None:
    hook = await desk.subscribe()
    await desk.happen()
    desk.clock.advance(timedelta(days=30))
    kept = await desk.runway.deliveries.forget()
    desk.clock.advance(timedelta(seconds=1))

    assert (kept, await desk.runway.deliveries.forget()) == (0, 2)
    assert await desk.deliveries(hook) == []


async def test_what_cannot_be_subscribed_to_is_refused(desk: Desk) -> None:
    hook = await desk.subscribe()
    with pytest.raises(InvalidRequest, match="told already"):
        await desk.subscribe()
    with pytest.raises(InvalidRequest, match=r"webhook\.test"):
        await desk.subscribe("https://b.example/", event_types=[EventType.TEST])
    with pytest.raises(InvalidRequest, match="name events"):
        await desk.subscribe("https://b.example/", event_types=[])
    with pytest.raises(NotFound, match="no company"):
        await desk.subscribe("https://b.example/", companies=[CompanyId("nobody")])
    with pytest.raises(NotSupported, match="announcer"):
        await Runway.open(store=desk.store, rails=[], clock=desk.clock).subscriptions.add("https://b/", actor="ann")

    assert [one.subscription_id for one in await desk.runway.subscriptions.list()] == [hook.subscription_id]


async def test_the_log_knows_the_host_and_neither_path_nor_secret(desk: Desk) -> None:
    added, secret = await desk.runway.subscriptions.add(URL, actor="ann")
    await desk.runway.subscriptions.rotate(added.subscription_id, actor="ann")
    await desk.runway.subscriptions.remove(added.subscription_id, actor="ann")
    entries = [entry async for entry in desk.store.log.entries(firm_chain(DEFAULT_FIRM))]
    text = b"".join(entry.canonical for entry in entries)

    assert [entry.draft.what for entry in entries] == ["webhook_added", "webhook_rotated", "webhook_removed"]
    assert b"https://hooks.example" in text
    assert b"in-the-path" not in text
    assert secret.get_secret_value().encode() not in text


async def test_only_an_owner_of_the_whole_firm_manages_them(desk: Desk) -> None:
    await desk.happen()
    hook = await desk.subscribe()
    own = desk.company.id
    for role, companies in ((Role.CONTROLLER, None), (Role.OWNER, frozenset({own}))):
        hands = desk.runway.for_caller(Caller("cy", role, GRANTS[role], companies)).subscriptions
        for act in (
            hands.list(),
            hands.get(hook.subscription_id),
            hands.add("https://c.example/", actor="cy"),
            hands.pause(hook.subscription_id, actor="cy"),
            hands.resume(hook.subscription_id, actor="cy"),
            hands.rotate(hook.subscription_id, actor="cy"),
            hands.remove(hook.subscription_id, actor="cy"),
            hands.test(hook.subscription_id, actor="cy"),
            hands.deliveries(hook.subscription_id),
            hands.replay(hook.subscription_id, DeliveryFilter(), actor="cy"),
        ):
            with pytest.raises(NotAllowed):
                await act

    assert await desk.log() == ["webhook_added"]


async def test_a_webhook_of_another_firm_does_not_exist(desk: Desk) -> None:
    hook = await desk.subscribe()
    hands, name = desk.open(FirmId("others")).subscriptions, hook.subscription_id
    for act in (
        hands.get(name),
        hands.pause(name, actor="mal"),
        hands.resume(name, actor="mal"),
        hands.rotate(name, actor="mal"),
        hands.remove(name, actor="mal"),
        hands.test(name, actor="mal"),
        hands.deliveries(name),
        hands.replay(name, DeliveryFilter(), actor="mal"),
    ):
        with pytest.raises(NotFound, match="no webhook"):
            await act

    assert await hands.list() == []
    assert (await desk.state(hook)).state is SubscriptionState.ACTIVE
    assert desk.receiver.told == []
