"""What a rail sends by itself: deliveries, the events in them, and what became of each.

An event says that something happened to a record, never what the record is now. It may come twice, late, out of order
or not at all. So it is a reason to read the rail again, and nothing is taken from it into the mirror.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from runway_core.domain.company import ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKind

LONGEST_NAME = 128
"""Characters of an account, an id or an operation; what is longer is nobody's."""


class RailAccount(NamedTuple):
    """One company as a rail names it, in its settings and events. Several firms may have connected it."""

    rail: str
    account: str


@dataclass(frozen=True, slots=True)
class RailEvent:
    """One thing that happened to one record, as the rail told it.

    account      the rail's own name of the company; it comes from the verified body only
    kind         `None` for a kind that is not mirrored
    operation    the rail's word in lower case: create, update, delete, merge, void …
    at           when it happened by the rail's clock (UTC); `None` when it says none
    """

    account: str
    kind: RecordKind | None
    external_id: str
    operation: str
    at: datetime | None = None

    @property
    def can_be_kept(self) -> bool:
        """Whether its words are such as a rail uses, and as any database can hold."""
        words = (self.account, self.external_id, self.operation)
        return all(len(word) <= LONGEST_NAME and word.isprintable() for word in words) and bool(self.account)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request of a rail, proved to be its own.

    delivery_id  the rail's name for it where that is part of what is proved, the same when it is sent again
    problem      why no event could be read from it, though it is the rail's own
    """

    events: tuple[RailEvent, ...]
    delivery_id: str | None = None
    problem: str | None = None


class DeliveryKey(NamedTuple):
    """What tells one delivery from another."""

    rail: str
    delivery_id: str


def name_delivery(delivery: Delivery, body: bytes) -> str:
    """The identity of a delivery: the rail's own where there is one, else what it says."""
    return delivery.delivery_id or hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True)
class InboxDelivery:
    """One delivery as the inbox keeps it: raw, and what was read from it. Times are ours, in UTC."""

    key: DeliveryKey
    body: bytes
    events: tuple[RailEvent, ...]
    received_at: datetime
    last_seen_at: datetime
    times_seen: int = 1  # more than once: the rail sent it again, because it saw no answer or to be sure
    read_at: datetime | None = None  # when its work was given out
    problem: str | None = None

    @property
    def accounts(self) -> frozenset[RailAccount]:
        """Whose events are in it."""
        return frozenset(RailAccount(self.key.rail, event.account) for event in self.events)


@dataclass(frozen=True, slots=True)
class Listener:
    """A connection to an account of a rail, of whichever firm."""

    account: RailAccount
    firm_id: FirmId
    company_id: CompanyId
    connection_id: ConnectionId
    state: ConnectionState

    @property
    def rail(self) -> str:
        """The rail that tells of it."""
        return self.account.rail


@dataclass(frozen=True, slots=True)
class UnknownAccount:
    """An account of which events come and that nobody has connected."""

    account: RailAccount
    events: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class InboxLag:
    """What was not turned into work yet."""

    unread: int = 0
    oldest_unread_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """How the inbox stands. `oldest_unread_at` tells the lag."""

    deliveries: int = 0  # that are kept
    unread: int = 0
    oldest_unread_at: datetime | None = None
    repeated: int = 0  # that came more than once
    unreadable: int = 0  # that were proved and not understood
    last_received_at: datetime | None = None
