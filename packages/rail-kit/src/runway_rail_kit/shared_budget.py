"""This process's stock of permits from the call ledger that all workers share.

Permits come in handfuls, so that few calls need a trip to the database: the handful doubles while all of it is used in
time and shrinks to what was used when some lapsed. A key that the vendor refuses pauses by itself: whoever needs it for
longer than is worth waiting gets `RailThrottled` at once and is free for other work.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from runway_core.domain.call_budget import SECOND, BudgetAsk, CallLease
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.errors import RailThrottled, StoreError
from runway_core.ports.call_ledger import CallLedger
from runway_core.ports.clock import Clock

Sleep = Callable[[float], Awaitable[None]]

MOST_PERMITS = 50
CAUTIOUS_FOR = 8
LONGEST_WAIT_SECONDS = 20
"""Who would wait longer is told when to come back instead."""


@dataclass(slots=True)
class _Batch:
    permits: int
    opens_at: int
    closes_at: int


class _Stock:
    """The permits of one lane, and how many to ask for next."""

    def __init__(self, most_at_once: int) -> None:
        self.turn = asyncio.Lock()
        self.ended = asyncio.Event()  # a call ended
        self.under_way = 0
        self.at_once = 1
        self.asked_at_once = 1
        self.most_at_once = most_at_once
        self.capped_for = 0  # so many handfuls others had the rest of the calls at once
        self.batches: list[_Batch] = []
        self.handful = 1
        self.cautious_for = 0  # so many more handfuls
        self.leased = 0
        self.used = 0

    @property
    def is_full(self) -> bool:
        """Whether a call must end first: as many are under way as the ledger gave, and it would not give more."""
        return 0 < self.under_way >= self.at_once and (self.at_once >= self.most_at_once or self.capped_for > 0)

    @property
    def must_ask(self) -> bool:
        """Whether what is in stock does not do: no permits, or too few calls at once were asked for."""
        return not self.batches or self.under_way >= self.at_once

    def drop_lapsed(self, now: int) -> None:
        self.batches = [batch for batch in self.batches if batch.permits and batch.closes_at > now]

    def size_next(self) -> int:
        """Double while everything is used; after a waste ask for what was used, and for a while for no more."""
        if self.leased and self.used < self.leased:
            self.handful, self.cautious_for = max(1, self.used), CAUTIOUS_FOR
        elif self.leased and self.cautious_for:
            self.cautious_for -= 1
        elif self.leased:
            self.handful = min(MOST_PERMITS, self.leased * 2)
        return self.handful

    def refill(self, lease: CallLease) -> None:
        self.batches = [_Batch(batch.permits, batch.opens_at, batch.closes_at) for batch in lease.batches]
        self.leased, self.used = lease.permits, 0
        self.at_once = max(1, lease.at_once)
        if lease.at_once < self.asked_at_once:
            self.capped_for = CAUTIOUS_FOR
        elif self.capped_for:
            self.capped_for -= 1


class SharedBudget:
    """Takes permits from the ledger for one key or several; callers wait in turn."""

    def __init__(
        self,
        ledger: CallLedger,
        asks: Sequence[BudgetAsk],
        *,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        holder: str | None = None,
        longest_wait_seconds: int = LONGEST_WAIT_SECONDS,
        rail: str = "",
    ) -> None:
        self._ledger = ledger
        self._asks = tuple(asks)
        self._clock = clock
        self._sleep = sleep
        self._holder = holder or uuid4().hex
        self._longest_wait = longest_wait_seconds * SECOND
        self._rail = rail
        most_at_once = min(ask.limit.at_once for ask in self._asks)
        self._stocks = {True: _Stock(most_at_once), False: _Stock(most_at_once)}
        self._now = 0
        self.trips = 0

    @contextlib.asynccontextmanager
    async def spend_one(self, *, is_live: bool = False) -> AsyncIterator[None]:
        """Wait until one call may be sent, and use a permit for it; it is under way until the block ends.

        Raises:
            RailThrottled: the vendor refuses this key for longer than is worth waiting.
            StoreUnavailable: the database does not answer.
        """
        stock = self._stocks[is_live]
        async with stock.turn:
            await self._take_permit(stock, is_live=is_live)
            stock.under_way += 1
        try:
            yield
        finally:
            stock.under_way -= 1
            stock.ended.set()
            if is_live and stock.under_way == 0 and not stock.turn.locked():
                with contextlib.suppress(StoreError):  # it lapses by itself, and the answer that came must not be lost
                    await self._ledger.release(self._asks, holder=self._name(is_live=True), now=self._clock.now())

    async def _take_permit(self, stock: _Stock, *, is_live: bool) -> None:
        waited_until = self._tell() + self._longest_wait
        while True:
            now = self._tell()
            stock.drop_lapsed(now)
            if stock.is_full:
                stock.ended.clear()
                await stock.ended.wait()
                continue
            if stock.under_way < stock.at_once and stock.batches and stock.batches[0].opens_at <= now:
                stock.batches[0].permits -= 1
                stock.used += 1
                return
            opens_at = await self._refill(stock, is_live, now) if stock.must_ask else stock.batches[0].opens_at
            if opens_at > waited_until:
                raise self._too_long(opens_at - now)
            if opens_at > now:
                await self._sleep((opens_at - now) / SECOND)
                self._now = max(self._now, opens_at)  # the sleep was so long, whatever the clock says

    async def note_refusal(self, retry_after_seconds: int | None) -> None:
        """Tell all workers that the vendor refused a call; permits in stock are void."""
        for stock in self._stocks.values():
            stock.batches = []
        await self._ledger.note_refusal(self._asks, now=self._clock.now(), retry_after_seconds=retry_after_seconds)

    async def _refill(self, stock: _Stock, is_live: bool, now: int) -> int:
        """Ask for more; answers when the next permit opens, or when to ask again."""
        self.trips += 1
        wanted = stock.size_next()
        stock.asked_at_once = min(stock.under_way + wanted, stock.most_at_once)
        lease = await self._ledger.lease(
            self._asks,
            holder=self._name(is_live=is_live),
            permits=wanted,
            at_once=stock.asked_at_once,
            is_live=is_live,
            now=from_microseconds(now),
            under_way=stock.under_way,
        )
        if lease.is_paused and lease.again_at - now > self._longest_wait:
            raise self._too_long(lease.again_at - now)
        stock.refill(lease)
        if lease.batches:
            return lease.batches[0].opens_at
        return now if stock.is_full else lease.again_at

    def _name(self, *, is_live: bool) -> str:
        return f"{self._holder}/{'people' if is_live else 'rest'}"

    def _tell(self) -> int:
        self._now = max(self._now, to_microseconds(self._clock.now()))
        return self._now

    def _too_long(self, wait: int) -> RailThrottled:
        seconds = -(-wait // SECOND)
        return RailThrottled(
            f"the call budget is used up: calls go on in {seconds} seconds",
            rail=self._rail,
            retry_after_seconds=seconds,
        )
