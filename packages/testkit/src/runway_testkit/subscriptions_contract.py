"""What every store promises of webhooks out: an event is kept with what caused it, once for each that wants it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import SecretStr
from runway_core.domain.company import ConnectionState
from runway_core.domain.decisions import BillFacts, Decision, DecisionOutcome, DecisionState, Figures
from runway_core.domain.findings import FindingState
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.money import Money
from runway_core.domain.people import firm_chain
from runway_core.domain.position import PositionStatus
from runway_core.domain.subscriptions import (
    WAITS,
    Attempt,
    DeliveryFilter,
    DeliveryState,
    EventType,
    SigningSecret,
    Subscription,
    SubscriptionState,
    WebhookDelivery,
)
from runway_core.domain.sync_run import RunOutcome
from runway_core.errors import NotFound, StaleRevision

from runway_testkit.desk_contract import PERSON, DeskContract
from runway_testkit.memory_announcer import ACCEPTED, BROKEN, GONE
from runway_testkit.store_desk import BY, START, StoreDesk, make_finding, make_position

ALL = DeliveryFilter()
SECRET = SigningSecret(secret=SecretStr("whsec_Zmlyc3Q="))


def make_subscription(desk: StoreDesk, name: str = "wh_1", **values: object) -> Subscription:
    """A subscription of the desk's firm to everything."""
    subscription = Subscription(
        subscription_id=name,
        firm_id=desk.company.firm_id,
        url=f"https://{name.replace('_', '-')}.example/hook",
        created_at=START,
        created_by="ann",
    )
    return subscription.model_copy(update=values)


def make_note(subscription: Subscription, what: str = "webhook_added") -> LogDraft:
    """An entry about it."""
    return LogDraft(
        seen_at=START,
        rail="",
        kind="webhook",
        external_id=subscription.subscription_id,
        what=what,
        attribution=PERSON,
        content=b"{}",
    )


async def subscribe(desk: StoreDesk, name: str = "wh_1", **values: object) -> Subscription:
    """Add a subscription."""
    made = make_subscription(desk, name, **values)
    return await desk.store.subscriptions.save(made, [make_note(made)], secrets=[SECRET])


async def read_deliveries(
    desk: StoreDesk, name: str = "wh_1", wanted: DeliveryFilter = ALL
) -> Sequence[WebhookDelivery]:
    """What is kept for a subscription, the first event first."""
    found = await desk.store.subscriptions.deliveries(desk.company.firm_id, name, wanted)
    return sorted(found, key=lambda one: (one.occurred_at, one.event_type.value))


async def read_types(desk: StoreDesk, name: str = "wh_1") -> list[str]:
    """Which events are kept for a subscription, in the order of the alphabet."""
    return sorted(one.event_type.value for one in await read_deliveries(desk, name))


async def find_red(desk: StoreDesk, at: datetime | None = None) -> None:
    """Store a first position with a finding."""
    position = await make_position(desk)
    red = {"status": PositionStatus.RED} | ({} if at is None else {"computed_at": at})
    await desk.store.positions.save_position(position.model_copy(update=red), [make_finding(desk)])


def make_decision(**values: object) -> Decision:
    """A decision to pay a bill."""
    nil = Money.zero("USD")
    figures = Figures(runway_days=30, buffer_breach_on=None, low_28_days=nil, low_28_days_on=START.date())
    decision = Decision(
        paper_id="d1",
        changed_at=START,
        changed_by="ann",
        bill_id="1",
        outcome=DecisionOutcome.PAY,
        facts=BillFacts(vendor_id="50", open_balance=Decimal("40.0000"), currency="USD", due_date=None),
        before=figures,
        after=figures,
        results=(),
        policy_version=1,
        log_sequence=1,
    )
    return decision.model_copy(update=values)


class EventsContract(DeskContract):
    """Promises of events: which there are, and that they come with their cause."""

    async def test_a_change_of_status_and_of_findings_is_kept_with_the_position(self, desk: StoreDesk) -> None:
        await subscribe(desk)
        await find_red(desk)
        await find_red(desk)  # nothing is otherwise
        first = await read_deliveries(desk)
        calm = await make_position(desk)
        await desk.store.positions.save_position(calm, [])
        types = await read_types(desk)
        changed = [one.data for one in await read_deliveries(desk) if one.event_type is EventType.STATUS_CHANGED]

        assert [(one.event_type.value, one.company_id) for one in first] == [
            ("finding.opened", desk.id),
            ("runway.status_changed", desk.id),
        ]
        assert first[0].data == {
            "finding_id": make_finding(desk).finding_id,
            "check": "AP06",
            "severity": "high",
            "state": "open",
        }
        assert types == ["finding.closed", "finding.opened", "runway.status_changed", "runway.status_changed"]
        assert {"before": None, "status": "red", "runway_days": None} in changed
        assert {"before": "red", "status": "green", "runway_days": None} in changed

    async def test_what_a_person_decides_about_a_finding_closes_and_opens_it(self, desk: StoreDesk) -> None:
        await find_red(desk)
        await subscribe(desk)
        finding = make_finding(desk)
        for state in (FindingState.ASKED, FindingState.ACCEPTED, FindingState.SNOOZED, FindingState.OPEN):
            decided = finding.model_copy(update={"state": state, "decided_by": "ann"})
            await desk.store.positions.decide_finding(desk.id, decided, attribution=PERSON, at=desk.now)
            desk.seconds += 1
        kept = [(one.event_type.value, one.data["state"]) for one in await read_deliveries(desk)]

        assert kept == [("finding.closed", "accepted"), ("finding.opened", "open")]

    async def test_a_decision_is_told_when_it_is_made_released_and_settled(self, desk: StoreDesk) -> None:
        await subscribe(desk)
        states = ("DECIDED", "APPROVED", "RELEASED", "SETTLED", "RECORDED")
        for version, name in enumerate(states):
            paper = make_decision(version=version, state=DecisionState[name], reason=name)
            await desk.store.papers.save_papers(desk.id, [paper], attribution=PERSON, at=desk.now)
            desk.seconds += 1
        kept = await read_deliveries(desk)

        assert [one.event_type.value for one in kept] == ["decision.made", "decision.released", "decision.settled"]
        assert kept[1].data == {
            "decision_id": "d1",
            "bill_id": "1",
            "outcome": "pay",
            "state": "released",
            "version": 3,
        }

    async def test_what_is_refused_tells_nothing(self, desk: StoreDesk) -> None:
        await subscribe(desk)
        with pytest.raises(StaleRevision):
            await desk.store.papers.save_papers(desk.id, [make_decision(version=7)], attribution=BY, at=desk.now)

        assert await read_types(desk) == []

    async def test_a_connection_that_needs_a_person_is_told_once(self, desk: StoreDesk) -> None:
        await subscribe(desk)
        for state in (ConnectionState.FAILING, ConnectionState.RECONNECT_NEEDED, ConnectionState.RECONNECT_NEEDED):
            run = desk.make_run().model_copy(update={"outcome": RunOutcome.FAILED, "ended_at": desk.now})
            await desk.store.registry.end_run(
                desk.lease, run, state=state, source_read_at=None, was_full=False, attribution=BY
            )
            await desk.reopen()
        kept = await read_deliveries(desk)

        assert [one.data for one in kept] == [{"connection_id": "acme-qbo", "rail": "qbo", "state": "reconnect_needed"}]

    async def test_each_subscription_is_told_what_it_wants_under_the_same_id(self, desk: StoreDesk) -> None:
        other = CompanyId("birch")
        await subscribe(desk, "wh_all")
        await subscribe(desk, "wh_some", event_types=(EventType.FINDING_OPENED,), companies=(desk.id,))
        await subscribe(desk, "wh_others", companies=(other,))
        await subscribe(desk, "wh_paused", state=SubscriptionState.PAUSED)
        await subscribe(desk, "wh_off", state=SubscriptionState.OFF)
        stranger = await StoreDesk(desk.store, firm="others", company="foreign").open()
        await subscribe(stranger, "wh_strange")
        await find_red(desk)
        opening = DeliveryFilter(event_type=EventType.FINDING_OPENED)
        opened = [(await read_deliveries(desk, name, opening))[0].event_id for name in ("wh_all", "wh_some")]

        assert await read_types(desk, "wh_all") == ["finding.opened", "runway.status_changed"]
        assert await read_types(desk, "wh_some") == ["finding.opened"]
        assert await read_types(desk, "wh_others") == []
        assert await read_types(desk, "wh_paused") == ["finding.opened", "runway.status_changed"]
        assert await read_types(desk, "wh_off") == []
        assert await read_types(stranger, "wh_strange") == []
        assert opened[0] == opened[1]


class SubscriptionsContract(EventsContract):
    """Promises of subscriptions and their deliveries."""

    async def test_a_subscription_is_kept_with_its_secrets_and_logged(self, desk: StoreDesk) -> None:
        store, firm_id = desk.store.subscriptions, desk.company.firm_id
        added = await subscribe(desk)
        old = SECRET.model_copy(update={"until": START + timedelta(hours=1)})
        new = SigningSecret(secret=SecretStr("whsec_c2Vjb25k"))
        turned = await store.save(added, [make_note(added, "webhook_rotated")], secrets=[new, old])
        paused = turned.model_copy(update={"state": SubscriptionState.PAUSED})
        saved = await store.save(paused, [])
        log = [entry.draft.what async for entry in desk.store.log.entries(firm_chain(firm_id))]

        assert await store.subscriptions(firm_id) == [saved]
        assert (saved.version, saved.state) == (3, SubscriptionState.PAUSED)
        assert list(await store.secrets(firm_id, "wh_1")) == [new, old]
        assert log == ["webhook_added", "webhook_rotated"]
        with pytest.raises(StaleRevision):
            await store.save(added, [])

    async def test_another_firm_finds_and_changes_nothing(self, desk: StoreDesk) -> None:
        store, others = desk.store.subscriptions, FirmId("others")
        await subscribe(desk)
        await find_red(desk)
        kept = await read_deliveries(desk)

        assert await store.subscriptions(others) == []
        assert list(await store.secrets(others, "wh_1")) == []
        assert list(await store.deliveries(others, "wh_1", ALL)) == []
        assert list(await store.owed(others, now=desk.now)) == []
        assert list(await store.due(others, "wh_1", now=desk.now, limit=9)) == []
        assert await store.record(others, "wh_1", {kept[0].event_id: ACCEPTED}, at=desk.now) is None
        assert await store.replay(others, "wh_1", ALL, [], at=desk.now) == 0
        assert await store.prune(others, before=desk.now + timedelta(days=1), limit=9) == 0
        assert not await store.remove(others, "wh_1", [])
        with pytest.raises(NotFound):
            await store.add_delivery(kept[0].model_copy(update={"firm_id": others, "event_id": "evt_2"}), [])
        assert await read_deliveries(desk) == kept

    async def test_what_is_due_is_owed_until_it_was_delivered(self, desk: StoreDesk) -> None:
        store, firm_id = desk.store.subscriptions, desk.company.firm_id
        await subscribe(desk)
        await subscribe(desk, "wh_paused", state=SubscriptionState.PAUSED)
        before = await store.owed(firm_id, now=desk.now)
        await find_red(desk)
        owed = await store.owed(firm_id, now=desk.now)
        first, second = await store.due(firm_id, "wh_1", now=desk.now, limit=9)
        attempts = {first.event_id: ACCEPTED, second.event_id: BROKEN}
        await store.record(firm_id, "wh_1", attempts, at=desk.now)
        kept = {one.event_id: one for one in await read_deliveries(desk)}
        done, waiting = kept[first.event_id], kept[second.event_id]

        assert (list(before), list(owed)) == ([], ["wh_1"])
        assert (done.state, done.attempts, done.last_status) == (DeliveryState.DELIVERED, 1, 204)
        assert (waiting.state, waiting.next_attempt_at) == (DeliveryState.WAITING, desk.now + WAITS[0])
        assert list(await store.owed(firm_id, now=desk.now)) == []
        assert list(await store.owed(firm_id, now=desk.now + WAITS[0])) == ["wh_1"]

    async def test_nothing_more_goes_to_a_receiver_that_is_gone_and_the_log_says_so(self, desk: StoreDesk) -> None:
        store, firm_id = desk.store.subscriptions, desk.company.firm_id
        added = await subscribe(desk)
        await find_red(desk)
        first, _ = await store.due(firm_id, "wh_1", now=desk.now, limit=9)
        off = await store.record(firm_id, "wh_1", {first.event_id: GONE}, at=desk.now)
        log = [entry.draft async for entry in desk.store.log.entries(firm_chain(firm_id))]
        later = desk.now + timedelta(days=1)

        assert off is not None
        assert (off.state, off.version) == (SubscriptionState.OFF, added.version + 1)
        assert await store.subscriptions(firm_id) == [off]
        assert list(await store.owed(firm_id, now=later)) == []
        assert (log[-1].what, log[-1].external_id) == ("webhook_switched_off", "wh_1")

    async def test_an_outcome_that_comes_too_late_changes_nothing(self, desk: StoreDesk) -> None:
        """A worker that lost its job may still say what became of it."""
        store, firm_id = desk.store.subscriptions, desk.company.firm_id
        await subscribe(desk)
        await find_red(desk)
        attempts = {one.event_id: ACCEPTED for one in await read_deliveries(desk)}
        await store.record(firm_id, "wh_1", attempts, at=desk.now)
        kept = await read_deliveries(desk)
        await store.record(firm_id, "wh_1", dict.fromkeys(attempts, Attempt(500)), at=desk.now)

        assert await read_deliveries(desk) == kept

    async def test_deliveries_are_shown_in_pages_and_by_filter(self, desk: StoreDesk) -> None:
        store, firm_id = desk.store.subscriptions, desk.company.firm_id
        await subscribe(desk)
        for seconds in range(3):
            await find_red(desk, START + timedelta(seconds=seconds))
            calm = (await make_position(desk)).model_copy(update={"computed_at": START + timedelta(seconds=seconds)})
            await desk.store.positions.save_position(calm, [make_finding(desk)])
        whole = await store.deliveries(firm_id, "wh_1", ALL)
        pages: list[WebhookDelivery] = []
        while page := await store.deliveries(
            firm_id, "wh_1", ALL, limit=2, after=(pages[-1].occurred_at, pages[-1].event_id) if pages else None
        ):
            pages += page
        opened = DeliveryFilter(event_type=EventType.FINDING_OPENED, company_id=desk.id, state=DeliveryState.WAITING)

        assert len(whole) == 7
        assert pages == list(whole)
        assert [one.occurred_at for one in whole] == sorted((one.occurred_at for one in whole), reverse=True)
        assert len(await read_deliveries(desk, wanted=opened)) == 1
        assert await read_deliveries(desk, wanted=DeliveryFilter(company_id=CompanyId("birch"))) == []
        assert len(await read_deliveries(desk, wanted=DeliveryFilter(since=START + timedelta(seconds=2)))) == 2

    async def test_what_was_delivered_is_replayed_under_its_id(self, desk: StoreDesk) -> None:
        store, firm_id = desk.store.subscriptions, desk.company.firm_id
        added = await subscribe(desk)
        await find_red(desk)
        first, second = await read_deliveries(desk)
        await store.record(firm_id, "wh_1", {first.event_id: ACCEPTED}, at=desk.now)
        note = make_note(added, "webhook_replayed")
        counts = [
            await store.replay(firm_id, "wh_1", ALL, [note], event_ids=[second.event_id, "evt_none"], at=desk.now),
            await store.replay(firm_id, "wh_1", DeliveryFilter(state=DeliveryState.FAILED), [note], at=desk.now),
            await store.replay(firm_id, "wh_1", ALL, [note], event_ids=[first.event_id], at=desk.now),
        ]
        log = [entry.draft.what async for entry in desk.store.log.entries(firm_chain(firm_id))]
        due = await store.due(firm_id, "wh_1", now=desk.now, limit=9)

        assert counts == [0, 0, 1]
        assert log.count("webhook_replayed") == 1
        assert {(one.event_id, one.attempts) for one in due} == {(first.event_id, 0), (second.event_id, 0)}

    async def test_a_removed_subscription_leaves_nothing(self, desk: StoreDesk) -> None:
        store, firm_id = desk.store.subscriptions, desk.company.firm_id
        added = await subscribe(desk)
        await find_red(desk)
        removed = [await store.remove(firm_id, "wh_1", [make_note(added, "webhook_removed")]) for _ in range(2)]

        assert removed == [True, False]
        assert await store.subscriptions(firm_id) == []
        assert list(await store.secrets(firm_id, "wh_1")) == []
        assert await read_types(desk) == []

    async def test_old_deliveries_are_forgotten(self, desk: StoreDesk) -> None:
        store, firm_id = desk.store.subscriptions, desk.company.firm_id
        await subscribe(desk)
        await find_red(desk)
        kept = await store.prune(firm_id, before=START, limit=9)
        gone = [await store.prune(firm_id, before=START + timedelta(seconds=1), limit=1) for _ in range(3)]

        assert (kept, gone) == (0, [1, 1, 0])

    async def test_deliveries_about_an_erased_company_go_with_it(self, desk: StoreDesk) -> None:
        await subscribe(desk)
        other = await StoreDesk(desk.store, company="birch").open()
        for one in (desk, other):
            await find_red(one)
        await desk.store.erasures.erase(desk.company.firm_id, desk.id, attribution=PERSON, at=desk.now)

        assert {one.company_id for one in await read_deliveries(desk)} == {other.id}
