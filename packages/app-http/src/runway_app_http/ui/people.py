"""`/people`: who works in the firm, in which role and for which companies. For owners."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import SecretStr
from runway_core.domain.identity import CompanyId
from runway_core.domain.policy import Role
from runway_core.errors import InvalidRequest, NotFound, RunwayError, StaleRevision
from runway_core.runway import Runway
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp, require_id
from runway_app_http.links import link_address
from runway_app_http.problems import explain
from runway_app_http.ui.account import list_keys
from runway_app_http.ui.entrance import page, proved
from runway_app_http.ui.forms import Said, go_and_say, read_boxes

router = APIRouter()

_REFUSALS = (InvalidRequest, NotFound, StaleRevision)
_MOST_BOXES = 2000
_ROLES = tuple(role.value for role in reversed(Role))


@router.get("/people")
async def show_people(request: Request, runway: RunwayOfApp) -> Response:
    """Everybody."""
    return await _people_page(request, runway)


async def _people_page(request: Request, runway: Runway, *, refused: RunwayError | None = None) -> Response:
    values = {
        "people": await runway.people.list(),
        "companies": await runway.companies.list(),
        "roles": _ROLES,
        "refused": "" if refused is None else str(refused),
    }
    return page(request, "people.html", status=explain(refused).kind.status if refused else 200, values=values)


@router.post("/people")
async def add_person(request: Request, runway: RunwayOfApp) -> Response:
    """Add somebody and show their page with the link under which they set a password."""
    boxes = await read_boxes(request, at_most=_MOST_BOXES)
    actor = proved(request, runway)
    fields = {name: values[-1] for name, values in boxes.items()}
    try:
        person = await runway.people.add(
            fields.get("email", ""),
            role=_read_role(fields.get("role", "")),
            name=fields.get("name", "").strip() or None,
            person_id=fields.get("person_id", "").strip() or None,
            companies=_read_companies(boxes),
            actor=actor,
        )
        link = await runway.people.invite(person.person_id, actor=actor)
    except _REFUSALS as refused:
        return await _people_page(request, runway, refused=refused)
    return await _person_page(request, runway, person.person_id, link=link)


@router.get("/people/{person_id}")
async def show_person(request: Request, runway: RunwayOfApp, *, person_id: str) -> Response:
    """One person."""
    return await _person_page(request, runway, require_id(person_id, "person"))


async def _person_page(
    request: Request,
    runway: Runway,
    person_id: str,
    *,
    refused: RunwayError | None = None,
    link: SecretStr | None = None,
) -> Response:
    person = await runway.people.get(person_id)
    values = {
        "person": person,
        "address": f"/people/{quote(person_id, safe='')}",
        "companies": await runway.companies.list(),
        "roles": _ROLES,
        "keys": list_keys(await runway.people.keys(person_id), runway.scope.clock.now()),
        "link": "" if link is None else link_address(str(request.base_url), link),
        "refused": "" if refused is None else str(refused),
    }
    return page(request, "person.html", status=explain(refused).kind.status if refused else 200, values=values)


@router.post("/people/{person_id}")
async def change_person(request: Request, runway: RunwayOfApp, *, person_id: str) -> Response:
    """Change, disable, enable or sign out a person, or give out a new link."""
    boxes = await read_boxes(request, at_most=_MOST_BOXES)
    actor = proved(request, runway)
    require_id(person_id, "person")
    fields = {name: values[-1] for name, values in boxes.items()}
    try:
        if fields.get("action") == "invite":
            link = await runway.people.invite(person_id, actor=actor)
            return await _person_page(request, runway, person_id, link=link)
        done = await _act(runway, person_id, boxes, fields=fields, actor=actor)
    except _REFUSALS as refused:
        return await _person_page(request, runway, person_id, refused=refused)
    return go_and_say(request, f"/people/{quote(person_id, safe='')}", Said(done))


async def _act(
    runway: Runway, person_id: str, boxes: Mapping[str, Sequence[str]], *, fields: Mapping[str, str], actor: str
) -> str:
    people = runway.people
    match fields.get("action", ""):
        case "change":
            changes: dict[str, Any] = {
                "name": fields.get("name", ""),
                "email": fields.get("email", ""),
                "role": _read_role(fields.get("role", "")),
                "companies": _read_companies(boxes),
            }
            version = fields.get("version", "")
            is_number = version.isascii() and version.isdigit() and len(version) < 10
            await people.change(person_id, changes, actor=actor, version=int(version) if is_number else None)
            return "changed"
        case "disable":
            await people.change(person_id, {"is_disabled": True}, actor=actor)
            return "disabled"
        case "enable":
            await people.change(person_id, {"is_disabled": False}, actor=actor)
            return "enabled"
        case "sign_out":
            await people.sign_out(person_id, actor=actor)
            return "ended"
        case "drop_factor":
            await people.drop_second_factor(person_id, actor=actor)
            return "factorless"
        case _:
            raise InvalidRequest("say what is to be done")


def _read_role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise InvalidRequest(f"say in which role: {', '.join(_ROLES)}") from error


def _read_companies(boxes: Mapping[str, Sequence[str]]) -> tuple[CompanyId, ...] | None:
    """The ticked companies, or all of the firm."""
    if boxes.get("reach", [""])[-1] != "some":
        return None
    return tuple(CompanyId(company_id) for company_id in boxes.get("company", ()))
