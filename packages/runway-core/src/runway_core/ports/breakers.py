"""Circuit breakers that all workers share."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from runway_core.domain.breakers import Admission, Breaker, BreakerKey
from runway_core.domain.identity import ConnectionId


class Breakers(Protocol):
    """Keeps breakers; `runway_core.domain.breakers` decides. One that is closed and without failures is not kept."""

    async def admit(self, keys: Sequence[BreakerKey], *, now: datetime, is_live: bool = False) -> Admission:
        """Ask whether a call may be made. Who is admitted to a breaker that rests makes its one probe.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        ...

    async def note(self, keys: Sequence[BreakerKey], *, failed: ConnectionId | None, now: datetime) -> None:
        """Tell how a call ended: `failed` is the connection that got no answer, `None` means that the rail is there.

        A success where nothing had failed writes nothing.
        """
        ...

    async def breakers(self) -> Mapping[str, Breaker]:
        """Every breaker that saw a failure since its last success, by its key's text, in one query."""
        ...
