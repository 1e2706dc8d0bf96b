"""One company's account at the vendor: how it is reached, what happened in it, and what was asked before."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from runway_sandbox.books import Book
from runway_sandbox.opaque import opaque_id
from runway_sandbox.payouts import PayoutClerk
from runway_sandbox.processor import Processor
from runway_sandbox.processor_things import Happening
from runway_sandbox.stripe import shapes
from runway_sandbox.stripe.shapes import Wire

EVENTS_KEPT_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Remembered:
    """The first answer to an idempotency key, and what had been asked."""

    asked: str
    status: int
    body: bytes
    until: float


@dataclass(slots=True)
class StripeAccount:
    """The account; its processor is made of the books when it is first needed."""

    account_id: str
    realm_id: str
    name: str
    currency: str
    country: str
    created: int
    key: str  # a restricted key of the company's own
    is_revoked: bool = False
    forbidden: set[str] = field(default_factory=set)  # resources that the restricted key may not read
    remembered: dict[str, Remembered] = field(default_factory=dict)
    in_flight: set[str] = field(default_factory=set)
    undelivered: set[str] = field(default_factory=set)  # events that no address took
    calls: deque[float] = field(default_factory=deque)
    told_until: int = 0
    told: set[int] = field(default_factory=set)  # order numbers of what was told of that second and later
    clerk: PayoutClerk | None = None  # from the first call to it on
    _processor: Processor | None = None
    _making: Lock = field(default_factory=Lock)

    @property
    def is_open(self) -> bool:
        """Whether somebody looked at the account already."""
        return self._processor is not None

    def open(self, book: Book, *, now: int) -> Processor:
        """Get the processor, made at the first touch; what happened before is not told any more."""
        if self._processor is None:
            with self._making:
                if self._processor is None:
                    self.told_until = now
                    self._processor = Processor(book)
                    self.untold(now=now)
        return self._processor

    @property
    def processor(self) -> Processor:
        """The processor of an account that is open."""
        assert self._processor is not None
        return self._processor

    def happenings(self, *, now: int) -> list[Happening]:
        """What happened in the last thirty days, oldest first."""
        held = self.processor.happenings
        first = bisect_right(held, now - EVENTS_KEPT_S, key=lambda one: one.at)
        return held[first : bisect_right(held, now, key=lambda one: one.at)]

    def untold(self, *, now: int) -> list[Happening]:
        """What happened since this was asked before."""
        held = self.processor.happenings
        first = bisect_left(held, self.told_until, key=lambda one: one.at)
        found = [one for one in held[first:] if one.at <= now and one.order not in self.told]
        self.told = {one.order for one in held[first:] if one.at == now} | {one.order for one in found if one.at == now}
        self.told_until = now
        return found

    def find_event(self, identifier: str, *, now: int) -> Happening | None:
        """Look an event up by its id."""
        return next((one for one in self.happenings(now=now) if self.event_id(one) == identifier), None)

    def event_id(self, one: Happening) -> str:
        """Name an event."""
        return "evt_" + opaque_id("event", self.account_id, str(one.at), str(one.order), length=24)

    def event(self, one: Happening, *, is_connect: bool = False) -> Wire:
        """Write an event with its thing as it was then, in the version of the account, which may be unknown."""
        data: dict[str, Any] = {"object": shapes.write(one.subject, one.at)}
        if one.previous is not None and one.name.endswith(".updated"):
            data["previous_attributes"] = one.previous
        return {
            "id": self.event_id(one),
            "object": "event",
            **({"account": self.account_id} if is_connect else {}),
            "api_version": None if one.order % 8 == 0 else shapes.API_VERSION,
            "created": one.at,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": one.name,
        }
