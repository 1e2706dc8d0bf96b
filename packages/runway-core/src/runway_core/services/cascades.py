"""Telling events: whatever depends on a rail's news is read again."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from runway_core.errors import NotFound
from runway_core.ports.cascades import Dependency, find_declared
from runway_core.ports.ledger_rail import RailCatalog, RailRole
from runway_core.services.scope import Scope
from runway_core.sync.cascades import DEPENDENCIES, plan_cascade
from runway_core.sync.engine import Beat

TELL_EVERY = timedelta(seconds=2)
FORGET_EVERY = timedelta(hours=1)
KEPT = timedelta(days=2)
NEWS_FOR = timedelta(hours=1)
"""Nothing follows from an event that waited longer: polls have read all since, and a backlog must cause no storm."""

_AT_ONCE = 500


class CascadeService:
    """Tells the events of a firm."""

    def __init__(self, scope: Scope, rails: RailCatalog) -> None:
        self._scope = scope
        self._rails = rails

    def beats(self) -> Sequence[Beat]:
        """What an engine looks at for it."""
        return (Beat("cascades", TELL_EVERY, self.tell), Beat("told events", FORGET_EVERY, self.forget))

    async def tell(self) -> int:
        """Enqueue what follows from events that were not told yet; returns how many jobs were added.

        Any number of processes may tell at once: each event is told by one of them. Events older than an hour are
        settled, and nothing follows from them.
        """
        now = self._scope.clock.now()
        events = await self._scope.store.outbox.pending(self._scope.firm_id, limit=_AT_ONCE)
        if not events:
            return 0
        connections = await self._scope.connections()
        rails = {connection.rail for connection in connections}
        jobs = plan_cascade(
            [one for one in events if now - one.event.created_at <= NEWS_FOR],
            connections,
            roles_of=self._roles_of,
            dependencies={rail: [*DEPENDENCIES, *self._declared(rail)] for rail in rails},
        )
        receipt = await self._scope.store.outbox.settle(events, jobs, now=now)
        return receipt.added

    async def forget(self) -> int:
        """Forget events that were told two days ago; returns how many."""
        return await self._scope.store.outbox.prune(told_before=self._scope.clock.now() - KEPT)

    def _roles_of(self, rail: str) -> Collection[RailRole]:
        try:
            return self._rails.factory(rail).roles
        except NotFound:
            return ()

    def _declared(self, rail: str) -> Sequence[Dependency]:
        try:
            return find_declared(self._rails.factory(rail))
        except NotFound:
            return ()
