"""What the factory of any HTTP rail does: read the settings of a connection, and keep one call budget an account."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from runway_core.domain.call_budget import BudgetAsk, CallLimit, CallWindow
from runway_core.errors import RailMisconfigured
from runway_core.ports.ledger_rail import RailContext

from runway_rail_kit.budget import CallBudget, Window
from runway_rail_kit.shared_budget import SharedBudget

Settings = TypeVar("Settings", bound=BaseModel)


def read_settings(model: type[Settings], held: Mapping[str, Any], *, rail: str, title: str) -> Settings:
    """The settings of a connection as the rail's own model.

    Raises:
        RailMisconfigured: they are wrong; the message names the first that is, and no value.
    """
    try:
        return model.model_validate(dict(held))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RailMisconfigured(
            f"{title} settings of this connection are wrong: {field + ': ' if field else ''}"
            f"{first['msg'].removeprefix('Value error, ')}",
            rail=rail,
        ) from error


class BudgetShelf:
    """The call budgets of one vendor: one an account, for all rails of this process, and shared with other workers.

    Args:
        rail: the rail's short name; it stands before the account in the ledger that workers share.
        sleep: how waiting is done.
    """

    def __init__(self, rail: str, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._rail = rail
        self._sleep = sleep
        self._budgets: dict[tuple[str, tuple[Window, ...], int, int], CallBudget] = {}

    def of(self, account: str, windows: Sequence[Window], *, at_once: int, context: RailContext) -> CallBudget:
        """The budget of an account, which is what the vendor counts by."""
        key = (account, tuple(windows), at_once, id(context.calls))
        if key not in self._budgets:
            self._budgets[key] = CallBudget(
                windows,
                at_once=at_once,
                sleep=self._sleep,
                shared=self._share(account, windows, at_once=at_once, context=context),
            )
        return self._budgets[key]

    def clear(self) -> None:
        """Forget all budgets. Repeating is harmless."""
        self._budgets.clear()

    def _share(
        self, account: str, windows: Sequence[Window], *, at_once: int, context: RailContext
    ) -> SharedBudget | None:
        if context.calls is None:
            return None
        limit = CallLimit(
            tuple(CallWindow(window.calls, int(window.seconds * 1000)) for window in windows), at_once=at_once
        )
        return SharedBudget(
            context.calls,
            [BudgetAsk(f"{self._rail}/{account}", limit)],
            clock=context.clock,
            sleep=self._sleep,
            rail=self._rail,
        )
