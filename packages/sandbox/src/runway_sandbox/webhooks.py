"""Sends events to the registered address: both payload forms, signed, repeated on the vendor's ladder.

Deliveries go out one at a time: while one is not acknowledged, later ones are held back (facts/qbo.md 5.4). Waiting
is counted by the sandbox's clock, so a test moves through the ladder by advancing it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import random
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import httpx
import msgspec

from runway_sandbox.chaos import Chaos
from runway_sandbox.clock import SandboxClock
from runway_sandbox.impostor import Impostor, Sent
from runway_sandbox.settings import WebhookRules
from runway_sandbox.wiretime import PACIFIC, format_utc_milliseconds

LADDER_SECONDS = (10, 20, 30, 300, 1200, 7200, 14_400, 21_600)
_LOOK_AGAIN_S = 0.2
_SOURCE = "intuit.c2FuZGJveC1ub3RpZmljYXRpb24tc291cmNlLWlk"
_CLOUD_WORDS = {
    "Create": "created",
    "Update": "updated",
    "Delete": "deleted",
    "Merge": "merged",
    "Void": "void",
    "Emailed": "emailed",
}


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One thing that happened to one record of one company."""

    realm_id: str
    kind: str
    id: str
    operation: str
    at: datetime
    due_at: float  # epoch seconds by the sandbox's clock


@dataclass(slots=True)
class Delivery:
    """One request that must be acknowledged before the next is sent."""

    body: bytes
    due_at: float
    attempts: int = 0


class WebhookPost:
    """Gathers events and delivers them in the background; keeps a bounded number when nobody answers."""

    def __init__(self, rules: WebhookRules, *, clock: SandboxClock, chaos: Chaos) -> None:
        self._rules = rules
        self._clock = clock
        self._chaos = chaos
        self.impostor = Impostor(chaos, purpose="webhooks")
        self._form: Literal["legacy", "cloudevents"] = rules.form
        self._pending: deque[WebhookEvent] = deque(maxlen=rules.keep_at_most)
        self._held: Delivery | None = None
        self._ids = random.Random("webhook ids")
        self._wake: asyncio.Event | None = None
        self.url: str | None = None
        self.delivered = 0
        self.failed_attempts = 0
        self.lost = 0
        self.last_status: int | str | None = None

    def register(self, url: str | None, *, form: Literal["legacy", "cloudevents"] | None = None) -> None:
        """Set where events go, and in which form; `None` stops them. What waits for the old address is dropped."""
        self.url = url
        self._form = form or self._form
        self._held = None
        self.wake()

    def tell(self, realm_id: str, happenings: Iterable[tuple[str, str, str]]) -> None:
        """Note what happened, as (kind, id, operation); nothing is kept while no address is registered."""
        if self.url is None:
            return
        profile = self._chaos.profile
        now = self._clock.now()
        for kind, identifier, operation in happenings:
            if self._chaos.happens("webhook_lost", "webhooks"):
                self.lost += 1
                continue
            event = WebhookEvent(realm_id, kind, identifier, operation, now, now.timestamp() + profile.webhook_delay_s)
            self._pending.append(event)
            if self._chaos.happens("webhook_doubled", "webhooks"):
                self._pending.append(event)
        if self._chaos.happens("webhook_disorder", "webhooks"):
            shuffled = list(self._pending)
            self._chaos.draw("webhooks:order").shuffle(shuffled)
            self._pending = deque(shuffled, maxlen=self._rules.keep_at_most)
        self.wake()

    def wake(self) -> None:
        """Let the background task look again: an event came, the clock was moved, the address changed."""
        if self._wake is not None:
            self._wake.set()

    @property
    def waiting(self) -> int:
        """Count the events not yet sent, and the delivery not yet acknowledged as one."""
        return len(self._pending) + (1 if self._held is not None else 0)

    async def run(self) -> None:
        """Deliver until cancelled."""
        self._wake = asyncio.Event()
        async with httpx.AsyncClient(timeout=self._rules.answer_within_s, trust_env=False) as client:
            while True:
                self._wake.clear()
                if not await self._deliver_one(client):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), _LOOK_AGAIN_S if self.waiting else None)

    async def _deliver_one(self, client: httpx.AsyncClient) -> bool:
        now = self._clock.epoch()
        if self.url is None:
            return False
        if self._held is None:
            due = [event for event in self._pending if event.due_at <= now]
            if not due:
                return False
            self._pending = deque(
                (event for event in self._pending if event.due_at > now), maxlen=self._rules.keep_at_most
            )
            self._held = Delivery(build_payload(due, form=self._form, ids=self._ids), now)
        delivery = self._held
        if delivery.due_at > now:
            return False
        if await self._post(client, delivery):
            if self._held is delivery:
                self._held = None
            return True
        self.failed_attempts += 1
        delivery.due_at = self._clock.epoch() + LADDER_SECONDS[min(delivery.attempts, len(LADDER_SECONDS) - 1)]
        delivery.attempts += 1
        return False

    async def _post(self, client: httpx.AsyncClient, delivery: Delivery) -> bool:
        assert self.url is not None
        created = self._clock.now().astimezone(PACIFIC).strftime("%Y-%m-%dT%H:%M:%S%z")
        headers = {
            "intuit-signature": sign(delivery.body, self._rules.verifier_token),
            "intuit-created-time": created,
            "intuit-t-id": str(uuid.UUID(int=self._ids.getrandbits(128), version=4)),
            "intuit-notification-schema-version": "0.1",
            "content-type": "application/json; charset=utf-8",
            "accept": "application/json",
            "user-agent": "intuit_notification_server/0.1",
        }
        try:
            response = await client.post(self.url, content=delivery.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.last_status = type(error).__name__
            return False
        self.last_status = response.status_code
        await self.impostor.follow(client, Sent(self.url, delivery.body, headers), signature="intuit-signature")
        if response.status_code != 200:
            return False
        self.delivered += 1
        return True


def sign(body: bytes, verifier_token: str) -> str:
    """Compute `intuit-signature`: base64 of the HMAC-SHA256 of the raw body."""
    return base64.b64encode(hmac.new(verifier_token.encode(), body, hashlib.sha256).digest()).decode()


def build_payload(events: list[WebhookEvent], *, form: Literal["legacy", "cloudevents"], ids: random.Random) -> bytes:
    """Write one delivery, which may carry several companies, in either form of facts/qbo.md 5.2."""
    if form == "cloudevents":
        return msgspec.json.encode(
            [
                {
                    "specversion": "1.0",
                    "id": str(uuid.UUID(int=ids.getrandbits(128), version=4)),
                    "source": _SOURCE,
                    "type": f"qbo.{event.kind.lower()}.{_CLOUD_WORDS[event.operation]}.v1",
                    "datacontenttype": "application/json",
                    "time": f"{event.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z",  # nine decimals, as sent
                    "intuitentityid": event.id,
                    "intuitaccountid": event.realm_id,
                    "data": {},
                }
                for event in events
            ]
        )
    by_realm: dict[str, list[dict[str, str]]] = {}
    for event in events:
        entity = {
            "name": event.kind,
            "id": event.id,
            "operation": event.operation,
            "lastUpdated": format_utc_milliseconds(event.at),
        }
        by_realm.setdefault(event.realm_id, []).append(entity)
    notifications = [
        {"realmId": realm_id, "dataChangeEvent": {"entities": entities}} for realm_id, entities in by_realm.items()
    ]
    return msgspec.json.encode({"eventNotifications": notifications})
