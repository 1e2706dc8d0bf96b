"""The app's edge: a Request-Id on every answer, security headers, refusal of foreign posts, and the last resort."""

import re
import traceback
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runway_app_http.problems import PROBLEMS, Failure, explain

LARGEST_BODY = 64 * 1024
"""Bytes of a request's body: forms and decisions are small."""

WEBHOOKS = "/webhooks/"
LARGEST_WEBHOOK = 1024 * 1024
"""Bytes of what a rail may send under `WEBHOOKS`; nothing else is taken that is larger than a form."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_CONTENT_SECURITY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

_log = structlog.get_logger(__name__)

FailureAnswer = Callable[[Request, Failure], Response]
"""Lays a failure out for whoever asked: a problem for programs, a page for people."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Pure ASGI middleware, outermost: nothing that happens inside leaves without passing here."""

    app: ASGIApp
    answer: FailureAnswer
    allowed_hosts: Collection[str] = ()  # empty: any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        request_id = _choose_request_id(request.headers)
        scope.setdefault("state", {})["request_id"] = request_id
        has_started = False

        async def send_dressed(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                _dress(MutableHeaders(scope=message), request_id, is_secure=scope.get("scheme") == "https")
            await send(message)

        refused = self._refuse(request)
        if refused is not None:
            await self.answer(request, refused)(scope, receive, send_dressed)
            return
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, _capped(receive, _largest_body(request.url.path)), send_dressed)
            except Exception as error:
                # The last resort: whoever asked learns nothing of our inside but the id to ask us by.
                # The traceback is written without the values of variables, whatever the log's renderer likes to add.
                lines = "".join(traceback.format_exception(error))
                _log.error("request_failed", method=request.method, path=request.url.path, traceback=lines)
                if has_started:
                    raise
                await self.answer(request, explain(error))(scope, receive, send_dressed)

    def _refuse(self, request: Request) -> Failure | None:
        host = request.headers.get("host", "")
        if self.allowed_hosts and urlsplit(f"//{host}").hostname not in self.allowed_hosts:
            return Failure("unknown-host", f"{host!r} is not an address of this server")
        if request.method in _SAFE_METHODS:
            return None
        if _is_cross_site(request.headers):
            return Failure("cross-site-request", PROBLEMS["cross-site-request"].remedy)
        announced = request.headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > _largest_body(request.url.path):
            return Failure("request-too-large", PROBLEMS["request-too-large"].remedy)
        return None


def _largest_body(path: str) -> int:
    return LARGEST_WEBHOOK if path.startswith(WEBHOOKS) else LARGEST_BODY


def _capped(receive: Receive, largest: int) -> Receive:
    seen = 0

    async def receive_capped() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > largest:
            raise HTTPException(413)
        return message

    return receive_capped


def _choose_request_id(headers: Headers) -> str:
    """Keep the caller's id when it is a harmless one, so that its log and ours speak of the same request."""
    offered = headers.get("request-id", "")
    return offered if _REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex


def _is_cross_site(headers: Headers) -> bool:
    """Whether a browser says that another site's page sent this. Programs send neither header."""
    fetched_from = headers.get("sec-fetch-site")
    if fetched_from is not None:
        return fetched_from not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _dress(headers: MutableHeaders, request_id: str, *, is_secure: bool) -> None:
    headers["Request-Id"] = request_id
    for name, value in _HEADERS.items():
        if name not in headers:  # a page that needs a narrower policy of its own has set it
            headers[name] = value
    if is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if "cache-control" not in headers:
        headers["Cache-Control"] = "no-store"
