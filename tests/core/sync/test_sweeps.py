"""A sweep finds and mends what neither the change feed nor webhooks told, and concludes on nothing it did not read."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from runway_core.domain.changes import Cause
from runway_core.domain.company import Company, Connection, ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKey, RecordKind
from runway_core.domain.jobs import Lane, Work
from runway_core.domain.record import Record
from runway_core.domain.sweeps import Depth, KindSweep, Path, SweepReport
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.errors import RailUnavailable, SuspiciousAbsence
from runway_core.runway import Runway
from runway_core.sync.orchestrator import PullRequest
from runway_core.sync.sweep import plan_depths, plan_sweeps
from runway_testkit.clock import FixedClock
from runway_testkit.memory_rail import MemoryLedger, MemoryRailFactory
from runway_testkit.memory_store import MemoryStore
from runway_testkit.memory_webhooks import sign_webhook, write_webhook
from runway_testkit.store_desk import make_account, make_bill

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SWEEP = PullRequest(sweep=True)
SECRET = SecretStr("verifier")


class Leaky(MemoryLedger):
    """Books whose change feed can forget: what happens unseen is no event."""

    fails_after: int | None = None  # so many more calls are answered, and the next one is not

    def answer_one_call(self) -> None:
        super().answer_one_call()
        if self.fails_after is not None:
            self.fails_after -= 1
            if self.fails_after < 0:
                self.fails_after = None
                raise RailUnavailable("the rail gave no answer", rail="memory")

    def put_unseen(self, *records: Record) -> None:
        self.put(*records)
        del self.events[-len(records) :]

    def delete_unseen(self, key: RecordKey) -> None:
        self.delete(key)
        self.events.pop()


@dataclass
class House:
    runway: Runway
    ledger: Leaky
    clock: FixedClock
    company: Company

    async def pull(self, request: PullRequest = SWEEP) -> SyncRun:
        [run] = (await self.runway.sync(self.company.company_id, request=request)).runs
        return run

    async def sweep(self) -> SweepReport:
        """Some minutes later, so that what happened before is no news."""
        self.clock.advance(timedelta(minutes=10))
        self.ledger.now += timedelta(minutes=10)
        run = await self.pull()
        assert run.outcome is RunOutcome.SUCCEEDED, run.error
        return (await self.runway.coverage.sweeps(self.company.company_id))[0]

    async def mirror(self) -> dict[RecordKey, str | None]:
        store = self.runway.scope.store
        found = await store.mirror.find_records(self.company.company_id, RecordKind.BILL, limit=1000)
        return {mirrored.record.key: getattr(mirrored.record, "memo", None) for mirrored in found}

    async def tallies(self) -> dict[Path, tuple[int, int]]:
        [tallies] = (await self.runway.coverage.tallies()).values()
        return {tally.path: (tally.brought, tally.missed) for tally in tallies}

    async def hear(self, *bills: str) -> None:
        body = write_webhook("sample", *(("bill", bill) for bill in bills))
        await self.runway.webhooks.receive("memory", sign_webhook(body, "verifier"), body, secrets=[SECRET])


@pytest.fixture
def page_size() -> int:
    return 100


@pytest.fixture
async def house(page_size: int) -> AsyncIterator[House]:
    clock, ledger = FixedClock(START), Leaky(now=START)
    ledger.put(make_account(), *(make_bill(str(number)) for number in range(1, 8)))
    rails = [MemoryRailFactory({"sample": ledger}, page_size=page_size)]
    async with Runway.open(store=MemoryStore(clock=clock), rails=rails, clock=clock) as runway:
        company = await runway.companies.add("Sample", home_currency="USD", time_zone="UTC")
        await runway.connections.add(company.company_id, rail="memory", settings={"books": "sample"}, secrets={})
        await runway.sync(company.company_id)
        clock.advance(timedelta(hours=1))
        ledger.now += timedelta(hours=1)
        yield House(runway, ledger, clock, company)


def bills_of(report: SweepReport) -> KindSweep:
    return next(kind for kind in report.kinds if kind.kind is RecordKind.BILL)


def key(bill: str) -> RecordKey:
    return RecordKey(RecordKind.BILL, bill)


async def test_sound_books_are_left_alone(house: House) -> None:
    before = await house.runway.log_length(house.company.company_id)
    report = await house.sweep()

    assert (report.repaired, report.missed) == (0, {Path.FEED: 0, Path.WEBHOOK: 0})
    assert all(kind.agrees and kind.held_count == kind.source_count for kind in report.kinds)
    assert await house.runway.log_length(house.company.company_id) == before + 1  # the report itself


async def test_what_the_feed_forgot_is_mended_and_counted(house: House) -> None:
    house.ledger.put_unseen(make_bill("8", memo="new"))
    house.ledger.put_unseen(house.ledger.bill("2").model_copy(update={"memo": "edited"}))
    house.ledger.delete_unseen(key("3"))

    await house.pull(PullRequest())
    unmended = await house.mirror()
    report = await house.sweep()
    mended = await house.mirror()

    assert (key("8") in unmended, unmended[key("2")], key("3") in unmended) == (False, None, True)
    assert (mended[key("8")], mended[key("2")], key("3") in mended) == ("new", "edited", False)
    bills = bills_of(report)
    assert (bills.missing, bills.differing, bills.gone, bills.agrees) == (1, 1, 1, True)
    assert report.missed[Path.FEED] == 3
    assert (await house.tallies())[Path.SWEEP] == (3, 0)
    assert (await house.tallies())[Path.FEED] == (0, 3)


async def test_what_was_mended_is_logged_with_its_cause(house: House) -> None:
    house.ledger.delete_unseen(key("3"))
    await house.sweep()

    [*_, last] = await house.runway.history(house.company.company_id, key("3"))
    assert (last.draft.what, last.draft.attribution.cause) == ("deleted", Cause.SWEEP)


async def test_what_the_feed_brings_first_is_no_repair(house: House) -> None:
    house.ledger.put(make_bill("8"))
    report = await house.sweep()

    [entry] = await house.runway.history(house.company.company_id, key("8"))
    assert entry.draft.attribution.cause is Cause.PULL
    assert report.repaired == 0


@pytest.mark.parametrize("page_size", [3])
@pytest.mark.parametrize("failing_call", [1, 2, 3, 4, 5])
async def test_a_page_that_fails_in_mid_sweep_changes_nothing(house: House, failing_call: int) -> None:
    """The feed, the count and the three pages of bills: if this fails, are pages stored before the last one came?"""
    house.ledger.put_unseen(make_bill("8"))
    before = await house.mirror()
    house.clock.advance(timedelta(minutes=10))
    house.ledger.now += timedelta(minutes=10)
    house.ledger.fails_after = failing_call - 1
    run = await house.pull()
    after = await house.mirror()
    report = await house.sweep()
    connection = (await house.runway.connections.list())[0]

    assert (run.outcome, run.error_code) == (RunOutcome.FAILED, RailUnavailable.code)
    assert after == before
    assert bills_of(report).missing == 1
    assert key("8") in await house.mirror()
    assert connection.last_swept_at == report.ended_at


@pytest.mark.parametrize("page_size", [3])
async def test_a_large_kind_is_counted_and_read_where_the_count_differs(house: House) -> None:
    sound = bills_of(await house.sweep())
    house.ledger.put_unseen(make_bill("8"))
    differing = bills_of(await house.sweep())

    assert (sound.depth, sound.source_count, sound.held_count) == (Depth.COUNTED, 7, 7)
    assert (differing.depth, differing.source_count, differing.held_count) == (Depth.READ, 8, 7)


@pytest.mark.parametrize("page_size", [3])
async def test_what_no_count_shows_is_found_within_a_week(house: House) -> None:
    """One bill came and one went, and both were forgotten."""
    house.ledger.put_unseen(make_bill("8"))
    house.ledger.delete_unseen(key("3"))
    repaired = []
    for _ in range(7):
        house.clock.advance(timedelta(days=1))
        house.ledger.now += timedelta(days=1)
        repaired.append(bills_of(await house.sweep()).repaired)

    assert sorted(repaired) == [0] * 6 + [2]


async def test_a_record_in_quarantine_is_neither_missing_nor_gone(house: House) -> None:
    house.ledger.spoil(key("3"), reason="no amount", raw=b"{}")
    await house.pull(PullRequest())
    report = await house.sweep()

    bills = bills_of(report)
    assert (bills.gone, bills.missing, bills.not_understood) == (0, 0, 1)
    assert key("3") in await house.mirror()


@pytest.mark.parametrize("page_size", [3])
async def test_a_record_whose_news_is_not_understood_is_counted_once(house: House) -> None:
    house.ledger.spoil(key("3"), reason="no amount", raw=b"{}")
    await house.pull(PullRequest())
    bills = bills_of(await house.sweep())

    assert (bills.depth, bills.source_count, bills.held_count) == (Depth.COUNTED, 7, 7)


async def test_control_totals_are_those_of_the_rail_to_the_cent(house: House) -> None:
    house.ledger.put_unseen(make_bill("8"))
    report = await house.sweep()

    bills = bills_of(report)
    assert bills.source_totals == bills.held_totals
    assert str(bills.source_totals["USD"]) == "320.0000"  # eight bills over forty dollars


async def test_what_webhooks_announced_they_did_not_miss(house: House) -> None:
    await house.hear("8")
    house.ledger.put_unseen(make_bill("8"), make_bill("9"))
    report = await house.sweep()

    assert report.missed == {Path.FEED: 2, Path.WEBHOOK: 1}


async def test_a_poll_that_finds_what_no_event_announced_counts_it(house: House) -> None:
    await house.hear("1")
    house.ledger.put(make_bill("8"), make_bill("9"))
    await house.hear("9")
    house.clock.advance(timedelta(minutes=10))
    await house.pull(PullRequest())

    assert await house.tallies() == {Path.FEED: (2, 0), Path.WEBHOOK: (0, 1)}


async def test_news_that_may_still_be_on_its_way_is_not_missed(house: House) -> None:
    await house.hear("1")
    house.ledger.put(make_bill("8"))
    await house.pull(PullRequest())

    assert await house.tallies() == {Path.FEED: (1, 0)}


async def test_where_nothing_was_ever_heard_webhooks_miss_nothing(house: House) -> None:
    house.ledger.put(make_bill("8"))
    house.clock.advance(timedelta(minutes=10))
    await house.pull(PullRequest())

    assert await house.tallies() == {Path.FEED: (1, 0)}


async def test_a_rail_that_shows_almost_nothing_is_not_believed(house: House) -> None:
    many = [make_bill(str(number)) for number in range(100, 160)]
    house.ledger.put(*many)
    await house.pull(PullRequest())
    for bill in many:
        house.ledger.delete_unseen(bill.key)
    for number in range(1, 8):
        house.ledger.delete_unseen(key(str(number)))
    house.clock.advance(timedelta(minutes=10))
    house.ledger.now += timedelta(minutes=10)
    run = await house.pull()

    assert run.error_code == SuspiciousAbsence.code
    assert len(await house.mirror()) == 67


def connection(**fields: object) -> Connection:
    values = {
        "connection_id": ConnectionId("acme-qbo"),
        "company_id": CompanyId("acme"),
        "firm_id": FirmId("own"),
        "rail": "qbo",
        "settings": {},
        "state": ConnectionState.ACTIVE,
        "created_at": START - timedelta(days=30),
        "last_full_at": START - timedelta(days=20),
    }
    return Connection.model_validate(values | fields)


def test_a_connection_is_swept_once_a_day_in_the_quietest_lane() -> None:
    now = START
    planned = []
    held = connection()
    for _ in range(24 * 3):
        now += timedelta(hours=1)
        jobs = plan_sweeps([held], now=now)
        planned += jobs
        if jobs:
            held = held.model_copy(update={"last_swept_at": now})

    assert len(planned) in (3, 4)
    assert {(job.work, job.lane, job.dedupe_key) for job in planned} == {(Work.SWEEP, Lane.SWEEP, "sweep:acme-qbo")}


def test_sweeps_of_many_are_spread_over_the_day() -> None:
    held = [
        connection(connection_id=ConnectionId(f"c{number}"), last_swept_at=START - timedelta(hours=24))
        for number in range(240)
    ]
    due = [len(plan_sweeps(held, now=START - timedelta(hours=24) + timedelta(hours=hour))) for hour in range(25)]

    assert due[0] == 0
    assert 80 < due[12] < 160
    assert due[24] == 240


@pytest.mark.parametrize(
    "fields",
    [
        {"last_full_at": None},
        {"last_full_at": START},
        {"state": ConnectionState.RECONNECT_NEEDED},
        {"state": ConnectionState.FAILING},
        {"state": ConnectionState.DISCONNECTED},
    ],
)
def test_what_was_never_read_whole_was_just_read_or_fails_is_not_swept(fields: dict[str, object]) -> None:
    assert plan_sweeps([connection(**fields)], now=START) == []


def test_each_large_kind_is_read_once_a_week_on_a_day_of_its_own() -> None:
    kinds = list(RecordKind)[:14]
    expected = dict.fromkeys(kinds, 5000)
    days = [plan_depths(kinds, expected, rows_a_call=1000, day=(START + timedelta(days=n)).date()) for n in range(7)]

    assert [sum(depths[kind] is Depth.READ for depths in days) for kind in kinds] == [1] * 14
    assert [sum(depth is Depth.READ for depth in depths.values()) for depths in days] == [2] * 7


def test_a_kind_that_comes_by_one_call_is_always_read() -> None:
    depths = plan_depths([RecordKind.BILL], {RecordKind.BILL: 1000}, rows_a_call=1000, day=START.date())

    assert depths == {RecordKind.BILL: Depth.READ}
