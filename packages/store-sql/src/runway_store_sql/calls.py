"""The call ledger on SQL: one row a budget, locked while a handful of permits is planned.

A trip is one upsert that locks the rows of all budgets asked and one that writes them back: what is given out is
planned in Python by the same pure function as in tests. SQLite has one writer anyway.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
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
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import is_postgres, upsert_rows
from runway_store_sql.engine import Database
from runway_store_sql.limit_tables import call_budgets

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(BudgetState)
_UNTOUCHED = "{}"


class SqlCallLedger:
    """The `CallLedger` of a database: shared by every process that opens it."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        at = to_microseconds(now)

        def write(connection: Connection) -> CallLease:
            states = _lock(connection, asks)
            lease, after = plan_lease(
                [(ask.limit, states[ask.key]) for ask in asks],
                holder=holder,
                permits=permits,
                at_once=at_once,
                is_live=is_live,
                now=at,
                under_way=under_way,
            )
            if after != [states[ask.key] for ask in asks]:
                _keep(connection, asks, after, at)
            return lease

        return await self._database.write(write)

    async def release(self, asks: Sequence[BudgetAsk], *, holder: str, now: datetime) -> None:
        """Give calls at once back."""
        at = to_microseconds(now)

        def write(connection: Connection) -> None:
            states = _lock(connection, asks)
            _keep(connection, asks, [plan_release(states[ask.key], holder=holder, now=at) for ask in asks], at)

        await self._database.write(write)

    async def note_refusal(
        self, asks: Sequence[BudgetAsk], *, now: datetime, retry_after_seconds: int | None = None
    ) -> None:
        """Lower and pause."""
        at = to_microseconds(now)
        pause = None if retry_after_seconds is None else retry_after_seconds * SECOND

        def write(connection: Connection) -> None:
            states = _lock(connection, asks)
            _keep(connection, asks, [plan_refusal(states[ask.key], now=at, pause=pause) for ask in asks], at)

        await self._database.write(write)

    async def budgets(self, *, now: datetime) -> Sequence[BudgetLook]:
        """Lowered or paused budgets, by key."""
        query = select(call_budgets.c.budget_key, call_budgets.c.state).where(call_budgets.c.is_lowered)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return look_at_budgets({row.budget_key: _decoder.decode(row.state) for row in rows}, now=now)


def _lock(connection: Connection, asks: Sequence[BudgetAsk]) -> dict[str, BudgetState]:
    """What is known of each budget, locked in the order of their keys so that nobody waits for one another in turn."""
    keys = sorted({ask.key for ask in asks})
    module = postgresql if is_postgres(connection) else sqlite
    rows = [{"budget_key": key, "state": _UNTOUCHED, "touched_at": 0, "is_lowered": False} for key in keys]
    statement = module.insert(call_budgets).values(rows)
    locked = statement.on_conflict_do_update(
        index_elements=["budget_key"], set_={"touched_at": call_budgets.c.touched_at}
    ).returning(call_budgets.c.budget_key, call_budgets.c.state)
    return {row.budget_key: _decoder.decode(row.state) for row in connection.execute(locked)}


def _keep(connection: Connection, asks: Sequence[BudgetAsk], states: Sequence[BudgetState], at: int) -> None:
    rows = {
        ask.key: (ask.key, _encoder.encode(state).decode(), at, state.factor_since > 0)
        for ask, state in zip(asks, states, strict=True)
    }
    upsert_rows(connection, call_budgets, list(rows.values()))
