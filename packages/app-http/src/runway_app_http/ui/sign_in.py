"""`/sign-in`: address and password, then the second factor; `/welcome`: a password under a link; and the way out."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import SecretStr
from runway_core.domain.people import TokenPurpose
from runway_core.errors import InvalidRequest, RunwayError, SignInRefused, TooManyRequests
from runway_core.services.sessions import SignedIn
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.cookies import give, read_waiting, take_back
from runway_app_http.door import Entered
from runway_app_http.gate import visitor_of
from runway_app_http.problems import explain
from runway_app_http.ui.entrance import door_of, own_path, page, signed_in_of, with_next
from runway_app_http.ui.forms import read_form

router = APIRouter()

Next = Annotated[str, Query(alias="next", max_length=501)]
_REFUSALS = (SignInRefused, TooManyRequests, InvalidRequest)


@router.get("/sign-in")
async def show_sign_in(request: Request, following: Next = "/") -> Response:
    """The form; whoever is signed in already goes on."""
    visitor = visitor_of(request)
    if visitor.signed_in is not None or not visitor.has_people:
        return RedirectResponse(own_path(following), status_code=303)
    return sign_in_page(request, following=own_path(following))


def sign_in_page(request: Request, *, following: str, email: str = "", refused: RunwayError | None = None) -> Response:
    """The form, with why it was refused before."""
    values = {"following": following, "email": email, "service": request.app.state.sign_in_service_name}
    return _page(request, "sign_in.html", values=values, refused=refused)


def _page(request: Request, template: str, *, values: dict[str, object], refused: RunwayError | None) -> Response:
    failure = None if refused is None else explain(refused)
    answer = page(
        request,
        template,
        status=200 if failure is None else failure.kind.status,
        values=values | {"refused": "" if failure is None else failure.detail},
    )
    answer.headers.update({} if failure is None else failure.headers)
    return answer


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Take an address and a password."""
    fields = await read_form(request)
    following, email = own_path(fields.get("next", "/")), fields.get("email", "")[:260]
    try:
        entered = await door_of(request).enter(
            email, SecretStr(fields.get("password", "")), address=request.client.host if request.client else ""
        )
    except _REFUSALS as refused:
        return sign_in_page(request, following=following, email=email, refused=refused)
    return let_in(request, entered, following)


def let_in(request: Request, entered: Entered, following: str) -> Response:
    """Give the browser its session, or send it on to the second factor."""
    is_waiting = entered.purpose is TokenPurpose.SECOND_FACTOR
    answer = RedirectResponse(with_next("/sign-in/code", following) if is_waiting else following, status_code=303)
    give(request, answer, entered.purpose, entered.secret.get_secret_value())
    if not is_waiting:
        take_back(request, answer, TokenPurpose.SECOND_FACTOR)
    return answer


@router.get("/sign-in/code")
async def show_code(request: Request, runway: RunwayOfApp, following: Next = "/") -> Response:
    """The form for the second factor."""
    if await runway.sessions.find(read_waiting(request), TokenPurpose.SECOND_FACTOR) is None:
        return RedirectResponse(with_next("/sign-in", own_path(following)), status_code=303)
    return _page(request, "sign_in_code.html", values={"following": own_path(following)}, refused=None)


@router.post("/sign-in/code")
async def take_code(request: Request, runway: RunwayOfApp) -> Response:
    """Take the second factor, or a recovery code."""
    fields = await read_form(request)
    following = own_path(fields.get("next", "/"))
    waiting: SignedIn | None = await runway.sessions.find(read_waiting(request), TokenPurpose.SECOND_FACTOR)
    if waiting is None:
        return RedirectResponse(with_next("/sign-in", following), status_code=303)
    try:
        entered = await door_of(request).enter_with_code(waiting, fields.get("code", "")[:40])
    except _REFUSALS as refused:
        return _page(request, "sign_in_code.html", values={"following": following}, refused=refused)
    return let_in(request, entered, following)


@router.get("/sign-in/again")
async def show_proof(request: Request, following: Next = "/") -> Response:
    """The form for one more proof, before a sensitive act."""
    return await _proof_page(request, own_path(following), None)


async def _proof_page(request: Request, following: str, refused: RunwayError | None) -> Response:
    has_factor = await door_of(request).has_second_factor(signed_in_of(request).person)
    return _page(
        request, "sign_in_again.html", values={"following": following, "has_factor": has_factor}, refused=refused
    )


@router.post("/sign-in/again")
async def take_proof(request: Request) -> Response:
    """Take one more proof."""
    fields = await read_form(request)
    following = own_path(fields.get("next", "/"))
    try:
        await door_of(request).prove(
            signed_in_of(request), password=SecretStr(fields.get("password", "")), code=fields.get("code", "")[:40]
        )
    except _REFUSALS as refused:
        return await _proof_page(request, following, refused)
    return RedirectResponse(following, status_code=303)


@router.get("/welcome")
async def show_welcome(
    request: Request, runway: RunwayOfApp, link: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """The form under a link: choose a password."""
    try:
        person, _ = await runway.people.find_invited(link)
    except SignInRefused as refused:
        return _page(request, "welcome.html", values={"link": "", "person": None}, refused=refused)
    return _page(request, "welcome.html", values={"link": link, "person": person}, refused=None)


@router.post("/welcome")
async def take_welcome(request: Request, runway: RunwayOfApp) -> Response:
    """Set the password, use the link up, and let the person in."""
    fields = await read_form(request)
    link = fields.get("link", "")[:200]
    try:
        person, _ = await runway.people.find_invited(link)
    except SignInRefused as refused:
        return _page(request, "welcome.html", values={"link": "", "person": None}, refused=refused)
    try:
        if fields.get("password", "") != fields.get("again", ""):
            raise InvalidRequest("the two passwords differ: type them once more")
        entered = await door_of(request).enter_by_link(link, SecretStr(fields.get("password", "")))
    except _REFUSALS as refused:
        return _page(request, "welcome.html", values={"link": link, "person": person}, refused=refused)
    return let_in(request, entered, "/account")


@router.post("/sign-out")
async def sign_out(request: Request, runway: RunwayOfApp) -> Response:
    """End the session, here and in the browser."""
    await read_form(request)
    signed_in = visitor_of(request).signed_in
    if signed_in is not None:
        await runway.sessions.end(signed_in.token)
    answer = RedirectResponse("/sign-in", status_code=303)
    for purpose in (TokenPurpose.SESSION, TokenPurpose.SECOND_FACTOR):
        take_back(request, answer, purpose)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer
