"""`/across/digests`: the digests of ticked companies, looked over together, then sent, each to its own people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter
from runway_core.domain.identity import CompanyId
from runway_core.domain.sent_digests import Delivery
from runway_core.errors import InvalidRequest, RunwayError
from runway_core.experiences.portfolio import PortfolioRow
from runway_core.experiences.wording import say_days
from runway_core.runway import Runway
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import ForgivingPortfolioParams, RunwayOfApp, SenderOfApp
from runway_app_http.api.views import read_filters
from runway_app_http.digest_sending import DigestSender
from runway_app_http.ui.company import company_address
from runway_app_http.ui.figures import STATUS_SIGNS, say_count, say_day, say_moment
from runway_app_http.ui.form_values import read_actor
from runway_app_http.ui.forms import keep_token, read_boxes, token_of
from runway_app_http.ui.portfolio import portfolio_page
from runway_app_http.ui.rendering import render

router = APIRouter()

MOST_AT_ONCE = 25
"""So many digests are sent by one form: each is computed, kept and handed to the mail server before the answer."""

MOST_FIELDS = 2 * 100 + 20
Boxes = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class DigestLine:
    """The digest of one company before it leaves, or what became of it."""

    company_id: str
    company: str
    href: str
    status: str
    sign: str
    runway: str
    last_sent: str
    to: str  # with commas between, as the person typed it, or as it went the last time
    outcome: str = ""
    is_bad: bool = False


@router.post("/across/digests")
async def post_digests(request: Request, runway: RunwayOfApp, sender: SenderOfApp) -> Response:
    """Show what would be sent to whom, or send it and report on each."""
    boxes = await read_boxes(request, at_most=MOST_FIELDS)
    fields = {name: values[-1] for name, values in boxes.items()}
    try:
        rows = await _choose(runway, boxes, fields)
        lines = [await _lay_out(runway, row, fields) for row in rows]
        is_done = fields.get("step") == "send"
        if is_done:
            note, actor = fields.get("note", "")[:10_000], read_actor(fields)
            lines = [await _send(sender, line, note=note, actor=actor) for line in lines]
    except InvalidRequest as refused:
        filters = read_filters(fields.get("query", "")[:2000], ForgivingPortfolioParams)
        return await portfolio_page(request, runway, filters, refused=str(refused))
    token = token_of(request)
    page = render(
        "across_digests.html",
        status=422 if is_done and all(line.is_bad for line in lines) else 200,
        lines=lines,
        headline=_say(lines, is_done=is_done),
        is_done=is_done,
        note=fields.get("note", ""),
        can_send=sender.can_send,
        read_at=say_moment(runway.scope.clock.now()),
        token=token,
    )
    return keep_token(request, page, token)


async def _choose(runway: Runway, boxes: Boxes, fields: Mapping[str, str]) -> list[PortfolioRow]:
    """The ticked companies, or all that the page showed, in the portfolio's order.

    Raises:
        InvalidRequest: none, or more than are sent at once.
    """
    ticked = frozenset(boxes.get("company", ()))
    filters = read_filters(fields.get("query", "")[:2000], ForgivingPortfolioParams)
    shown = (await runway.portfolio(filters.to_query())).rows if fields.get("all") else await _list_all(runway)
    rows = [row for row in shown if fields.get("all") or row.company_id in ticked]
    if not rows:
        raise InvalidRequest("tick the companies whose digests are meant")
    if len(rows) > MOST_AT_ONCE:
        raise InvalidRequest(f"{len(rows)} companies are meant: at most {MOST_AT_ONCE} digests are sent at once")
    return rows


async def _list_all(runway: Runway) -> Sequence[PortfolioRow]:
    query = ForgivingPortfolioParams().to_query()
    rows: list[PortfolioRow] = []
    while True:
        view = await runway.portfolio(query)
        rows += view.rows
        if view.next_cursor is None:
            return rows
        query = query.model_copy(update={"cursor": view.next_cursor})


async def _lay_out(runway: Runway, row: PortfolioRow, fields: Mapping[str, str]) -> DigestLine:
    typed = fields.get(f"to.{row.company_id}")
    if typed is None:
        last = await runway.digests.list_sent(row.company_id, limit=1)
        typed = ", ".join(last[0].sent_to) if last else ""
    return DigestLine(
        company_id=row.company_id,
        company=row.name,
        href=company_address(row.company_id),
        status=row.status.value,
        sign=STATUS_SIGNS[row.status],
        runway=say_days(row.runway_days) if row.is_runway_known else "not known",
        last_sent="never" if row.last_digest_on is None else say_day(row.last_digest_on, row.as_of),
        to=typed[:2000],
    )


async def _send(sender: DigestSender, line: DigestLine, *, note: str, actor: str) -> DigestLine:
    """Send one; without an address it is left out, and one that fails keeps no other."""
    if not line.to.strip():
        return _became(line, "left out: no address")
    try:
        sent = await sender.send(CompanyId(line.company_id), to=line.to.split(","), note=note, actor=actor)
    except RunwayError as error:
        return _became(line, str(error), is_bad=True)
    return _became(line, "sent" if sent.delivery is Delivery.SENT else sent.delivery.value)


def _became(line: DigestLine, outcome: str, *, is_bad: bool = False) -> DigestLine:
    return replace(line, outcome=outcome, is_bad=is_bad)


def _say(lines: Sequence[DigestLine], *, is_done: bool) -> str:
    if not is_done:
        return f"Send {say_count(len(lines), 'digest')}"
    sent, bad = sum(line.outcome == "sent" for line in lines), sum(line.is_bad for line in lines)
    left = len(lines) - sent - bad
    said = [f"{sent} sent", f"{bad} not sent" if bad else "", f"{left} left out" if left else ""]
    return ", ".join(part for part in said if part)
