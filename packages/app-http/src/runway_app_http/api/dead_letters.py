"""`/v1/deadletters`: what could not be processed; jobs are replayed once their cause is mended, or discarded."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import to_microseconds
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import View
from runway_core.runway import Runway
from runway_core.services.dead_letters import DeadLetter
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.chains import ChainLink

router = APIRouter(prefix="/deadletters", tags=["dead letters"])


class DeadLetterList(View):
    """One page of what could not be processed, by its first time, the latest first."""

    total: int
    items: tuple[DeadLetter, ...]
    has_more: bool
    next_cursor: str | None


class DeadLetterDetail(View):
    """A dead letter with the chain of causes that it stands in."""

    letter: DeadLetter
    chain: tuple[ChainLink, ...]


class LetterAct(StrEnum):
    """What may be done with dead jobs."""

    REPLAY = "replay"
    DISCARD = "discard"


class LetterDecision(BaseModel):
    """What is to be done with which."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: LetterAct
    letter_ids: Annotated[list[str], Field(min_length=1, max_length=100)]
    reason: str | None = None  # of a discard


class LettersDone(View):
    """Which of the letters were dead, and are not any more."""

    action: LetterAct
    letter_ids: tuple[str, ...]


@router.get("", response_model=DeadLetterList)
async def list_letters(
    runway: RunwayOfApp,
    *,
    company_id: Annotated[str | None, Query(description="Of one company.")] = None,
    rail: Annotated[str | None, Query(description="Of one rail.", max_length=64)] = None,
    error_code: Annotated[str | None, Query(description="Of one error.", max_length=64)] = None,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """Jobs that failed for good, and records in quarantine."""
    wanted = None if company_id is None else CompanyId(require_id(company_id, "company"))
    found = await runway.dead_letters.list(company_id=wanted, rail=rail, error_code=error_code)
    page, next_cursor = cut_page(
        found,
        lambda letter: (-to_microseconds(letter.first_seen_at), letter.letter_id),
        limit=limit,
        cursor=cursor,
    )
    return answer(
        DeadLetterList(total=len(found), items=tuple(page), has_more=next_cursor is not None, next_cursor=next_cursor)
    )


@router.get("/{letter_id}", response_model=DeadLetterDetail)
async def read_letter(runway: RunwayOfApp, letter_id: str) -> Response:
    """One job that failed for good, with what led to it."""
    return answer(await read_detail(runway, letter_id))


@router.post("", response_model=LettersDone)
async def decide_letters(runway: RunwayOfApp, decision: LetterDecision, actor: ApiActor) -> Response:
    """Replay or discard dead jobs, all of them or none. Those that are not dead any more are left alone."""
    return answer(await act_on_letters(runway, decision, actor=actor))


async def read_detail(runway: Runway, letter_id: str) -> DeadLetterDetail:
    """A letter and its chain.

    Raises:
        NotFound: no such job in this firm.
    """
    letter = await runway.dead_letters.get(require_id(letter_id, "dead letter"))
    chain = await runway.dead_letters.chain(letter.correlation_id)
    return DeadLetterDetail(letter=letter, chain=tuple(ChainLink.of(job) for job in chain))


async def act_on_letters(runway: Runway, decision: LetterDecision, *, actor: str) -> LettersDone:
    """Do what was decided.

    Raises:
        NotFound: a letter that is not in this firm.
        InvalidRequest: a discard without a reason.
    """
    ids = [require_id(letter_id, "dead letter") for letter_id in decision.letter_ids]
    if decision.action is LetterAct.REPLAY:
        if decision.reason is not None:
            raise InvalidRequest("a replay takes no reason: leave it out")
        done = await runway.dead_letters.replay(ids, actor=actor)
    else:
        done = await runway.dead_letters.discard(ids, reason=decision.reason or "", actor=actor)
    return LettersDone(action=decision.action, letter_ids=tuple(done))
