"""Sends events to the platform's address: signed, repeated, late, twice or never by chaos (facts/stripe.md 9)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx
import msgspec

from runway_sandbox.chaos import Chaos
from runway_sandbox.clock import SandboxClock
from runway_sandbox.impostor import Impostor, Sent
from runway_sandbox.stripe.account import StripeAccount

PAUSES_S = (60.0, 3_600.0)
"""Three tries over some hours, as in the vendor's own sandbox; the exact pauses are not documented."""
_ANSWER_WITHIN_S = 10.0
_LOOK_AGAIN_S = 0.2
_KEEP_AT_MOST = 10_000


@dataclass(slots=True)
class Delivery:
    """One event on its way."""

    account: StripeAccount
    event_id: str
    body: bytes
    due_at: float
    attempts: int = 0


class StripePost:
    """The queue of events. `look` is asked before each round for the accounts that may have news."""

    def __init__(
        self, *, clock: SandboxClock, chaos: Chaos, secret: str, look: Callable[[], Iterable[StripeAccount]]
    ) -> None:
        self._clock = clock
        self._chaos = chaos
        self.impostor = Impostor(chaos, purpose="stripe webhooks")
        self._look = look
        self._queue: list[Delivery] = []
        self._wake: asyncio.Event | None = None
        self.secrets = [secret]
        self.url: str | None = None
        self.delivered = 0
        self.failed_attempts = 0
        self.lost = 0
        self.last_status: int | str | None = None

    def wake(self) -> None:
        """Let the background task look again."""
        if self._wake is not None:
            self._wake.set()

    @property
    def waiting(self) -> int:
        """Count the events that were not delivered yet."""
        return len(self._queue)

    def roll_secret(self, secret: str) -> None:
        """Sign with a new secret, and for a while with the old one as well."""
        self.secrets = [secret, self.secrets[0]]

    def gather(self) -> None:
        """Queue what happened since the last time; nothing is kept while no address is registered."""
        now = self._clock.epoch()
        for account in self._look():
            for happening in account.untold(now=int(now)):
                if self.url is None:
                    continue
                event = account.event(happening, is_connect=True)
                if self._chaos.happens("webhook_lost", "stripe webhooks"):
                    self.lost += 1
                    account.undelivered.add(event["id"])
                    continue
                due_at = now + self._chaos.profile.webhook_delay_s
                copies = 2 if self._chaos.happens("webhook_doubled", "stripe webhooks") else 1
                body = msgspec.json.encode(event)
                self._queue += [Delivery(account, event["id"], body, due_at) for _ in range(copies)]
                if self._chaos.happens("webhook_disorder", "stripe webhooks"):
                    self._chaos.draw("stripe webhooks:order").shuffle(self._queue)
        del self._queue[:-_KEEP_AT_MOST]

    async def run(self) -> None:
        """Deliver until cancelled."""
        self._wake = asyncio.Event()
        async with httpx.AsyncClient(timeout=_ANSWER_WITHIN_S, trust_env=False) as client:
            while True:
                self._wake.clear()
                self.gather()
                await self._deliver_due(client)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _LOOK_AGAIN_S if self._queue else None)

    async def _deliver_due(self, client: httpx.AsyncClient) -> None:
        now = self._clock.epoch()
        for delivery in [one for one in self._queue if one.due_at <= now]:
            if await self._post(client, delivery):
                self.delivered += 1
                delivery.account.undelivered.discard(delivery.event_id)
                self._queue.remove(delivery)
                continue
            self.failed_attempts += 1
            delivery.account.undelivered.add(delivery.event_id)
            if delivery.attempts >= len(PAUSES_S):
                self.lost += 1
                self._queue.remove(delivery)
                continue
            delivery.due_at = self._clock.epoch() + PAUSES_S[delivery.attempts]
            delivery.attempts += 1

    async def _post(self, client: httpx.AsyncClient, delivery: Delivery) -> bool:
        assert self.url is not None
        headers = {
            "stripe-signature": sign(delivery.body, at=int(self._clock.epoch()), secrets=self.secrets),
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            response = await client.post(self.url, content=delivery.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.last_status = type(error).__name__
            return False
        self.last_status = response.status_code
        await self.impostor.follow(client, Sent(self.url, delivery.body, headers), signature="stripe-signature")
        return 200 <= response.status_code < 300


def sign(body: bytes, *, at: int, secrets: Iterable[str]) -> str:
    """Compute `Stripe-Signature`: one `v1` for each secret that is alive, and a `v0` that proves nothing."""
    signed = f"{at}.".encode() + body
    codes = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={code}" for code in codes), f"v0={'0' * 64}"])
