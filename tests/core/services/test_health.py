"""How a firm's connections stand, judged by the age of their data, and who is told when."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from runway_core.domain.alerts import Alert
from runway_core.domain.breakers import BreakerKey
from runway_core.domain.call_budget import BudgetAsk, CallLimit, CallWindow
from runway_core.domain.company import Company
from runway_core.domain.identity import FirmId, RecordKey, RecordKind
from runway_core.domain.jobs import Lane, NewJob, Work
from runway_core.domain.people import GRANTS, Caller
from runway_core.domain.policy import Role
from runway_core.errors import RailAccessLost, RailUnavailable
from runway_core.runway import Runway
from runway_core.services.engines import Keeper
from runway_core.services.health import HealthService
from runway_core.services.opened_rails import OpenedRails
from runway_core.services.pacing import PacingService, count_polls
from runway_core.sync.health import KindHealth, ServiceSettings, SyncState
from runway_core.sync.schedule import Intervals, make_pull
from runway_testkit.memory_rail import MEMORY_ABILITIES

from tests.core.desk import OTHERS, FirmDesk, bank, bill

DOWN = RailUnavailable("memory: no answer", rail="memory")
REVOKED = RailAccessLost("memory: revoked", rail="memory")


class Ear:
    """Whoever is told of alerts; deaf for a while when a test says so."""

    def __init__(self, name: str = "ear") -> None:
        self.name = name
        self.heard: list[tuple[str, bool]] = []
        self.is_deaf = False

    async def tell(self, alerts: Sequence[Alert]) -> None:
        if self.is_deaf:
            raise RailUnavailable("nobody listens", rail="alerts")
        self.heard += [(alert.key, alert.resolved_at is not None) for alert in alerts]


def listen(desk: FirmDesk, **settings: object) -> tuple[HealthService, Ear]:
    ear = Ear()
    return watch_for(desk, ear, **settings), ear


def watch_for(desk: FirmDesk, *ears: Ear, **settings: object) -> HealthService:
    """A process of its own that watches, and tells these."""
    service = ServiceSettings(**settings)  # type: ignore[arg-type]  # names of its own fields
    pacing = PacingService(desk.runway.scope, desk.runway.rails, service)
    return HealthService(desk.runway.scope, pacing, service, ears)


async def state_of(runway: Runway, company: Company) -> SyncState:
    (found,) = [one for one in await runway.health() if one.company.company_id == company.company_id]
    (connection,) = found.connections
    return connection.state


async def test_a_connection_is_pending_then_synced_and_failed_once_its_data_is_old() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    states = [await state_of(desk.runway, acme)]
    await desk.runway.sync(acme.company_id)
    states.append(await state_of(desk.runway, acme))
    desk.later(minutes=58)
    states.append(await state_of(desk.runway, acme))
    desk.later(minutes=1)
    states.append(await state_of(desk.runway, acme))

    assert states == [SyncState.PENDING, SyncState.SYNCED, SyncState.SYNCED, SyncState.FAILED]


async def kinds_of(desk: FirmDesk, company: Company) -> dict[RecordKind, KindHealth]:
    (found,) = [one for one in await desk.runway.health() if one.company.company_id == company.company_id]
    (connection,) = found.connections
    return {one.kind: one for one in connection.kinds}


async def test_each_kind_is_pending_then_synced_and_failed_once_it_is_older_than_its_kind_may_be() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    told = [await kinds_of(desk, acme)]
    await desk.runway.sync(acme.company_id)
    told.append(await kinds_of(desk, acme))
    desk.later(hours=2)
    told.append(await kinds_of(desk, acme))
    desk.later(hours=23)
    told.append(await kinds_of(desk, acme))
    states = [(kinds[RecordKind.BILL].state, kinds[RecordKind.ATTACHMENT].state) for kinds in told]

    assert told[0].keys() == MEMORY_ABILITIES.kinds
    assert states == [
        (SyncState.PENDING, SyncState.PENDING),
        (SyncState.SYNCED, SyncState.SYNCED),
        (SyncState.FAILED, SyncState.SYNCED),  # what hardly ever changes may be a day old
        (SyncState.FAILED, SyncState.FAILED),
    ]
    assert told[0][RecordKind.BILL].last_success_at is None
    assert told[2][RecordKind.BILL].last_success_at == told[1][RecordKind.BILL].last_success_at is not None
    assert (told[2][RecordKind.BILL].age_seconds or 0) >= 7200


async def test_what_lies_in_quarantine_makes_its_own_kind_partial() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"), bill("B2"))
    await desk.runway.sync(acme.company_id)
    desk.ledger("Acme").spoil(RecordKey(RecordKind.BILL, "B1"), reason="no amount", raw=b"{}")
    await desk.runway.sync(acme.company_id)
    kinds = await kinds_of(desk, acme)

    assert (kinds[RecordKind.BILL].state, kinds[RecordKind.BILL].quarantined) == (SyncState.PARTIAL, 1)
    assert {one.state for kind, one in kinds.items() if kind is not RecordKind.BILL} == {SyncState.SYNCED}


async def test_every_kind_of_a_connection_that_waits_for_a_person_is_parked() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    desk.ledger("Acme").fail_next(RailAccessLost("memory: connect again", rail="memory"))
    await desk.runway.sync(acme.company_id)

    assert {one.state for one in (await kinds_of(desk, acme)).values()} == {SyncState.PARKED}


async def test_the_last_attempt_does_not_colour_fresh_data() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    desk.later(minutes=15)
    desk.ledger("Acme").fail_next(DOWN)
    await desk.runway.sync(acme.company_id)
    (health,) = await desk.runway.health()

    assert health.connections[0].state is SyncState.SYNCED
    assert (health.connections[0].pulls, health.connections[0].failed_percent) == (2, 50)


async def test_what_waits_for_a_person_is_parked_told_once_and_counted_by_no_promise() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    desk.ledger("Acme").fail_next(REVOKED)
    await desk.runway.sync(acme.company_id)
    health, ear = listen(desk)
    for _ in range(3):
        await health.watch()
        desk.later(minutes=1)

    assert await state_of(desk.runway, acme) is SyncState.PARKED
    assert ear.heard == [(f"reconnect:{(await desk.connection(acme)).connection_id}", False)]
    assert (await health.service()).counted == 0


async def test_an_alert_that_nobody_heard_is_told_again_and_its_end_once() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    health, ear = listen(desk)
    desk.later(minutes=61)
    ear.is_deaf = True
    await health.watch()
    ear.is_deaf = False
    desk.later(minutes=3)
    await health.watch()
    await desk.runway.sync(acme.company_id)
    for _ in range(2):
        desk.later(minutes=1)
        await health.watch()
    key = f"old:{(await desk.connection(acme)).connection_id}"

    assert [told for told in ear.heard if told[0] == key] == [(key, False), (key, True)]


async def test_whoever_is_deaf_keeps_nobody_else_from_hearing_and_is_alone_told_again() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    deaf, ear = Ear("deaf"), Ear("ear")
    desk.later(minutes=61)
    deaf.is_deaf = True
    await watch_for(desk, deaf, ear).watch()
    desk.later(minutes=3)
    deaf.is_deaf = False
    other_process = watch_for(desk, deaf, ear)
    for _ in range(2):
        await other_process.watch()
        desk.later(minutes=3)
    key = (f"old:{(await desk.connection(acme)).connection_id}", False)

    assert ear.heard.count(key) == deaf.heard.count(key) == 1


async def test_stale_data_burns_the_budget_until_it_is_fresh_again() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    desk.later(minutes=14)
    health, ear = listen(desk)
    for _ in range(30):
        await health.watch()
        desk.later(minutes=1)
    burning = {key for key, is_over in ear.heard if not is_over}
    for minute in range(10):
        if minute == 0:
            await desk.runway.sync(acme.company_id)
        await health.watch()
        desk.later(minutes=1)

    assert burning == {"freshness:fast", "freshness:medium", "freshness:slow"}
    assert ("freshness:fast", True) in ear.heard
    assert (await health.service()).burn[0].fresh_percent == 100


async def test_a_silent_rail_is_one_alert_and_its_outage_burns_no_budget() -> None:
    desk = FirmDesk()
    companies = [await desk.connect(f"C{number}", bank()) for number in range(4)]
    for company in companies:
        await desk.runway.sync(company.company_id)
        desk.ledger(company.name).fail_next(DOWN, DOWN)
    for company in companies * 2:
        await desk.runway.sync(company.company_id)
    health, ear = listen(desk)
    await health.watch()
    service = await health.service()

    desk.later(minutes=30)
    unasked = await health.service()

    assert ear.heard == [("rail:memory", False)]
    assert service.counted == 0
    assert unasked.counted == 4  # nobody probed for a quarter of an hour: that is our silence, not the rail's
    assert [breaker.name for breaker in service.breakers] == ["memory"]


async def test_a_metered_rail_stretches_the_schedule_and_raises_its_alarms() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    quota = {"memory": 2}
    health, ear = listen(desk, quotas=quota)
    await health.watch()
    pacing = PacingService(desk.runway.scope, desk.runway.rails, ServiceSettings(quotas=quota))
    connections = await desk.runway.connections.list()
    stretched = await pacing.stretch(Intervals(), connections)

    assert [key.rpartition(":")[2] for key, _ in ear.heard] == ["50", "80", "95"]
    assert stretched.of(connections[0]) == timedelta(days=1)
    assert count_polls(connections, "memory", Intervals()) == 96


async def test_work_that_waits_too_long_is_told() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    job = NewJob(
        firm_id=acme.firm_id,
        company_id=acme.company_id,
        work=Work.POSITION,
        lane=Lane.POLL,
        run_at=desk.clock.now(),
        dedupe_key="position",
    )
    await desk.store.jobs.enqueue([job], now=desk.clock.now())
    health, ear = listen(desk)
    desk.later(minutes=15)
    await health.watch()
    assert ear.heard == []
    desk.later(seconds=1)
    await health.watch()

    assert ear.heard == [("queue:late", False)]
    assert (await health.service()).oldest_due_seconds == 901


async def test_another_firms_trouble_is_not_told_here() -> None:
    desk = FirmDesk()
    other = desk.open(FirmId("others"))
    await desk.connect("Zeta", bank(), runway=other)
    health, ear = listen(desk)
    desk.later(hours=3)
    await health.watch()

    assert ear.heard == []
    assert (await health.service()).counted == 0


async def test_nothing_of_other_firms_or_unassigned_companies_is_named() -> None:
    desk = FirmDesk()
    other = desk.open(OTHERS)
    acme, brick = await desk.connect("Acme", bank()), await desk.connect("Brick", bank())
    zeta = await desk.connect("Zeta", bank(), runway=other)
    now, ids = desk.clock.now(), {}
    for company in (acme, brick, zeta):
        (connection,) = await desk.store.registry.connections(company.firm_id, company.company_id)
        ids[company.name] = connection.connection_id
        await desk.store.registry.name_account(connection, company.name)
        keys = [BreakerKey("memory"), BreakerKey("memory", connection.connection_id)]
        for _ in range(5):
            await desk.store.breakers.note(keys, failed=connection.connection_id, now=now)
        asks = [BudgetAsk(f"memory/https://books.test/{company.name}", CallLimit((CallWindow(60, 60_000),), at_once=2))]
        await desk.store.calls.lease(asks, holder="w", permits=1, at_once=1, is_live=False, now=now)
        await desk.store.calls.note_refusal(asks, now=now)
    await enqueue_pull(desk, zeta)
    bookkeeper = Caller("bo", Role.BOOKKEEPER, GRANTS[Role.BOOKKEEPER], frozenset({acme.company_id}))
    seen = {
        name: await runway.watch.service()
        for name, runway in (("firm", desk.runway), ("other", other), ("bo", desk.runway.for_caller(bookkeeper)))
    }

    assert {name: {one.name for one in health.breakers} for name, health in seen.items()} == {
        "firm": {"memory", f"memory/{ids['Acme']}", f"memory/{ids['Brick']}"},
        "other": {"memory", f"memory/{ids['Zeta']}"},
        "bo": {"memory", f"memory/{ids['Acme']}"},
    }
    assert {name: [one.name.rpartition("/")[2] for one in health.budgets] for name, health in seen.items()} == {
        "firm": ["Acme", "Brick"],
        "other": ["Zeta"],
        "bo": ["Acme"],
    }
    assert {name: sum(lane.due for lane in health.lanes) for name, health in seen.items()} == {
        "firm": 0,
        "other": 1,
        "bo": 0,
    }


async def test_pulls_of_a_quarter_ago_are_forgotten_where_they_brought_nothing() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await pull_often(desk, acme)
    young = await desk.runway.watch.forget_pulls()
    desk.later(days=91)
    old = await desk.runway.watch.forget_pulls()
    again = await desk.runway.watch.forget_pulls()
    engine = desk.runway.engine("w")

    assert (young, old, again) == (0, 3, 0)  # of five, the first brought the books, and the last stays
    assert await count_runs(desk, acme) == 2
    assert "old pulls" in {beat.name for beat in engine.beats}


async def pull_often(desk: FirmDesk, company: Company) -> None:
    for _ in range(5):
        await desk.runway.sync(company.company_id)
        desk.later(minutes=1)


async def enqueue_pull(desk: FirmDesk, company: Company) -> None:
    (connection,) = await desk.store.registry.connections(company.firm_id, company.company_id)
    job = make_pull(connection, lane=Lane.WEBHOOK, run_at=desk.clock.now())
    await desk.store.jobs.enqueue([job], now=desk.clock.now())


@pytest.mark.parametrize(("set_calls", "expected"), [(None, ()), (1_000, ("memory",))])
async def test_a_rail_without_a_meter_has_no_quota(set_calls: int | None, expected: tuple[str, ...]) -> None:
    desk = FirmDesk()
    await desk.connect("Acme", bank())
    health, _ = listen(desk, quotas={} if set_calls is None else {"memory": set_calls})

    assert tuple(use.rail for use in (await health.service()).quotas) == expected


async def test_the_schedule_leaves_alone_what_does_not_answer_and_comes_back() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    await desk.runway.sync(acme.company_id)
    desk.ledger("Acme").fail_next(*[DOWN] * 5)
    for _ in range(5):
        await desk.runway.sync(acme.company_id)
    pacing = PacingService(desk.runway.scope, desk.runway.rails, ServiceSettings())
    keeper = Keeper(desk.runway.scope, Intervals(usual=timedelta(seconds=30)), pacing)
    desk.later(seconds=59)
    early = await keeper.plan_pulls()
    desk.later(seconds=1)

    assert (early, await keeper.plan_pulls()) == (0, 1)


async def test_the_schedule_is_stretched_where_the_quota_is_short() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    await desk.runway.sync(acme.company_id)
    pacing = PacingService(desk.runway.scope, desk.runway.rails, ServiceSettings(quotas={"memory": 4}))
    keeper = Keeper(desk.runway.scope, Intervals(), pacing)
    await keeper.look_at_companies()
    desk.later(hours=2)

    assert await keeper.plan_pulls() == 0


async def test_calls_of_a_fix_count_for_the_month() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    before = await desk.store.health.call_counts("2026-03")
    async with OpenedRails(desk.runway.scope, desk.runway.rails, acme) as rails:
        rail = await rails.open("memory")
        await rail.read_record(RecordKey(RecordKind.BILL, "B1"))
    after = await desk.store.health.call_counts("2026-03")

    assert after["memory"].calls == before["memory"].calls + 1
    assert after["memory"].polls == before["memory"].polls


async def test_a_pull_that_was_not_made_is_made_once_its_rail_answers_again() -> None:
    """The planner plans each moment once: what it planned must not be lost because nobody was asked."""
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    await desk.runway.sync(acme.company_id)
    desk.later(minutes=15)
    desk.ledger("Acme").fail_next(*[DOWN] * 5)
    for _ in range(5):
        await desk.runway.sync(acme.company_id)
    connection = await desk.connection(acme)
    job = make_pull(connection, lane=Lane.WEBHOOK, run_at=desk.clock.now())
    await desk.store.jobs.enqueue([job], now=desk.clock.now())
    engine = desk.runway.engine("one")
    await engine.run_due()
    refused = await count_runs(desk, acme)
    desk.later(seconds=61)
    await engine.run_due()

    assert (refused, await count_runs(desk, acme)) == (6, 7)
    assert (await desk.connection(acme)).failures_in_a_row == 0


async def count_runs(desk: FirmDesk, company: Company) -> int:
    return len(await desk.store.registry.runs(company.firm_id, company.company_id, limit=100))
