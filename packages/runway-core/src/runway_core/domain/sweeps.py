"""What a comparison of the mirror with its rail found, and what each way of hearing of changes had missed."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, Field

from runway_core.domain.identity import CompanyId, ConnectionId, RecordKind
from runway_core.domain.money import ZERO, Amount, Currency
from runway_core.domain.record import Record, Value

CONTROL_FIELDS = ("total", "balance")
"""The amount of a record that its kind's control total sums: a document's total, else what an account or name holds."""


class Path(StrEnum):
    """A way by which a change reaches the mirror."""

    WEBHOOK = "webhook"  # the rail said so by itself
    FEED = "feed"  # the change feed, asked on schedule
    SWEEP = "sweep"  # comparing everything


class Depth(StrEnum):
    """How closely a kind was looked at."""

    COUNTED = "counted"  # only how many there are
    READ = "read"  # every record


class HeldKind(Value):
    """What the mirror holds of one kind of a rail: live records and their control total by currency."""

    count: int = 0
    aside: int = 0  # in quarantine, and no revision of them is live
    totals: dict[Currency, Amount] = Field(default_factory=dict)


class KindSweep(Value):
    """One kind compared. `missing`, `differing` and `gone` were mended; totals are those after it."""

    kind: RecordKind
    depth: Depth
    source_count: int
    held_count: int  # before anything was mended, with what lies in quarantine
    missing: int = 0  # at the rail, not in the mirror
    differing: int = 0
    gone: int = 0  # in the mirror, not at the rail: retired
    not_understood: int = 0
    source_totals: dict[Currency, Amount] = Field(default_factory=dict)  # of what was understood
    held_totals: dict[Currency, Amount] = Field(default_factory=dict)

    @property
    def repaired(self) -> int:
        """How many records were wrong in the mirror."""
        return self.missing + self.differing + self.gone

    @property
    def agrees(self) -> bool:
        """Whether mirror and rail say the same now, by control total."""
        return self.depth is Depth.COUNTED or self.source_totals == self.held_totals


class SweepReport(Value):
    """One comparison of a connection with its rail."""

    run_id: str
    company_id: CompanyId
    connection_id: ConnectionId
    rail: str
    began_at: AwareDatetime
    ended_at: AwareDatetime
    calls: int
    kinds: tuple[KindSweep, ...]
    missed: dict[Path, int]  # repaired records that this path should have brought, and had not

    @property
    def repaired(self) -> int:
        """How many records were wrong in the mirror."""
        return sum(kind.repaired for kind in self.kinds)


class PathTally(Value):
    """What one path has done for a connection since it was connected."""

    path: Path
    brought: int = 0  # changes that came to the mirror this way
    missed: int = 0  # changes that another path found and this one should have brought
    last_missed_at: AwareDatetime | None = None


def sum_control(records: Iterable[Record]) -> dict[Currency, Decimal]:
    """The control total of records by currency; kinds without an amount have none. Currencies at nil are left out."""
    totals: dict[Currency, Decimal] = defaultdict(lambda: ZERO)
    for record in records:
        held = record.__dict__  # every record with an amount has a currency
        amount = next((held[name] for name in CONTROL_FIELDS if name in held), None)
        if amount is not None:
            totals[held["currency"]] += amount
    return {currency: total for currency, total in sorted(totals.items()) if total}
