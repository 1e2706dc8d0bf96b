"""The ASGI application: the gateway in front of the accounting service, beside sign-in and control."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import traceback
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from runway_sandbox.control import ControlDesk
from runway_sandbox.faults import (
    HTML_TYPE,
    JSON_TYPE,
    MAINTENANCE_HTML,
    SERVICE_UNAVAILABLE_HTML,
    XML_TYPE,
    GatewayFaultError,
    ServiceFaultError,
    business_rule,
    not_signed_in,
    system_failure,
    throttle_body,
    wrong_company,
)
from runway_sandbox.plaid.desk import PlaidDesk
from runway_sandbox.ramp.desk import RampDesk
from runway_sandbox.service import Answer, Call, LedgerService, endpoint_of, is_write
from runway_sandbox.signin import SignInDesk
from runway_sandbox.spoiling import CutOff
from runway_sandbox.stripe.desk import StripeDesk
from runway_sandbox.world import Desk, World
from runway_sandbox.xmlform import as_xml

RAIL_PATH = "/qbo"
PLAID_PATH = "/plaid"
RAMP_PATH = "/ramp"
STRIPE_PATH = "/stripe"
CONTROL_PATH = "/control"
_LARGEST_BODY = 100 * 1024 * 1024
_SUBSCRIPTION_ENDED = ServiceFaultError(
    "6190",
    "Invalid Company Status",
    "Subscription period has ended or canceled or there was a billing problem : Subscription has ended",
    status=200,
)


class Gateway:
    """Checks tokens, counts calls, throttles and makes trouble, then asks the service."""

    def __init__(self, world: World, service: LedgerService) -> None:
        self._world = world
        self._service = service
        self._tids = random.Random(f"tid:{world.settings.seed}")

    def new_tid(self) -> str:
        """Draw the id that the vendor's support asks for."""
        return f"1-{int(self._world.clock.epoch()):08x}-{self._tids.getrandbits(96):024x}"

    async def company(self, request: Request) -> Response:
        """Answer one call to `/v3/company/{realm_id}/…`."""
        tid = self.new_tid()
        body = await request.body()
        path = str(request.path_params["rest"])
        call = Call(
            method=request.method,
            parts=tuple(path.split("/")) if path else (),
            params=dict(request.query_params),
            body=body,
            content_type=request.headers.get("content-type", ""),
        )
        realm_id = str(request.path_params["realm_id"])
        self._world.calls[("qbo", realm_id, endpoint_of(call))] += 1
        await asyncio.sleep(self._world.chaos.pause_s(realm_id))
        desk = self._world.desk(realm_id)
        if desk is not None and desk.book is None:
            await asyncio.to_thread(self._world.book, desk)  # large books take seconds; others go on
        try:
            answer = self._admit(request, call, realm_id)
        except GatewayFaultError as fault:
            headers = {"content-type": JSON_TYPE, "intuit_tid": tid, **fault.headers}
            return Response(fault.json_body(self._world.clock.now()), fault.status, headers=headers)
        if answer is None:
            return CutOff()
        return self._respond(request, answer, tid, realm_id=realm_id)

    async def unknown(self, _request: Request) -> Response:
        """Answer a path that the service does not have."""
        fault = business_rule("Unexpected Internal Error. (-30000)")
        headers = {"content-type": JSON_TYPE, "intuit_tid": self.new_tid()}
        return Response(fault.json_body(self._world.clock.now()), 400, headers=headers)

    def _admit(self, request: Request, call: Call, realm_id: str) -> Answer | None:
        now = self._world.clock.now()
        trouble = self._world.chaos.trouble_before(realm_id)
        if trouble == "unavailable":
            return Answer(503, SERVICE_UNAVAILABLE_HTML, HTML_TYPE)
        if trouble == "html_ok":
            return Answer(200, MAINTENANCE_HTML, "text/html")
        desk = self._sign_in(request, realm_id, trouble)
        reads_blocked = not is_write(call) and self._world.chaos.happens("quota", realm_id)
        if trouble == "throttled" or reads_blocked:
            return Answer(429, throttle_body(now), XML_TYPE)
        if not desk.throttle.enter(now.timestamp(), is_batch=call.parts[:1] == ("batch",)):
            return Answer(429, throttle_body(now), XML_TYPE)
        try:
            return self._serve(desk, call, trouble)
        finally:
            desk.throttle.leave()

    def _serve(self, desk: Desk, call: Call, trouble: str | None) -> Answer | None:
        now = self._world.clock.now()
        if len(call.body) > _LARGEST_BODY:
            return Answer(413, b"", "text/html")
        if trouble == "unanswered":
            return None
        if trouble == "server_error":
            return Answer(500, system_failure().json_body(now))
        if trouble == "fault_ok":
            return Answer(200, _SUBSCRIPTION_ENDED.json_body(now))
        try:
            answer = self._service.answer(desk, call)
        except Exception:  # the app's edge: a client never sees a traceback, the operator does
            traceback.print_exc(file=sys.stderr)
            return Answer(500, system_failure("unexpected").json_body(now))
        if is_write(call) and self._world.chaos.happens("unanswered_write", desk.realm_id):
            return None
        return answer

    def _sign_in(self, request: Request, realm_id: str, trouble: str | None) -> Desk:
        header = request.headers.get("authorization", "")
        token = header[7:] if header.lower().startswith("bearer ") else ""
        if not token:
            raise not_signed_in("AuthenticationFailed: missing or malformed Authorization header")
        if self._world.chaos.happens("revoked", realm_id):
            self._world.tokens.end_access(token)
        opened = self._world.tokens.realm_of(token, now=self._world.clock.epoch())
        if opened is None or trouble == "expired":
            raise not_signed_in(f"Token expired: {token[:8]}")
        desk = self._world.desk(realm_id)
        if desk is None or opened != realm_id or trouble == "wrong_environment":
            raise wrong_company()
        return desk

    def _respond(self, request: Request, answer: Answer, tid: str, *, realm_id: str) -> Response:
        body, content_type = answer.body, answer.content_type
        wants_json = "json" in request.headers.get("accept", "")
        if self._world.settings.wire.accept_decides_form and not wants_json and content_type == JSON_TYPE:
            body, content_type = as_xml(body), XML_TYPE
        caching = {}
        if content_type in {JSON_TYPE, XML_TYPE}:
            caching = {
                "qbo-version": "1975.100",
                "cache-control": "max-age=0, no-cache, no-store, must-revalidate, private",
                "expires": "0",
            }
        if answer.status == 200 and content_type == JSON_TYPE:
            body, content_type = self._world.spoiler.body(body, content_type, purpose=realm_id)
        headers = {"content-type": content_type, "intuit_tid": tid, **caching}
        retry_after = self._world.settings.throttle.retry_after_seconds
        if answer.status == 429 and retry_after is not None:
            headers["retry-after"] = str(retry_after)
        return Response(body, answer.status, headers=headers)


def build_app(
    world: World, service: LedgerService, *, plaid: PlaidDesk, ramp: RampDesk, stripe: StripeDesk
) -> Starlette:
    """Put the addresses of one world together; the webhook senders run as long as the application."""
    gateway = Gateway(world, service)
    sign_in = SignInDesk(world, new_tid=gateway.new_tid)
    methods = ["GET", "POST", "PUT", "DELETE", "PATCH"]

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        senders = [asyncio.create_task(post.run()) for post in (world.webhooks, plaid.post, ramp.post, stripe.post)]
        try:
            yield
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)

    rail = [
        Route("/v3/company/{realm_id}/{rest:path}", gateway.company, methods=methods),
        Route("/v3/{rest:path}", gateway.unknown, methods=methods),
        *sign_in.routes(),
    ]
    return Starlette(
        routes=[
            Mount(RAIL_PATH, routes=rail),
            Mount(PLAID_PATH, routes=plaid.routes()),
            Mount(RAMP_PATH, routes=ramp.routes()),
            Mount(STRIPE_PATH, routes=stripe.routes()),
            Mount(CONTROL_PATH, routes=ControlDesk(world, service, plaid=plaid, ramp=ramp, stripe=stripe).routes()),
        ],
        lifespan=lifespan,
    )
