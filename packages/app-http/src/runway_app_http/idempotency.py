"""Calls that are sent again under the same `Idempotency-Key`: the first one acts, the others get its answer.

An answer is kept once something was done (2xx). A refusal did nothing, so its key is free again. Where a process is
killed between the deed and its answer being kept, the key is free when the claim runs out, and the call runs again:
what must not happen twice even then (a fix, a planned item, a release) holds by a version or command of its own.
"""

import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qsl

import structlog
from runway_core.domain.answered_calls import CallKey, Claim, ClaimState, KeptAnswer
from runway_core.errors import CallRunning, IdempotencyKeyReused, RunwayError, StoreError
from runway_core.runway import Runway
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runway_app_http.gate import visitor_of
from runway_app_http.problems import Failure, FieldProblem, explain

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 255
KEPT_FOR = timedelta(hours=48)
GIVEN_UP_AFTER = timedelta(minutes=10)
"""A call that was not answered by then was killed: reading a company for the first time takes less."""

_KEY = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_KEY}}}")
_NOT_KEPT = frozenset({"date", "server", "request-id", "transfer-encoding"})

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Answer:
    """What the app answers, held back until it is kept."""

    messages: list[Message] = field(default_factory=list)

    async def take(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def is_done(self) -> bool:
        """Whether all of it is there, and says that something was done."""
        ends = bool(self.messages) and not self.messages[-1].get("more_body", False)
        return ends and 200 <= self.messages[0].get("status", 500) < 300

    def kept(self) -> KeptAnswer:
        start, *parts = self.messages
        headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
        return KeptAnswer(
            status=start["status"],
            headers=tuple((name, value) for name, value in headers if name.lower() not in _NOT_KEPT),
            body=b"".join(part.get("body", b"") for part in parts),
        )

    async def send_on(self, send: Send) -> None:
        for message in self.messages:
            await send(message)


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Pure ASGI middleware, within the gate. `answer` lays a failure out for whoever asked."""

    app: ASGIApp
    answer: Callable[[Request, Failure], Response]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_call = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith("/v1/")
        request = Request(scope, receive) if is_call else None
        key = None if request is None else request.headers.get(HEADER)
        if request is None or key is None:
            await self.app(scope, receive, send)
            return
        try:
            response = await self._answer(request, key, send)
        except ClientDisconnect:
            return
        except (RunwayError, HTTPException) as error:
            response = self.answer(request, explain(error))
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, request: Request, key: str, send: Send) -> Response | None:
        """What to answer in the app's stead; `None` where the app was asked and has answered."""
        if _KEY.fullmatch(key) is None:
            detail = f"1 to {LONGEST_KEY} printable characters without blanks"
            problem = FieldProblem(field=f"header.{HEADER}", detail=detail)
            return self.answer(request, Failure("invalid-request", f"{HEADER}: {detail}", errors=(problem,)))
        body = await request.body()
        visitor = visitor_of(request)
        call = CallKey(visitor.runway.scope.firm_id, "" if visitor.key is None else visitor.key.token_id, key)
        claim_id = uuid.uuid4().hex
        claim = await _claim(visitor.runway, call, _fingerprint(request, body), claim_id)
        if claim.state is ClaimState.OTHER:
            raise IdempotencyKeyReused("this Idempotency-Key was sent with another call: give each call its own")
        if claim.state is ClaimState.RUNNING:
            raise CallRunning("the same call is being answered: send it again in a few seconds, under the same key")
        if claim.answer is not None:
            return _replay(claim.answer)
        await self._run(request, body, send, runway=visitor.runway, call=call, claim_id=claim_id)
        return None

    async def _run(
        self, request: Request, body: bytes, send: Send, *, runway: Runway, call: CallKey, claim_id: str
    ) -> None:
        calls, given = runway.scope.store.answered_calls, _Answer()
        try:
            await self.app(request.scope, _given_again(body, request.receive), given.take)
        except BaseException:
            await calls.release(call, claim_id)
            raise
        try:
            if given.is_done:
                await calls.keep(call, claim_id, given.kept(), until=runway.scope.clock.now() + KEPT_FOR)
            else:
                await calls.release(call, claim_id)
        except StoreError as error:  # what was done is done, and whoever asked is told so
            _log.warning("answer_not_kept", path=request.url.path, error=str(error))
        await given.send_on(send)


def _replay(answer: KeptAnswer) -> Response:
    given = Response(answer.body, status_code=answer.status)
    given.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    given.headers[REPLAYED] = "true"
    return given


async def _claim(runway: Runway, call: CallKey, fingerprint: str, claim_id: str) -> Claim:
    now = runway.scope.clock.now()
    calls = runway.scope.store.answered_calls
    return await calls.claim(call, fingerprint, claim_id, now=now, until=now + GIVEN_UP_AFTER)


def _fingerprint(request: Request, body: bytes) -> str:
    """Of where the call goes and what it says. Headers are left out: `If-Match` may be brought up to date."""
    told = hashlib.sha256(request.url.path.encode())
    for name, value in sorted(parse_qsl(request.url.query, keep_blank_values=True)):
        told.update(f"\x00{len(name)}:{name}={value}".encode())
    told.update(b"\x00\x00" + body)
    return told.hexdigest()


def _given_again(body: bytes, receive: Receive) -> Receive:
    """The body that was read already, then whatever follows it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return messages.pop() if messages else await receive()

    return give
