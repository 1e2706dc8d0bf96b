"""`/companies/{id}/questions`: what the client is asked about findings, in one message, and what he answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.domain.questions import ClientQuestion, QuestionState
from runway_core.errors import InvalidRequest, OutcomeUnknown, RailError
from runway_core.runway import Runway
from runway_core.services.questions import MOST_QUESTIONS
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, SenderOfApp, require_id
from runway_app_http.digest_sending import DigestSender
from runway_app_http.following import follow_change
from runway_app_http.mailer import Letter, write_message
from runway_app_http.plain import Plain, to_plain
from runway_app_http.ui.chips import Chip
from runway_app_http.ui.company import company_address, company_page, file_stem, read_heading
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import say_count
from runway_app_http.ui.form_values import REFUSALS, read_actor, read_version
from runway_app_http.ui.forms import Said, go_and_say, read_boxes
from runway_app_http.ui.tray import SEVERITY_SIGNS

router = APIRouter()

TAB = "/questions"
NO_SENDER = "runway@localhost.localdomain"
ASKABLE = frozenset({FindingState.OPEN, FindingState.SNOOZED, FindingState.ASKED})
MOST_FIELDS = 2 * MOST_QUESTIONS + 20

CSV_COLUMNS = (
    "message.paper_id", "message.subject", "message.state", "message.sent_to", "message.sent_at", "message.is_closed",
    "item.finding_id", "item.text", "item.answer", "item.answered_at",
)  # fmt: skip

WithClosed = Annotated[bool, Query(description="Answered and dropped ones too.")]
Boxes = Mapping[str, Sequence[str]]


class QuestionAct(StrEnum):
    """What a form does with a message."""

    SEND = "send"
    SENT = "sent"
    ANSWER = "answer"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a person gathered before anything is kept: ticked findings, his words, and the message they make."""

    finding_ids: frozenset[str] = frozenset()
    subject: str = ""
    note: str = ""
    message: ClientQuestion | None = None


@router.get("/companies/{company_id}/questions")
async def show_questions(
    request: Request,
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    sender: SenderOfApp,
    *,
    closed: WithClosed = False,
    ask: Annotated[list[str] | None, Query(max_length=MOST_QUESTIONS)] = None,
) -> Response:
    """The messages of one company, and the findings that a new one may ask about; `ask` ticks some of them."""
    gathered = Gathered(finding_ids=frozenset(ask or ()))
    return await questions_page(request, runway, company_id, sender=sender, closed=closed, gathered=gathered)


@router.get("/companies/{company_id}/questions.csv")
async def save_questions(company_id: CompanyInPath, runway: RunwayOfApp, closed: WithClosed = False) -> Response:
    """Every question with its answer."""
    view = await read_heading(runway, company_id)
    messages = await runway.questions.list(company_id, include_closed=closed)
    rows: list[Plain] = [
        {"message": to_plain(message), "item": to_plain(item)} for message in messages for item in message.items
    ]
    return csv_answer(CSV_COLUMNS, rows, file_name=f"{file_stem(view)}-questions.csv")


@router.get("/companies/{company_id}/questions/{question_id}/message.eml")
async def save_message(company_id: CompanyInPath, runway: RunwayOfApp, question_id: str) -> Response:
    """One message as a file that mail programs open."""
    message = await runway.questions.get(company_id, require_id(question_id, "question"))
    letter = _as_letter(message, to=())
    return Response(
        bytes(write_message(letter, NO_SENDER)),
        media_type="message/rfc822",
        headers={"Content-Disposition": f'attachment; filename="questions-{message.changed_at:%Y-%m-%d}.eml"'},
    )


@router.post("/companies/{company_id}/questions")
async def post_question(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, sender: SenderOfApp
) -> Response:
    """Show the message that ticked findings make, or keep it as a draft."""
    boxes = await read_boxes(request, at_most=MOST_FIELDS)
    subject, note = _last(boxes, "subject"), _last(boxes, "note")
    ticked = tuple(boxes.get("finding", ()))
    gathered = Gathered(frozenset(ticked), subject, note)
    questions, actor = runway.questions, read_actor({"by": _last(boxes, "by")})
    make = questions.draft if _last(boxes, "action") == "draft" else questions.preview
    try:
        message = await make(company_id, ticked, actor=actor, subject=subject.strip() or None, note=note)
    except REFUSALS as refused:
        return await questions_page(request, runway, company_id, sender=sender, gathered=gathered, refused=str(refused))
    if message.version:
        return go_and_say(request, f"{company_address(company_id)}{TAB}#messages", Said("drafted"))
    shown = Gathered(frozenset(ticked), subject, note, message)
    return await questions_page(request, runway, company_id, sender=sender, gathered=shown)


@router.post("/companies/{company_id}/questions/{question_id}")
async def post_act(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, sender: SenderOfApp, *, question_id: str
) -> Response:
    """Send a message, say that it was sent, record answers, or drop it; then show the page again."""
    boxes = await read_boxes(request, at_most=MOST_FIELDS)
    paper_id = require_id(question_id, "question")
    fields = {name: values[-1] for name, values in boxes.items()}
    try:
        done = await _take_step(runway, company_id, paper_id, sender=sender, fields=fields, boxes=boxes)
    except (*REFUSALS, RailError, OutcomeUnknown) as refused:
        return await questions_page(request, runway, company_id, sender=sender, refused=str(refused))
    await follow_change(runway, company_id)
    return go_and_say(request, f"{company_address(company_id)}{TAB}#messages", Said(done))


async def _take_step(
    runway: Runway,
    company_id: CompanyId,
    question_id: str,
    *,
    sender: DigestSender,
    fields: Mapping[str, str],
    boxes: Boxes,
) -> str:
    questions, actor, version = runway.questions, read_actor(fields), read_version(fields)
    try:
        wanted = QuestionAct(fields.get("action", ""))
    except ValueError as error:
        await questions.get(company_id, question_id)
        raise InvalidRequest("say what is to be done: send, sent, answer or drop") from error
    match wanted:
        case QuestionAct.SEND:
            message = await questions.get(company_id, question_id)
            to = [address for address in fields.get("to", "").split(",") if address.strip()]
            letter = _as_letter(message, to=sender.check(to))
            await sender.deliver(letter)
            await questions.mark_sent(
                company_id, question_id, sent_to=", ".join(letter.sent_to), actor=actor, version=version
            )
            return "sent"
        case QuestionAct.SENT:
            await questions.mark_sent(
                company_id, question_id, sent_to=fields.get("to", ""), actor=actor, version=version
            )
            return "sent"
        case QuestionAct.ANSWER:
            said = {
                finding_id: text
                for finding_id, text in zip(boxes.get("finding", ()), boxes.get("answer", ()), strict=False)
                if text.strip()
            }
            await questions.answer(company_id, question_id, said, actor=actor, version=version)
            return "answered"
        case QuestionAct.DROP:
            await questions.drop(company_id, question_id, actor=actor, version=version)
            return "ended"


def _as_letter(message: ClientQuestion, *, to: Sequence[str]) -> Letter:
    return Letter(
        paper_id=message.paper_id,
        subject=message.subject,
        text=message.body,
        html=None,
        sent_to=tuple(to),
        sent_at=message.changed_at,
    )


def _last(boxes: Boxes, name: str) -> str:
    return boxes.get(name, ("",))[-1]


def _mail_link(message: ClientQuestion) -> str:
    """A link that opens the reader's own mail program with the message in it."""
    words = {"subject": message.subject, "body": message.body.replace("\n", "\r\n")}
    return f"mailto:?{urlencode(words, quote_via=quote)}"


def _say_standing(messages: Sequence[ClientQuestion]) -> str:
    drafts = sum(m.state is QuestionState.DRAFT and not m.is_closed for m in messages)
    waiting = sum(m.state is QuestionState.SENT and not m.is_closed for m in messages)
    told = [f"{say_count(drafts, 'draft')} to send"] if drafts else []
    told += [f"{say_count(waiting, 'message')} without an answer"] if waiting else []
    return "; ".join(told) or "No question is out"


async def questions_page(
    request: Request,
    runway: Runway,
    company_id: CompanyId,
    *,
    sender: DigestSender,
    closed: bool = False,
    gathered: Gathered | None = None,
    refused: str = "",
) -> Response:
    """Lay the page out; `refused` says why the act before was not done."""
    view = await read_heading(runway, company_id)
    messages = await runway.questions.list(company_id, include_closed=closed)
    findings: Sequence[TrackedFinding] = await runway.findings.list(company_id, states=ASKABLE)
    base = company_address(company_id)
    values = {
        "headline": _say_standing(messages),
        "messages": [(message, _mail_link(message)) for message in messages],
        "findings": findings,
        "gathered": gathered or Gathered(),
        "can_send": sender.can_send,
        "signs": {severity.value: sign for severity, sign in SEVERITY_SIGNS.items()},
        "shown": [Chip("Waiting", f"{base}{TAB}", not closed), Chip("Closed too", f"{base}{TAB}?closed=true", closed)],
        "csv_href": f"{base}{TAB}.csv{'?closed=true' if closed else ''}",
        "refused": refused,
    }
    return company_page(request, "questions.html", view, tab=TAB, status=422 if refused else 200, values=values)
