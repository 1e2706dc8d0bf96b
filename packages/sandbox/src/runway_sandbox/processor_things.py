"""What there is at a card processor: who pays, what was paid, given back, contested, kept and sent to the bank.

Amounts are whole minor units of their currency, moments seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

_RECONCILED_AFTER_S = 3 * 3600


@dataclass(slots=True, eq=False)
class Customer:
    """Somebody who pays by card."""

    id: str
    made_at: int
    name: str | None
    email: str | None
    metadata: dict[str, str] = field(default_factory=dict)
    is_deleted: bool = False


@dataclass(slots=True, eq=False)
class Charge:
    """A payment by card; `failure` is why it was declined."""

    id: str
    made_at: int
    amount: int
    currency: str
    customer: Customer | None
    description: str | None
    metadata: dict[str, str]
    intent_id: str
    entry: Entry | None = None
    failure: str | None = None
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    receipt_id: str = ""  # of the payment in the books


@dataclass(slots=True, eq=False)
class Refund:
    """Money given back to a card."""

    id: str
    made_at: int
    amount: int
    charge: Charge
    reason: str | None
    entry: Entry | None = None


@dataclass(slots=True, eq=False)
class Dispute:
    """A charge that the cardholder contests. An inquiry moves no money."""

    id: str
    made_at: int
    amount: int
    charge: Charge
    is_inquiry: bool = False
    closed_at: int | None = None
    is_won: bool = False
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Payout:
    """Money sent to the bank. `deposit_id` is of the deposit in the books, where there is one."""

    id: str
    made_at: int
    amount: int
    currency: str
    arrives_on: date
    is_automatic: bool = True
    deposit_id: str = ""
    trace: str | None = None
    entry: Entry | None = None
    failed_at: int | None = None
    failure_entry: Entry | None = None
    planted: str = ""

    @property
    def arrives_at(self) -> int:
        """The moment it counts as paid: an hour before the bank shows it."""
        return int(datetime.combine(self.arrives_on, time(10), tzinfo=UTC).timestamp())

    @property
    def reconciled_at(self) -> int:
        """The moment from which its parts can be listed."""
        return self.made_at + _RECONCILED_AFTER_S


@dataclass(slots=True, eq=False)
class Entry:
    """One movement on the balance: `gross` less `fee`."""

    id: str
    made_at: int
    kind: str
    gross: int
    fee: int
    currency: str
    available_at: int
    source: Charge | Refund | Dispute | Payout | None
    payout: Payout | None = None
    description: str | None = None
    exchange_rate: Decimal | None = None  # of a charge in another currency than it is settled in

    @property
    def net(self) -> int:
        """What the balance grew by."""
        return self.gross - self.fee


@dataclass(slots=True, eq=False)
class CardInvoice:
    """An invoice of the books that was also sent through the processor."""

    id: str
    made_at: int
    number: str
    customer: Customer
    total: int
    currency: str
    due_at: int | None
    text: str
    payments: list[InvoicePayment] = field(default_factory=list)

    def paid_by(self, at: int) -> int:
        """How much was paid by a moment."""
        return sum(one.amount for one in self.payments if one.made_at <= at)


@dataclass(slots=True, eq=False)
class InvoicePayment:
    """What a charge paid of an invoice."""

    id: str
    made_at: int
    amount: int
    invoice: CardInvoice
    charge: Charge


Thing = Customer | Charge | Refund | Dispute | Payout | Entry | CardInvoice | InvoicePayment


@dataclass(frozen=True, slots=True, order=True)
class Happening:
    """Something happened to a thing; `previous` holds what changed of it, as it was before."""

    at: int
    order: int
    name: str = field(compare=False)
    subject: Thing = field(compare=False)
    previous: dict[str, Any] | None = field(compare=False, default=None)
