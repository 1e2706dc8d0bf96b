"""What matching says: which money settles which documents, by which evidence, and what is left."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum

from runway_core.calculators.matching.money_sides import SideKey


class MoneyTier(IntEnum):
    """The kinds of evidence, the strongest first."""

    RAIL_ID = 1
    NUMBER = 2
    PARTY_AND_AMOUNT = 3
    SUM_OF_DOCUMENTS = 4
    SPLIT_PAYMENT = 5
    PART_PAYMENT = 6
    SHORT_PAYMENT = 7
    AMOUNT_ALONE = 8


class ShortfallReason(StrEnum):
    """Why less money came than was open, and what to book for the rest."""

    DISCOUNT = "discount"
    FEE = "fee"
    WRITE_OFF = "write_off"
    PART = "part"  # the rest stays open


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is missing of a document. `amount` is positive, in the document's currency."""

    reason: ShortfallReason
    amount: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class MoneyMatch:
    """One answer. `is_tied`: others of its tier fit as well, so a person must choose; such an answer never acts."""

    tier: MoneyTier
    movements: tuple[SideKey, ...]
    documents: tuple[SideKey, ...]
    acts: bool
    evidence: tuple[str, ...]
    is_tied: bool = False
    shortfall: Shortfall | None = None


@dataclass(frozen=True, slots=True)
class MoneyReport:
    """The outcome of one run, each list in the order of keys.

    Among `acted` and the untied of `suggested`, each movement and each document stands once.
    """

    acted: tuple[MoneyMatch, ...]
    suggested: tuple[MoneyMatch, ...]
    unmatched_movements: tuple[SideKey, ...]
    unmatched_documents: tuple[SideKey, ...]
    notes: tuple[str, ...]  # where a search was given up, and why

    def settled_by(self) -> dict[SideKey, MoneyMatch]:
        """What was acted on, by the key of each movement and each document."""
        return {key: match for match in self.acted for key in (*match.movements, *match.documents)}


def order_matches(matches: Iterable[MoneyMatch]) -> tuple[MoneyMatch, ...]:
    """Matches by tier, then by the keys they hold: the same for any order of input."""
    return tuple(sorted(matches, key=lambda match: (match.tier, match.movements, match.documents)))
