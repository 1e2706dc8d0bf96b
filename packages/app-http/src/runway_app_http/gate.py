"""The gate that every request passes: who asks, may they, and not too often.

Until the firm has people nobody signs in, and the app serves its own machine alone (`serve` refuses to listen further).
From the first person on every address but the open ones needs a session or a key, each within its person's role and
companies; an address that no line of `needs.py` speaks of is closed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from runway_core.domain.people import AccessToken, Caller
from runway_core.errors import NotAllowed, NotFound, RunwayError, SignInNeeded, TooManyRequests
from runway_core.runway import Runway
from runway_core.services.sessions import SignedIn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from runway_app_http.call_rates import CallRate
from runway_app_http.cookies import read_session
from runway_app_http.needs import OPEN, UnknownAddress, find_need
from runway_app_http.presence import signed_in_here
from runway_app_http.problems import Failure, explain

_log = structlog.get_logger(__name__)

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FOR_PROGRAMS = ("/v1/", "/metrics", "/openapi.json")
CALLS_PER_MINUTE = 600


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: somebody in a browser, a program with a key, or nobody known."""

    runway: Runway  # as the visitor may use it
    signed_in: SignedIn | None = None
    key: AccessToken | None = None
    has_people: bool = False

    @property
    def caller(self) -> Caller | None:
        """On whose behalf; `None` where nobody signs in."""
        return self.runway.scope.caller


def visitor_of(request: Request) -> Visitor:
    """Who asks, as the gate found."""
    visitor: Visitor = request.scope["state"]["visitor"]
    return visitor


@dataclass(slots=True)
class GateRules:
    """How often, and whether nobody needs to sign in where there are no people."""

    per_key: CallRate = field(default_factory=lambda: CallRate(per_minute=CALLS_PER_MINUTE))
    per_address: CallRate = field(default_factory=lambda: CallRate(per_minute=4 * CALLS_PER_MINUTE))
    serves_without_people: bool = True


@dataclass(slots=True)
class Gate:
    """Pure ASGI middleware, within the edge. `answer` lays a failure out for whoever asked."""

    app: ASGIApp
    runway: Runway
    answer: Callable[[Request, Failure], Response]
    rules: GateRules
    _has_people: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        scope.setdefault("state", {})["visitor"] = Visitor(self.runway)
        try:
            visitor = await self._admit(request)
        except RunwayError as error:
            await self.answer(request, explain(error))(scope, receive, send)
            return
        scope["state"]["visitor"] = visitor
        who = {} if visitor.caller is None else {"person": visitor.caller.person_id}
        here = signed_in_here.set(visitor.signed_in)
        try:
            with structlog.contextvars.bound_contextvars(**who):
                await self.app(scope, receive, send)
        finally:
            signed_in_here.reset(here)

    async def _admit(self, request: Request) -> Visitor:
        path, method = request.url.path, request.method
        try:
            need = find_need(method, path)
            is_stated = True
        except UnknownAddress:
            need, is_stated = OPEN, False
        if is_stated and need is OPEN and not path.startswith(("/sign-in", "/sign-out", "/welcome")):
            return Visitor(self.runway)
        if not await self._people_exist():
            if not self.rules.serves_without_people:
                raise NotAllowed("the firm has no people yet: `runway people add --owner` makes the first one")
            return Visitor(self.runway)
        address = request.client.host if request.client else ""
        self._count(self.rules.per_address, address)
        visitor = await self._find_visitor(request)
        if visitor.key is not None:
            self._count(self.rules.per_key, visitor.key.token_id)
        if is_stated and need is OPEN:
            return visitor
        if visitor.caller is None:
            raise SignInNeeded("sign in, or send a key as `Authorization: Bearer rw_…`")
        if not is_stated or need is None:
            raise NotFound("nothing is here")
        if not visitor.caller.may(need):
            _log.warning("access_denied", person=visitor.caller.person_id, method=method, path=path)
            raise NotAllowed("your role, or this key, does not go so far: ask an owner of the firm")
        return visitor

    async def _people_exist(self) -> bool:
        """Once there are people there always are: they are disabled, never removed."""
        self._has_people = self._has_people or await self.runway.people.exist()
        return self._has_people

    async def _find_visitor(self, request: Request) -> Visitor:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme:
            if scheme.lower() != "bearer":
                raise SignInNeeded("keys are sent as `Authorization: Bearer rw_…`")
            caller, key = await self.runway.people.find_key(secret.strip()[:200])
            return Visitor(self.runway.for_caller(caller), key=key, has_people=True)
        session = read_session(request)
        is_for_programs = request.url.path.startswith(_FOR_PROGRAMS)
        if session and (not is_for_programs or request.method in _SAFE_METHODS):
            signed_in = await self.runway.sessions.find(session)
            if signed_in is not None:
                return Visitor(self.runway.for_caller(signed_in.caller), signed_in=signed_in, has_people=True)
        return Visitor(self.runway, has_people=True)

    def _count(self, rate: CallRate, caller: str) -> None:
        wait = rate.take(caller, self.runway.scope.clock.now())
        if wait:
            raise TooManyRequests(f"too many calls: wait {wait} seconds", retry_after_seconds=wait)
