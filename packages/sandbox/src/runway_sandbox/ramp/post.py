"""Subscriptions to events, and their deliveries: thin, signed, repeated on a ladder that grows (facts/ramp.md 9)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import msgspec

from runway_sandbox.chaos import Chaos
from runway_sandbox.clock import SandboxClock
from runway_sandbox.impostor import Impostor, Sent
from runway_sandbox.ramp.records import made_id
from runway_sandbox.settings import RampRules

ATTEMPTS = 10
FIRST_PAUSE_S = 30.0
_ANSWER_WITHIN_S = 10.0
_LOOK_AGAIN_S = 0.2
_KEEP_AT_MOST = 10_000


@dataclass(slots=True)
class Subscription:
    """Where events of some types go; it is of one business, or of all when it was set from outside."""

    id: str
    business_id: str | None
    endpoint_url: str
    event_types: frozenset[str]  # empty: all
    secret: str
    challenge: str
    created_at: datetime
    status: str = "pending_verification"
    additional_headers: dict[str, str] = field(default_factory=dict)
    is_deleted: bool = False


@dataclass(slots=True)
class Delivery:
    """One event on its way."""

    to: Subscription
    body: bytes
    due_at: float
    attempts: int = 0
    is_challenge: bool = False


class RampPost:
    """The queue of events of all businesses."""

    def __init__(self, rules: RampRules, *, clock: SandboxClock, chaos: Chaos, seed: int) -> None:
        self._rules = rules
        self._clock = clock
        self._chaos = chaos
        self.impostor = Impostor(chaos, purpose="ramp webhooks")
        self._draws = random.Random(f"ramp webhooks:{seed}")
        self._queue: list[Delivery] = []
        self._wake: asyncio.Event | None = None
        self.subscriptions: dict[str, Subscription] = {}
        self.delivered = 0
        self.failed_attempts = 0
        self.lost = 0
        self.last_status: int | str | None = None

    @property
    def url(self) -> str | None:
        """Where the events of all businesses go, when that was set from outside."""
        held = self.subscriptions.get("all")
        return None if held is None else held.endpoint_url

    @url.setter
    def url(self, url: str | None) -> None:
        self.subscriptions.pop("all", None)
        if url is not None:
            self.subscriptions["all"] = Subscription(
                "all", None, url, frozenset(), self._rules.webhook_secret, "", self._clock.now(), "active"
            )

    def subscribe(self, business_id: str, url: str, types: frozenset[str], *, headers: dict[str, str]) -> Subscription:
        """Make a subscription of one business; it must be proved before events go out."""
        number = str(self._draws.getrandbits(64))
        one = Subscription(
            id=made_id("subscription", number),
            business_id=business_id,
            endpoint_url=url,
            event_types=types,
            secret="ramp_sec_" + hashlib.sha256(number.encode()).hexdigest(),
            challenge="ramp_challenge_" + hashlib.md5(number.encode(), usedforsecurity=False).hexdigest(),
            created_at=self._clock.now(),
            additional_headers=headers,
        )
        self.subscriptions[one.id] = one
        event = {
            "id": made_id("event", number),
            "type": "webhooks.verification",
            "created_at": _moment(one.created_at),
            "business_id": business_id,
            "challenge": one.challenge,
        }
        self._queue.append(Delivery(one, msgspec.json.encode(event), self._clock.epoch(), is_challenge=True))
        self.wake()
        return one

    def tell(self, business_id: str, event_type: str, object_id: str) -> None:
        """Queue one event for everybody who asked for it."""
        now = self._clock.now()
        event = {
            "id": made_id("event", str(self._draws.getrandbits(64))),
            "type": event_type,
            "created_at": _moment(now),
            "business_id": business_id,
            "object": {"id": object_id},
        }
        body = msgspec.json.encode(event)
        for one in self.subscriptions.values():
            if one.business_id not in {None, business_id} or one.status != "active":
                continue
            if one.event_types and event_type not in one.event_types:
                continue
            if self._chaos.happens("webhook_lost", "ramp webhooks"):
                self.lost += 1
                continue
            due_at = now.timestamp() + self._chaos.profile.webhook_delay_s
            copies = 2 if self._chaos.happens("webhook_doubled", "ramp webhooks") else 1
            self._queue += [Delivery(one, body, due_at) for _ in range(copies)]
        if self._chaos.happens("webhook_disorder", "ramp webhooks"):
            self._chaos.draw("ramp webhooks:order").shuffle(self._queue)
        del self._queue[:-_KEEP_AT_MOST]
        self.wake()

    def wake(self) -> None:
        """Let the background task look again."""
        if self._wake is not None:
            self._wake.set()

    @property
    def waiting(self) -> int:
        """Count the events that were not delivered yet."""
        return len(self._queue)

    async def run(self) -> None:
        """Deliver until cancelled."""
        self._wake = asyncio.Event()
        async with httpx.AsyncClient(timeout=_ANSWER_WITHIN_S, trust_env=False) as client:
            while True:
                self._wake.clear()
                await self._deliver_due(client)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _LOOK_AGAIN_S if self._queue else None)

    async def _deliver_due(self, client: httpx.AsyncClient) -> None:
        now = self._clock.epoch()
        for delivery in [one for one in self._queue if one.due_at <= now]:
            status = await self._post(client, delivery)
            delivery.attempts += 1
            if status is not None and 200 <= status < 300:
                self.delivered += 1
                self._queue.remove(delivery)
                continue
            self.failed_attempts += 1
            is_final = status is not None and status < 500 and status != 429
            if is_final or delivery.attempts >= ATTEMPTS or delivery.to.is_deleted:
                self.lost += 1
                self._queue.remove(delivery)
                continue
            pause = FIRST_PAUSE_S * 2 ** (delivery.attempts - 1)
            delivery.due_at = self._clock.epoch() + pause * (0.5 + self._draws.random())

    async def _post(self, client: httpx.AsyncClient, delivery: Delivery) -> int | None:
        headers = {
            **delivery.to.additional_headers,
            self._rules.signature_header: sign(delivery.body, delivery.to.secret),
            "content-type": "application/json",
        }
        try:
            response = await client.post(delivery.to.endpoint_url, content=delivery.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.last_status = type(error).__name__
            return None
        self.last_status = response.status_code
        sent = Sent(delivery.to.endpoint_url, delivery.body, headers)
        await self.impostor.follow(client, sent, signature=self._rules.signature_header)
        return response.status_code


def sign(body: bytes, secret: str) -> str:
    """Sign a body: the HMAC-SHA256 over it, in hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def describe(one: Subscription, *, with_secret: bool = False) -> dict[str, Any]:
    """Return a subscription; its secret is shown once."""
    shown: dict[str, Any] = {
        "id": one.id,
        "business_id": one.business_id,
        "endpoint_url": one.endpoint_url,
        "event_types": sorted(one.event_types),
        "status": one.status,
        "additional_headers": one.additional_headers,
        "created_at": _moment(one.created_at),
        "updated_at": _moment(one.created_at),
    }
    return {**shown, "secret": one.secret} if with_secret else shown


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
