"""`/sign-in/with`: the way by the firm's own sign-in service, and back."""

from typing import Annotated

from fastapi import APIRouter, Query
from runway_core.errors import NotFound, SignInRefused
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.cookies import keep_flow, read_flow
from runway_app_http.sign_in_service import Flow, SignInService
from runway_app_http.ui.entrance import door_of, own_path
from runway_app_http.ui.sign_in import let_in, sign_in_page

router = APIRouter()


def _service_of(request: Request) -> SignInService:
    service: SignInService | None = request.app.state.sign_in_service
    if service is None:
        raise NotFound("this firm has no sign-in service: sign in with your password")
    return service


@router.get("/sign-in/with")
async def go_there(
    request: Request, runway: RunwayOfApp, following: Annotated[str, Query(alias="next", max_length=501)] = "/"
) -> Response:
    """Send the browser to the service."""
    try:
        address, flow = await _service_of(request).begin(own_path(following), runway.scope.clock.now())
    except SignInRefused as refused:
        return sign_in_page(request, following=own_path(following), refused=refused)
    answer = RedirectResponse(address, status_code=303)
    keep_flow(request, answer, flow.to_cookie())
    return answer


@router.get("/sign-in/with/back")
async def come_back(
    request: Request,
    runway: RunwayOfApp,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Let in whom the service named; what the browser kept counts once."""
    service, flow = _service_of(request), Flow.from_cookie(read_flow(request))
    try:
        person = await service.finish(runway, flow, state=state, code=code)
        following = own_path(flow.following) if flow is not None else "/"
        answer = let_in(request, await door_of(request).enter_as(person, how=service.name), following)
    except SignInRefused as refused:
        answer = sign_in_page(request, following="/", refused=refused)
    keep_flow(request, answer, "")
    return answer
