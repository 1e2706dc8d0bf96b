"""`/across`: one act on many companies, looked at before it is done, reported part by part, and taken back once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fastapi import APIRouter
from runway_core.domain.across import AcrossAct, AcrossKind, AcrossOutcome
from runway_core.domain.identity import CompanyId
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from runway_core.services.across import MOST_AT_ONCE, AcrossPlan, AcrossWish
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import ForgivingPortfolioParams, RunwayOfApp, require_id
from runway_app_http.api.views import read_filters
from runway_app_http.ui.company import company_address, say_act
from runway_app_http.ui.figures import say_count, say_moment
from runway_app_http.ui.firm_tray import firm_tray_page
from runway_app_http.ui.form_values import REFUSALS, read_actor, read_day, read_version
from runway_app_http.ui.forms import Said, go_and_say, keep_token, read_boxes, token_of, what_was_said
from runway_app_http.ui.portfolio import portfolio_page
from runway_app_http.ui.rendering import render

router = APIRouter()

MOST_LISTED = 50
MOST_FIELDS = MOST_AT_ONCE + 20
Boxes = Mapping[str, Sequence[str]]

_OUTCOMES = {
    AcrossOutcome.INTENDED: "not known: it was cut off",
    AcrossOutcome.DONE: "done",
    AcrossOutcome.REFUSED: "refused",
    AcrossOutcome.UNDONE: "put back",
    AcrossOutcome.KEPT: "changed since, so left as it is",
}


@dataclass(frozen=True, slots=True)
class DoneLine:
    """One part of an act, in words."""

    company: str
    href: str
    finding_id: str
    before: str
    after: str
    outcome: str
    error: str


@router.post("/across")
async def post_across(request: Request, runway: RunwayOfApp) -> Response:
    """Show what ticked companies or findings would be, or do what was shown."""
    boxes = await read_boxes(request, at_most=MOST_FIELDS)
    fields = {name: values[-1] for name, values in boxes.items()}
    try:
        wish = await _read_wish(runway, boxes, fields)
        if fields.get("step") == "do":
            act = await runway.across.do(wish, seal=fields.get("seal", ""), actor=read_actor(fields))
            return go_and_say(request, f"/across/{act.paper_id}", Said("across"))
        plan = await runway.across.plan(wish)
    except REFUSALS as refused:
        return await _show_again(request, runway, fields, str(refused))
    token = token_of(request)
    page = render(
        "across.html",
        plan=plan,
        wish=wish,
        headline=say_plan(plan),
        lines=[(part, company_address(part.company.company_id)) for part in plan.parts],
        back=_place_of(wish.act, wish.check),
        read_at=say_moment(runway.scope.clock.now()),
        token=token,
    )
    return keep_token(request, page, token)


@router.get("/across")
async def list_across(runway: RunwayOfApp) -> Response:
    """The last acts, so that whoever left the report finds the way back to undo."""
    acts = await runway.across.list(limit=MOST_LISTED)
    return render(
        "across_list.html",
        acts=[(act, _name_act(act), say_moment(act.begun_at), say_done(act)) for act in acts],
        read_at=say_moment(runway.scope.clock.now()),
    )


@router.get("/across/{act_id}")
async def show_across(request: Request, runway: RunwayOfApp, *, act_id: str) -> Response:
    """What became of each part, and the button that puts back what stood before."""
    return await _act_page(request, runway, act_id)


@router.post("/across/{act_id}/undo")
async def undo_across(request: Request, runway: RunwayOfApp, *, act_id: str) -> Response:
    """Put back what stood before, once."""
    fields = {name: values[-1] for name, values in (await read_boxes(request, at_most=20)).items()}
    wanted = require_id(act_id, "act across companies")
    try:
        act = await runway.across.undo(wanted, actor=read_actor(fields), version=read_version(fields))
    except REFUSALS as refused:
        return await _act_page(request, runway, wanted, refused=str(refused))
    return go_and_say(request, f"/across/{act.paper_id}", Said("acrossundone"))


async def _read_wish(runway: Runway, boxes: Boxes, fields: Mapping[str, str]) -> AcrossWish:
    """What the form asks.

    Raises:
        InvalidRequest: an act that there is not, or a day that is none.
    """
    if fields.get("act") not in set(AcrossKind):
        raise InvalidRequest("say what is to be done")
    until: date | None = read_day(fields["until"]) if fields.get("until") else None
    wish = AcrossWish(
        act=AcrossKind(fields["act"]),
        company_ids=tuple(CompanyId(company_id) for company_id in boxes.get("company", ())),
        check=fields.get("check", "")[:20],
        finding_ids=tuple(boxes.get("finding", ())),
        owner=fields.get("owner", ""),
        reason=fields.get("reason", "").strip()[:2000],
        until=until,
    )
    return await _choose_all(runway, wish, fields) if fields.get("all") else wish


async def _choose_all(runway: Runway, wish: AcrossWish, fields: Mapping[str, str]) -> AcrossWish:
    """All that the page showed: its filters are read again."""
    if wish.act is AcrossKind.ASSIGN:
        filters = read_filters(fields.get("query", "")[:2000], ForgivingPortfolioParams)
        rows = (await runway.portfolio(filters.to_query())).rows
        return replace(wish, company_ids=tuple(row.company_id for row in rows))
    items = (await runway.firm_tray(wish.check)).items[:MOST_AT_ONCE]
    return replace(wish, finding_ids=tuple(item.tracked.finding_id for item in items))


async def _show_again(request: Request, runway: Runway, fields: Mapping[str, str], refused: str) -> Response:
    """The page that the form stood on, with why it was not done."""
    if fields.get("check"):
        return await firm_tray_page(request, runway, check=fields["check"][:20], refused=refused)
    filters = read_filters(fields.get("query", "")[:2000], ForgivingPortfolioParams)
    return await portfolio_page(request, runway, filters, refused=refused)


async def _act_page(request: Request, runway: Runway, act_id: str, *, refused: str = "") -> Response:
    act = await runway.across.get(require_id(act_id, "act across companies"))
    names = {company.company_id: company.name for company in await runway.companies.list()}
    token, said = token_of(request), what_was_said(request)
    page = render(
        "across_done.html",
        status=422 if refused else 200,
        act=act,
        headline=say_done(act),
        lines=_lay_out_items(act, names),
        back=_place_of(act.act, ""),
        read_at=say_moment(act.begun_at),
        token=token,
        said="" if said is None else say_act(said.act),
        refused=refused,
    )
    return keep_token(request, page, token)


def _lay_out_items(act: AcrossAct, names: Mapping[CompanyId, str]) -> list[DoneLine]:
    return [
        DoneLine(
            company=names.get(item.company_id, item.company_id),
            href=company_address(item.company_id),
            finding_id=item.finding_id or "",
            before=item.before or "nobody",
            after=act.after or "nobody",
            outcome=_OUTCOMES[item.outcome],
            error=item.error,
        )
        for item in act.items
    ]


def say_plan(plan: AcrossPlan) -> str:
    """What would be done, verb first: "Accept 12 findings at 5 companies"."""
    ready = plan.ready
    companies = say_count(len({part.company.company_id for part in ready}), "company", "companies")
    if plan.wish.act is AcrossKind.ASSIGN:
        owner = plan.parts[0].after if plan.parts else ""
        return f"Assign {companies} to {owner}" if owner else f"Leave {companies} without an owner"
    findings = say_count(len(ready), "finding")
    verb = {AcrossKind.ACCEPT: "Accept", AcrossKind.SNOOZE: "Snooze", AcrossKind.ASK: "Mark as asked"}[plan.wish.act]
    until = f" until {plan.wish.until}" if plan.wish.act is AcrossKind.SNOOZE else ""
    return f"{verb}: {findings} at {companies}{until}"


def _name_act(act: AcrossAct) -> str:
    """What it was, without the names of companies: "Accept 12 findings", "Assign 3 companies to bo"."""
    count = len(act.items)
    if act.act is AcrossKind.ASSIGN:
        companies = say_count(count, "company", "companies")
        return f"Assign {companies} to {act.after}" if act.after else f"Leave {companies} without an owner"
    verb = {AcrossKind.ACCEPT: "Accept", AcrossKind.SNOOZE: "Snooze", AcrossKind.ASK: "Mark as asked:"}[act.act]
    return f"{verb} {say_count(count, 'finding')}"


def say_done(act: AcrossAct) -> str:
    """What was done, and what was not."""
    counted = [(outcome, act.count(outcome)) for outcome in AcrossOutcome]
    return ", ".join(f"{count} {_OUTCOMES[outcome]}" for outcome, count in counted if count)


def _place_of(act: AcrossKind, check: str) -> str:
    if act is AcrossKind.ASSIGN:
        return "/"
    return f"/tray?check={check}" if check.isalnum() else "/tray"
