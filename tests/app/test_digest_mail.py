"""The digest by mail: one message from the model of the page, kept before it leaves, sent to a real mail server."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr
from runway_app_http.digest_sending import DigestSender
from runway_app_http.mailer import Letter, Mailer, SmtpMailer, check_address
from runway_app_http.ui.digest_mail import write_digest_mail
from runway_app_http.web import create_app
from runway_core.domain.sent_digests import Delivery, SentDigest
from runway_core.errors import InvalidRequest, OutcomeUnknown, RailRefused

from tests.app.firm import HOSTILE, Firm

TO = "bo@sample.example"
LARGEST_MAIL = 100_000  # mail programs cut longer ones


@dataclass
class Office:
    """A mail server that keeps what it took, and refuses whom it is told to."""

    taken: list[EmailMessage] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if address in self.refused:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        del server, session
        assert isinstance(envelope.content, bytes)
        message = BytesParser(policy=policy.default).parsebytes(envelope.content)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        return "250 taken"


@pytest.fixture
def office(unused_tcp_port: int) -> Iterator[tuple[Office, SmtpMailer]]:
    office = Office()
    controller = Controller(office, hostname="127.0.0.1", port=unused_tcp_port)
    controller.start()
    try:
        yield office, SmtpMailer(SecretStr(f"smtp://127.0.0.1:{unused_tcp_port}"), "Ada Firm <ada@firm.example>")
    finally:
        controller.stop()


@pytest.fixture
async def desk(firm: Firm, office: tuple[Office, SmtpMailer]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(firm.runway, manages_runway=False, mailer=office[1]))
    async with httpx.AsyncClient(transport=transport, base_url="http://runway.test") as client:
        yield client


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert isinstance(part, EmailMessage)
    content: str = part.get_content()
    return content.replace("\r\n", "\n").strip()


def sender_of(firm: Firm, mailer: Mailer) -> DigestSender:
    return DigestSender(firm.runway, mailer, write_digest_mail)


async def sent_of(firm: Firm) -> list[SentDigest]:
    return list(await firm.runway.digests.list_sent(firm.sample.company_id))


async def test_a_digest_goes_out_in_html_and_plain_text_and_is_kept_as_it_was_sent(
    firm: Firm, office: tuple[Office, SmtpMailer]
) -> None:
    server, mailer = office
    sent = await sender_of(firm, mailer).send(firm.sample.company_id, to=[TO], note="Dear Bo", actor="ada")
    (message,) = server.taken
    text, html = message.get_body(("plain",)), message.get_body(("html",))

    assert (message["Subject"], message["To"], message["From"]) == (sent.subject, TO, "Ada Firm <ada@firm.example>")
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n").strip() == sent.text.strip()
    assert html.get_content().replace("\r\n", "\n").strip() == sent.html.strip()
    assert "Dear Bo" in sent.text
    assert await sent_of(firm) == [sent]
    assert (sent.delivery, sent.changed_by, sent.version) == (Delivery.SENT, "ada", 2)


async def test_sending_it_twice_sends_it_once(firm: Firm, office: tuple[Office, SmtpMailer]) -> None:
    server, mailer = office
    first = await sender_of(firm, mailer).send(firm.sample.company_id, to=[TO], note="", actor="ada")
    again = await sender_of(firm, mailer).send(firm.sample.company_id, to=[TO], note="", actor="ada")
    other = await sender_of(firm, mailer).send(firm.sample.company_id, to=[TO], note="And rent?", actor="ada")

    assert again == first
    assert len(server.taken) == 2
    assert len({str(message["Message-ID"]) for message in server.taken}) == 2
    assert other.paper_id != first.paper_id


async def test_one_that_was_cut_off_goes_out_again_under_its_own_id(
    firm: Firm, office: tuple[Office, SmtpMailer]
) -> None:
    """Killed behind the keeping, nobody knows whether it left: mail programs know a second copy by its id."""
    server, mailer = office
    company_id = firm.sample.company_id
    kept = await firm.runway.digests.keep(
        await sender_of(firm, mailer).prepare(company_id, to=[TO]), company_id, actor="ada"
    )
    await mailer.send(Letter.of(kept))
    assert [one.delivery for one in await sent_of(firm)] == [Delivery.INTENDED]
    sent = await sender_of(firm, mailer).send(company_id, to=[TO], note="", actor="ada")

    assert (sent.paper_id, sent.delivery) == (kept.paper_id, Delivery.SENT)
    assert len({str(message["Message-ID"]) for message in server.taken}) == 1


async def test_a_refused_one_says_so_and_can_be_sent_when_the_server_takes_it(
    firm: Firm, office: tuple[Office, SmtpMailer]
) -> None:
    server, mailer = office
    server.refused.add(TO)
    with pytest.raises(RailRefused, match="refused"):
        await sender_of(firm, mailer).send(firm.sample.company_id, to=[TO], note="", actor="ada")
    assert [one.delivery for one in await sent_of(firm)] == [Delivery.REFUSED]
    server.refused.clear()
    sent = await sender_of(firm, mailer).send(firm.sample.company_id, to=[TO], note="", actor="ada")

    assert [one.delivery for one in await sent_of(firm)] == [Delivery.SENT]
    assert (sent.error, len(server.taken)) == (None, 1)


async def test_a_server_that_is_not_there_took_nothing(firm: Firm, unused_tcp_port: int) -> None:
    mailer = SmtpMailer(SecretStr(f"smtp://u:hunter2@127.0.0.1:{unused_tcp_port}"), "ada@firm.example")
    with pytest.raises(RailRefused, match="cannot be reached") as caught:
        await sender_of(firm, mailer).send(firm.sample.company_id, to=[TO], note="", actor="ada")

    (kept,) = await sent_of(firm)
    assert kept.delivery is Delivery.REFUSED
    assert "hunter2" not in f"{caught.value} {kept.error} {mailer!r}"


async def test_a_server_that_falls_silent_leaves_it_unknown(firm: Firm) -> None:
    class Silent:
        async def send(self, letter: Letter) -> None:
            raise OutcomeUnknown(f"no answer about {letter.paper_id}", rail="mail")

    with pytest.raises(OutcomeUnknown):
        await sender_of(firm, Silent()).send(firm.sample.company_id, to=[TO], note="", actor="ada")
    (kept,) = await sent_of(firm)

    assert (kept.delivery, kept.error is not None) == (Delivery.INTENDED, True)


async def test_the_next_digest_tells_what_changed_since_the_one_that_was_sent(
    firm: Firm, office: tuple[Office, SmtpMailer]
) -> None:
    company_id = firm.sample.company_id
    first = await firm.runway.digest(company_id)
    await sender_of(firm, office[1]).send(company_id, to=[TO], note="", actor="ada")
    firm.clock.advance(timedelta(days=1))
    next_day = await firm.runway.digest(company_id)

    await firm.runway.positions.recompute_due()
    rows = {row.company_id: row for row in (await firm.runway.portfolio()).rows}

    assert first.change is None
    assert rows[company_id].last_digest_on == first.as_of
    assert next_day.change is not None
    assert (next_day.change.since, next_day.change.before) == (first.as_of, first.cash.opening)


async def test_the_same_digest_gives_the_same_bytes_small_and_without_script(firm: Firm) -> None:
    view = await firm.runway.digest(firm.sample.company_id)
    mail, again = write_digest_mail(view, "Hello"), write_digest_mail(view, "Hello")

    assert mail == again
    assert len(mail.html.encode()) < LARGEST_MAIL
    assert not any(word in mail.html for word in ("<script", "<img", "http://", "https://", "<style"))
    assert all(figure in mail.html and figure in mail.text for figure in ("51,200.00 USD", view.verdict))


async def test_hostile_names_are_text_in_both_forms(firm: Firm) -> None:
    mail = write_digest_mail(await firm.runway.digest(firm.hostile.company_id), HOSTILE)

    assert "<script" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert HOSTILE in mail.text


async def test_the_api_sends_and_lists(desk: httpx.AsyncClient, firm: Firm, office: tuple[Office, SmtpMailer]) -> None:
    path = f"/v1/companies/{firm.sample.company_id}/digests"
    sent = await desk.post(path, json={"to": [TO], "note": "Dear Bo"})
    listed = (await desk.get(path)).json()
    one = (await desk.get(f"{path}/{sent.json()['digest_id']}")).json()

    assert (sent.status_code, sent.json()["delivery"]) == (200, "sent")
    assert listed["items"] == [sent.json()]
    assert one["html"].strip() == html_of(office[0].taken[0])
    assert (await desk.post(path, json={"to": ["nobody"]})).status_code == 422
    foreign = f"/v1/companies/{firm.foreign.company_id}/digests"
    assert [(await desk.get(foreign)).status_code, (await desk.post(foreign, json={"to": [TO]})).status_code] == [
        404,
        404,
    ]


async def test_the_page_shows_the_message_and_sends_it(
    desk: httpx.AsyncClient, firm: Firm, office: tuple[Office, SmtpMailer]
) -> None:
    path = f"/companies/{firm.sample.company_id}/digest/mail"
    page = await desk.get(path)
    token = page.text.split('name="form_token" value="')[1].split('"')[0]
    form = {"form_token": token, "to": TO, "note": "Dear Bo", "action": "preview"}
    looked = await desk.post(path, data=form)
    bad = await desk.post(path, data=form | {"action": "send", "to": "nobody"})
    sent = await desk.post(path, data=form | {"action": "send"})
    after = await desk.get(path)

    assert "Dear Bo" in looked.text
    assert (bad.status_code, "is no mail address" in bad.text) == (422, True)
    assert (sent.status_code, len(office[0].taken)) == (303, 1)
    assert TO in after.text
    assert (await desk.post(path, data={"to": TO, "action": "send"})).status_code == 403


async def test_a_message_shown_as_html_may_do_nothing(desk: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/companies/{firm.sample.company_id}"
    shown = await desk.get(f"{base}/digest/mail.html", params={"note": HOSTILE})
    saved = await desk.get(f"{base}/digest.eml")
    table = await desk.get(f"{base}/digest.csv")

    assert "script" not in shown.headers["content-security-policy"]
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "<script" not in shown.text
    assert BytesParser(policy=policy.default).parsebytes(saved.content)["Subject"].startswith("Sample: ")
    assert table.text.startswith("event.on,event.label,event.amount,cash_after.amount")


async def test_without_a_mail_server_it_says_what_to_set(client: httpx.AsyncClient, firm: Firm) -> None:
    path = f"/v1/companies/{firm.sample.company_id}/digests"
    answer = await client.post(path, json={"to": [TO]})

    assert answer.status_code == 422
    assert "RUNWAY_SMTP_URL" in answer.json()["detail"]
    assert await sent_of(firm) == []


@pytest.mark.parametrize(
    "text", ["", "bo", "bo@", "@x.example", "bo@local", "a@b.example\r\nBcc: c@d.example", "a b@c.d"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        check_address(text)


@pytest.mark.parametrize(
    ("text", "written"), [(" bo@x.example ", "bo@x.example"), ("Bo <bo@x.example>", "Bo <bo@x.example>")]
)
def test_addresses_are_written_plain(text: str, written: str) -> None:
    assert check_address(text) == written


async def post_together(client: httpx.AsyncClient, **fields: str | list[str]) -> httpx.Response:
    token = (await client.get("/")).text.split('name="form_token" value="')[1].split('"')[0]
    return await client.post("/across/digests", data={"form_token": token, **fields})


async def test_digests_of_several_companies_are_looked_over_and_sent_each_to_its_own_people(
    desk: httpx.AsyncClient, firm: Firm, office: tuple[Office, SmtpMailer]
) -> None:
    await sender_of(firm, office[1]).send(firm.sample.company_id, to=[TO], note="", actor="ada")
    sample, hostile, unread = firm.sample.company_id, firm.hostile.company_id, firm.unread.company_id
    look = await post_together(desk, company=[sample, hostile, unread])
    before = len(office[0].taken)
    office[0].refused.add("no@hostile.example")
    to = {f"to.{sample}": TO, f"to.{hostile}": "no@hostile.example", f"to.{unread}": " "}
    done = await post_together(desk, company=[sample, hostile, unread], step="send", note="Dear all,", by="bo", **to)

    assert "Send 3 digests" in look.text
    assert "what has left cannot be taken back" in look.text
    assert f'name="to.{sample}" maxlength="2000" autocomplete="off" inputmode="email" value="{TO}"' in look.text
    assert before == 1
    assert done.status_code == 200
    assert "1 sent, 1 not sent, 1 left out" in done.text
    assert "left out: no address" in done.text
    assert [message["To"] for message in office[0].taken[before:]] == [TO]
    assert "Dear all," in html_of(office[0].taken[-1])


async def test_companies_whose_digest_is_a_week_old_are_filtered(
    desk: httpx.AsyncClient, firm: Firm, office: tuple[Office, SmtpMailer]
) -> None:
    await sender_of(firm, office[1]).send(firm.sample.company_id, to=[TO], note="", actor="ada")
    await firm.runway.recompute(firm.sample.company_id)
    fresh = (await desk.get("/v1/portfolio?no_digest_for_days=7")).json()
    firm.clock.advance(timedelta(days=7))
    await firm.runway.recompute(firm.sample.company_id)
    week_old = (await desk.get("/v1/portfolio?no_digest_for_days=7")).json()

    assert [row["name"] for row in fresh["rows"]] == [HOSTILE]
    assert {row["name"] for row in week_old["rows"]} == {"Sample", HOSTILE}


async def test_sending_digests_together_has_its_bounds(desk: httpx.AsyncClient, firm: Firm) -> None:
    nobody = await post_together(desk)
    for number in range(24):
        await firm.runway.companies.add(f"More {number}", home_currency="USD", time_zone="UTC")
    too_many = await post_together(desk, all="true", query="")
    some = await post_together(desk, all="true", query="owner=ada")

    assert (nobody.status_code, "tick the companies" in nobody.text) == (422, True)
    assert (too_many.status_code, "at most 25 digests" in too_many.text) == (422, True)
    assert "Send 1 digest<" in some.text


async def test_whom_a_digest_went_to_is_not_asked_twice(
    desk: httpx.AsyncClient, firm: Firm, office: tuple[Office, SmtpMailer]
) -> None:
    address = f"/companies/{firm.sample.company_id}/digest/mail"
    first = (await desk.get(address)).text
    await sender_of(firm, office[1]).send(firm.sample.company_id, to=[TO], note="", actor="ada")

    assert 'name="to" value=""' in first
    assert f'name="to" value="{TO}"' in (await desk.get(address)).text
