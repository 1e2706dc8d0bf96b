"""The vendor's gate: sign-in, scopes, limits and trouble in front of each business (facts/ramp.md 1 to 3)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import random
import sys
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from runway_sandbox.books import decode_wire, encode_wire
from runway_sandbox.faults import MAINTENANCE_HTML
from runway_sandbox.ramp.accounting import AccountingAnswers
from runway_sandbox.ramp.answers import Answers
from runway_sandbox.ramp.asked import Asked
from runway_sandbox.ramp.business import Business
from runway_sandbox.ramp.faults import (
    RampFaultError,
    invalid,
    no_token,
    not_found,
    scope_missing,
    server_error,
    too_many,
    unknown_client,
)
from runway_sandbox.ramp.making import JOINED_DAYS
from runway_sandbox.ramp.post import RampPost
from runway_sandbox.ramp.records import made_id
from runway_sandbox.ramp.tokens import App, Token, TokenBooth
from runway_sandbox.service import LedgerService
from runway_sandbox.spoiling import CutOff
from runway_sandbox.world import Desk, World

API = "/developer/v1"
AUTHORIZE_PATH = "/v1/authorize"
TOKEN_PATH = API + "/token"
Handler = Callable[[Asked], Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One address: what answers it, the scope that it needs, and the status of a success."""

    method: str
    path: str
    handler: Handler
    scope: str
    status: int = 200


class RampDesk:
    """The endpoints over one world, with the businesses that were looked at so far."""

    def __init__(self, world: World, service: LedgerService) -> None:
        self._world = world
        self._service = service
        rules = world.settings.ramp
        self._tokens = TokenBooth(rules, world.settings.seed)
        self._businesses: dict[str, Business] = {}
        self._calls: dict[str, deque[float]] = {}
        self._draws = random.Random(f"ramp:{world.settings.seed}")
        self._consents = 0
        self.post = RampPost(rules, clock=world.clock, chaos=world.chaos, seed=world.settings.seed)
        self.partner = self._tokens.open_app(None)
        self.apps = {desk.realm_id: self._tokens.open_app(desk.realm_id) for desk in world.desks}
        self._answers = [*Answers(world, self.post).places(), *AccountingAnswers(world).places()]

    def business_of(self, desk: Desk) -> Business:
        """The company at the vendor, made of its books at the first look."""
        if desk.realm_id not in self._businesses:
            business_id = made_id("business", desk.realm_id)
            self._businesses[desk.realm_id] = Business(
                self._world.book(desk),
                self._world.feed(desk),
                service=self._service,
                joined_at=self._world.started_at - timedelta(days=JOINED_DAYS),
                now=self._world.clock.now(),
                tell=lambda event, about: self.post.tell(business_id, event, about),
                hears=lambda: bool(self.post.subscriptions),
            )
        return self._businesses[desk.realm_id]

    def look(self) -> None:
        """Let time pass for the businesses that are alive."""
        for business in self._businesses.values():
            if business.is_alive:
                business.progress(self._world.clock.now())

    def change_access(self, desk: Desk, operation: str, fields: dict[str, Any]) -> Any:
        """End tokens, or say which scopes the company's app has."""
        app = self.apps[desk.realm_id]
        if operation == "disconnect":
            return self._tokens.disconnect(desk.realm_id)
        if operation == "connect":
            self._tokens.apps[app.client_id] = app
            return 0
        if operation == "end_tokens":
            return self._tokens.end_tokens(desk.realm_id)
        app.granted = frozenset(str(scope) for scope in fields.get("scopes", ()))
        return sorted(app.granted)

    def routes(self) -> list[Route]:
        """List the routes, relative to the rail's base address."""
        found: dict[str, dict[str, Place]] = {}
        for place in self._answers:
            found.setdefault(place[1], {})[place[0]] = Place(*place)
        routes = [
            Route(AUTHORIZE_PATH, self.authorize, methods=["GET"]),
            Route(TOKEN_PATH, self.token, methods=["POST"]),
            Route(TOKEN_PATH + "/revoke", self.revoke, methods=["POST"]),
        ]
        methods = ["GET", "POST", "PATCH", "DELETE", "PUT"]
        routes += [Route(API + path, self._answering(by_method), methods=methods) for path, by_method in found.items()]
        return [*routes, Route("/{rest:path}", self._answering({}), methods=methods)]

    # Sign-in

    async def authorize(self, request: Request) -> Response:
        """Say yes for the owner of a business and redirect back with `code` and `state`.

        `realm_id` in the query names the company; without it the companies take turns. `deny=true` says no.
        """
        query = request.query_params
        redirect_uri, state = query.get("redirect_uri", ""), query.get("state", "")
        if query.get("client_id") != self.partner.client_id or query.get("response_type") != "code":
            return Response("The client_id is not known, or response_type is not code.", 400)
        if not redirect_uri or not state or not query.get("scope"):
            return Response("The request must carry redirect_uri, scope and state.", 400)
        joint = "&" if "?" in redirect_uri else "?"
        if query.get("deny") == "true":
            return RedirectResponse(redirect_uri + joint + urlencode({"error": "access_denied", "state": state}), 302)
        desks = self._world.desks
        desk = self._world.find_desk(query["realm_id"]) if "realm_id" in query else desks[self._consents % len(desks)]
        if desk is None:
            return Response("There is no such company.", 400)
        self._consents += 1
        code = self._tokens.authorize(desk.realm_id, redirect_uri, scope=query["scope"], now=self._world.clock.epoch())
        return RedirectResponse(redirect_uri + joint + urlencode({"code": code, "state": state}), 302)

    async def token(self, request: Request) -> Response:
        """Change client credentials, a code or a refresh token into a token."""
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        try:
            app = self._read_app(request)
            self._count(request, app.realm_id or "", "token")
            if self._world.chaos.happens("grants_refused", "ramp token"):
                raise unknown_client()
            if self._world.chaos.happens("malformed", "ramp token"):  # before any work: what was given out is not lost
                return Response(MAINTENANCE_HTML, 200, media_type="text/html")
            answer = self._tokens.grant(app, form, now=self._world.clock.epoch())
        except RampFaultError as fault:
            return self._refuse(fault)
        return self._json(answer, 200)

    async def revoke(self, request: Request) -> Response:
        """End a token; one that is none is no fault."""
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        try:
            self._read_app(request)
        except RampFaultError as fault:
            return self._refuse(fault)
        self._tokens.revoke(form.get("token", ""))
        return self._json({}, 200)

    def _read_app(self, request: Request) -> App:
        header = request.headers.get("authorization", "")
        if not header.lower().startswith("basic "):
            raise unknown_client()
        try:
            user, _, secret = base64.b64decode(header[6:], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise unknown_client() from error
        return self._tokens.check_app(user, secret)

    # Calls

    def _answering(self, by_method: dict[str, Place]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            body = await request.body()
            try:
                return await self._answer(request, body, by_method)
            except RampFaultError as fault:
                return self._refuse(fault)
            except Exception:  # the app's edge: a client never sees a traceback, the operator does
                traceback.print_exc(file=sys.stderr)
                return self._refuse(server_error())

        return answer

    async def _answer(self, request: Request, body: bytes, by_method: dict[str, Place]) -> Response:
        token = self._read_token(request)
        desk = self._world.desk(token.realm_id)
        assert desk is not None
        place = by_method.get(request.method)
        self._count(request, desk.realm_id, _name_of(place, request))
        trouble = await self._meet_trouble(desk, token)
        if trouble is not None:
            return trouble
        if place is None:  # before any scope is looked at
            raise not_found()
        if place.scope not in token.scopes:
            raise scope_missing(place.scope)
        if desk.book is None:
            await asyncio.to_thread(self._world.book, desk)  # large books take seconds; others go on
        business = self.business_of(desk)
        business.progress(self._world.clock.now())
        base = f"{request.url.scheme}://{request.url.netloc}{request.scope['root_path']}"
        asked = Asked(
            desk=desk,
            business=business,
            now=self._world.clock.now(),
            query=dict(request.query_params),
            body=_read_body(body),
            ids={name: str(value) for name, value in request.path_params.items()},
            url=base + request.url.path.removeprefix(request.scope["root_path"]),
            new_id=lambda: made_id("new", str(self._draws.getrandbits(64))),
        )
        answer = place.handler(asked)
        if request.method != "GET" and self._world.chaos.happens("unanswered_write", f"ramp:{desk.realm_id}"):
            return CutOff()
        answer = self._spoil(asked, answer)
        return Response(b"", 204) if place.status == 204 else self._succeed(answer, place.status, desk=desk)

    def _read_token(self, request: Request) -> Token:
        header = request.headers.get("authorization", "")
        if not header.lower().startswith("bearer ") or not header[7:].strip():
            raise no_token()
        return self._tokens.read(header[7:].strip(), now=self._world.clock.epoch())

    def _count(self, request: Request, realm_id: str, endpoint: str) -> None:
        """Count a call, and refuse it when one address has made too many."""
        self._world.calls[("ramp", realm_id, endpoint)] += 1
        rules = self._world.settings.ramp
        if not self._world.settings.throttle.enabled:
            return
        moments = self._calls.setdefault(request.client.host if request.client is not None else "", deque())
        now = self._world.clock.epoch()
        while moments and moments[0] <= now - rules.window_s:
            moments.popleft()
        if len(moments) >= rules.calls_per_window:
            raise too_many()
        moments.append(now)

    async def _meet_trouble(self, desk: Desk, token: Token) -> Response | None:
        await asyncio.sleep(self._world.chaos.pause_s(f"ramp:{desk.realm_id}"))
        trouble = self._world.chaos.trouble_before(f"ramp:{desk.realm_id}")
        if trouble == "expired":
            self._tokens.end_tokens(desk.realm_id)
        if self._world.chaos.happens("revoked", f"ramp:{desk.realm_id}") and self._tokens.end_unless_new(token):
            raise not_found()
        if trouble in {"expired", "wrong_environment"}:
            raise not_found()  # a bad token looks like an object that is not there
        if trouble == "throttled":
            raise too_many()
        if trouble in {"server_error", "fault_ok"}:
            raise server_error()
        if trouble == "html_ok":
            return Response(MAINTENANCE_HTML, 200, media_type="text/html")
        if trouble == "unavailable":
            return Response(b"upstream request timeout", 504, media_type="text/plain")
        return CutOff() if trouble == "unanswered" else None

    def _refuse(self, fault: RampFaultError) -> Response:
        return self._json(fault.body(f"{self._draws.getrandbits(96):024x}"), fault.status)

    def _spoil(self, asked: Asked, answer: Any) -> Any:
        if not isinstance(answer, dict) or answer.keys() != {"data", "page"}:
            return answer
        spoiler, purpose = self._world.spoiler, f"ramp:{asked.desk.realm_id}"
        filters = sorted((name, value) for name, value in asked.query.items() if name != "start")
        listed = spoiler.page(
            f"{purpose}:{asked.url}:{filters}", answer, follows="start" in asked.query, purpose=purpose
        )
        return {**listed, "data": spoiler.rows(listed["data"], purpose=purpose)}

    def _succeed(self, value: Any, status: int, *, desk: Desk) -> Response:
        body, content_type = self._world.spoiler.body(
            encode_wire(value), "application/json", purpose=f"ramp:{desk.realm_id}"
        )
        trace = f"{self._draws.getrandbits(64):016x}"
        return Response(body, status, {"x-trace-id": trace, "content-type": content_type})

    def _json(self, value: Any, status: int) -> Response:
        trace = f"{self._draws.getrandbits(64):016x}"
        return Response(encode_wire(value), status, {"x-trace-id": trace}, media_type="application/json")


def _name_of(place: Place | None, request: Request) -> str:
    return "unknown" if place is None else f"{request.method} {place.path.lstrip('/')}"


def _read_body(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        read = decode_wire(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid(json="Invalid JSON body.") from error
    if not isinstance(read, dict):
        raise invalid(json="Invalid JSON body.")
    return read
