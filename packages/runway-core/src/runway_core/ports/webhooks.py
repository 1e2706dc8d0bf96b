"""An ability that a rail may have: to read what its vendor sends by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from pydantic import SecretStr

from runway_core.domain.identity import RecordKind
from runway_core.domain.webhooks import Delivery
from runway_core.ports.ledger_rail import RailFactory


class WebhookReader(Protocol):
    """Reads the webhooks of one vendor.

    account    the vendor's own name of a company, as it stands in its events and in a connection's settings
    secret     what the vendor signs with; two are alive while one is replaced by another
    """

    @property
    def announces(self) -> frozenset[RecordKind]:
        """Kinds of which the vendor says that it tells every creation and every edit.

        A change of these that a poll finds first was lost on the way. Leave out kinds that change without an event.
        """
        ...

    def account_of(self, settings: Mapping[str, Any]) -> str | None:
        """The account that a connection's settings name."""
        ...

    async def read(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[SecretStr], now: datetime
    ) -> Delivery:
        """Prove that a delivery is the vendor's own, over the raw body and in constant time, and read it.

        Names of headers come in lower case. Repeating is harmless. A body that is proved and not understood is a
        delivery with a `problem`, because it must be acknowledged: the vendor would hold back all that follows.

        Raises:
            WebhookRefused: it is not proved by any of `secrets`, or there are none.
        """
        ...


@runtime_checkable
class HearsWebhooks(Protocol):
    """What a `RailFactory` has besides when its rail reads webhooks; its `abilities` then state `has_webhooks`."""

    @property
    def webhook_reader(self) -> WebhookReader:
        """Reads this rail's webhooks."""
        ...


def find_webhook_reader(factory: RailFactory) -> WebhookReader | None:
    """The reader of a rail's webhooks; `None` when it has none."""
    reader: WebhookReader | None = getattr(factory, "webhook_reader", None)  # each delivery and each pull asks
    return reader
