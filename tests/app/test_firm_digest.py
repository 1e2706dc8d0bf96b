"""The firm's daily digest: by exception, once a day, compared with what was told last."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from runway_app_http.digest_sending import DigestSender
from runway_app_http.firm_digest_sending import DailyOutcome, DailySending, send_daily
from runway_app_http.mailer import Letter
from runway_app_http.ui.digest_mail import write_digest_mail
from runway_app_http.ui.firm_digest_mail import write_firm_digest_mail
from runway_core.domain.outlook import Band
from runway_core.domain.position import PositionStatus
from runway_core.domain.sent_digests import Delivery
from runway_core.errors import InvalidRequest, OutcomeUnknown, RailRefused, RunwayError
from runway_core.experiences.firm_digest import find_firm_day
from runway_testkit.sample import sample_company

from tests.app.firm import HOSTILE, Firm

TO = "team@firm.example"


@dataclass
class Post:
    """A mail server that keeps what it took, or fails as it is told to."""

    taken: list[Letter] = field(default_factory=list)
    fails: RunwayError | None = None

    async def send(self, letter: Letter) -> None:
        if self.fails is not None:
            raise self.fails
        self.taken.append(letter)


async def send(firm: Firm, post: Post) -> DailySending:
    sender = DigestSender(firm.runway, post, write_digest_mail)
    return await send_daily(firm.runway, sender, write_firm_digest_mail, to=[TO], actor="ada")


async def test_it_names_what_needs_a_look_and_leaves_out_what_does_not(firm: Firm) -> None:
    post = Post()
    sent = await send(firm, post)
    (letter,) = post.taken
    view = await firm.runway.firm_digest()

    assert (sent.outcome, sent.sent_to) == (DailyOutcome.SENT, (TO,))
    assert letter.subject == f"2 Mar 2026: {sent.named} companies to look at"
    assert "Sample (ada): amber, 32 days" in letter.text
    assert "grey, runway not known" in letter.text  # no bank account: nobody can say how long
    assert "91+" not in letter.text
    assert "2 companies: no digest of their own for a week." in letter.text
    assert "Zebra Unread" not in letter.text
    assert letter.html is not None
    assert HOSTILE not in letter.html
    assert view.quiet == 3 - len(view.named)


async def test_what_was_told_is_not_told_again_unless_it_changed_or_is_due(firm: Firm) -> None:
    post = Post()
    await send(firm, post)
    firm.clock.advance(timedelta(days=1))
    for company in (firm.sample, firm.hostile):
        await firm.runway.positions.recompute(company.company_id)
    view = await firm.runway.firm_digest()
    sample = {one.company_id: one for one in view.named}.get(firm.sample.company_id)

    assert view.compared_with is not None
    assert sample is None or not any("amber" in change for change in sample.changes)


async def test_one_a_day_at_most(firm: Firm) -> None:
    post = Post()
    outcomes = [(await send(firm, post)).outcome for _ in range(3)]

    assert outcomes == [DailyOutcome.SENT, DailyOutcome.SENT_BEFORE, DailyOutcome.SENT_BEFORE]
    assert len(post.taken) == len(await firm.runway.firm_digests.list()) == 1


async def test_the_day_ends_at_the_firm_s_midnight_and_not_at_that_of_utc(firm: Firm) -> None:
    """Three companies in three zones: Chicago comes first, where 2 March ends at six in the morning of 3 March UTC."""
    post = Post()
    first = await send(firm, post)
    midnight = datetime(2026, 3, 3, 6, tzinfo=UTC)
    firm.clock.advance(midnight - timedelta(seconds=1) - firm.clock.now())
    late_in_the_evening = await send(firm, post)
    told_until_then = (await firm.runway.firm_digest()).as_of
    firm.clock.advance(timedelta(seconds=1))
    next_day = (await firm.runway.firm_digest()).as_of

    assert (first.outcome, late_in_the_evening.outcome) == (DailyOutcome.SENT, DailyOutcome.SENT_BEFORE)
    assert (told_until_then, next_day) == (date(2026, 3, 2), date(2026, 3, 3))


@pytest.mark.parametrize(
    ("zones", "hour", "day"),
    [
        (("America/Chicago",), 5, 2),
        (("America/Chicago",), 6, 3),
        (("America/Chicago", "Asia/Tokyo", "Asia/Tokyo"), 5, 3),  # where most are
        (("Asia/Tokyo", "America/Chicago"), 5, 2),  # of equally many the first by name, in whatever order they come
        (("America/Chicago", "Asia/Tokyo"), 5, 2),
        ((), 5, 3),
    ],
)
def test_the_firm_is_where_most_of_its_companies_are(zones: Sequence[str], hour: int, day: int) -> None:
    companies = [sample_company().model_copy(update={"time_zone": zone}) for zone in zones]

    assert find_firm_day(companies, datetime(2026, 3, 3, hour, tzinfo=UTC)) == date(2026, 3, day)


async def test_a_refused_mail_is_kept_so_and_sent_again(firm: Firm) -> None:
    post = Post(fails=RailRefused("the mail server said 550", rail="mail"))
    with pytest.raises(RailRefused):
        await send(firm, post)
    (refused,) = await firm.runway.firm_digests.list()
    post.fails = OutcomeUnknown("no answer", rail="mail")
    with pytest.raises(OutcomeUnknown):
        await send(firm, post)
    (unknown,) = await firm.runway.firm_digests.list()
    post.fails = None
    again = await send(firm, post)

    assert (refused.delivery, unknown.delivery, again.outcome) == (
        Delivery.REFUSED,
        Delivery.INTENDED,
        DailyOutcome.SENT,
    )
    assert [letter.paper_id for letter in post.taken] == ["daily-2026-03-02"]


async def test_a_verdict_a_runway_and_a_band_that_got_worse_are_told(firm: Firm) -> None:
    """Against what was told: better days, a surer figure."""
    await send(firm, Post())
    (kept,) = await firm.runway.firm_digests.list()
    told = [
        one.model_copy(
            update={"status": PositionStatus.GREEN, "runway_days": 60, "band": Band(worst_days=58, best_days=62)}
        )
        if one.company_id == firm.sample.company_id
        else one
        for one in kept.told
    ]
    better = kept.model_copy(update={"told": tuple(told)})
    await firm.runway.firm_digests.note_delivery(better, Delivery.SENT, actor="ada")
    (sample,) = [c for c in (await firm.runway.firm_digest()).named if c.company_id == firm.sample.company_id]

    assert sample.changes[0].startswith("amber, was green: ")
    assert "runway 32 days, 28 fewer than told" in sample.changes
    assert any("was 58–62" in change for change in sample.changes)


async def test_over_the_api(app: FastAPI, client: httpx.AsyncClient, firm: Firm) -> None:
    shown = (await client.get("/v1/digest")).json()
    no_server = await client.post("/v1/digest", json={"to": [TO]})
    post = Post()
    app.state.digest_sender = DigestSender(firm.runway, post, write_digest_mail)
    strange = await client.post("/v1/digest", json={"to": ["nobody"]})
    sent = await client.post("/v1/digest", json={"to": [TO]})
    again = await client.post("/v1/digest", json={"to": [TO]})

    assert shown["named"][0]["name"] in {"Sample", HOSTILE}
    assert [answer.status_code for answer in (no_server, strange, sent, again)] == [422, 422, 200, 200]
    assert [answer.json()["outcome"] for answer in (sent, again)] == ["sent", "sent_before"]


async def test_without_a_mail_server_nothing_is_kept(firm: Firm) -> None:
    sender = DigestSender(firm.runway, None, write_digest_mail)
    with pytest.raises(InvalidRequest, match="no mail server is set"):
        await send_daily(firm.runway, sender, write_firm_digest_mail, to=[TO], actor="ada")

    assert await firm.runway.firm_digests.list() == []


async def test_the_page_shows_what_would_be_sent_and_sends_it(
    app: FastAPI, client: httpx.AsyncClient, firm: Firm
) -> None:
    page = (await client.get("/digest")).text
    token = page.split('name="form_token" value="')[1].split('"')[0]
    refused = await client.post("/digest", data={"form_token": token, "to": TO})
    post = Post()
    app.state.digest_sender = DigestSender(firm.runway, post, write_digest_mail)
    sent = await client.post("/digest", data={"form_token": token, "to": f"{TO}, bo@firm.example", "by": "ada"})
    after = (await client.get("/digest")).text
    await client.post("/digest", data={"form_token": token, "to": TO})
    again = (await client.get("/digest")).text

    assert "companies to look at" in page
    assert HOSTILE not in page
    assert (refused.status_code, sent.status_code) == (422, 303)
    assert "no mail server is set" in refused.text
    assert "team@firm.example, bo@firm.example" in after
    assert "sent already: there is one a day" in again
    assert len(post.taken) == 1
