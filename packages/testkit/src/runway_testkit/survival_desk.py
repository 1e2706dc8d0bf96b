"""What the contract of survival stands on: a vendor that can be put into trouble, and a budget that counts permits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import SecretStr
from runway_core.domain.call_budget import BudgetAsk, CallLease
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.record import Record
from runway_core.ports.call_ledger import CallLedger
from runway_core.ports.ledger_rail import LedgerRail, RailFactory, Trouble

from runway_testkit.clock import FixedClock
from runway_testkit.memory_calls import MemoryCallLedger

LOOKS = frozenset({"read_at"})
"""Fields that say when a rail looked, which every look moves."""


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """One true event as the vendor sends it. `proof` names the header that proves it."""

    headers: Mapping[str, str]
    body: bytes
    proof: str
    secrets: Sequence[SecretStr]

    def forge(self) -> Iterator["SignedEvent"]:
        """What somebody without the secret could send."""
        proof = next(name for name in self.headers if name.lower() == self.proof.lower())
        others = {name: value for name, value in self.headers.items() if name != proof}
        held = self.headers[proof]
        middle = len(held) // 2
        wrong = held[:middle] + ("0" if held[middle] != "0" else "1") + held[middle + 1 :]
        yield SignedEvent(self.headers, self.body + b" ", self.proof, self.secrets)
        yield SignedEvent({**others, proof: wrong}, self.body, self.proof, self.secrets)
        yield SignedEvent(others, self.body, self.proof, self.secrets)


class SurvivalDesk(Protocol):
    """One company's account at a vendor that can be put into trouble, and rails opened on it."""

    @property
    def rail(self) -> str:
        """The rail's short name."""
        ...

    @property
    def clock(self) -> FixedClock:
        """The time that rails are told."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """The connection's settings, with limits that are not felt."""
        ...

    @property
    def tells_within(self) -> timedelta:
        """How long a change may stay unknown by the rail's own word, when the vendor tells of none such."""
        ...

    @property
    def home_currency(self) -> str:
        """The company's."""
        ...

    @property
    def is_budgeted(self) -> bool:
        """Whether the vendor limits calls, so that each needs a permit."""
        ...

    def make_factory(self) -> RailFactory:
        """A factory made anew, as another process would; pauses between repeated calls pass at once."""
        ...

    def open(self, *, calls: CallLedger | None = None) -> LedgerRail:
        """A rail on the account by a factory of the desk's, over a vault of the desk's own."""
        ...

    async def load_secrets(self) -> Mapping[str, SecretStr]:
        """What signs in now."""
        ...

    async def take_over(self, secrets: Mapping[str, SecretStr]) -> None:
        """Sign in with these from now on: they may have turned."""
        ...

    async def play(self, trouble: Trouble | None) -> None:
        """Put the vendor into a trouble, or out of it; often enough that a few dozen calls meet all of it."""
        ...

    async def live(self) -> None:
        """Let something new come to the account, and something that is there change."""
        ...

    async def take_away(self) -> set[RecordKey]:
        """Delete something that nothing else needs; empty where the vendor deletes nothing."""
        ...

    async def pass_time(self, by: timedelta) -> None:
        """Let time pass for the vendor and for rails."""
        ...

    async def reconnect(self) -> None:
        """Let a person give what access needs, if anything is amiss. Repeating is harmless."""
        ...

    async def list_truth(self) -> Mapping[RecordKind, set[str]]:
        """The ids of what is there, by the vendor's own word and through no rail, of every kind that it can name."""
        ...

    async def send_event(self) -> SignedEvent:
        """One event of the account, as it is sent; asked only of rails with webhooks."""
        ...


class WatchedLedger(MemoryCallLedger):
    """A budget that gives one permit at a time, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.permits = 0
        self.refusals = 0

    async def lease(
        self,
        asks: Sequence[BudgetAsk],
        *,
        holder: str,
        permits: int,  # noqa: ARG002 - the port's words
        at_once: int,
        is_live: bool,
        now: datetime,
        under_way: int = 0,
    ) -> CallLease:
        """Take one permit."""
        lease = await super().lease(
            asks, holder=holder, permits=1, at_once=at_once, is_live=is_live, now=now, under_way=under_way
        )
        self.permits += lease.permits
        return lease

    async def note_refusal(
        self,
        asks: Sequence[BudgetAsk],  # noqa: ARG002 - the port's words
        *,
        now: datetime,  # noqa: ARG002 - the port's words
        retry_after_seconds: int | None = None,  # noqa: ARG002 - the port's words
    ) -> None:
        """Count a refusal, and go on as if there was none: this ledger only looks."""
        self.refusals += 1


def without_looks(record: Record) -> Record:
    """A record without what only says when it was looked at."""
    return record.model_copy(update=dict.fromkeys(LOOKS & type(record).model_fields.keys()))
