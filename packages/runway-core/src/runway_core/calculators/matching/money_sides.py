"""The two sides that matching brings together: money that moved, and documents that it may settle.

Small and neutral, so that bank lines, deposits, payouts, payments in the ledger and open documents all fit.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from runway_core.domain.identity import RecordKey
from runway_core.domain.money import round_to_minor

SideKey = tuple[str, str]
"""Kind and id of what stands on a side; a `RecordKey` is one, and so is `("bank_transaction", "N7")`."""

PartyKey = tuple[str, str]
"""Who is on the other end: a vendor's or customer's `RecordKey`, or `("processor", …)`."""

_TEN_THOUSANDTHS = 10_000


@dataclass(frozen=True, slots=True)
class MoneyMovement:
    """Money that moved. `amount` is positive when money came in."""

    key: SideKey
    day: date  # in the company's zone
    amount: Decimal
    currency: str
    account_id: str | None = None  # None: not known
    party: PartyKey | None = None  # None: not known for certain
    text: str = ""
    rail_ids: frozenset[str] = frozenset()  # ids that a rail gave it, its payout's or payment's among them
    record: RecordKey | None = None  # the ledger record that it is, or is a part of


@dataclass(frozen=True, slots=True)
class EarlyDiscount:
    """What a document's terms take off for payment up to a day: 2 means two per cent."""

    percent: Decimal
    until: date


@dataclass(frozen=True, slots=True)
class MoneyDocument:
    """What money may settle. `amount` is what is open, signed as the money would move: a bill is negative."""

    key: SideKey
    amount: Decimal
    currency: str
    since: date  # the first day on which its money may move
    until: date  # the last one
    account_id: str | None = None  # None: any
    party: PartyKey | None = None
    party_name: str = ""
    number: str | None = None
    rail_ids: frozenset[str] = frozenset()
    discount: EarlyDiscount | None = None
    record: RecordKey | None = None  # the ledger record that it is, or is a part of


def whole_units(amount: Decimal) -> int:
    """An amount's size as a whole number of ten-thousandths: what sums are compared in."""
    return abs(int(amount * _TEN_THOUSANDTHS))


@lru_cache(maxsize=8192)
def say_size(amount: Decimal, currency: str) -> str:
    """An amount without its sign, for evidence: "1,598.35 USD"."""
    return f"{round_to_minor(abs(amount), currency):,} {currency}"
