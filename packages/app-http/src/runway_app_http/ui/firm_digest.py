"""`/digest`: the firm's daily digest as it would be sent now, a form to send it, and what was sent."""

from fastapi import APIRouter
from runway_core.errors import InvalidRequest, NotAllowed, OutcomeUnknown, RailError
from runway_core.runway import Runway
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp, SenderOfApp
from runway_app_http.digest_sending import DigestSender
from runway_app_http.firm_digest_sending import DailyOutcome, send_daily
from runway_app_http.ui.company import company_address, say_act
from runway_app_http.ui.figures import STATUS_SIGNS, say_moment
from runway_app_http.ui.firm_digest_mail import write_firm_digest_mail
from runway_app_http.ui.form_values import read_actor
from runway_app_http.ui.forms import Said, go_and_say, keep_token, read_form, token_of, what_was_said
from runway_app_http.ui.rendering import render

router = APIRouter()

MOST_SHOWN = 30
_SAID = {
    DailyOutcome.SENT: "mailed",
    DailyOutcome.SENT_BEFORE: "dailybefore",
    DailyOutcome.NOTHING_TO_SAY: "dailynothing",
}


@router.get("/digest")
async def show_firm_digest(request: Request, runway: RunwayOfApp, sender: SenderOfApp) -> Response:
    """The digest of today."""
    return await _page(request, runway, sender)


@router.post("/digest")
async def post_firm_digest(request: Request, runway: RunwayOfApp, sender: SenderOfApp) -> Response:
    """Send it: one a day at most, and none when there is nothing to say."""
    fields = await read_form(request)
    to = [address for address in fields.get("to", "").split(",") if address.strip()]
    try:
        sending = await send_daily(runway, sender, write_firm_digest_mail, to=to, actor=read_actor(fields))
    except (InvalidRequest, NotAllowed, RailError, OutcomeUnknown) as refused:
        return await _page(request, runway, sender, refused=str(refused), to=fields.get("to", ""))
    return go_and_say(request, "/digest", Said(_SAID[sending.outcome]))


async def _page(request: Request, runway: Runway, sender: DigestSender, *, refused: str = "", to: str = "") -> Response:
    view = await runway.firm_digest()
    token, said = token_of(request), what_was_said(request)
    try:
        sent = await runway.firm_digests.list(limit=MOST_SHOWN)
    except NotAllowed:  # whoever sees some companies only sees what is to be said of these
        sent = ()
    page = render(
        "firm_digest.html",
        status=422 if refused else 200,
        view=view,
        companies=[(one, company_address(one.company_id)) for one in view.named],
        signs={status.value: sign for status, sign in STATUS_SIGNS.items()},
        sent=sent,
        can_send=sender.can_send,
        token=token,
        said="" if said is None else say_act(said.act),
        read_at=say_moment(view.generated_at),
        refused=refused,
        to=to,
    )
    return keep_token(request, page, token)
