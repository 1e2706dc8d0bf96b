"""What Stripe sends, as far as it is read (API version 2026-10-28.endive). Unknown members are left alone.

Amounts are whole numbers of the smallest unit of the currency that stands beside them; moments are seconds since 1970.
What may be expanded is an id, or the thing itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw, Struct, field


class Page(Struct):
    """One page of a list, newest first."""

    data: Sequence[Raw]
    has_more: bool = False


class Named(Struct):
    """A thing that was expanded, or is read for its id alone."""

    id: str
    object: str = ""
    created: int | None = None


class Customer(Struct):
    """Who paid; of a deleted one nothing but the id is left."""

    id: str
    name: str | None = None
    email: str | None = None
    deleted: bool = False


class BillingDetails(Struct):
    """What the payer entered."""

    name: str | None = None
    email: str | None = None


class Charge(Struct):
    """A payment."""

    id: str
    amount: int
    currency: str
    created: int
    status: str
    amount_refunded: int = 0
    disputed: bool = False
    customer: str | Customer | None = None
    billing_details: BillingDetails | None = None
    description: str | None = None
    failure_code: str | None = None
    metadata: Mapping[str, Any] | None = None
    payment_intent: str | Named | None = None


class Refund(Struct):
    """Money given back."""

    id: str
    amount: int
    currency: str
    created: int
    status: str | None = None
    charge: str | Named | None = None
    reason: str | None = None


class EvidenceDetails(Struct):
    """Until when an answer is taken."""

    due_by: int | None = None


class Dispute(Struct):
    """A contested charge."""

    id: str
    amount: int
    currency: str
    created: int
    status: str
    charge: str | Named | None = None
    reason: str | None = None
    evidence_details: EvidenceDetails | None = None


class Trace(Struct):
    """What the bank was told."""

    value: str | None = None


class Payout(Struct):
    """Money sent to the bank."""

    id: str
    amount: int
    currency: str
    created: int
    arrival_date: int
    status: str
    automatic: bool = True
    failure_code: str | None = None
    reconciliation_status: str | None = None
    trace_id: Trace | None = None

    @property
    def can_be_listed(self) -> bool:
        """Whether its parts are known to Stripe: of automatic ones alone, some hours later."""
        return self.automatic and self.reconciliation_status in {None, "completed"}


class BalanceTransaction(Struct):
    """One movement on the balance; outflows are negative."""

    id: str
    amount: int
    fee: int
    net: int
    currency: str
    created: int
    available_on: int
    type: str
    reporting_category: str = ""
    source: str | Named | None = None
    description: str | None = None


class Invoice(Struct):
    """An invoice, read for its number."""

    id: str
    number: str | None = None


class Payment(Struct):
    """What paid an invoice."""

    type: str = ""
    payment_intent: str | Named | None = None
    charge: str | Named | None = None


class InvoicePayment(Struct):
    """Which payment belongs to which invoice, which is expanded."""

    id: str
    created: int
    payment: Payment = field(default_factory=Payment)
    invoice: str | Invoice | None = None


class EventData(Struct):
    """The thing as it was when the event was made, in the account's version: read for its id alone."""

    object: Mapping[str, Any]


class Event(Struct):
    """Something happened."""

    id: str
    type: str
    created: int
    data: EventData
    account: str | None = None


class Account(Struct):
    """Whose account it is."""

    id: str
    business_profile: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = None
    default_currency: str | None = None


class Fault(Struct):
    """Why a request was refused; absent members are left out."""

    type: str = ""
    code: str = ""
    message: str = ""
    param: str = ""


class FaultAnswer(Struct):
    """The body of a refusal."""

    error: Fault


def id_of(thing: Any) -> str | None:
    """The id of what may be expanded."""
    return thing if thing is None or isinstance(thing, str) else thing.id
