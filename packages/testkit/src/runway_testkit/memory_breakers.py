"""Breakers in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from runway_core.domain.breakers import CLOSED, Admission, Breaker, BreakerKey, plan_admission, plan_outcome
from runway_core.domain.identity import ConnectionId


class MemoryBreakers:
    """The `Breakers` in memory."""

    def __init__(self) -> None:
        self._held: dict[str, Breaker] = {}

    async def admit(self, keys: Sequence[BreakerKey], *, now: datetime, is_live: bool = False) -> Admission:
        """Ask whether a call may be made."""
        known = [(key, self._held.get(key.text, CLOSED)) for key in keys]
        admission, probes = plan_admission(known, now=now, is_live=is_live)
        self._held.update({key.text: breaker for key, breaker in probes.items()})
        return admission

    async def note(self, keys: Sequence[BreakerKey], *, failed: ConnectionId | None, now: datetime) -> None:
        """Tell how a call ended."""
        for key in keys:
            after = plan_outcome(key, self._held.get(key.text, CLOSED), failed=failed, now=now)
            if after is CLOSED:
                self._held.pop(key.text, None)
            else:
                self._held[key.text] = after

    async def breakers(self) -> Mapping[str, Breaker]:
        """Every breaker that saw a failure."""
        return dict(self._held)
