"""The console's forms: deciding about a bill, moving a decision on, and noting a contact with a customer.

Who acts is who signed in; while the firm has no people, it is whom the form names.
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

from fastapi import APIRouter
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.policy import Role
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.collections import NewCollectionNote, write_note
from runway_app_http.api.decisions import NewDecision, PartBody, decide_bill
from runway_app_http.following import follow_change
from runway_app_http.ui.company import company_address
from runway_app_http.ui.console import console_page
from runway_app_http.ui.form_values import REFUSALS, WEB, check_body, read_amount, read_day, read_version
from runway_app_http.ui.forms import Said, go_and_say, read_form

router = APIRouter()


class DecisionAct(StrEnum):
    """What a form does to a decision."""

    APPROVE = "approve"
    RELEASE = "release"
    WITHDRAW = "withdraw"


@router.post("/companies/{company_id}/console/bills")
async def post_decision(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Decide about one bill, then show the console again."""
    fields = await read_form(request)

    async def act() -> str:
        decision = _read_decision(fields)
        await decide_bill(runway, company_id, decision, actor=WEB, version=read_version(fields))
        return "decided"

    return await _act(request, company_id, runway, act)


@router.post("/companies/{company_id}/console/decisions/{decision_id}")
async def post_step(request: Request, company_id: CompanyInPath, runway: RunwayOfApp, *, decision_id: str) -> Response:
    """Approve, release or withdraw a decision, then show the console again."""
    fields = await read_form(request)

    async def act() -> str:
        return await _take_step(runway, company_id, require_id(decision_id, "decision"), fields)

    return await _act(request, company_id, runway, act)


@router.post("/companies/{company_id}/console/notes")
async def post_note(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Note a contact about an invoice, then show the console again."""
    fields = await read_form(request)

    async def act() -> str:
        values = {name: value for name, value in fields.items() if value.strip() and name != "promised_on"}
        promised = fields.get("promised_on", "").strip()
        note = check_body(NewCollectionNote, values | ({"promised_on": read_day(promised)} if promised else {}))
        await write_note(runway, company_id, note, actor=WEB)
        return "noted"

    return await _act(request, company_id, runway, act, end="#collections")


@router.post("/companies/{company_id}/console/scenarios")
async def post_scenario(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Keep a moved bill as a named scenario, then show the console again; books stay as they are."""
    fields = await read_form(request)

    async def act() -> str:
        moved = Amendment(
            action=AmendmentAction.PAY_ON,
            record=RecordKey(RecordKind.BILL, fields.get("bill", "")),
            on=read_day(fields.get("on", "")),
            amount=read_amount(fields.get("amount", "")),
        )
        await runway.scenarios.keep(company_id, fields.get("name", ""), [moved], actor=WEB)
        return "kept"

    return await _act(request, company_id, runway, act)


async def _act(
    request: Request,
    company_id: CompanyId,
    runway: Runway,
    act: Callable[[], Awaitable[str]],
    *,
    end: str = "",
) -> Response:
    """Do what a form asks and say so; what is refused is said on the page, which is shown as it stands."""
    try:
        done = await act()
    except REFUSALS as refused:
        return console_page(request, await runway.console(company_id), refused=str(refused))
    return go_and_say(request, f"{company_address(company_id)}/console{end}", Said(done))


async def _take_step(runway: Runway, company_id: CompanyId, decision_id: str, fields: Mapping[str, str]) -> str:
    by, version = fields.get("by", "").strip(), read_version(fields)
    try:
        wanted = DecisionAct(fields.get("action", ""))
    except ValueError as error:
        raise InvalidRequest("say what is to be done: approve, release or withdraw") from error
    match wanted:
        case DecisionAct.APPROVE:
            is_known = runway.scope.caller is not None
            if not by and not is_known:
                raise InvalidRequest("say who approves")
            role = Role.VIEWER if is_known else _read_role(fields.get("role", ""))  # a caller's own role counts
            await runway.decisions.approve(company_id, decision_id, actor=by, role=role, version=version)
            await follow_change(runway, company_id)
            return "approved"
        case DecisionAct.RELEASE:
            await runway.decisions.release(company_id, decision_id, actor=by or WEB, version=version)
            await follow_change(runway, company_id)
            return "released"
        case DecisionAct.WITHDRAW:
            await runway.decisions.withdraw(
                company_id, decision_id, actor=by or WEB, reason=fields.get("reason", ""), version=version
            )
            await follow_change(runway, company_id)
            return "withdrawn"


def _read_role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise InvalidRequest("say in which role: bookkeeper, controller or owner") from error


def _read_decision(fields: Mapping[str, str]) -> NewDecision:
    """The decision of a form: one payment, or two where a second day is given."""
    parts = []
    for day, amount in (("on", "amount"), ("on2", "amount2")):
        if fields.get(day, "").strip():
            value = read_amount(fields.get(amount, ""))
            if value is None:
                raise InvalidRequest("say how much is paid on that day")
            parts.append(PartBody(on=read_day(fields[day]), amount=value))
    outcome = fields.get("outcome", "")
    values = {
        "bill_id": fields.get("bill_id", ""),
        "outcome": "split" if len(parts) > 1 and outcome == "pay" else outcome,
        "payments": [] if outcome == "escalate" else parts,
        "reason": fields.get("reason", ""),
        "escalated_to": fields.get("escalated_to", "").strip() or None,
        "by": fields.get("by", "").strip() or None,
    }
    return check_body(NewDecision, values)
