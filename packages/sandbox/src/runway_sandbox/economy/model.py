"""What an economy is made of: the finished company, and the documents it is built from.

Inside the economy money is an integer number of cents; only `shapes` turns it into `Decimal`. Days are ordinals,
moments are seconds of Pacific wall time since ordinal 0.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from runway_sandbox.economy.calendar import DAY_SECONDS, next_business_day
from runway_sandbox.economy.trade import Trade


@dataclass(slots=True)
class EconomyCompany:
    """One made-up company: its books in the wire's own words, and the defects planted in them."""

    realm_id: str
    name: str
    home_currency: str
    time_zone: str
    records: dict[str, list[dict[str, Any]]]  # entity name → wire objects, transactions in order of creation
    truth: list[dict[str, Any]]  # {"check", "records": [{"rail", "kind", "id"}], "note"}
    unreal: frozenset[tuple[str, str]] = frozenset()  # (kind, id) of entries for which no money moved
    card_batches: dict[str, CardBatch] = field(default_factory=dict)  # by the deposit's id; "": not paid out yet


@dataclass(slots=True, eq=False)
class Account:
    """One account of the chart; `balance` is debit minus credit in cents."""

    key: str
    id: str
    name: str
    kind: str
    subkind: str
    classification: str
    balance: int = 0
    created: int = 0
    updated: int = 0
    parent: Account | None = None
    currency: str = ""  # empty: the company's own; else `balance` is in it

    @property
    def full_name(self) -> str:
        """The name with its parent's before it, as references show it."""
        return f"{self.parent.full_name}:{self.name}" if self.parent else self.name

    @property
    def on_balance_sheet(self) -> bool:
        """Whether the wire shows a balance: income and expense accounts always show zero."""
        return self.classification in {"Asset", "Liability", "Equity"}


@dataclass(slots=True, eq=False)
class Terms:
    """Payment terms, with the discount that some carry."""

    id: str
    name: str
    days: int
    discount_percent: int = 0
    discount_days: int = 0


@dataclass(slots=True, eq=False)
class Item:
    """Something sold."""

    id: str
    name: str
    account: Account
    price: int
    taxable: bool


@dataclass(slots=True, eq=False)
class Party:
    """A vendor or a customer, with habits."""

    kind: str  # Vendor or Customer
    name: str
    terms: Terms | None
    account: Account | None = None
    id: str = ""
    active: bool = True
    recurring: bool = False
    fixed_amount: bool = False
    typical: int = 0  # usual amount in cents
    method: str = "check"  # check, ach or card
    late_days: int = 0
    late_spread: int = 0
    prefix: str = ""
    next_number: int = 1000
    has_number: bool = True
    wording: tuple[str, ...] = ()
    balance: int = 0
    created: int = 0
    updated: int = 0
    recent: dict[int, int] = field(default_factory=dict)  # amount → last day it was used
    numbers: list[str] = field(default_factory=list)
    address: dict[str, str] | None = None
    parent: Party | None = None  # a job's customer
    email: str | None = None  # where it is not made of the name


@dataclass(slots=True, eq=False)
class Line:
    """One line of a document; what its amount is booked to, and why."""

    amount: int
    account: Account
    text: str | None = None
    item: Item | None = None
    quantity: int = 1


@dataclass(slots=True, eq=False)
class Doc:
    """One transaction of the books, whatever its kind."""

    kind: str
    day: int
    entered: int  # moment of creation
    party: Party | None
    total: int
    lines: list[Line]
    id: str = ""
    updated: int = 0
    token: int = 0
    due: int | None = None
    terms: Terms | None = None
    number: str | None = None
    memo: str | None = None
    balance: int = 0  # open rest of bill, invoice, credit; unapplied rest of payments
    tax: int = 0
    method: str = ""  # Check, CreditCard, Cash
    account: Account | None = None  # bank, card or target account
    other: Account | None = None  # the other side of a transfer
    applied: list[tuple[Doc, int]] = field(default_factory=list)  # payments: what they settle
    settled_by: list[Doc] = field(default_factory=list)  # documents: what settled them
    sent: bool = True
    planted: bool = False
    is_real: bool = True  # else entered, and no money moved
    attached: bool = False
    recurring: bool = False
    currency: str = ""  # empty: the company's own
    rate: Decimal = Decimal(1)  # home units for one unit of `currency`
    dangling: str = ""  # "account" or "term": that reference points to nothing
    batch: CardBatch | None = None  # a deposit that a card processor made

    def touch(self, moment: int) -> None:
        """Note a later change by the people of the company."""
        self.updated = max(self.updated, moment)
        self.token += 1


@dataclass(frozen=True, slots=True)
class CardEntry:
    """One movement on the processor's balance, in cents. `key` is of the charge, whatever happens to it."""

    kind: str  # charge, refund, dispute, won
    key: str
    gross: int  # negative for what leaves
    fee: int
    day: int
    invoice: Doc | None = None
    payment: Doc | None = None  # the receipt in the books, where there is one
    payment_id: str = ""

    @property
    def net(self) -> int:
        """What it adds to the payout."""
        return self.gross - self.fee


@dataclass(slots=True)
class CardBatch:
    """What a deposit is made of; `planted` names how books or processor differ from it."""

    entries: list[CardEntry] = field(default_factory=list)
    planted: str = ""

    @property
    def fees(self) -> int:
        """What the processor keeps, in cents."""
        return sum(entry.fee for entry in self.entries)


@dataclass(slots=True, eq=False)
class Plan:
    """A company while it is being made up."""

    rng: random.Random
    index: int
    seed: int
    bills: int
    first: int  # first day of the books
    last: int  # last day on which something was entered: the day before `as_of`
    as_of: int
    trade: Trade
    home_currency: str
    health: str  # healthy, tight or dry
    accounts: dict[str, Account] = field(default_factory=dict)
    terms: list[Terms] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    vendors: list[Party] = field(default_factory=list)
    customers: list[Party] = field(default_factory=list)
    docs: list[Doc] = field(default_factory=list)
    used_names: dict[str, list[str]] = field(default_factory=dict)  # kind of business → first words in use
    used_phones: set[str] = field(default_factory=set)  # of vendors
    defects: list[str] = field(default_factory=list)  # checks to plant, one entry each
    truth: list[tuple[str, list[Doc | Party | Account], str]] = field(default_factory=list)
    late: list[tuple[str, Callable[[Plan], None]]] = field(default_factory=list)  # planted after wages, card and tax
    held_cards: CardBatch | None = None  # what a card processor has not paid out yet
    next_invoice: int = 1001
    next_cheque: int = 2001

    def moment(self, day: int) -> int:
        """Return a moment in office hours of `day`; before midnight UTC also in winter."""
        return day * DAY_SECONDS + 27_000 + int(self.rng.random() * 30_000)

    def entry(self, day: int, *, longest: int) -> int:
        """Return when something of `day` gets entered: mostly soon, seldom only after `longest` days."""
        delay = int(self.rng.random() ** 2 * (longest + 1))
        return self.moment(next_business_day(day + delay))

    def is_entered(self, moment: int) -> bool:
        """Say whether the entry was made before the books are looked at."""
        return moment < (self.last + 1) * DAY_SECONDS

    def of_kind(self, kind: str) -> list[Doc]:
        """Return the documents of one kind, in the order they were made up."""
        return [doc for doc in self.docs if doc.kind == kind]
