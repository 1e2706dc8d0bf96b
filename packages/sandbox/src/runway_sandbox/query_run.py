"""Runs a parsed query over one company's books and writes the answer (facts/qbo.md 3.2 to 3.4)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from runway_sandbox.books import Book, Row, Shelf, SortBy, WireObject, encode_wire, id_number
from runway_sandbox.faults import query_content
from runway_sandbox.kinds import NOT_QUERYABLE, FieldType, Kind, find_empty_kind, find_kind
from runway_sandbox.query import Condition, Literal, Select, Sorting, Value, parse_query
from runway_sandbox.settings import WireRules
from runway_sandbox.wiretime import pacific_date, parse_wire_time

# Kinds whose first page was recorded with a `totalCount`; for the others it was absent.
_WITH_TOTAL = frozenset({"Invoice", "Bill", "BillPayment", "JournalEntry", "Deposit"})
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_READY_ORDERS = {"id": "id", "metadata.lastupdatedtime": "updated", "metadata.createtime": "created"}

RowTest = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows to be sent, as bytes, with the numbers that stand beside them."""

    entity: str
    rows: list[bytes]
    start: int
    total: int | None
    is_count: bool = False

    def query_response(self) -> bytes:
        """Write the `QueryResponse` object."""
        if self.is_count:
            return b'{"totalCount":%d}' % (self.total or 0)
        if not self.rows:
            return b"{}"
        total = b"" if self.total is None else b',"totalCount":%d' % self.total
        return b'{"%s":[%s],"startPosition":%d,"maxResults":%d%s}' % (
            self.entity.encode(),
            b",".join(self.rows),
            self.start,
            len(self.rows),
            total,
        )


def run_query(book: Book, statement: str, *, rules: WireRules, now: datetime, extra_row: bool = False) -> Page:
    """Answer a statement from the books. `extra_row` gives one row more than asked, as users report.

    Raises:
        ServiceFaultError: 4000 or 4001, in the vendor's words.
    """
    select = parse_query(statement, bare_numbers=rules.bare_numbers)
    kind = find_kind(select.entity)
    if kind is None:
        empty = find_empty_kind(select.entity)
        if empty is None:
            raise query_content(f"Metadata not found for Entity {select.entity}")
        return Page(empty, [], select.start, 0, is_count=select.is_count)
    rows = _find_rows(book.shelf(kind.name), select, kind=kind, today=pacific_date(now))
    if select.is_count:
        return Page(kind.name, [], 1, len(rows), is_count=True)
    first = select.start - 1
    chosen = rows[first : first + select.limit + (1 if extra_row else 0)]
    pages = [row.wire for row in chosen]
    if select.columns != ("*",) and "*" not in select.columns:
        pages = [_project(row.parse(), select.columns, kind=kind) for row in chosen]
    total = len(rows) if rules.total_count and select.start == 1 and kind.name in _WITH_TOTAL else None
    return Page(kind.name, pages, select.start, total)


def _find_rows(shelf: Shelf, select: Select, *, kind: Kind, today: date) -> list[Row]:
    names = {name.lower(): (name, type_) for name, type_ in kind.filterable().items()}
    tests: list[RowTest] = []
    active_only = True
    for condition in select.where:
        lowered = condition.field.lower()
        if lowered == "active" and kind.name_field is not None:
            active_only = False
            if {value.text for value in condition.values} == {"true", "false"} and condition.operator == "IN":
                continue
        name, type_ = _resolve(condition.field, names, kind=kind)
        tests.append(_build_test(condition, name, type_=type_, today=today))
    rows = _sorted_rows(shelf, select.order, names=names, kind=kind, active_only=active_only)
    for test in tests:
        rows = [row for row in rows if test(row)]
    return rows


def _resolve(field: str, names: dict[str, tuple[str, FieldType]], *, kind: Kind) -> tuple[str, FieldType]:
    found = names.get(field.lower())
    if found is None:
        if field.lower() in NOT_QUERYABLE:
            raise query_content(f"property '{field}' is not queryable")
        raise query_content(f"Property {field} not found for Entity {kind.name}")
    return found


def _sorted_rows(
    shelf: Shelf,
    order: tuple[Sorting, ...],
    *,
    names: dict[str, tuple[str, FieldType]],
    kind: Kind,
    active_only: bool,
) -> list[Row]:
    if not order:
        return shelf.ordered(SortBy(), active_only=active_only)
    ready = _READY_ORDERS.get(order[0].field.lower())
    if ready is not None and len(order) == 1:
        return shelf.ordered(SortBy(ready, order[0].descending), active_only=active_only)
    rows = list(shelf.ordered(SortBy("id"), active_only=active_only))
    for sorting in reversed(order):
        name, type_ = _resolve(sorting.field, names, kind=kind)
        present = {row.id: _read_field(row, name, type_) for row in rows}
        absent = {identifier for identifier, value in present.items() if value is None}
        with_value = [row for row in rows if row.id not in absent]
        with_value.sort(key=lambda row: present[row.id], reverse=sorting.descending)
        without = [row for row in rows if row.id in absent]
        rows = [*with_value, *without] if sorting.descending else [*without, *with_value]
    return rows


def _build_test(condition: Condition, name: str, *, type_: FieldType, today: date) -> RowTest:
    if type_ is FieldType.ID and condition.operator not in {"=", "IN"}:
        raise query_content(f"Operator {condition.operator} is not supported for property Id")
    if condition.operator == "LIKE":
        if type_ not in {FieldType.TEXT, FieldType.DATE}:
            raise query_content(f"Operator LIKE is not supported for property {name}")
        pattern = re.compile(
            ".*".join(re.escape(part) for part in condition.values[0].text.split("%")), re.IGNORECASE | re.DOTALL
        )
        return lambda row: pattern.fullmatch(str(_read_field(row, name, FieldType.TEXT) or "")) is not None
    wanted = [_read_value(value, name, type_=type_, today=today) for value in condition.values]
    if condition.operator == "IN":
        members = set(wanted)
        if type_ is FieldType.ID:
            return lambda row: row.id in members
        return lambda row: _read_field(row, name, type_) in members
    compare, value = _COMPARE[condition.operator], wanted[0]
    if type_ is FieldType.ID:
        return lambda row: row.id == value
    if name == "MetaData.LastUpdatedTime":
        return lambda row: compare(row.updated, value)
    if name == "MetaData.CreateTime":
        return lambda row: compare(row.created, value)

    def test(row: Row) -> bool:
        held = _read_field(row, name, type_)
        if held is None:
            return condition.operator == "=" and value in {"", " "}  # the vendor's "is null"
        return compare(held, value)

    return test


def _read_value(value: Value, name: str, *, type_: FieldType, today: date) -> Any:
    text = today.isoformat() if value.literal is Literal.TODAY else value.text
    if not text.strip():
        return text
    try:
        if type_ is FieldType.NUMBER:
            return Decimal(text)
        if type_ is FieldType.DATE:
            return date.fromisoformat(text[:10]).isoformat()
        if type_ is FieldType.TIME:
            return parse_wire_time(text)
    except (InvalidOperation, ValueError) as error:
        raise query_content(f"Invalid value '{text}' for property {name}") from error
    if type_ is FieldType.TRUTH:
        if text not in {"true", "false"}:
            raise query_content(f"Invalid value '{text}' for property {name}")
        return text == "true"
    return text if type_ in {FieldType.ID, FieldType.REFERENCE} else text.casefold()


def _read_field(row: Row, name: str, type_: FieldType) -> Any:
    if type_ is FieldType.ID:
        return id_number(row.id)
    if name == "MetaData.LastUpdatedTime":
        return row.updated
    if name == "MetaData.CreateTime":
        return row.created
    if name == "Active":
        return row.active
    wire = row.parse()
    if name.startswith("AttachableRef."):
        links = wire.get("AttachableRef") or [{}]
        entity = links[0].get("EntityRef") or {}
        held = entity.get("type" if name.endswith("Type") else "value")
    else:
        held = wire.get(name)
    if held is None:
        return None
    if type_ is FieldType.REFERENCE:
        return held.get("value") if isinstance(held, dict) else None
    if type_ is FieldType.NUMBER:
        return Decimal(held)
    return held if type_ is FieldType.TRUTH else str(held).casefold()


def _project(wire: WireObject, columns: tuple[str, ...], *, kind: Kind) -> bytes:
    spelled = {key.lower(): key for key in wire}
    flat = {name.lower() for name in kind.filterable()} | {"domain", "sparse", "synctoken", "metadata"}
    chosen: WireObject = {}
    for column in columns:
        lowered = column.lower()
        key = spelled.get(lowered.split(".")[0])
        if lowered not in flat and (key is None or isinstance(wire[key], dict | list)):
            raise query_content(f"Property {column} not found for Entity {kind.name}")
        if key is not None:
            chosen[key] = wire[key]
    chosen.setdefault("Id", wire["Id"])
    chosen["domain"], chosen["sparse"] = "QBO", True
    return encode_wire(chosen)
