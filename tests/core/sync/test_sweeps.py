"""A sweep finds and mends what neither the change feed nor webhooks told, and concludes on nothing it did not read."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

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
from runway_core.sync.sweep import OFTEN_SWEPT, find_sweep_days, plan_depths, plan_sweeps, plan_turns
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


def compared_on(days: Sequence[date], expected: dict[RecordKind, int]) -> dict[RecordKind, list[tuple[int, Depth]]]:
    """On which of these days each kind is compared, and how closely, when a sweep succeeds on each."""
    found: dict[RecordKind, list[tuple[int, Depth]]] = {}
    for number, day in enumerate(days):
        for kind, depth in plan_turns(KINDS, expected, rows_a_call=1000, days=[day]).items():
            found.setdefault(kind, []).append((number, depth))
    return found


KINDS = [kind for kind in list(RecordKind)[:16] if kind is not RecordKind.COMPANY_INFO]
MONTH = [(START + timedelta(days=number)).date() for number in range(42)]


def longest_wait(days: list[int]) -> int:
    return max(later - earlier for earlier, later in zip([-1, *days], [*days, len(MONTH)], strict=True))


def test_no_change_stays_unseen_for_longer_than_is_promised() -> None:
    """Bills, invoices, payments and accounts for three days, everything else for seven."""
    turns = compared_on(MONTH, {})

    assert turns.keys() == set(KINDS)
    for kind, days in turns.items():
        assert longest_wait([day for day, _ in days]) == (3 if kind in OFTEN_SWEPT else 7), kind
        assert {depth for _, depth in days} == {Depth.READ}


def test_large_kinds_are_counted_in_between_and_read_whole_once_a_week() -> None:
    turns = compared_on(MONTH, dict.fromkeys(KINDS, 5000))
    read = {kind: [day for day, depth in days if depth is Depth.READ] for kind, days in turns.items()}

    assert {longest_wait(days) for days in read.values()} == {7}
    assert {longest_wait([day for day, _ in turns[kind]]) for kind in OFTEN_SWEPT} == {3}


def test_a_day_of_sweeping_is_few_calls_and_each_day_about_as_many() -> None:
    calls = Counter(day for days in compared_on(MONTH, {}).values() for day, _ in days)

    assert sum(calls.values()) / len(MONTH) < 3.2
    assert max(calls.values()) <= 5


def test_turns_of_days_without_a_sweep_are_made_up() -> None:
    today = START.date()
    last = connection(last_full_at=START - timedelta(days=20), last_swept_at=START - timedelta(days=3))
    never = connection(last_full_at=START - timedelta(days=20))
    twice = connection(last_full_at=START - timedelta(days=20), last_swept_at=START - timedelta(hours=1))
    days = find_sweep_days(last, today)
    made_up = plan_turns(KINDS, {}, rows_a_call=1000, days=days)

    assert days == (today, today - timedelta(days=1), today - timedelta(days=2))
    assert made_up.keys() >= OFTEN_SWEPT
    assert len(find_sweep_days(never, today)) == 7
    assert plan_turns(KINDS, {}, rows_a_call=1000, days=find_sweep_days(never, today)).keys() == set(KINDS)
    assert find_sweep_days(twice, today) == (today,)


async def test_a_scheduled_sweep_compares_by_turn_and_a_person_everything(house: House) -> None:
    by_turn = PullRequest(cause=Cause.SWEEP, sweep=True, by_turn=True)
    [run] = (await house.runway.sync(house.company.company_id, request=by_turn)).runs
    scheduled = (await house.runway.coverage.sweeps(house.company.company_id))[0]
    everything = await house.sweep()

    assert run.outcome is RunOutcome.SUCCEEDED
    assert 0 < len(scheduled.kinds) < len(everything.kinds) / 2
