"""`/v1/companies/{id}/questions`: what the client is asked about findings, and the answers."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.questions import ClientQuestion
from runway_core.experiences.view import CompanyHeading, View
from runway_core.services.questions import MOST_QUESTIONS
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.versions import IfMatch, tag_of

router = APIRouter(prefix="/companies/{company_id}/questions", tags=["questions"])

_FINDING = "9f1c0a7be2d34f5a6b7c"


class QuestionOrder(BaseModel):
    """The findings to ask about in one message."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"finding_ids": [_FINDING]}})

    finding_ids: list[str] = Field(min_length=1, max_length=MOST_QUESTIONS)
    subject: str | None = Field(None, max_length=200, description="Worded from the company's name when absent.")
    note: str = Field("", max_length=2000, description="Stands above the questions.")


class SentNote(BaseModel):
    """To whom a message went."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"sent_to": "ed@acme.example"}})

    sent_to: str = Field(max_length=200)


class AnswerBody(BaseModel):
    """The answer to one question."""

    model_config = ConfigDict(extra="forbid")

    finding_id: str = Field(max_length=128)
    text: str = Field(max_length=4000)


class AnswersBody(BaseModel):
    """What the client said."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"answers": [{"finding_id": _FINDING, "text": "due 31 March"}]}}
    )

    answers: list[AnswerBody] = Field(min_length=1, max_length=MOST_QUESTIONS)


class QuestionList(View):
    """One page of messages, the last changed first."""

    company: CompanyHeading
    items: tuple[ClientQuestion, ...]
    has_more: bool
    next_cursor: str | None


@router.get("", response_model=QuestionList)
async def list_questions(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    include_closed: Annotated[bool, Query(description="Answered and dropped ones too.")] = False,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """The messages of a company that wait to be sent or answered, the last changed first."""
    company = await runway.companies.get(company_id)
    found = await runway.questions.list(company_id, include_closed=include_closed)
    page, next_cursor = cut_page(
        found, lambda m: (-to_microseconds(m.changed_at), m.paper_id), limit=limit, cursor=cursor
    )
    return answer(
        QuestionList(
            company=CompanyHeading.of(company),
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@router.post("", response_model=ClientQuestion)
async def draft_question(
    company_id: CompanyInPath, runway: RunwayOfApp, *, order: QuestionOrder, actor: ApiActor
) -> Response:
    """Keep a message as a draft; its findings stay as they are until it is sent."""
    message = await runway.questions.draft(
        company_id, order.finding_ids, subject=order.subject, note=order.note, actor=actor
    )
    return answer(message, headers=tag_of(message))


@router.post("/preview", response_model=ClientQuestion)
async def preview_question(company_id: CompanyInPath, runway: RunwayOfApp, *, order: QuestionOrder) -> Response:
    """The message as it would be, with date, amount and vendor in each question. Nothing is kept."""
    return answer(
        await runway.questions.preview(
            company_id, order.finding_ids, subject=order.subject, note=order.note, actor="api"
        )
    )


@router.get("/{question_id}", response_model=ClientQuestion)
async def read_question(company_id: CompanyInPath, runway: RunwayOfApp, *, question_id: str) -> Response:
    """One message with its questions and answers."""
    message = await runway.questions.get(company_id, require_id(question_id, "question"))
    return answer(message, headers=tag_of(message))


@router.post("/{question_id}/sent", response_model=ClientQuestion)
async def mark_question_sent(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    question_id: str,
    note: SentNote,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Say that a message went out: its findings are asked from now on."""
    message = await runway.questions.mark_sent(
        company_id,
        require_id(question_id, "question"),
        sent_to=note.sent_to,
        actor=actor,
        version=if_match,
    )
    return answer(message, headers=tag_of(message))


@router.post("/{question_id}/answers", response_model=ClientQuestion)
async def record_answers(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    question_id: str,
    body: AnswersBody,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Record what the client said: asked findings are open again and carry the answer."""
    message = await runway.questions.answer(
        company_id,
        require_id(question_id, "question"),
        {one.finding_id: one.text for one in body.answers},
        actor=actor,
        version=if_match,
    )
    return answer(message, headers=tag_of(message))


@router.post("/{question_id}/drop", response_model=ClientQuestion)
async def drop_question(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    question_id: str,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Drop a message, or give up waiting for its answers: findings that it asked about are open again."""
    message = await runway.questions.drop(
        company_id, require_id(question_id, "question"), actor=actor, version=if_match
    )
    return answer(message, headers=tag_of(message))
