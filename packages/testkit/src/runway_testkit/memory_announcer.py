"""Receivers of webhooks in memory: they answer as the test says, and remember what they were told."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from runway_core.domain.subscriptions import Attempt, SigningSecret, WebhookDelivery


class Told(NamedTuple):
    """One attempt, as its receiver saw it."""

    url: str
    delivery: WebhookDelivery
    secrets: tuple[str, ...]
    at: datetime


ACCEPTED = Attempt(204)
BROKEN = Attempt(500, "the receiver answered 500")
GONE = Attempt(410, "the receiver answered 410")


class MemoryAnnouncer:
    """The `Announcer` in memory; `reply` decides what each attempt meets."""

    def __init__(self, reply: Callable[[WebhookDelivery], Attempt] = lambda _: ACCEPTED) -> None:
        self.reply = reply
        self.told: list[Told] = []

    def check_address(self, url: str) -> str:
        """Every address will do."""
        return url

    async def announce(
        self, url: str, delivery: WebhookDelivery, *, secrets: Sequence[SigningSecret], now: datetime
    ) -> Attempt:
        """Note the attempt, and answer."""
        self.told.append(Told(url, delivery, tuple(one.secret.get_secret_value() for one in secrets), now))
        return self.reply(delivery)
