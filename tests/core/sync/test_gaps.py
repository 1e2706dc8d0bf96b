"""Silence, loss and repeats tell that news was missed; a pull at once makes up for it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from runway_core.domain.gaps import Gap, GapReason, Hearing
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.jobs import Lane, Work
from runway_core.runway import Runway
from runway_core.sync.engine import SyncEngine
from runway_core.sync.gaps import find_gap, find_usual_pause, is_over, plan_gaps
from runway_testkit.clock import FixedClock
from runway_testkit.memory_rail import MemoryLedger, MemoryRailFactory
from runway_testkit.memory_store import MemoryStore
from runway_testkit.memory_webhooks import sign_webhook, write_webhook
from runway_testkit.store_desk import make_bill

NOW = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)


def ago(**by: float) -> datetime:
    return NOW - timedelta(**by)


def hearing(**fields: object) -> Hearing:
    """Something is heard about every hour, and was heard ten minutes ago."""
    values = {
        "firm_id": FirmId("own"),
        "company_id": CompanyId("acme"),
        "connection_id": ConnectionId("acme-qbo"),
        "rail": "qbo",
        "deliveries": 25,
        "first_at": ago(hours=24, minutes=10),
        "last_at": ago(minutes=10),
        "last_success_at": ago(minutes=5),
    }
    return Hearing.model_validate(values | fields)


def reason_of(told: Hearing, held: Gap | None = None) -> GapReason | None:
    gap = find_gap(told, held, now=NOW)
    return None if gap is None else gap.reason


def gap(reason: GapReason = GapReason.SILENCE, *, noted_at: datetime = NOW) -> Gap:
    found = find_gap(hearing(last_at=None, first_at=None, missed=1, last_missed_at=NOW), None, now=noted_at)
    assert found is not None
    return found.model_copy(update={"reason": reason})


def test_where_all_is_heard_there_is_no_gap() -> None:
    assert reason_of(hearing()) is None


def test_silence_alone_is_no_gap() -> None:
    """A company at which nothing happens says nothing."""
    assert reason_of(hearing(last_at=ago(days=3))) is None


@pytest.mark.parametrize(("silent_hours", "found"), [(2.9, GapReason.LOSS), (3.1, GapReason.SILENCE)])
def test_a_silence_thrice_as_long_as_usual_is_a_gap_when_polls_found_changes(
    silent_hours: float, found: GapReason
) -> None:
    told = hearing(
        first_at=ago(hours=24 + silent_hours), last_at=ago(hours=silent_hours), missed=2, last_missed_at=ago(minutes=1)
    )

    assert find_usual_pause(told) == timedelta(hours=1)
    assert reason_of(told) is found


def test_half_an_hour_is_never_a_silence() -> None:
    busy = hearing(deliveries=1000, first_at=ago(hours=1), last_at=ago(minutes=29), missed=1, last_missed_at=NOW)

    assert reason_of(busy) is GapReason.LOSS
    assert reason_of(busy.model_copy(update={"last_at": ago(minutes=31)})) is GapReason.SILENCE


def test_a_connection_that_has_not_been_heard_for_a_week_is_silent() -> None:
    told = hearing(deliveries=0, first_at=None, last_at=None, missed=1, last_missed_at=ago(minutes=1))

    assert reason_of(told) is GapReason.SILENCE


def test_a_change_that_no_event_announced_is_a_loss() -> None:
    assert reason_of(hearing(missed=1, last_missed_at=ago(minutes=1))) is GapReason.LOSS


def test_a_repeat_tells_that_later_news_was_held_back() -> None:
    assert reason_of(hearing(last_repeat_at=ago(minutes=59))) is GapReason.REPEATS
    assert reason_of(hearing(last_repeat_at=ago(minutes=61))) is None


def test_what_is_known_is_not_noted_again() -> None:
    lost = hearing(missed=1, last_missed_at=ago(minutes=1), last_repeat_at=ago(minutes=2))

    assert reason_of(lost, gap(GapReason.LOSS, noted_at=NOW)) is None
    assert reason_of(lost, gap(GapReason.LOSS, noted_at=ago(minutes=3))) is GapReason.LOSS


def test_a_silence_is_noted_once_however_often_polls_find_something() -> None:
    silent = hearing(first_at=ago(hours=30), last_at=ago(hours=6), missed=9, last_missed_at=ago(minutes=1))

    assert reason_of(silent, gap(noted_at=ago(hours=2))) is None


def test_a_loss_is_over_after_a_pull_and_a_silence_when_something_is_heard_again() -> None:
    pulled = hearing(last_success_at=NOW + timedelta(minutes=1))
    heard = pulled.model_copy(update={"last_at": NOW + timedelta(minutes=1)})

    assert not is_over(gap(GapReason.LOSS), hearing())
    assert is_over(gap(GapReason.LOSS), pulled)
    assert not is_over(gap(GapReason.SILENCE), pulled)
    assert is_over(gap(GapReason.SILENCE), heard)


def test_each_gap_is_caught_up_by_one_pull() -> None:
    lost = hearing(missed=1, last_missed_at=ago(minutes=1))
    sound = hearing(connection_id=ConnectionId("zeta-qbo"), company_id=CompanyId("zeta"))

    plan = plan_gaps([lost, sound], {}, now=NOW)
    again = plan_gaps([lost, sound], {one.connection_id: one for one in plan.noted}, now=NOW)

    assert [(one.connection_id, one.reason, one.missed) for one in plan.noted] == [("acme-qbo", GapReason.LOSS, 1)]
    [job] = plan.jobs
    assert (job.work, job.lane, job.dedupe_key, job.payload) == (
        Work.PULL, Lane.WEBHOOK, "pull:acme-qbo", {"gap": "loss"},
    )  # fmt: skip
    assert (again.noted, again.jobs, again.over) == ([], [], [])


# --- with an engine ---


class Watched:
    """One company whose vendor tells of its changes, or does not."""

    def __init__(self, runway: Runway, ledger: MemoryLedger, clock: FixedClock) -> None:
        self.runway, self.ledger, self.clock = runway, ledger, clock
        self.engine: SyncEngine = runway.engine("one")

    async def hear(self, bill: str) -> None:
        body = write_webhook("sample", ("bill", bill), name=f"{bill}-{self.clock.now()}")
        secrets = [SecretStr("verifier")]
        await self.runway.webhooks.receive("memory", sign_webhook(body, "verifier"), body, secrets=secrets)

    async def wait(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))
        await self.engine.run_due()


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    clock, ledger = FixedClock(NOW), MemoryLedger(now=NOW)
    ledger.put(*(make_bill(str(number)) for number in range(5)))
    rails = [MemoryRailFactory({"sample": ledger})]
    async with Runway.open(store=MemoryStore(clock=clock), rails=rails, clock=clock) as runway:
        company = await runway.companies.add("Sample", home_currency="USD", time_zone="UTC")
        await runway.connections.add(company.company_id, rail="memory", settings={"books": "sample"}, secrets={})
        watched = Watched(runway, ledger, clock)
        await watched.wait(minutes=1)
        for number in range(4):
            await watched.hear(str(number))
            await watched.wait(minutes=5)
        yield watched


async def test_a_vendor_that_falls_silent_is_found_and_heard_again(watched: Watched) -> None:
    """From the first change that only a poll found until the next event, the gap is shown with its reason."""
    watched.ledger.now = watched.clock.now()
    watched.ledger.put(make_bill("8"))
    await watched.wait(minutes=40)
    await watched.wait(seconds=70)
    [silent] = await watched.runway.coverage.gaps()
    caught_up_at = (await watched.runway.connections.list())[0].last_success_at
    await watched.hear("8")
    await watched.wait(minutes=2)
    await watched.wait(minutes=2)

    assert silent.reason is GapReason.SILENCE
    assert silent.missed == 1
    assert caught_up_at is not None
    assert caught_up_at >= silent.noted_at
    assert await watched.runway.coverage.gaps() == []


async def test_a_vendor_that_tells_of_everything_has_no_gap(watched: Watched) -> None:
    for number in range(10, 14):
        watched.ledger.now = watched.clock.now()
        watched.ledger.put(make_bill(str(number)))
        await watched.hear(str(number))
        await watched.wait(minutes=16)

    assert await watched.runway.coverage.gaps() == []
