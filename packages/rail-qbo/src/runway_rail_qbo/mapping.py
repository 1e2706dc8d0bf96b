"""From QuickBooks' records to the domain's: pure, one record at a time, and a reason a person understands when not.

`read_record` decodes one raw record and maps it; whatever is wrong with it becomes `RecordRejected`. Amounts are taken
as they stand: negative and zero ones are for the checks to find, not for the mapping to refuse.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from pydantic import ValidationError
from runway_core.domain.changes import Change, Deletion, RejectedRecord
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.record import Record
from runway_core.errors import InvalidRequest, RecordRejected
from runway_rail_kit import UNREADABLE

from runway_rail_qbo import mapping_documents as documents
from runway_rail_qbo import mapping_lists as lists
from runway_rail_qbo import wire


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: its name here and there, how it is decoded and mapped, and how it behaves."""

    kind: RecordKind
    name: str  # QuickBooks' name, as in queries
    decoder: msgspec.json.Decoder[Any]
    map: Callable[[Any, str], Record]
    has_inactive: bool = False  # rows that a query leaves out unless asked
    moves_money: bool = False  # entering or changing one moves account balances

    @property
    def path(self) -> str:
        """The name as it stands in an address."""
        return self.name.lower()


def _kind(kind: RecordKind, struct: type, mapper: Callable[[Any, str], Record], **traits: bool) -> Kind:
    return Kind(kind=kind, name=struct.__name__, decoder=msgspec.json.Decoder(struct), map=mapper, **traits)


KINDS: tuple[Kind, ...] = (
    _kind(RecordKind.TERM, wire.Term, lists.map_term, has_inactive=True),
    _kind(RecordKind.VENDOR, wire.Vendor, lists.map_vendor, has_inactive=True),
    _kind(RecordKind.CUSTOMER, wire.Customer, lists.map_customer, has_inactive=True),
    _kind(RecordKind.BILL, wire.Bill, documents.map_bill, moves_money=True),
    _kind(RecordKind.VENDOR_CREDIT, wire.VendorCredit, documents.map_vendor_credit, moves_money=True),
    _kind(RecordKind.BILL_PAYMENT, wire.BillPayment, documents.map_bill_payment, moves_money=True),
    _kind(RecordKind.INVOICE, wire.Invoice, documents.map_invoice, moves_money=True),
    _kind(RecordKind.CREDIT_MEMO, wire.CreditMemo, documents.map_credit_memo, moves_money=True),
    _kind(RecordKind.CUSTOMER_PAYMENT, wire.Payment, documents.map_customer_payment, moves_money=True),
    _kind(RecordKind.PURCHASE, wire.Purchase, documents.map_purchase, moves_money=True),
    _kind(RecordKind.DEPOSIT, wire.Deposit, documents.map_deposit, moves_money=True),
    _kind(RecordKind.TRANSFER, wire.Transfer, documents.map_transfer, moves_money=True),
    _kind(RecordKind.JOURNAL_ENTRY, wire.JournalEntry, documents.map_journal_entry, moves_money=True),
    _kind(RecordKind.ATTACHMENT, wire.Attachable, lists.map_attachment),
    _kind(RecordKind.ACCOUNT, wire.Account, lists.map_account, has_inactive=True),
)
"""Every kind that queries and change data capture bring, in the order of a whole reading. Accounts come last, so that
their balances are as fresh as the documents. The company's own record is read apart."""

KIND_BY_NAME = {kind.name: kind for kind in KINDS}
KIND_BY_RECORD = {kind.kind: kind for kind in KINDS}

COMPANY_KEY = RecordKey(RecordKind.COMPANY_INFO, "1")
"""The company's own record: QuickBooks gives it the id "1" in every company."""

_head_decoder = msgspec.json.Decoder(wire.Head)
_company_decoder = msgspec.json.Decoder(wire.CompanyInfo)
_preferences_decoder = msgspec.json.Decoder(wire.Preferences)


@dataclass(slots=True)
class MappedRows:
    """What rows of an answer came to."""

    changes: list[Change]
    deletions: list[Deletion]
    rejected: list[RejectedRecord]

    @classmethod
    def empty(cls) -> "MappedRows":
        """Nothing yet."""
        return cls([], [], [])

    def add(self, other: "MappedRows") -> None:
        """Take over the rows of `other`."""
        self.changes += other.changes
        self.deletions += other.deletions
        self.rejected += other.rejected

    def __len__(self) -> int:
        return len(self.changes) + len(self.deletions) + len(self.rejected)


def map_rows(kind: Kind, rows: Iterable[msgspec.Raw], *, home_currency: str) -> MappedRows:
    """Map the rows of one kind; one that cannot be understood is set aside and stops nothing."""
    mapped = MappedRows.empty()
    decode, map_one = kind.decoder.decode, kind.map
    for row in rows:
        try:
            entity = decode(row)
            if entity.status == "Deleted":
                mapped.deletions.append(_map_deletion(kind, entity))
            else:
                mapped.changes.append(Change(record=map_one(entity, home_currency), raw=bytes(row)))
        except (*UNREADABLE, ValidationError, RecordRejected, InvalidRequest) as error:
            raw = bytes(row)
            mapped.rejected.append(
                RejectedRecord(kind=kind.kind, external_id=find_id(raw), reason=explain(error), raw=raw)
            )
    return mapped


def read_record(kind: Kind, raw: bytes, *, home_currency: str) -> Change | Deletion:
    """Map one record.

    Raises:
        RecordRejected: it cannot be understood.
    """
    mapped = map_rows(kind, [msgspec.Raw(raw)], home_currency=home_currency)
    if mapped.rejected:
        raise RecordRejected(mapped.rejected[0].reason)
    return mapped.changes[0] if mapped.changes else mapped.deletions[0]


def read_company(company: bytes, preferences: bytes | None) -> Change:
    """Map the company's own record from its two parts, which are kept side by side.

    Raises:
        RecordRejected: it cannot be understood.
    """
    raw = b'{"CompanyInfo":' + company + b',"Preferences":' + (preferences or b"null") + b"}"
    try:
        info = _company_decoder.decode(company)
        prefs = _preferences_decoder.decode(preferences) if preferences else wire.Preferences()
        return Change(record=lists.map_company(info, prefs), raw=raw)
    except (*UNREADABLE, ValidationError) as error:
        raise RecordRejected(explain(error)) from error


def find_company_name(company: bytes) -> str | None:
    """The company's name, if it can be read."""
    try:
        return _company_decoder.decode(company).CompanyName
    except UNREADABLE:
        return None


def _map_deletion(kind: Kind, entity: wire.Entity) -> Deletion:
    meta = entity.MetaData
    return Deletion(
        key=RecordKey(kind.kind, entity.Id), deleted_at=documents.in_utc(meta.LastUpdatedTime) if meta else None
    )


def find_id(raw: bytes) -> str | None:
    """The id of a record whose rest cannot be read, if there is one."""
    try:
        return _head_decoder.decode(raw).Id
    except UNREADABLE:
        return None


_WORDS = {
    "str": "text",
    "decimal": "an amount",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "date": "a day",
    "datetime": "a time",
    "null": "nothing",
    "Invalid RFC3339 encoded date": "is not a day such as 2026-05-31",
    "Invalid RFC3339 encoded datetime": "is not a time such as 2026-05-31T10:00:00-07:00",
    "Expected `datetime` with a timezone component": "is a time without its offset from UTC",
    "Invalid decimal string": "is not an amount",
    "Object missing required field `Id`": "the Id is missing",
    "Expected `str` of length >= 1": "is empty",
}
_WRONG_TYPE = re.compile(r"^Expected `(?P<wanted>\w+)(?: \| null)?`, got `(?P<got>\w+)`$")
_SHAPE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?$", re.DOTALL)


def explain(error: Exception) -> str:
    """Say in a sentence what is wrong with a record, naming the field."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        return f"{where}: {what}" if where else what
    if isinstance(error, msgspec.ValidationError):
        match = _SHAPE.match(str(error))
        assert match is not None  # the pattern takes any text
        where, what = match["where"] or "the record", match["what"]
        found = _WRONG_TYPE.match(what)
        if found is not None:
            wanted = _WORDS.get(found["wanted"], found["wanted"])
            return f"{where}: should be {wanted}, not {_WORDS.get(found['got'], found['got'])}"
        return f"{where}: {_WORDS.get(what, what)}"
    return str(error)
