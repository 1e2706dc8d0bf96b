"""An ability that a rail may have: to be compared with the mirror, kind by kind."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from runway_core.domain.changes import Change, RejectedRecord
from runway_core.domain.identity import RecordKind


@dataclass(frozen=True, slots=True)
class KindRows:
    """Some rows of one kind as the rail shows them now. `time` is the rail's clock when it answered."""

    changes: tuple[Change, ...]
    time: datetime
    rejected: tuple[RejectedRecord, ...] = ()


@runtime_checkable
class SweepableRail(Protocol):
    """What a `LedgerRail` has besides when a sweep can compare it.

    Both calls may raise what every call of a rail may raise.
    """

    @property
    def swept_kinds(self) -> Collection[RecordKind]:
        """The kinds that can be compared, in the order in which they are to be."""
        ...

    @property
    def rows_a_call(self) -> int:
        """So many rows come by one call: a kind of fewer costs no more to read than to count."""
        ...

    async def count_kind(self, kind: RecordKind) -> int:
        """How many records of a kind the rail says there are: one call. What cannot be understood counts too."""
        ...

    def read_kind(self, kind: RecordKind) -> AsyncGenerator[KindRows]:
        """Yield every record of a kind, whatever happens to the books meanwhile.

        Ending without an error says that every record that was there throughout has been shown. Records may come
        twice.
        """
        ...
