"""The web app: JSON API and pages over one `Runway`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from runway_core.errors import RunwayError
from runway_core.runway import Runway
from runway_core.services.sessions import SessionRules
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from runway_app_http.api.description import describe_api
from runway_app_http.api.health import probes
from runway_app_http.api.resources import build_api
from runway_app_http.digest_sending import DigestSender
from runway_app_http.door import Door
from runway_app_http.gate import Gate, GateRules
from runway_app_http.idempotency import Idempotency
from runway_app_http.mailer import Mailer
from runway_app_http.middleware import Edge
from runway_app_http.passwords import Passwords
from runway_app_http.problems import Failure, explain, problem_answer
from runway_app_http.sign_in_service import SignInService
from runway_app_http.ui.digest_mail import write_digest_mail
from runway_app_http.ui.entrance import own_path, with_next
from runway_app_http.ui.failures import failure_page
from runway_app_http.ui.firm_digest_mail import write_firm_digest_mail
from runway_app_http.ui.pages import build_pages
from runway_app_http.webhooks import WebhookSecrets, receiver

Hook = Callable[[], Awaitable[None]]
"""Something to do once the app's `Runway` is open, or before it closes."""

TITLE = "Runway"
VERSION = "1"
SUMMARY = "Cash runway and the health of the books, for every company a firm looks after."
_FOR_PROGRAMS = ("/v1", "/healthz", "/readyz", "/metrics", "/openapi.json", "/webhooks")


def create_app(
    runway: Runway,
    *,
    serve_docs: bool = True,
    manages_runway: bool = True,
    on_startup: Sequence[Hook] = (),
    on_shutdown: Sequence[Hook] = (),
    allowed_hosts: Collection[str] = (),
    mailer: Mailer | None = None,
    webhook_secrets: WebhookSecrets | None = None,
    gate_rules: GateRules | None = None,
    session_rules: SessionRules | None = None,
    sign_in_service: SignInService | None = None,
) -> FastAPI:
    """Build the app.

    Args:
        runway: answers everything; the app calls nothing else.
        serve_docs: whether `/openapi.json` is served.
        manages_runway: whether the app opens and closes `runway`; false when it is open already.
        on_startup: awaited in order once `runway` is open.
        on_shutdown: awaited in order before `runway` closes, each even when another failed.
        allowed_hosts: host names under which the app may be asked; any when empty.
        mailer: sends digests; without one they can be looked at and saved only.
        webhook_secrets: by rail, what its vendor signs with; of a rail without any, every delivery is refused.
        gate_rules: how often the app may be called, and whether it serves while the firm has no people.
        session_rules: how long people stay signed in.
        sign_in_service: where people of the firm may sign in instead.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(door.close)
            if manages_runway:
                await stack.enter_async_context(runway)
            for hook in reversed(on_shutdown):
                stack.push_async_callback(hook)
            for hook in on_startup:
                await hook()
            yield

    app = FastAPI(
        title=TITLE,
        version=VERSION,
        summary=SUMMARY,
        openapi_url="/openapi.json" if serve_docs else None,
        docs_url=None,  # their pages load scripts from elsewhere, which the security headers forbid
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    door = Door(runway, Passwords(), session_rules or SessionRules())
    app.state.runway, app.state.write_daily = runway, write_firm_digest_mail
    app.state.door = door
    app.state.sign_in_service = sign_in_service
    app.state.sign_in_service_name = "" if sign_in_service is None else sign_in_service.name
    app.state.webhook_secrets = dict(webhook_secrets or {})
    app.state.digest_sender = DigestSender(runway, mailer, write_digest_mail)
    app.router.routes.extend(_routes())
    app.openapi = _description  # type: ignore[method-assign]  # FastAPI's own way to change the document
    for kind in (RunwayError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answer_error)
    app.add_middleware(Idempotency, answer=answer_failure)
    app.add_middleware(Gate, runway=runway, answer=answer_failure, rules=gate_rules or GateRules())
    app.add_middleware(Edge, answer=answer_failure, allowed_hosts=frozenset(allowed_hosts))
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Every address. They know no `Runway`, and are made once: the models of what they take and answer are the work."""
    every = APIRouter(redirect_slashes=False)
    every.include_router(receiver)  # first, because it is asked most
    every.include_router(build_api())
    every.include_router(probes)
    every.include_router(build_pages())
    return tuple(every.routes)


@cache
def _description() -> dict[str, Any]:
    """What `/openapi.json` answers: the same for every app, since the addresses are."""
    return describe_api(_routes(), title=TITLE, version=VERSION, summary=SUMMARY)


async def _answer_error(request: Request, error: Exception) -> Response:
    return answer_failure(request, explain(error))


def answer_failure(request: Request, failure: Failure) -> Response:
    """A problem for programs, a page for people; the path tells them apart."""
    path = request.url.path
    if any(path == start or path.startswith(f"{start}/") for start in _FOR_PROGRAMS):
        return problem_answer(failure, path)
    following = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if failure.code == "sign-in-needed":
        return RedirectResponse(with_next("/sign-in", following if request.method == "GET" else "/"), status_code=303)
    if failure.code == "proof-needed":
        here = following if request.method == "GET" else urlsplit(request.headers.get("referer", "/")).path
        return RedirectResponse(with_next("/sign-in/again", own_path(here)), status_code=303)
    return failure_page(request, failure)
