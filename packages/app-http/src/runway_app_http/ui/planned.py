"""`/companies/{id}/planned`: money that only people know of; entered, confirmed, changed and closed by name."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.money import Money
from runway_core.domain.planned_items import PlannedItemState
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from runway_core.services.planned_items import PlannedItemToday
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.planned_items import NewPlannedItem, PlannedItemAct, PlannedItemChange, act_on_item
from runway_app_http.following import follow_change
from runway_app_http.plain import to_plain
from runway_app_http.ui.chips import Chip
from runway_app_http.ui.company import company_address, company_page, file_stem, read_heading
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import say_count, say_money
from runway_app_http.ui.form_values import REFUSALS, check_body, read_actor, read_amount, read_day, read_version
from runway_app_http.ui.forms import Said, go_and_say, read_form

router = APIRouter()

TAB = "/planned"
STATE_WORDS = {
    PlannedItemState.CONFIRMED: ("\N{BLACK CIRCLE}", "confirmed", "low"),
    PlannedItemState.STALE: ("\N{BLACK DIAMOND}", "to confirm", "high"),
    PlannedItemState.EXPIRED: ("\N{BLACK DOWN-POINTING TRIANGLE}", "its day has passed", "critical"),
}
"""Sign, word and tone of how far an item can be believed."""

CSV_COLUMNS = (
    "item.paper_id", "item.label", "item.on", "item.is_inflow", "item.amount", "item.currency", "item.is_financing",
    "state", "item.is_closed", "item.owner", "item.confirmed_on", "item.note", "item.fulfilled_by", "item.version",
)  # fmt: skip

_SAID = {
    PlannedItemAct.CONFIRM: "confirmed",
    PlannedItemAct.MOVE: "changed",
    PlannedItemAct.FULFIL: "dropped",
    PlannedItemAct.DROP: "dropped",
    PlannedItemAct.REOPEN: "restored",
}

WithClosed = Annotated[bool, Query(description="Closed ones too.")]


@router.get("/companies/{company_id}/planned")
async def show_planned(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, closed: WithClosed = False
) -> Response:
    """The planned items of one company."""
    return await planned_page(request, runway, company_id, closed=closed)


@router.get("/companies/{company_id}/planned.csv")
async def save_planned(company_id: CompanyInPath, runway: RunwayOfApp, closed: WithClosed = False) -> Response:
    """The same as a table to be saved."""
    view = await read_heading(runway, company_id)
    rows = [to_plain(one) for one in await runway.planned_items.list(company_id, include_closed=closed)]
    return csv_answer(CSV_COLUMNS, rows, file_name=f"{file_stem(view)}-planned.csv")


@router.post("/companies/{company_id}/planned")
async def post_item(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Enter an item, then show the page again."""
    fields = await read_form(request)

    async def act() -> str:
        item = check_body(NewPlannedItem, _read_entered(fields, is_new=True))
        await runway.planned_items.add(company_id, **item.model_dump(), actor=read_actor(fields))
        return "entered"

    return await _act(request, company_id, runway, act)


@router.post("/companies/{company_id}/planned/{item_id}")
async def post_act(request: Request, company_id: CompanyInPath, runway: RunwayOfApp, *, item_id: str) -> Response:
    """Confirm, change, close or reopen an item, then show the page again."""
    fields = await read_form(request)
    paper_id = require_id(item_id, "planned item")

    async def act() -> str:
        change = _read_change(fields)
        await act_on_item(
            runway,
            company_id,
            item_id=paper_id,
            change=change,
            actor=read_actor(fields),
            version=read_version(fields),
        )
        return _SAID[change.action]

    return await _act(request, company_id, runway, act)


async def _act(request: Request, company_id: CompanyId, runway: Runway, act: Callable[[], Awaitable[str]]) -> Response:
    try:
        done = await act()
    except REFUSALS as refused:
        return await planned_page(request, runway, company_id, closed=False, refused=str(refused))
    await follow_change(runway, company_id)
    return go_and_say(request, f"{company_address(company_id)}{TAB}", Said(done))


def _read_entered(fields: Mapping[str, str], *, is_new: bool) -> dict[str, object]:
    """What a person entered. Unticked boxes are not sent, so that a form always says which way the money goes."""
    amount = read_amount(fields.get("amount", ""))
    if amount is None:
        raise InvalidRequest("say how much it is")
    currency = {"currency": fields.get("currency", "").strip().upper() or None} if is_new else {}
    return currency | {
        "label": fields.get("label", ""),
        "on": read_day(fields.get("on", "")),
        "amount": amount,
        "is_inflow": fields.get("way") == "in",
        "is_financing": fields.get("is_financing") == "yes",
        "owner": fields.get("owner", "").strip() or None,
        "note": fields.get("note", ""),
    }


def _read_change(fields: Mapping[str, str]) -> PlannedItemChange:
    try:
        action = PlannedItemAct(fields.get("action", ""))
    except ValueError as error:
        raise InvalidRequest("say what is to be done: confirm, move, fulfil, drop or reopen") from error
    values: dict[str, Any] = {"action": action}
    match action:
        case PlannedItemAct.MOVE:
            values |= _read_entered(fields, is_new=False)
        case PlannedItemAct.DROP:
            values["note"] = fields.get("reason", "").strip() or None
        case PlannedItemAct.REOPEN:
            values["on"] = read_day(fields["on"]) if fields.get("on", "").strip() else None
        case PlannedItemAct.FULFIL:
            values["record"] = _read_record(fields.get("record", ""))
        case PlannedItemAct.CONFIRM:
            pass
    return check_body(PlannedItemChange, values)


def _read_record(text: str) -> dict[str, object]:
    kind, sign, external_id = text.strip().partition(":")
    if not sign or kind not in set(RecordKind) or not external_id:
        raise InvalidRequest(f"{text[:40]!r} is no record: write its kind and id, such as bill:145")
    return {"kind": RecordKind(kind), "external_id": external_id}


def _say_sums(items: Sequence[PlannedItemToday]) -> str:
    """What is planned, such as "2 planned items: 50,000.00 USD out, 20,000.00 USD in; 1 waits for a word"."""
    open_items = [one for one in items if not one.item.is_closed]
    if not open_items:
        return "Nothing is planned beside the books"
    sums: dict[tuple[bool, str], Money] = {}
    for one in open_items:
        key = (one.item.is_inflow, one.item.currency)
        money = Money(amount=one.item.amount, currency=one.item.currency)
        sums[key] = sums[key] + money if key in sums else money
    told = [f"{say_money(sums[key])} {'in' if key[0] else 'out'}" for key in sorted(sums)]
    waiting = sum(one.state is not PlannedItemState.CONFIRMED for one in open_items)
    rest = "" if not waiting else f"; {waiting} {'waits' if waiting == 1 else 'wait'} for a word"
    return f"{say_count(len(open_items), 'planned item')}: {', '.join(told)}{rest}"


async def planned_page(
    request: Request, runway: Runway, company_id: CompanyId, *, closed: bool, refused: str = ""
) -> Response:
    """Lay the page out; `refused` says why the act before was not done."""
    view = await read_heading(runway, company_id)
    items = await runway.planned_items.list(company_id, include_closed=closed)
    base = company_address(company_id)
    values = {
        "headline": _say_sums(items),
        "items": items,
        "states": STATE_WORDS,
        "shown": [
            Chip("Open", f"{base}{TAB}", not closed),
            Chip("Closed too", f"{base}{TAB}?{urlencode({'closed': 'true'})}", closed),
        ],
        "csv_href": f"{base}{TAB}.csv{'?closed=true' if closed else ''}",
        "record_of": lambda subject: RecordKey(*subject),
        "refused": refused,
    }
    return company_page(request, "planned.html", view, tab=TAB, status=422 if refused else 200, values=values)
