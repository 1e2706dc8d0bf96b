"""The page of questions: findings gathered into one message, sent, and the answers brought back to them."""

import re
from collections.abc import Sequence

import httpx
from fastapi import FastAPI
from runway_app_http.digest_sending import DigestSender
from runway_app_http.mailer import Letter
from runway_app_http.ui.digest_mail import write_digest_mail
from runway_core.domain.findings import FindingState
from runway_core.domain.questions import ClientQuestion, QuestionState
from runway_core.errors import RailRefused

from tests.app.firm import HOSTILE, Firm


def base(firm: Firm) -> str:
    return f"/companies/{firm.sample.company_id}/questions"


async def send(client: httpx.AsyncClient, firm: Firm, end: str = "", **fields: str | Sequence[str]) -> httpx.Response:
    page = (await client.get(base(firm))).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    return await client.post(f"{base(firm)}{end}", data={"form_token": token[1], **fields})


async def pick(firm: Firm, count: int) -> list[str]:
    return [tracked.finding_id for tracked in await firm.runway.findings.list(firm.sample.company_id)][:count]


async def draft(client: httpx.AsyncClient, firm: Firm, count: int = 2) -> ClientQuestion:
    kept = await send(client, firm, action="draft", finding=await pick(firm, count), note="A few things.", by="ada")
    assert kept.status_code == 303
    return (await firm.runway.questions.list(firm.sample.company_id))[0]


async def states(firm: Firm, count: int = 2) -> list[tuple[FindingState, str | None]]:
    held = {t.finding_id: t for t in await firm.runway.findings.list(firm.sample.company_id)}
    return [(held[finding].state, held[finding].answer) for finding in await pick(firm, count)]


async def test_ticked_findings_make_a_message_that_is_shown_before_it_is_kept(
    client: httpx.AsyncClient, firm: Firm
) -> None:
    shown = await send(client, firm, action="preview", finding=await pick(firm, 2), note=HOSTILE)

    assert shown.status_code == 200
    assert "These 2 things came up" in shown.text
    assert HOSTILE not in shown.text
    assert shown.text.count('name="finding" value="') - shown.text.count("checked><span") > 0
    assert shown.text.count(" checked><span") == 2
    assert await firm.runway.questions.list(firm.sample.company_id) == []


async def test_a_message_is_drafted_marked_as_sent_answered_and_closed(client: httpx.AsyncClient, firm: Firm) -> None:
    message = await draft(client, firm)
    page = (await client.get(base(firm))).text
    sent = await send(client, firm, f"/{message.paper_id}", action="sent", to="ed@sample.example", version="1")
    asked = await states(firm)
    ids = [item.finding_id for item in message.items]
    half = await send(client, firm, f"/{message.paper_id}", action="answer", finding=ids, answer=["", "a double"])
    between = await states(firm)
    await send(client, firm, f"/{message.paper_id}", action="answer", finding=ids, answer=["due 31 March", ""])
    table = (await client.get(f"{base(firm)}.csv?closed=true")).text
    tray = (await client.get(f"/companies/{firm.sample.company_id}/tray")).text
    (closed,) = await firm.runway.questions.list(firm.sample.company_id, include_closed=True)

    assert [line.split(",")[-2] for line in table.splitlines()[1:]] == ["due 31 March", "a double"]
    assert "mailto:?subject=Sample%3A%202%20questions" in page
    assert (message.changed_by, sent.status_code, half.status_code) == ("ada", 303, 303)
    assert asked == [(FindingState.ASKED, None)] * 2
    assert between == [(FindingState.ASKED, None), (FindingState.OPEN, "a double")]
    assert "<b>Answered:</b> due 31 March" in tray
    assert (closed.state, closed.is_closed) == (QuestionState.ANSWERED, True)


async def test_stopping_to_wait_opens_what_nobody_answered(client: httpx.AsyncClient, firm: Firm) -> None:
    message = await draft(client, firm)
    await send(client, firm, f"/{message.paper_id}", action="sent", to="ed@sample.example")
    await send(client, firm, f"/{message.paper_id}", action="drop")

    assert await states(firm) == [(FindingState.OPEN, None)] * 2


async def test_what_is_refused_is_said_on_the_page(client: httpx.AsyncClient, firm: Firm) -> None:
    nothing = await send(client, firm, action="draft")
    message = await draft(client, firm)
    nobody = await send(client, firm, f"/{message.paper_id}", action="sent", to=" ")
    early = await send(client, firm, f"/{message.paper_id}", action="answer", finding="x", answer="y")
    late = await send(client, firm, f"/{message.paper_id}", action="drop", version="7")
    no_server = await send(client, firm, f"/{message.paper_id}", action="send", to="ed@sample.example")
    senseless = await send(client, firm, f"/{message.paper_id}", action="burn")

    refused = [nothing, nobody, early, late, no_server, senseless]
    assert [answer.status_code for answer in refused] == [422] * 6
    assert "choose 1 to 100 findings" in nothing.text
    assert "to whom it was sent is missing" in nobody.text
    assert "was not sent yet" in early.text
    assert "no mail server is set" in no_server.text
    assert [m.state for m in await firm.runway.questions.list(firm.sample.company_id)] == [QuestionState.DRAFT]


async def test_a_message_is_saved_as_a_mail(client: httpx.AsyncClient, firm: Firm) -> None:
    message = await draft(client, firm)
    saved = await client.get(f"{base(firm)}/{message.paper_id}/message.eml")

    assert saved.headers["content-type"] == "message/rfc822"
    assert "Subject: Sample: 2 questions about your books" in saved.text
    assert "html" not in saved.text


async def test_a_message_is_sent_from_the_page_and_stays_a_draft_when_refused(
    app: FastAPI, client: httpx.AsyncClient, firm: Firm
) -> None:
    taken: list[Letter] = []

    class Post:
        async def send(self, letter: Letter) -> None:
            if "nobody" in letter.sent_to[0]:
                raise RailRefused("the mail server said 550", rail="mail")
            taken.append(letter)

    app.state.digest_sender = DigestSender(firm.runway, Post(), write_digest_mail)
    message = await draft(client, firm)
    refused = await send(client, firm, f"/{message.paper_id}", action="send", to="nobody@sample.example")
    after_refusal = await states(firm)
    sent = await send(client, firm, f"/{message.paper_id}", action="send", to="ed@sample.example")
    (held,) = await firm.runway.questions.list(firm.sample.company_id)

    assert (refused.status_code, sent.status_code) == (422, 303)
    assert after_refusal == [(FindingState.OPEN, None)] * 2
    assert [(letter.sent_to, letter.text) for letter in taken] == [(("ed@sample.example",), message.body)]
    assert (held.state, held.sent_to) == (QuestionState.SENT, "ed@sample.example")
