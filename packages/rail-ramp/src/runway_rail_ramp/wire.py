"""What Ramp sends, as far as it is read, and what it is sent (developer API of 2025 and 2026); the rest is left.

Amounts of answers are whole minor units, but the first of a purchase, which is a number in major units. Amounts of a
draft's lines are major units.
"""

from decimal import Decimal
from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType

from runway_rail_ramp.money import MajorAmount, MinorAmount


class Money(Struct):
    """An amount in minor units; a number with a fraction is refused."""

    amount: int
    currency_code: str
    minor_unit_conversion_rate: int | None = None

    def to_major(self) -> MajorAmount:
        """The same in major units."""
        return MinorAmount(self.amount, self.currency_code).to_major(stated_rate=self.minor_unit_conversion_rate)


class BillVendor(Struct):
    """The vendor of a bill."""

    id: str | None = None
    name: str | None = None
    remote_id: str | None = None
    remote_name: str | None = None


class PaymentDetails(Struct):
    """How a bill is paid; which members there are depends on the method."""

    approval_status: str | None = None
    manual_payment_method: str | None = None
    transaction_ids: list[str] | None = None


class Payment(Struct):
    """The payment of a bill. Dates are text: days and moments were both seen."""

    amount: Money
    payment_method: str | None = None
    payment_date: str | None = None
    effective_date: str | None = None
    details: PaymentDetails | None = None
    id: str | None = None


class Bill(Struct):
    """A bill. `status` alone says whether it is paid: `paid_at` was seen on open ones, and no payment on paid ones."""

    id: str
    status: str
    amount: Money
    created_at: str | None = None
    approval_status: str | None = None
    sync_status: str | None = None
    status_summary: str | None = None
    due_at: str | None = None
    issued_at: str | None = None
    accounting_date: str | None = None
    paid_at: str | None = None
    archived_at: str | None = None
    invoice_number: str | None = None
    memo: str | None = None
    remote_id: str | None = None
    vendor: BillVendor | None = None
    payment: Payment | None = None
    payments: list[Payment] | None = None  # told since 2026; `payment` is then the first that is no credit
    draft_bill_id: str | None = None


class Vendor(Struct):
    """A vendor."""

    id: str
    name: str
    name_legal: str | None = None
    is_active: bool = True
    created_at: str | None = None
    accounting_vendor_remote_id: str | None = None


class CardHolder(Struct):
    """Who made a purchase."""

    first_name: str | None = None
    last_name: str | None = None


class PurchaseLine(Struct):
    """A part of a purchase, in minor units."""

    amount: Money | None = None


class Purchase(Struct):
    """A purchase on a card: `amount` is in major units, those of its lines are in minor ones."""

    id: str
    amount: Decimal
    currency_code: str
    state: str
    user_transaction_time: str
    settlement_date: str | None = None
    merchant_name: str | None = None
    merchant_descriptor: str | None = None
    memo: str | None = None
    sk_category_name: str | None = None
    card_id: str | None = None
    card_holder: CardHolder | None = None
    synced_at: str | None = None
    sync_status: str | None = None
    receipts: list[Any] | None = None
    line_items: list[PurchaseLine] | None = None


class Named(Struct):
    """A record, read for its id alone."""

    id: str


class Entity(Struct):
    """A legal entity of the business."""

    id: str
    is_primary: bool = False
    currency: str | None = None


class Business(Struct):
    """The business itself."""

    id: str
    business_name_legal: str | None = None


class PageLink(Struct):
    """Where the next page is: a whole address, or nowhere."""

    next: str | None = None


class Page(Struct):
    """One page; rows stay raw, so that one bad one spoils no other."""

    data: list[Raw]
    page: PageLink


class ErrorBody(Struct):
    """What the newer of the two envelopes says."""

    error_code: str = ""
    message: str = ""
    additional_info: dict[str, Any] | None = None
    error_id: str | None = None


class Fault(Struct):
    """A refusal."""

    error_v2: ErrorBody


class DraftLine(Struct, omit_defaults=True):
    """One line of a draft. Its amount is in major units: nothing else is taken."""

    amount: MajorAmount
    memo: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        if not isinstance(self.amount, MajorAmount):
            raise TypeError(f"a draft's line takes major units, not {type(self.amount).__name__}")


class Draft(Struct, omit_defaults=True):
    """A bill that is not one yet."""

    vendor_id: str
    entity_id: str
    invoice_number: str
    invoice_currency: str
    issued_at: str
    due_at: str
    line_items: list[DraftLine]
    remote_id: str
    enable_accounting_sync: bool = False  # must be sent as true beside `remote_id`
    memo: str | UnsetType = UNSET


def to_plain(value: object) -> object:
    """Write what a request may hold and JSON has no word for: major units, as text."""
    if isinstance(value, MajorAmount):
        return value.to_text()
    raise NotImplementedError(f"a request holds no {type(value).__name__}")
