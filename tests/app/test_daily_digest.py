"""The firm's digest each morning: sent by one of all schedulers, whichever of them dies."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from runway_app_http.container import make_engine
from runway_app_http.daily_digest import DailyDigest, daily_beats
from runway_app_http.firm_digest_sending import DailyOutcome
from runway_app_http.mailer import Letter
from runway_app_http.settings import AppSettings
from runway_core.domain.sent_digests import Delivery
from runway_core.errors import InvalidRequest, OutcomeUnknown, RailRefused, RunwayError
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_testkit.memory_rail import MemoryRailFactory

from tests.app.firm import Firm

TO = ("team@firm.example",)
MORNING = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)  # seven in Chicago, where the firm is


@dataclass
class SlowPost:
    """A mail server that takes its time, or fails as it is told to."""

    taken: list[Letter] = field(default_factory=list)
    fails: RunwayError | None = None

    async def send(self, letter: Letter) -> None:
        for _ in range(100):  # others go on meanwhile
            await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        self.taken.append(letter)


def scheduler(firm: Firm, post: SlowPost, runway: Runway | None = None) -> DailyDigest:
    return DailyDigest(runway or firm.runway, post, TO, hour=7)


def wait_until(firm: Firm, moment: datetime) -> None:
    firm.clock.advance(moment - firm.clock.now())


async def test_it_waits_for_the_morning_where_the_firm_is_and_leaves_once_a_day(firm: Firm) -> None:
    post = SlowPost()
    one = scheduler(firm, post)
    wait_until(firm, MORNING - timedelta(seconds=1))
    before = await one.send_if_due()
    wait_until(firm, MORNING)
    outcomes = [await one.send_if_due() for _ in range(3)]
    started_again = await scheduler(firm, post).send_if_due()

    assert before is None
    assert outcomes == [DailyOutcome.SENT, None, None]
    assert started_again is None
    assert [letter.sent_to for letter in post.taken] == [TO]


async def test_of_many_schedulers_on_one_database_one_sends(firm: Firm, tmp_path: Path) -> None:
    """If this fails: is the digest kept for one process alone before it leaves?"""
    post = SlowPost()
    wait_until(firm, MORNING)
    beside = SqlStore(f"sqlite:///{tmp_path / 'books.db'}", clock=firm.clock)
    async with Runway.open(store=beside, rails=[MemoryRailFactory()], clock=firm.clock) as other:
        many = [scheduler(firm, post, runway) for runway in (firm.runway, other) for _ in range(4)]
        outcomes = await asyncio.gather(*(one.send_if_due() for one in many))
        later = await asyncio.gather(*(one.send_if_due() for one in many))

    assert outcomes.count(DailyOutcome.SENT) == 1
    assert set(outcomes) <= {DailyOutcome.SENT, DailyOutcome.LEFT_TO_ANOTHER, None}
    assert set(later) == {None}
    assert len(post.taken) == 1


async def test_what_a_scheduler_that_died_had_begun_is_sent_by_another_as_the_same_message(firm: Firm) -> None:
    post = SlowPost(fails=OutcomeUnknown("no answer", rail="mail"))
    wait_until(firm, MORNING)
    with pytest.raises(OutcomeUnknown):
        await scheduler(firm, post).send_if_due()
    held = await firm.runway.firm_digests.of_day(MORNING.date())
    post.fails = None
    at_once = await scheduler(firm, post).send_if_due()
    firm.clock.advance(timedelta(minutes=15))
    later = await scheduler(firm, post).send_if_due()

    assert held is not None
    assert held.delivery is Delivery.INTENDED
    assert (at_once, later) == (DailyOutcome.LEFT_TO_ANOTHER, DailyOutcome.SENT)
    assert [(letter.paper_id, letter.text) for letter in post.taken] == [(held.paper_id, held.text)]


async def test_a_mail_that_is_refused_is_tried_again_a_quarter_of_an_hour_later(firm: Firm) -> None:
    post = SlowPost(fails=RailRefused("the mail server said 550", rail="mail"))
    wait_until(firm, MORNING)
    one = scheduler(firm, post)
    with pytest.raises(RailRefused):
        await one.send_if_due()
    post.fails = None
    outcomes = []
    for _ in range(15):
        firm.clock.advance(timedelta(minutes=1))
        outcomes.append(await one.send_if_due())

    assert outcomes == [DailyOutcome.LEFT_TO_ANOTHER] * 14 + [DailyOutcome.SENT]


@pytest.mark.parametrize("works", [True, False], ids=["embedded", "a scheduler beside workers"])
async def test_every_engine_that_plans_sends_it_and_no_mere_worker(firm: Firm, works: bool) -> None:
    post = SlowPost()
    wait_until(firm, MORNING)
    beats = [scheduler(firm, post).beat()]
    worker = make_engine(firm.runway, AppSettings(), plans=False, more_beats=beats)
    await worker.run_due()
    before = len(post.taken)
    planner = make_engine(firm.runway, AppSettings(), works=works, more_beats=beats)
    await planner.run_due()

    assert (before, len(post.taken)) == (0, 1)


async def test_it_is_off_unless_somebody_is_named_and_says_what_is_missing(firm: Firm) -> None:
    server = {"smtp_url": SecretStr("smtp://127.0.0.1:2525"), "mail_from": "runway@firm.example"}
    named = AppSettings(digest_to=TO, **server)  # type: ignore[arg-type]  # names of its own fields

    assert daily_beats(firm.runway, AppSettings(**server)) == ()  # type: ignore[arg-type]  # likewise
    assert [beat.name for beat in daily_beats(firm.runway, named)] == ["daily digest"]
    with pytest.raises(InvalidRequest, match="RUNWAY_SMTP_URL"):
        daily_beats(firm.runway, AppSettings(digest_to=TO))
