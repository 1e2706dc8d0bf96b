"""The call ledger: budgets of calls that all workers of a database share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runway_core.domain.call_budget import FULL, BudgetAsk, BudgetState, CallLease, compute_factor
from runway_core.domain.log_entry import from_microseconds, to_microseconds


@dataclass(frozen=True, slots=True)
class BudgetLook:
    """One budget as a person may see it."""

    key: str
    percent: int  # how much of the vendor's limit is used at most, after what refusals taught
    paused_until: datetime | None  # the vendor refused: no calls before


class CallLedger(Protocol):
    """Gives out permits for calls. `runway_core.domain.call_budget` says what a permit promises.

    Workers' clocks may differ: a permit never opens before one that was given out earlier.
    """

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
        """Take up to `permits` permits that all budgets of `asks` allow, and up to `at_once` calls under way.

        Fewer may come, or none; a permit that is not used in its time lapses and need not be given back. `is_live`:
        a person waits, and the share that is kept for people may be used. `under_way`: this holder's calls that run.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        ...

    async def release(self, asks: Sequence[BudgetAsk], *, holder: str, now: datetime) -> None:
        """No call of this holder is under way any more: others may have its calls at once. Repeating is harmless."""
        ...

    async def note_refusal(
        self, asks: Sequence[BudgetAsk], *, now: datetime, retry_after_seconds: int | None = None
    ) -> None:
        """The vendor refused a call as one too many: half of each budget is left for now, and it rests."""
        ...

    async def budgets(self, *, now: datetime) -> Sequence[BudgetLook]:
        """Budgets that are not what the vendor allows at `now`, by key: those that refusals lowered or paused."""
        ...


def look_at_budgets(states: Mapping[str, BudgetState], *, now: datetime) -> list[BudgetLook]:
    """Budgets that refusals lowered or paused, by key."""
    at = to_microseconds(now)
    return [
        BudgetLook(
            key=key,
            percent=compute_factor(state, at) * 100 // FULL,
            paused_until=from_microseconds(state.paused_until) if state.paused_until > at else None,
        )
        for key, state in sorted(states.items())
        if state.paused_until > at or compute_factor(state, at) < FULL
    ]
