"""`/deadletters`: what could not be processed, to be replayed or discarded."""

from fastapi import APIRouter
from runway_core.services.dead_letters import LetterKind
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.api.dead_letters import LetterAct, LetterDecision, act_on_letters
from runway_app_http.ui.company import company_address
from runway_app_http.ui.figures import say_count, say_moment
from runway_app_http.ui.form_values import REFUSALS, check_body, read_actor
from runway_app_http.ui.forms import Said, go_and_say, keep_token, read_form, token_of, what_was_said
from runway_app_http.ui.rendering import render

router = APIRouter()

ADDRESS = "/deadletters"
_DONE = {"replayed": "It runs again now.", "discarded": "It is closed; the reason is in the log."}


@router.get(ADDRESS)
async def show_letters(request: Request, runway: RunwayOfApp) -> Response:
    """The page."""
    return await _page(request, runway)


@router.post(ADDRESS)
async def post_decision(request: Request, runway: RunwayOfApp) -> Response:
    """Replay or discard one letter, then show the page again."""
    fields = await read_form(request)
    body = {"action": fields.get("action", ""), "letter_ids": [fields.get("letter", "")]}
    if body["action"] == LetterAct.DISCARD:
        body["reason"] = fields.get("reason", "")
    try:
        decision = check_body(LetterDecision, body)
        await act_on_letters(runway, decision, actor=read_actor(fields))
    except REFUSALS as refused:
        return await _page(request, runway, refused=str(refused))
    return go_and_say(request, ADDRESS, Said("replayed" if decision.action is LetterAct.REPLAY else "discarded"))


async def _page(request: Request, runway: RunwayOfApp, *, refused: str = "") -> Response:
    said, token = what_was_said(request), token_of(request)
    letters = await runway.dead_letters.list()
    jobs = sum(letter.kind is LetterKind.JOB for letter in letters)
    page = render(
        "dead_letters.html",
        letters=letters,
        headline=f"{say_count(jobs, 'job')} failed for good, {say_count(len(letters) - jobs, 'record')} in quarantine",
        said="" if said is None else _DONE.get(said.act, ""),
        refused=refused,
        form_token=token,
        company_address=company_address,
        read_at=say_moment(runway.scope.clock.now()),
    )
    return keep_token(request, page, token)
