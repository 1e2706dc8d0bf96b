"""Parts that several documents share: their lines, and their links to one another.

They are many, two or three a document, so they are msgspec structs and not pydantic models: the books of ten thousand
documents are read in half the time, and the collector need not look at them. Records check them when they are made.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec
from msgspec import Struct, structs
from pydantic import AfterValidator, InstanceOf, PlainSerializer, WithJsonSchema

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import AMOUNT_STEP, Amount, to_amount
from runway_core.errors import InvalidRequest


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


class DocumentLine(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One line. `amount` is in the document's currency, with the sign the ledger gives it."""

    line_kind: LineKind
    amount: Amount
    line_id: str | None = None
    description: str | None = None
    account_id: str | None = None
    account_name: str | None = None
    item_id: str | None = None
    item_name: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    party_kind: RecordKind | None = None  # vendor or customer that the line names
    party_id: str | None = None


class DocumentLink(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A link to another record. `amount` is what was applied, positive; `None` where the rail does not say."""

    kind: RecordKind | None  # None: a kind that is not mirrored, named in `foreign_kind`
    external_id: str
    amount: Amount | None = None
    foreign_kind: str | None = None

    @property
    def key(self) -> RecordKey | None:
        """The linked record's key, or `None` for a kind that is not mirrored."""
        return None if self.kind is None else RecordKey(self.kind, self.external_id)


Part = TypeVar("Part", DocumentLine, DocumentLink)

_encode = msgspec.json.Encoder(decimal_format="string").encode
_decode_lines = msgspec.json.Decoder(tuple[DocumentLine, ...]).decode
_decode_links = msgspec.json.Decoder(tuple[DocumentLink, ...]).decode


def _checked_lines(lines: tuple[DocumentLine, ...]) -> tuple[DocumentLine, ...]:
    """Check lines as they will be read back from where they are kept, and carry their amounts to four places."""
    return tuple([_exact(line) for line in _reread(_decode_lines, lines)]) if lines else ()


def _checked_links(links: tuple[DocumentLink, ...]) -> tuple[DocumentLink, ...]:
    return tuple([_exact(link) for link in _reread(_decode_links, links)]) if links else ()


def _reread(decode: Callable[[bytes], tuple[Part, ...]], parts: tuple[Part, ...]) -> tuple[Part, ...]:
    try:
        return decode(_encode(parts))
    except (msgspec.MsgspecError, TypeError) as error:
        raise ValueError(str(error)) from error


def _exact(part: Part) -> Part:
    if part.amount is None or part.amount.same_quantum(AMOUNT_STEP):
        return part
    try:
        return structs.replace(part, amount=to_amount(part.amount))
    except InvalidRequest as error:
        raise ValueError(str(error)) from error


def _describe(part: type[Struct]) -> WithJsonSchema:
    """The JSON schema of a list of parts, with nothing to look up elsewhere."""
    (schema,), named = msgspec.json.schema_components([part], ref_template="{name}")

    def whole(value: object) -> object:
        if isinstance(value, dict):
            return whole(named[value["$ref"]]) if "$ref" in value else {key: whole(v) for key, v in value.items()}
        return [whole(v) for v in value] if isinstance(value, list) else value

    return WithJsonSchema({"type": "array", "items": whole(schema)})


_AS_PLAIN = PlainSerializer(msgspec.to_builtins, when_used="json")

Lines = Annotated[
    tuple[InstanceOf[DocumentLine], ...], AfterValidator(_checked_lines), _AS_PLAIN, _describe(DocumentLine)
]
"""The lines of a document, in its order."""

Links = Annotated[
    tuple[InstanceOf[DocumentLink], ...], AfterValidator(_checked_links), _AS_PLAIN, _describe(DocumentLink)
]
"""The links of a document, in its order."""
