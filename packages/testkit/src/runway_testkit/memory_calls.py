"""The call ledger in memory."""

from collections.abc import Sequence
from datetime import datetime

from runway_core.domain.call_budget import (
    SECOND,
    BudgetAsk,
    BudgetState,
    CallLease,
    plan_lease,
    plan_refusal,
    plan_release,
)
from runway_core.domain.log_entry import to_microseconds
from runway_core.ports.call_ledger import BudgetLook, look_at_budgets


class MemoryCallLedger:
    """The `CallLedger` in memory: workers of one process share it."""

    def __init__(self) -> None:
        self._states: dict[str, BudgetState] = {}

    async def lease(
        self,
        asks: Sequence[BudgetAsk],
        *,
        holder: str,
        permits: int,
        at_once: int,
        is_live: bool,
        now: datetime,
        under_way: int = 0,
    ) -> CallLease:
        """Take permits; see the port."""
        lease, states = plan_lease(
            [(ask.limit, self._states.get(ask.key, BudgetState())) for ask in asks],
            holder=holder,
            permits=permits,
            at_once=at_once,
            is_live=is_live,
            now=to_microseconds(now),
            under_way=under_way,
        )
        self._states.update(zip((ask.key for ask in asks), states, strict=True))
        return lease

    async def release(self, asks: Sequence[BudgetAsk], *, holder: str, now: datetime) -> None:
        """Give calls at once back."""
        for ask in asks:
            state = self._states.get(ask.key, BudgetState())
            self._states[ask.key] = plan_release(state, holder=holder, now=to_microseconds(now))

    async def note_refusal(
        self, asks: Sequence[BudgetAsk], *, now: datetime, retry_after_seconds: int | None = None
    ) -> None:
        """Lower and pause."""
        pause = None if retry_after_seconds is None else retry_after_seconds * SECOND
        for ask in asks:
            state = self._states.get(ask.key, BudgetState())
            self._states[ask.key] = plan_refusal(state, now=to_microseconds(now), pause=pause)

    async def budgets(self, *, now: datetime) -> Sequence[BudgetLook]:
        """Lowered or paused budgets, by key."""
        return look_at_budgets(self._states, now=now)
