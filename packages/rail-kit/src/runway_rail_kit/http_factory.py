"""What the factory of every HTTP rail holds for its process: connections, pauses and call budgets."""

import httpx

from runway_rail_kit.factory_parts import BudgetShelf
from runway_rail_kit.transport import HttpTransport, Pauses, TransportLimits


class HttpRailFactory:
    """The part of a rail's factory that is the same for every vendor; what makes rails of it is the rail's own."""

    name: str

    def __init__(
        self,
        *,
        limits: TransportLimits | None = None,
        http_transport: httpx.AsyncBaseTransport | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        """Prepare; nothing connects. `http_transport` and `pauses` let tests stand in for network and time."""
        self._http = HttpTransport(limits, transport=http_transport)
        self._pauses = pauses or Pauses()
        self._budgets = BudgetShelf(self.name, sleep=self._pauses.sleep)

    async def aclose(self) -> None:
        """Let go of connections and budgets. Repeating is harmless."""
        self._budgets.clear()
        await self._http.aclose()
