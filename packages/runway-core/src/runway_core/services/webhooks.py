"""What rails send by themselves: proved, kept, and only then acknowledged."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog
from pydantic import SecretStr

from runway_core.domain.webhooks import DeliveryKey, InboxDelivery, name_delivery
from runway_core.errors import NotFound, WebhookRefused
from runway_core.ports.ledger_rail import RailCatalog
from runway_core.ports.webhooks import WebhookReader, find_webhook_reader
from runway_core.services.scope import Scope
from runway_core.sync.engine import Beat
from runway_core.sync.nudges import plan_nudges

KEPT_DAYS = 30
"""How long a delivery is kept once it was read: long enough to see what a replay repeats."""

STEP = 500
"""Deliveries that are given out in one transaction."""

GIVE_OUT_EVERY = timedelta(seconds=1)
FORGET_EVERY = timedelta(minutes=10)

_log = structlog.get_logger(__name__)


class WebhookService:
    """Takes in what rails send."""

    def __init__(self, scope: Scope, rails: RailCatalog) -> None:
        self._scope = scope
        self._rails = rails

    def _reader(self, rail: str) -> WebhookReader:
        reader = find_webhook_reader(self._rails.factory(rail))
        if reader is None:
            raise NotFound(f"the rail {rail!r} reads no webhooks")
        return reader

    async def receive(
        self, rail: str, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[SecretStr]
    ) -> bool:
        """Prove a delivery and keep it, durably when this returns; no rail is asked and no work is begun.

        Events of kinds and accounts that nobody knows are kept as well: the vendor would hold back all that follows
        one that is not acknowledged.

        Returns:
            Whether it is new; one that comes again is counted and changes nothing.

        Raises:
            NotFound: no such rail is installed, or it reads no webhooks.
            WebhookRefused: none of `secrets` proves it; nothing is kept.
            StoreUnavailable: it could not be kept: it must not be acknowledged.
        """
        reader = self._reader(rail)
        now = self._scope.clock.now()
        try:
            delivery = await reader.read(headers, body, secrets=secrets, now=now)
        except WebhookRefused as error:
            _log.warning("webhook_refused", rail=rail, size=len(body), error=str(error))
            raise
        problem = delivery.problem
        events = tuple(event for event in delivery.events if event.can_be_kept)
        is_new = await self._scope.store.inbox.accept(
            InboxDelivery(
                key=DeliveryKey(rail, name_delivery(delivery, body)),
                body=body,
                events=events,
                received_at=now,
                last_seen_at=now,
                problem=problem,
            )
        )
        if problem is not None:
            _log.warning("webhook_not_understood", rail=rail, size=len(body), problem=problem)
        return is_new

    async def give_out(self) -> int:
        """Turn what was received into pulls, a step at a time; returns how many deliveries were given out.

        One delivery may speak of companies of several firms: each that the store shows is given its pull.
        """
        given = 0
        inbox = self._scope.store.inbox
        while news := await inbox.unread(limit=STEP):
            accounts = frozenset(account for delivery in news for account in delivery.accounts)
            jobs = plan_nudges(news, await inbox.listeners(accounts))
            receipt = await inbox.hand_over([delivery.key for delivery in news], jobs, now=self._scope.clock.now())
            given += len(news)
            _log.info("webhooks_given_out", deliveries=len(news), pulls=receipt.added, coalesced=receipt.coalesced)
            if len(news) < STEP:
                break
        return given

    def beats(self) -> Sequence[Beat]:
        """What an engine looks at again and again: what was received, and what was read long ago."""
        return [Beat("inbox", GIVE_OUT_EVERY, self.give_out), Beat("read webhooks", FORGET_EVERY, self.forget_read)]

    async def name_accounts(self) -> int:
        """Note which account each connection of the firm is to, where a version before did not; returns how many."""
        noted = 0
        for connection in await self._scope.connections():
            if connection.rail_account is not None:
                continue
            try:
                reader = find_webhook_reader(self._rails.factory(connection.rail))
            except NotFound:  # a rail that is not installed any more
                continue
            account = None if reader is None else reader.account_of(connection.settings)
            if account is not None:
                noted += await self._scope.store.registry.name_account(connection, account)
        return noted

    async def forget_read(self) -> int:
        """Forget deliveries that were read more than thirty days ago, a step at a time; returns how many went."""
        before = self._scope.clock.now() - timedelta(days=KEPT_DAYS)
        gone = 0
        while step := await self._scope.store.inbox.prune(read_before=before, limit=STEP):
            gone += step
        return gone
