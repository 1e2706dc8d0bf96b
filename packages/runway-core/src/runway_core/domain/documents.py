"""Parts that several documents share: their lines, and their links to one another."""

from decimal import Decimal
from enum import StrEnum

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Amount
from runway_core.domain.record import Value


class LineKind(StrEnum):
    """What a line of a document stands for."""

    ACCOUNT = "account"  # booked straight to an account
    ITEM = "item"  # a product or service
    SUBTOTAL = "subtotal"  # repeats other lines: never add it
    DISCOUNT = "discount"  # its amount is positive and is subtracted
    TEXT = "text"
    GROUP = "group"
    DEPOSIT = "deposit"
    DEBIT = "debit"  # a journal entry's side
    CREDIT = "credit"


class DocumentLine(Value):
    """One line. `amount` is in the document's currency, with the sign the ledger gives it."""

    line_id: str | None = None
    line_kind: LineKind
    amount: Amount
    description: str | None = None
    account_id: str | None = None
    account_name: str | None = None
    item_id: str | None = None
    item_name: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    party_kind: RecordKind | None = None  # vendor or customer that the line names
    party_id: str | None = None


class DocumentLink(Value):
    """A link to another record. `amount` is what was applied, positive; `None` where the rail does not say."""

    kind: RecordKind | None  # None: a kind that is not mirrored, named in `foreign_kind`
    external_id: str
    amount: Amount | None = None
    foreign_kind: str | None = None

    @property
    def key(self) -> RecordKey | None:
        """The linked record's key, or `None` for a kind that is not mirrored."""
        return None if self.kind is None else RecordKey(self.kind, self.external_id)
