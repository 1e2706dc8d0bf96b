"""Hypothesis strategies for records of every kind, made from the domain's own field types.

Text is any text that a database can hold: no NUL, no lone surrogates. Amounts have four places, as the domain has them.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from msgspec import Struct
from pydantic import AwareDatetime
from runway_core.domain.changes import Change
from runway_core.domain.documents import DocumentLine, DocumentLink, Lines, Links
from runway_core.domain.identity import RecordKind
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.money import AMOUNT_LIMIT, Currency
from runway_core.domain.record import Record, Value

_EARLIEST, _LATEST = datetime(1970, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - the zone is given to the strategy

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
external_ids = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
currencies = st.sampled_from(("USD", "CAD", "EUR", "JPY", "KWD"))
amounts = st.decimals(-AMOUNT_LIMIT + 1, AMOUNT_LIMIT - 1, places=4, allow_nan=False, allow_infinity=False)
numbers = st.decimals(Decimal("0.0001"), Decimal(10_000), places=6, allow_nan=False, allow_infinity=False)
moments = st.datetimes(_EARLIEST, _LATEST, timezones=st.just(UTC))
days = st.dates(date(1990, 1, 1), date(2100, 1, 1))


def _for_hint(hint: Any) -> st.SearchStrategy[Any]:
    if hint == Currency:
        return currencies
    if get_origin(hint) in (Union, UnionType):
        (inner,) = (part for part in get_args(hint) if part is not type(None))
        return st.none() | _for_hint(inner)
    if hint in (Lines, Links):
        return st.lists(lines if hint == Lines else links, max_size=3).map(tuple)
    is_annotated = get_origin(hint) is Annotated
    base = get_args(hint)[0] if is_annotated else hint
    if base is Decimal:
        return amounts if is_annotated else numbers
    if isinstance(base, type) and issubclass(base, Enum):
        return st.sampled_from(base)
    return {
        str: texts,
        bool: st.booleans(),
        int: st.integers(0, 2**40),
        date: days,
        AwareDatetime: moments,
        datetime: moments,
    }[base]


def _field_names(model: type[Value | Record | Struct]) -> tuple[str, ...]:
    return model.__struct_fields__ if issubclass(model, Struct) else tuple(model.model_fields)


def values_of(model: type[Value | Record | Struct]) -> st.SearchStrategy[Any]:
    """Values of a class of the domain, every field filled by its type."""
    hints = get_type_hints(model, include_extras=True)
    fields = {name: _for_hint(hints[name]) for name in _field_names(model)}
    if "external_id" in fields:
        fields["external_id"] = external_ids
    return st.fixed_dictionaries(fields).map(lambda values: model(**values))


lines: st.SearchStrategy[DocumentLine] = values_of(DocumentLine)
links: st.SearchStrategy[DocumentLink] = values_of(DocumentLink)


def records(kind: RecordKind | None = None) -> st.SearchStrategy[Record]:
    """Records of one kind, or of any."""
    if kind is None:
        return st.one_of([values_of(record_class) for record_class in RECORD_CLASSES.values()])
    return values_of(RECORD_CLASSES[kind])


def changes(kind: RecordKind | None = None) -> st.SearchStrategy[Change]:
    """Changes: records with a payload."""
    return st.builds(Change, record=records(kind), raw=st.binary(max_size=50))
