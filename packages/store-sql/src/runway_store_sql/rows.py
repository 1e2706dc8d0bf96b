"""Row ↔ domain.

Writing is the hot path of first loads: one writer a kind is compiled from its fields, instead of a
loop over them. Reading is the hot path of `load_books`: rows are turned into columns, and each column is converted as a
whole. Lines and links stand in the column `detail` as JSON, one list a field of the record. SQLite gives the rows of
books as one JSON text (`json_rows`), which is decoded at the speed of C.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import repeat
from operator import attrgetter, mul
from typing import Any

import msgspec
from runway_core.domain.changes import HeldVersion
from runway_core.domain.documents import DocumentLine, DocumentLink
from runway_core.domain.identity import RecordKind
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.domain.money import AMOUNT_STEP
from runway_core.domain.record import Record
from sqlalchemy import ColumnElement, Select, case, func, literal_column, select

from runway_store_sql.tables import RECORD_SPECS, FieldForm, FieldSpec, RecordSpec

_EPOCH = from_microseconds(0)
_SECOND = 1_000_000  # microseconds
_SCALE = Decimal(10_000)  # amounts have 18 digits at most, so the product is exact
_encode_json = msgspec.json.Encoder(decimal_format="string").encode


def encode_amount(amount: Decimal) -> int:
    """Ten-thousandths of a major unit."""
    return int(amount * _SCALE)


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
    """Most rails tell whole seconds; those are converted in a third of the time."""
    if any(map(_SECOND.__rmod__, filter(None, column))):
        return [None if count is None else _EPOCH + timedelta(0, 0, count) for count in column]
    seconds = [None if count is None else count // _SECOND for count in column]
    return msgspec.convert(seconds, list[datetime | None], strict=False)


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
    FieldForm.BOOLEAN: "flags[{v}]",
    FieldForm.AMOUNT: "int({v} * scale)",
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
        f"def write_{spec.kind.value}(company_id, d, flags, rail, source_time, seen_at, sequence, content_hash, raw):\n"
        f"    return (company_id, {', '.join(f'({value})' for value in values)}, "
        "flags[0], None, rail, source_time, seen_at, sequence, content_hash, raw)\n"
    )
    scope = {
        "to_microseconds": to_microseconds,
        "encode_json": _encode_json,
        "scale": _SCALE,
    }
    writer: RowWriter = _compile(source, f"write_{spec.kind.value}", scope)
    return writer


WRITERS: dict[RecordKind, RowWriter] = {kind: _make_writer(spec) for kind, spec in RECORD_SPECS.items()}
"""`(company_id, fields, flags, rail, source_time, seen_at, sequence, content_hash, raw)` → the row, in column order.

`flags` is what stands for false and true, see `FLAGS`.
"""

FLAGS = {"postgresql": (False, True), "sqlite": (0, 1)}
"""SQLite's driver looks for an adapter of every value that is not plain, a bool too, and that is slow: two hundred
thousand of them in a first load."""


def field_columns(spec: RecordSpec) -> list[Any]:
    """The columns that hold a record's fields, in the order that the kind's reader takes."""
    names = [field.name for field in spec.columns]
    if spec.details:
        names.append("detail")
    return [spec.table.c[name] for name in names]


_JSON_TYPES: dict[FieldForm, Any] = {
    FieldForm.TEXT: str,
    FieldForm.INTEGER: int,
    FieldForm.BOOLEAN: int,
    FieldForm.AMOUNT: int,
    FieldForm.NUMBER: Decimal,
    FieldForm.DAY: date,
    FieldForm.MOMENT: int,
}
_LEFT_TO_CONVERT = frozenset({FieldForm.BOOLEAN, FieldForm.AMOUNT, FieldForm.MOMENT})


def _make_json_decoder(spec: RecordSpec) -> Callable[[str], list[Any]]:
    types = [field.enum or _JSON_TYPES[field.form] for field in spec.columns]
    types = [kind | None if field.is_optional else kind for field, kind in zip(spec.columns, types, strict=True)]
    if spec.details:
        types.append(tuple.__class_getitem__(tuple(_PARTS[field.form] for field in spec.details)))
    decoder: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
        list.__class_getitem__(tuple.__class_getitem__(tuple(types)))
    )
    return decoder.decode


_JSON_DECODERS = {kind: _make_json_decoder(spec) for kind, spec in RECORD_SPECS.items()}


def json_rows(spec: RecordSpec, query: Select[Any]) -> Select[Any]:
    """What `query`, a query of `field_columns`, finds as one JSON text, on SQLite.

    Fetched row by row, ten thousand rows ask for Python's lock ten thousand times, and wait for it whenever the rest of
    the program is busy; made into one text by SQLite, they ask once.
    """
    found = query.subquery()
    row: ColumnElement[str] = func.json_array(*(found.c[field.name] for field in spec.columns))
    if spec.details:  # JSON already: it takes the place of the array's closing bracket
        none: ColumnElement[str] = literal_column(f"'[{','.join(['[]'] * len(spec.details))}]'")
        detail = case((found.c.detail == "", none), else_=found.c.detail)
        row = func.rtrim(row, "]").concat(",").concat(detail).concat("]")
    return select(literal_column("'['").concat(func.group_concat(row)).concat("]"))


def read_json_rows(spec: RecordSpec, text: str | None) -> list[Record]:
    """Build the records of the text of `json_rows`, by external id; `None` stands for no rows."""
    if text is None:
        return []
    rows = _JSON_DECODERS[spec.kind](text)
    columns: list[Sequence[Any]] = list(zip(*rows))  # noqa: B905 - rows of one type are of one length
    for at, field in enumerate(spec.columns):
        if field.form in _LEFT_TO_CONVERT:
            columns[at] = _convert_column(field, columns[at])
    if spec.details:
        columns[len(spec.columns) :] = zip(*columns[len(spec.columns)], strict=True)
    records = spec.record_class.trusted_many(_BUILDERS[spec.kind](columns))
    records.sort(key=attrgetter("external_id"))  # SQLite joins texts in the order of the query, and promises none
    return records


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
