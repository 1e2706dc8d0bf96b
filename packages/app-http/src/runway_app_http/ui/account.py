"""`/account`: one's own password, second factor, sessions and keys of programs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from fastapi import APIRouter
from pydantic import SecretStr
from runway_core.domain.people import GRANTS, AccessToken, Need, TokenPurpose
from runway_core.errors import InvalidRequest, NotFound, RunwayError, SignInRefused, TooManyRequests
from runway_core.runway import Runway
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.problems import explain
from runway_app_http.second_factor import draw_address, make_secret, read_secret
from runway_app_http.ui.entrance import door_of, page, signed_in_of
from runway_app_http.ui.forms import Said, go_and_say, read_form

router = APIRouter()

_REFUSALS = (InvalidRequest, NotFound, SignInRefused, TooManyRequests)
KEY_DAYS = 90


@router.get("/account")
async def show_account(request: Request, runway: RunwayOfApp) -> Response:
    """One's own account."""
    return await _account_page(request, runway)


async def _account_page(
    request: Request, runway: Runway, *, refused: RunwayError | None = None, new_key: SecretStr | None = None
) -> Response:
    signed_in = signed_in_of(request)
    person = signed_in.person
    companies = await runway.companies.list()
    scope = runway.scope
    sessions = await scope.store.people.tokens(scope.firm_id, TokenPurpose.SESSION, person.person_id)
    values = {
        "person": person,
        "needs": [need.value for need in Need if need in GRANTS[person.role]],
        "companies": companies,
        "has_factor": await door_of(request).has_second_factor(person),
        "sessions": [one for one in sessions if not one.is_over(scope.clock.now())],
        "this_session": signed_in.token.token_id,
        "keys": list_keys(await runway.people.keys(person.person_id), scope.clock.now()),
        "key_days": KEY_DAYS,
        "new_key": "" if new_key is None else new_key.get_secret_value(),
        "refused": "" if refused is None else str(refused),
    }
    return page(request, "account.html", status=explain(refused).kind.status if refused else 200, values=values)


def list_keys(keys: Sequence[AccessToken], now: datetime) -> list[tuple[AccessToken, bool]]:
    """Keys, each with whether its time ran out."""
    return [(key, key.is_over(now)) for key in keys]


async def _act(request: Request, runway: Runway, act: Callable[[Mapping[str, str]], Awaitable[str]]) -> Response:
    """Do what a form asks after a fresh proof, and say so; what is refused is said on the page."""
    fields = await read_form(request)
    runway.sessions.demand_proof(signed_in_of(request).token)
    try:
        done = await act(fields)
    except _REFUSALS as refused:
        return await _account_page(request, runway, refused=refused)
    return go_and_say(request, "/account", Said(done))


@router.post("/account/password")
async def change_password(request: Request, runway: RunwayOfApp) -> Response:
    """Set another password; all other sessions end."""

    async def act(fields: Mapping[str, str]) -> str:
        if fields.get("new", "") != fields.get("again", ""):
            raise InvalidRequest("the two new passwords differ: type them once more")
        old, new = SecretStr(fields.get("old", "")), SecretStr(fields.get("new", ""))
        await door_of(request).change_password(signed_in_of(request), old=old, new=new)
        return "password"

    return await _act(request, runway, act)


@router.post("/account/sessions")
async def end_other_sessions(request: Request, runway: RunwayOfApp) -> Response:
    """End all other sessions."""

    async def act(_: Mapping[str, str]) -> str:
        await runway.sessions.end_others(signed_in_of(request).token)
        return "others"

    return await _act(request, runway, act)


@router.get("/account/second-factor")
async def show_second_factor(request: Request, runway: RunwayOfApp) -> Response:
    """A new secret to point an authenticator at; nothing is kept before its first code."""
    runway.sessions.demand_proof(signed_in_of(request).token)
    return _factor_page(request, make_secret())


def _factor_page(request: Request, secret: SecretStr, *, refused: str = "") -> Response:
    values = {
        "secret": secret.get_secret_value(),
        "picture": draw_address(secret, signed_in_of(request).person),
        "codes": (),
        "refused": refused,
    }
    return page(request, "second_factor.html", status=422 if refused else 200, values=values)


@router.post("/account/second-factor")
async def set_second_factor(request: Request, runway: RunwayOfApp) -> Response:
    """Keep the second factor once its first code is right, and show the recovery codes, once."""
    fields = await read_form(request)
    runway.sessions.demand_proof(signed_in_of(request).token)
    secret = read_secret(fields.get("secret", ""))
    try:
        codes = await door_of(request).set_second_factor(
            signed_in_of(request).person, secret, fields.get("code", "")[:40]
        )
    except InvalidRequest as refused:
        return _factor_page(request, secret, refused=str(refused))
    return page(request, "second_factor.html", values={"secret": "", "picture": "", "codes": codes, "refused": ""})


@router.post("/account/second-factor/remove")
async def remove_second_factor(request: Request, runway: RunwayOfApp) -> Response:
    """Go on with the password alone."""

    async def act(_: Mapping[str, str]) -> str:
        await door_of(request).remove_second_factor(signed_in_of(request).person)
        return "factorless"

    return await _act(request, runway, act)


@router.post("/account/keys")
async def make_key(request: Request, runway: RunwayOfApp) -> Response:
    """Make a key for a program; it is shown once."""
    fields = await read_form(request)
    signed_in = signed_in_of(request)
    runway.sessions.demand_proof(signed_in.token)
    days = fields.get("days", "")
    try:
        _, secret = await runway.people.make_key(
            signed_in.person.person_id,
            fields.get("name", ""),
            needs=[need for need in Need if fields.get(f"may_{need.value}")],
            days=int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
            actor=signed_in.person.person_id,
        )
    except _REFUSALS as refused:
        return await _account_page(request, runway, refused=refused)
    return await _account_page(request, runway, new_key=secret)


@router.post("/account/keys/{token_id}/end")
async def end_key(request: Request, runway: RunwayOfApp, *, token_id: str) -> Response:
    """Take a key back."""

    async def act(_: Mapping[str, str]) -> str:
        await runway.people.end_key(token_id, actor=signed_in_of(request).person.person_id)
        return "keyless"

    return await _act(request, runway, act)
