"""Sends events to each item's address: signed, repeated by the vendor's ladder, late, twice or never by chaos."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from runway_sandbox.chaos import Chaos
from runway_sandbox.clock import SandboxClock
from runway_sandbox.impostor import Impostor, Sent
from runway_sandbox.plaid.items import Item
from runway_sandbox.plaid.signing import Signer

FIRST_PAUSE_S = 30.0
GIVE_UP_AFTER_S = 24 * 3600.0
_ANSWER_WITHIN_S = 10.0
_LOOK_AGAIN_S = 0.2
_KEEP_AT_MOST = 10_000


@dataclass(slots=True)
class Delivery:
    """One event on its way."""

    url: str
    body: bytes
    made_at: float
    due_at: float
    pause_s: float = FIRST_PAUSE_S


class PlaidPost:
    """The queue of events. `look` is asked before each round: it lets items fetch, and tells what that brought."""

    def __init__(self, *, clock: SandboxClock, chaos: Chaos, signer: Signer, look: Callable[[], None]) -> None:
        self._clock = clock
        self._chaos = chaos
        self.impostor = Impostor(chaos, purpose="plaid webhooks")
        self._signer = signer
        self._look = look
        self._queue: list[Delivery] = []
        self._wake: asyncio.Event | None = None
        self.url: str | None = None  # for items without an address of their own
        self.delivered = 0
        self.failed_attempts = 0
        self.lost = 0
        self.last_status: int | str | None = None

    def tell(self, item: Item, webhook_type: str, code: str, **more: Any) -> bool:
        """Queue one event of an item; false when it has no address."""
        url = item.webhook or self.url
        if url is None:
            return False
        now = self._clock.now()
        item.last_webhook = (now, code)
        if self._chaos.happens("webhook_lost", "plaid webhooks"):
            self.lost += 1
            return True
        event = {
            "webhook_type": webhook_type,
            "webhook_code": code,
            "item_id": item.item_id,
            **more,
            "environment": "sandbox",
        }
        due_at = now.timestamp() + self._chaos.profile.webhook_delay_s
        copies = 2 if self._chaos.happens("webhook_doubled", "plaid webhooks") else 1
        for _ in range(copies):
            self._queue.append(Delivery(url, msgspec.json.encode(event), now.timestamp(), due_at))
        if self._chaos.happens("webhook_disorder", "plaid webhooks"):
            self._chaos.draw("plaid webhooks:order").shuffle(self._queue)
        del self._queue[:-_KEEP_AT_MOST]
        self.wake()
        return True

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
                self._look()
                await self._deliver_due(client)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _LOOK_AGAIN_S if self._queue else None)

    async def _deliver_due(self, client: httpx.AsyncClient) -> None:
        now = self._clock.epoch()
        for delivery in [one for one in self._queue if one.due_at <= now]:
            if await self._post(client, delivery):
                self.delivered += 1
                self._queue.remove(delivery)
                continue
            self.failed_attempts += 1
            delivery.due_at = self._clock.epoch() + delivery.pause_s
            delivery.pause_s *= 4
            if delivery.due_at - delivery.made_at > GIVE_UP_AFTER_S:
                self.lost += 1
                self._queue.remove(delivery)

    async def _post(self, client: httpx.AsyncClient, delivery: Delivery) -> bool:
        signature = self._signer.sign(delivery.body, now=int(self._clock.epoch()))
        headers = {"plaid-verification": signature, "content-type": "application/json"}
        try:
            response = await client.post(delivery.url, content=delivery.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.last_status = type(error).__name__
            return False
        self.last_status = response.status_code
        await self.impostor.follow(client, Sent(delivery.url, delivery.body, headers), signature="plaid-verification")
        return response.status_code == 200
