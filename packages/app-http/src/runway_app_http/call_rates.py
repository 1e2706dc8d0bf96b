"""How often somebody may call: a steady rate with room for a burst (GCRA), one moment kept for each caller."""

from collections import OrderedDict
from datetime import datetime, timedelta
from math import ceil

CALLERS_HELD = 20_000
"""So many callers are remembered; the one that called longest ago is forgotten first."""


class CallRate:
    """A rate for each caller of a kind. In one process: several processes allow it once each."""

    def __init__(self, *, per_minute: int) -> None:
        self._gap = timedelta(minutes=1) / per_minute
        self._burst = timedelta(seconds=15)  # a quarter of a minute's calls may come at once
        self._due: OrderedDict[str, datetime] = OrderedDict()

    def take(self, caller: str, now: datetime) -> int:
        """Count a call; returns how many seconds the caller has to wait, 0 when the call goes through."""
        due = max(self._due.get(caller, now), now)
        if due - now > self._burst:
            return ceil((due - now - self._burst).total_seconds())
        self._due[caller] = due + self._gap
        self._due.move_to_end(caller)
        if len(self._due) > CALLERS_HELD:
            self._due.popitem(last=False)
        return 0
