"""One company's records, packed as they are sent, with the small index that queries, CDC and paging need.

A page of a thousand rows is a slice of a sorted list and a join of what is unpacked, three microseconds a row.
Records are parsed only when a filter or a write asks for what the index does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from runway_sandbox.economy.model import CardBatch
from runway_sandbox.kinds import KINDS, Kind
from runway_sandbox.press import PRESSES, unpack
from runway_sandbox.wiretime import format_record_time, parse_wire_time

WireObject = dict[str, Any]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def decode_wire(body: bytes) -> Any:
    """Read JSON with every fraction as an exact `Decimal`, its trailing noughts kept.

    Raises:
        msgspec.DecodeError: the bytes are not JSON.
    """
    return _DECODER.decode(body)


def encode_wire(value: Any) -> bytes:
    """Write JSON with every `Decimal` as a number, digit for digit."""
    return _ENCODER.encode(value)


@dataclass(slots=True)
class Row:
    """One record: its bytes, and what is asked of it most often."""

    id: str
    packed: bytes  # by `model`
    model: bytes
    created: int  # epoch seconds
    updated: int  # epoch seconds, may lie in the future
    cdc_updated: int  # as `updated`, but not moved by a balance alone
    active: bool
    name: str  # "" for documents

    @property
    def wire(self) -> bytes:
        """The record as it is sent."""
        return unpack(self.packed, self.model)

    def parse(self) -> WireObject:
        """Read the record; the caller may change what it gets."""
        parsed: WireObject = decode_wire(self.wire)
        return parsed


@dataclass(frozen=True, slots=True)
class SortBy:
    """An order that the shelf keeps ready: `default`, `id`, `updated` or `created`."""

    key: str = "default"
    descending: bool = False


def id_number(identifier: str) -> int:
    """Read an id as a number; ids that are none come first."""
    return int(identifier) if identifier.isdecimal() else -1


class Shelf:
    """All records of one kind, with their orders cached until the next write."""

    def __init__(self, kind: Kind, *, ids_as_text: bool = False, oldest_first: bool = False) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self.graves: dict[str, int] = {}  # id of a deleted record -> epoch second of its deletion
        self._ids_as_text = ids_as_text
        self._oldest_first = oldest_first
        self._orders: dict[tuple[SortBy, bool], list[Row]] = {}

    def put(self, wire: WireObject, *, balance_only: bool = False) -> Row:
        """Store a record, new or changed; `balance_only` leaves its CDC time where it was."""
        identifier = str(wire["Id"])
        times = wire.get("MetaData") or {}
        created = parse_wire_time(times["CreateTime"]) if "CreateTime" in times else 0
        updated = parse_wire_time(times["LastUpdatedTime"]) if "LastUpdatedTime" in times else created
        packed, model = PRESSES[self.kind.name].pack(encode_wire(wire))
        known = self.rows.get(identifier)
        name = str(wire.get(self.kind.name_field, "")) if self.kind.name_field else ""
        row = Row(
            id=identifier,
            packed=packed,
            model=model,
            created=created,
            updated=updated,
            cdc_updated=known.cdc_updated if known is not None and balance_only else updated,
            active=wire.get("Active", True) is not False,
            name=name,
        )
        self.rows[identifier] = row
        self._orders.clear()
        return row

    def remove(self, identifier: str, at: int) -> None:
        """Take a record out of the books and remember when."""
        del self.rows[identifier]
        self.graves[identifier] = at
        self._orders.clear()

    def ordered(self, sort_by: SortBy, *, active_only: bool) -> list[Row]:
        """List the records in an order; the list is shared and must not be changed."""
        cached = self._orders.get((sort_by, active_only))
        if cached is None:
            rows: Iterable[Row] = self.rows.values()
            if active_only and self.kind.name_field is not None:
                rows = (row for row in rows if row.active)
            cached = self._sort(rows, sort_by)
            self._orders[(sort_by, active_only)] = cached
        return cached

    def _sort(self, rows: Iterable[Row], sort_by: SortBy) -> list[Row]:
        if sort_by.key == "id":
            if self._ids_as_text:
                return sorted(rows, key=lambda row: row.id, reverse=sort_by.descending)
            return sorted(rows, key=lambda row: id_number(row.id), reverse=sort_by.descending)
        if sort_by.key == "created":
            return sorted(rows, key=lambda row: (row.created, id_number(row.id)), reverse=sort_by.descending)
        if sort_by.key == "updated":
            return sorted(rows, key=lambda row: (row.updated, id_number(row.id)), reverse=sort_by.descending)
        if self.kind.name_field is not None:
            return sorted(rows, key=lambda row: (row.name.casefold(), id_number(row.id)))
        newest_first = not self._oldest_first
        return sorted(rows, key=lambda row: (row.updated, id_number(row.id)), reverse=newest_first)


@dataclass(slots=True)
class LatePayout:
    """Money that a card processor sends to the bank beyond what the books tell of."""

    payout_id: str
    amount: Decimal
    currency: str
    made_on: date
    arrives_on: date
    trace: str
    failed_on: date | None = None  # the bank sent it back


@dataclass(frozen=True, slots=True)
class BankCharge:
    """What a bank took by itself, and nobody has entered."""

    amount: Decimal
    taken_on: date
    text: str


class Book:
    """One company's books: a shelf for each kind, the number rows, and the truth that was planted."""

    def __init__(
        self, realm_id: str, name: str, *, home_currency: str, ids_as_text: bool = False, oldest_first: bool = False
    ) -> None:
        self.realm_id = realm_id
        self.name = name
        self.home_currency = home_currency
        self.truth: list[dict[str, Any]] = []
        self.unreal: frozenset[tuple[str, str]] = frozenset()  # entries for which no money moved
        self.card_batches: Mapping[str, CardBatch] = {}  # what a card processor paid in, by the deposit's id
        self.bank_charges: tuple[BankCharge, ...] = ()  # planted: the bank shows them, and no document does
        self.late_payouts: dict[str, LatePayout] = {}  # what it sends later on, which nobody has booked
        self.shelves = {
            kind.name: Shelf(kind, ids_as_text=ids_as_text, oldest_first=oldest_first) for kind in KINDS.values()
        }
        self._next_id: dict[str, int] = {}

    def fill(self, records: dict[str, list[WireObject]]) -> None:
        """Shelve the records that the economy made; kinds that are not kept are left out."""
        for kind_name, objects in records.items():
            shelf = self.shelves.get(kind_name)
            if shelf is None:
                continue
            for wire in objects:
                shelf.put(wire)

    def shelf(self, kind_name: str) -> Shelf:
        """Get the shelf of a kept kind."""
        return self.shelves[kind_name]

    def find(self, kind_name: str, identifier: str) -> Row | None:
        """Look a record up by kind and id."""
        return self.shelves[kind_name].rows.get(identifier)

    def new_id(self, kind: Kind) -> str:
        """Draw the next id of the kind's number row; a deleted record's id is never used again."""
        upcoming = self._next_id.get(kind.number_row)
        if upcoming is None:
            taken = [
                id_number(identifier)
                for shelf in self.shelves.values()
                if shelf.kind.number_row == kind.number_row
                for identifier in (*shelf.rows, *shelf.graves)
            ]
            upcoming = max(taken, default=0) + 1
        self._next_id[kind.number_row] = upcoming + 1
        return str(upcoming)


def stamp(wire: WireObject, *, at: int, is_new: bool = False) -> None:
    """Set a record's `MetaData` times to a moment, keeping what else stands there."""
    times = dict(wire.get("MetaData") or {})
    if is_new:
        times["CreateTime"] = format_record_time(at)
    times["LastUpdatedTime"] = format_record_time(at)
    wire["MetaData"] = times
