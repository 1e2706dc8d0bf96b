"""Row ↔ domain. One writer and one reader a kind of record, compiled once from the kind's fields.

They are the hot path of first loads and of `load_books`: a loop over fields costs three times as much as the code that
is generated here. Lines and links stand in the column `detail` as JSON arrays, fields by position; `LINE_FIELDS` and
`LINK_FIELDS` fix the positions, and a test holds them to the domain.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import repeat
from typing import Any

import msgspec
from pydantic import BaseModel
from runway_core.domain.changes import HeldVersion
from runway_core.domain.documents import DocumentLine, DocumentLink, LineKind
from runway_core.domain.identity import RecordKind
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.domain.money import AMOUNT_STEP
from runway_core.domain.record import Record

from runway_store_sql.tables import RECORD_SPECS, FieldForm, FieldSpec, RecordSpec

LINE_FIELDS = (
    "line_id",
    "line_kind",
    "amount",
    "description",
    "account_id",
    "account_name",
    "item_id",
    "item_name",
    "quantity",
    "unit_price",
    "party_kind",
    "party_id",
)
LINK_FIELDS = ("kind", "external_id", "amount", "foreign_kind")

_slots = BaseModel.__dict__
_set_dict = _slots["__dict__"].__set__
_set_fields = _slots["__pydantic_fields_set__"].__set__
_set_extra = _slots["__pydantic_extra__"].__set__
_set_private = _slots["__pydantic_private__"].__set__
_NO_FIELDS: set[str] = set()
"""Shared: frozen values never add to it, and `model_copy` copies it."""


def build_trusted(model: type[BaseModel], values: dict[str, Any]) -> Any:
    """Build a frozen value from what was validated before it was stored; `values` holds every field and is kept."""
    value = object.__new__(model)
    _set_dict(value, values)
    _set_fields(value, _NO_FIELDS)
    _set_extra(value, None)
    _set_private(value, None)
    return value


def build_all_trusted(model: type[BaseModel], values: list[dict[str, Any]]) -> list[Any]:
    """Build many at once: the loop runs in C, which halves the cost of each."""
    built = list(map(object.__new__, repeat(model, len(values))))
    for setting in (
        map(_set_dict, built, values),
        map(_set_fields, built, repeat(_NO_FIELDS)),
        map(_set_extra, built, repeat(None)),
        map(_set_private, built, repeat(None)),
    ):
        deque(setting, maxlen=0)
    return built


_EPOCH = from_microseconds(0)
_encode_json = msgspec.json.Encoder(decimal_format="string").encode
_decode_json = msgspec.json.Decoder(list[list[list[Any]]]).decode
_LINE_KINDS = {kind.value: kind for kind in LineKind}
_RECORD_KINDS: dict[str | None, RecordKind | None] = {None: None} | {kind.value: kind for kind in RecordKind}


def encode_amount(amount: Decimal) -> int:
    """Ten-thousandths of a major unit."""
    return int(amount.scaleb(4))


def decode_amount(count: int) -> Decimal:
    """The amount of so many ten-thousandths, carried to four places."""
    return count * AMOUNT_STEP


def encode_moment(moment: Any) -> int | None:
    """Microseconds since 1970, or `None`."""
    return None if moment is None else to_microseconds(moment)


def decode_moment(count: int | None) -> Any:
    """The moment after so many microseconds, or `None`."""
    return None if count is None else from_microseconds(count)


def _encode_line(line: DocumentLine) -> tuple[Any, ...]:
    return (
        line.line_id,
        line.line_kind,
        int(line.amount.scaleb(4)),
        line.description,
        line.account_id,
        line.account_name,
        line.item_id,
        line.item_name,
        line.quantity,
        line.unit_price,
        line.party_kind,
        line.party_id,
    )


def _decode_lines(rows: list[list[Any]]) -> tuple[DocumentLine, ...]:
    return tuple(
        [
            build_trusted(
                DocumentLine,
                {
                    "line_id": line_id,
                    "line_kind": _LINE_KINDS[line_kind],
                    "amount": amount * AMOUNT_STEP,
                    "description": description,
                    "account_id": account_id,
                    "account_name": account_name,
                    "item_id": item_id,
                    "item_name": item_name,
                    "quantity": quantity and Decimal(quantity),
                    "unit_price": unit_price and Decimal(unit_price),
                    "party_kind": _RECORD_KINDS[party_kind],
                    "party_id": party_id,
                },
            )
            for (
                line_id,
                line_kind,
                amount,
                description,
                account_id,
                account_name,
                item_id,
                item_name,
                quantity,
                unit_price,
                party_kind,
                party_id,
            ) in rows
        ]
    )


def _encode_link(link: DocumentLink) -> tuple[Any, ...]:
    return (
        link.kind,
        link.external_id,
        None if link.amount is None else int(link.amount.scaleb(4)),
        link.foreign_kind,
    )


def _decode_links(rows: list[list[Any]]) -> tuple[DocumentLink, ...]:
    return tuple(
        [
            build_trusted(
                DocumentLink,
                {
                    "kind": _RECORD_KINDS[kind],
                    "external_id": external_id,
                    "amount": None if amount is None else amount * AMOUNT_STEP,
                    "foreign_kind": foreign_kind,
                },
            )
            for kind, external_id, amount, foreign_kind in rows
        ]
    )


_TO_COLUMN = {
    FieldForm.TEXT: "{v}",
    FieldForm.INTEGER: "{v}",
    FieldForm.BOOLEAN: "{v}",
    FieldForm.AMOUNT: "int({v}.scaleb(4))",
    FieldForm.NUMBER: "str({v})",
    FieldForm.DAY: "{v}.isoformat()",
    FieldForm.MOMENT: "to_microseconds({v})",
    FieldForm.ENUM: "{v}._value_",
}
_FROM_COLUMN = {
    FieldForm.TEXT: "{v}",
    FieldForm.INTEGER: "{v}",
    FieldForm.BOOLEAN: "bool({v})",
    FieldForm.AMOUNT: "{v} * STEP",
    FieldForm.NUMBER: "Decimal({v})",
    FieldForm.DAY: "day({v})",
    FieldForm.MOMENT: "EPOCH + timedelta(0, 0, {v})",
    FieldForm.ENUM: "{e}[{v}]",
}
_AS_IT_IS = frozenset({FieldForm.TEXT, FieldForm.INTEGER})


def _wrap(field: FieldSpec, expression: str, value: str) -> str:
    if not field.is_optional or field.form in _AS_IT_IS:
        return expression
    return f"None if {value} is None else {expression}"


RowWriter = Callable[..., tuple[Any, ...]]
RowReader = Callable[[Sequence[Any]], dict[str, Any]]


def _detail_writer(spec: RecordSpec) -> str:
    parts = [
        f"[encode_{'line' if f.form is FieldForm.LINES else 'link'}(item) for item in d[{f.name!r}]]"
        for f in spec.details
    ]
    empty = " or ".join(f"d[{f.name!r}]" for f in spec.details)
    return f"encode_json(({', '.join(parts)},)).decode() if {empty} else ''"


def _compile(source: str, name: str, scope: dict[str, Any]) -> Any:
    exec(compile(source, f"<{name}>", "exec"), scope)  # noqa: S102 - the text is made of the domain's field names alone
    return scope[name]


def _make_writer(spec: RecordSpec) -> RowWriter:
    values = [_wrap(f, _TO_COLUMN[f.form].format(v=f"d[{f.name!r}]"), f"d[{f.name!r}]") for f in spec.columns]
    if spec.details:
        values.append(_detail_writer(spec))
    source = (
        f"def write_{spec.kind.value}(company_id, d, rail, source_time, seen_at, sequence, content_hash, raw):\n"
        f"    return (company_id, {', '.join(f'({value})' for value in values)}, "
        "False, None, rail, source_time, seen_at, sequence, content_hash, raw)\n"
    )
    scope = {
        "to_microseconds": to_microseconds,
        "encode_line": _encode_line,
        "encode_link": _encode_link,
        "encode_json": _encode_json,
    }
    writer: RowWriter = _compile(source, f"write_{spec.kind.value}", scope)
    return writer


def _make_reader(spec: RecordSpec) -> RowReader:
    scope: dict[str, Any] = {
        "STEP": AMOUNT_STEP,
        "EPOCH": _EPOCH,
        "Decimal": Decimal,
        "timedelta": timedelta,
        "day": date.fromisoformat,
        "read_lines": _decode_lines,
        "read_links": _decode_links,
        "decode_json": _decode_json,
        "empty": tuple(() for _ in spec.details),
    }
    items = []
    for field in spec.columns:
        enum_name = f"enum_{field.name}"
        if field.enum is not None:
            scope[enum_name] = {member.value: member for member in field.enum}
        expression = _FROM_COLUMN[field.form].format(v=f"c_{field.name}", e=enum_name)
        items.append(f"{field.name!r}: {_wrap(field, expression, f'c_{field.name}')}")
    names = [f"c_{field.name}" for field in spec.columns]
    lines = []
    if spec.details:
        names.append("c_detail")
        lines.append("    j = decode_json(c_detail) if c_detail else empty")
        for at, field in enumerate(spec.details):
            items.append(f"{field.name!r}: read_{field.form.value}(j[{at}]) if j[{at}] else ()")
    source = "\n".join(
        [
            f"def read_{spec.kind.value}(row):",
            f"    ({', '.join(names)},) = row",
            *lines,
            "    return {" + ", ".join(items) + "}",
        ]
    )
    reader: RowReader = _compile(source + "\n", f"read_{spec.kind.value}", scope)
    return reader


WRITERS: dict[RecordKind, RowWriter] = {kind: _make_writer(spec) for kind, spec in RECORD_SPECS.items()}
"""`(company_id, fields, rail, source_time, seen_at, sequence, content_hash, raw)` → the row, in column order."""

READERS: dict[RecordKind, RowReader] = {kind: _make_reader(spec) for kind, spec in RECORD_SPECS.items()}
"""The row of `field_columns` → the fields of the record."""


def field_columns(spec: RecordSpec) -> list[Any]:
    """The columns that hold a record's fields, in the order that the kind's reader takes."""
    names = [field.name for field in spec.columns]
    if spec.details:
        names.append("detail")
    return [spec.table.c[name] for name in names]


def read_record(spec: RecordSpec, row: Sequence[Any]) -> Record:
    """Build the record of one row of `field_columns`."""
    record: Record = build_trusted(spec.record_class, READERS[spec.kind](row))
    return record


HELD_COLUMNS = (
    "external_id",
    "content_hash",
    "revision_number",
    "modified_at",
    "source_time",
    "is_deleted",
    "deleted_at",
)


def read_held(row: Sequence[Any]) -> HeldVersion:
    """Build the held version of one row of `HELD_COLUMNS`. A tombstone is as old as its deletion."""
    _, content_hash, revision_number, modified_at, source_time, is_deleted, deleted_at = row
    moment = deleted_at if is_deleted and deleted_at is not None else modified_at
    return HeldVersion(
        content_hash=content_hash,
        revision_number=revision_number,
        modified_at=decode_moment(moment),
        source_time=from_microseconds(source_time),
        is_deleted=bool(is_deleted),
    )
