"""Row ↔ domain.

Writing is the hot path of first loads: one writer a kind is compiled from its fields, instead of a
loop over them. Reading is the hot path of `load_books`: rows are turned into columns, and each column is converted as a
whole. Lines and links stand in the column `detail` as JSON, one list a field of the record.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import repeat
from operator import mul
from typing import Any

import msgspec
from runway_core.domain.changes import HeldVersion
from runway_core.domain.documents import DocumentLine, DocumentLink
from runway_core.domain.identity import RecordKind
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.domain.money import AMOUNT_STEP
from runway_core.domain.record import Record

from runway_store_sql.tables import RECORD_SPECS, FieldForm, FieldSpec, RecordSpec

_EPOCH = from_microseconds(0)
_encode_json = msgspec.json.Encoder(decimal_format="string").encode


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


def _compile(source: str, name: str, scope: dict[str, Any]) -> Any:
    exec(compile(source, f"<{name}>", "exec"), scope)  # noqa: S102 - the text is made of the domain's field names alone
    return scope[name]


def _make_fields_builder(names: Sequence[str]) -> Callable[[Sequence[Sequence[Any]]], list[dict[str, Any]]]:
    """Columns → one dictionary a row. Written out, because a dictionary display is made at its final size."""
    variables = ", ".join(f"v_{name}" for name in names)
    items = ", ".join(f"{name!r}: v_{name}" for name in names)
    source = f"def build(columns):\n    return [{{{items}}} for ({variables},) in zip(*columns)]\n"
    builder: Callable[[Sequence[Sequence[Any]]], list[dict[str, Any]]] = _compile(source, "build", {})
    return builder


_BUILDERS = {
    kind: _make_fields_builder([field.name for field in (*spec.columns, *spec.details)])
    for kind, spec in RECORD_SPECS.items()
}


class _Memo(dict[Any, Any]):
    """Converts each value once: days, kinds and flags of many rows are few. Looked up by `map`, at the speed of C."""

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__({None: None})
        self._convert = convert

    def __missing__(self, key: Any) -> Any:
        value = self._convert(key)
        if len(self) < _MEMO_LIMIT:
            self[key] = value
        return value


_MEMO_LIMIT = 100_000
_DAYS = _Memo(date.fromisoformat)
_FLAGS = _Memo(bool)
_ENUMS = {enum: _Memo(enum) for spec in RECORD_SPECS.values() for f in spec.columns if (enum := f.enum) is not None}


def _amounts(column: Sequence[Any], *, is_optional: bool) -> list[Any]:
    if is_optional:
        return [None if count is None else count * AMOUNT_STEP for count in column]
    return list(map(mul, column, repeat(AMOUNT_STEP)))


def _numbers(column: Sequence[Any]) -> list[Any]:
    return [None if text is None else Decimal(text) for text in column]


def _moments(column: Sequence[Any]) -> list[Any]:
    return [None if count is None else _EPOCH + timedelta(0, 0, count) for count in column]


def _convert_column(field: FieldSpec, column: Sequence[Any]) -> Sequence[Any]:
    match field.form:
        case FieldForm.AMOUNT:
            return _amounts(column, is_optional=field.is_optional)
        case FieldForm.DAY:
            return list(map(_DAYS.__getitem__, column))
        case FieldForm.MOMENT:
            return _moments(column)
        case FieldForm.NUMBER:
            return _numbers(column)
        case FieldForm.BOOLEAN:
            return list(map(_FLAGS.__getitem__, column))
        case FieldForm.ENUM:
            assert field.enum is not None
            return list(map(_ENUMS[field.enum].__getitem__, column))
        case _:
            return column


_PARTS: dict[FieldForm, Any] = {FieldForm.LINES: tuple[DocumentLine, ...], FieldForm.LINKS: tuple[DocumentLink, ...]}


def _make_detail_decoder(spec: RecordSpec) -> Callable[[str], list[Any]]:
    """JSON of many rows' details → for each row one tuple of parts a detail field, made at the speed of C."""
    row: Any = tuple.__class_getitem__(tuple(_PARTS[field.form] for field in spec.details))
    decoder: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list.__class_getitem__(row))
    return decoder.decode


_DETAIL_DECODERS = {kind: _make_detail_decoder(spec) for kind, spec in RECORD_SPECS.items() if spec.details}


def _read_details(spec: RecordSpec, column: Sequence[str]) -> list[Sequence[Any]]:
    """One column of tuples a detail field. All rows are decoded in one go, then dealt out again."""
    decoded = iter(_DETAIL_DECODERS[spec.kind](f"[{','.join(filter(None, column))}]"))
    none = ((),) * len(spec.details)
    return list(zip(*[next(decoded) if text else none for text in column], strict=True))


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
_AS_IT_IS = frozenset({FieldForm.TEXT, FieldForm.INTEGER})


def _wrap(field: FieldSpec, expression: str, value: str) -> str:
    if not field.is_optional or field.form in _AS_IT_IS:
        return expression
    return f"None if {value} is None else {expression}"


RowWriter = Callable[..., tuple[Any, ...]]


def _detail_writer(spec: RecordSpec) -> str:
    parts = [f"d[{field.name!r}]" for field in spec.details]
    return f"encode_json(({', '.join(parts)},)).decode() if {' or '.join(parts)} else ''"


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
        "encode_json": _encode_json,
    }
    writer: RowWriter = _compile(source, f"write_{spec.kind.value}", scope)
    return writer


WRITERS: dict[RecordKind, RowWriter] = {kind: _make_writer(spec) for kind, spec in RECORD_SPECS.items()}
"""`(company_id, fields, rail, source_time, seen_at, sequence, content_hash, raw)` → the row, in column order."""


def field_columns(spec: RecordSpec) -> list[Any]:
    """The columns that hold a record's fields, in the order that the kind's reader takes."""
    names = [field.name for field in spec.columns]
    if spec.details:
        names.append("detail")
    return [spec.table.c[name] for name in names]


def read_rows(spec: RecordSpec, rows: Sequence[Sequence[Any]]) -> list[Record]:
    """Build the records of rows of `field_columns`, column by column."""
    if not rows:
        return []
    columns: list[Sequence[Any]] = list(zip(*rows))  # noqa: B905 - rows of one query are of one length
    for at, field in enumerate(spec.columns):
        columns[at] = _convert_column(field, columns[at])
    if spec.details:
        columns[len(spec.columns) :] = _read_details(spec, columns[len(spec.columns)])
    return spec.record_class.trusted_many(_BUILDERS[spec.kind](columns))


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
