"""Views and records as plain JSON values: what the API answers and what `--json` prints.

Amounts become text with as many decimals as their currency is written with. An amount finds its currency in its own
object, or else in the nearest one around it, so `{"currency": "JPY", "total": "1200"}` and `{"amount": "12.50", …}`
agree with one another. A float anywhere is a bug and raises `TypeError`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias, get_args, get_type_hints

import msgspec
from msgspec import Struct
from pydantic import BaseModel
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import RecordKey
from runway_core.domain.money import Amount, Money, round_to_minor
from runway_core.domain.outlook import Burn
from runway_core.experiences.portfolio import PortfolioRow
from runway_core.sync.reports import SyncReport

Plain: TypeAlias = "str | int | bool | list[Plain] | dict[str, Plain] | None"
"""What JSON knows, without its floating numbers."""

_Encoder = Callable[[Any, str | None], Plain]

_PROPERTIES: dict[type, tuple[str, ...]] = {
    TrackedFinding: ("finding_id",),
    PortfolioRow: ("age_seconds",),
    SyncReport: ("counts",),
}
"""Computed values that belong to an answer as much as the fields do."""

_RATES_OF_MONEY: dict[type, frozenset[str]] = {
    Burn: frozenset({"outflow_per_day", "net_burn_per_day", "weighted_net_burn_per_day"}),
}
"""Decimals that are money though they are quotients, and so not exact enough to be an `Amount`."""

_AS_THEY_ARE = frozenset({str, int, bool, type(None)})

_json = msgspec.json.Encoder()


def to_json(value: object, *, currency: str | None = None) -> bytes:
    """Write `value` as one JSON document; `currency` is that of amounts which no object around them tells."""
    return _json.encode(to_plain(value, currency=currency))


def to_plain(value: object, *, currency: str | None = None) -> Plain:
    """Turn a view, a record, a dataclass or a collection of them into plain JSON values.

    Raises:
        TypeError: a float, bytes, or anything else that has no one way to be written.
    """
    return _encode(value, currency)


def _encode(value: Any, currency: str | None) -> Plain:
    kind = value.__class__
    if kind in _AS_THEY_ARE:
        return value  # type: ignore[no-any-return]  # one of the plain types, as just seen
    return (_encoders.get(kind) or _add_encoder(kind))(value, currency)


def amount_text(amount: Decimal, currency: str | None) -> str:
    """Write an amount with its currency's decimals, rounded half up; nil has no sign."""
    if currency is None:
        return format(amount, "f")
    rounded = round_to_minor(amount, currency)
    return format(rounded or abs(rounded), "f")


def instant_text(moment: datetime) -> str:
    """Write a moment in UTC with a `Z`.

    Raises:
        TypeError: the moment does not say in which zone it is.
    """
    if moment.tzinfo is None:
        raise TypeError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _encode_money(money: Money, _: str | None) -> Plain:
    return {"amount": amount_text(money.amount, money.currency), "currency": money.currency}


def _encode_key(key: RecordKey, _: str | None) -> Plain:
    return {"kind": key.kind.value, "external_id": key.external_id}


def _encode_mapping(mapping: Mapping[Any, Any], currency: str | None) -> Plain:
    return {str(_encode(name, None)): _encode(value, currency) for name, value in mapping.items()}


_encoders: dict[type, _Encoder] = {
    Decimal: lambda value, _: format(value, "f"),
    datetime: lambda value, _: instant_text(value),
    date: lambda value, _: value.isoformat(),
    Money: _encode_money,
    RecordKey: _encode_key,
}


def _add_encoder(kind: type) -> _Encoder:
    encoder = _encoders[kind] = _make_encoder(kind)
    return encoder


def _make_encoder(kind: type) -> _Encoder:
    if issubclass(kind, BaseModel):
        return _object_encoder(kind, tuple(kind.model_fields))
    if issubclass(kind, Struct):
        return _object_encoder(kind, kind.__struct_fields__)
    if is_dataclass(kind):
        return _object_encoder(kind, tuple(field.name for field in fields(kind)))
    if issubclass(kind, Enum):
        return lambda value, currency: _encode(value._value_, currency)  # what `value` looks up, without the look-up
    if issubclass(kind, list | tuple):
        return lambda values, currency: [_encode(value, currency) for value in values] if values else []
    if issubclass(kind, frozenset | set):
        return lambda values, currency: sorted((_encode(value, currency) for value in values), key=str)
    if issubclass(kind, Mapping):
        return _encode_mapping
    raise TypeError(f"{kind.__name__} has no place in an answer")


def _object_encoder(kind: type, names: tuple[str, ...]) -> _Encoder:
    hints = get_type_hints(kind, include_extras=True)
    rates = _RATES_OF_MONEY.get(kind, frozenset())
    amounts = {name for name in names if name in rates or _is_amount(hints[name])}
    plan = tuple((name, name in amounts) for name in (*names, *_PROPERTIES.get(kind, ())))
    find_currency = _currency_finder(names)
    encoders, as_they_are = _encoders, _AS_THEY_ARE

    def encode(value: Any, currency: str | None) -> Plain:
        held = currency if find_currency is None else find_currency(value) or currency
        answer: dict[str, Plain] = {}
        for name, is_amount in plan:
            part = getattr(value, name)
            kind = part.__class__
            if kind in as_they_are:
                answer[name] = part
            elif is_amount:
                answer[name] = _encode_amounts(part, held)
            else:  # as `_encode` does: a page holds tens of thousands of parts, and a call less for each
                answer[name] = (encoders.get(kind) or _add_encoder(kind))(part, held)
        return answer

    return encode


def _encode_amounts(part: Decimal | Mapping[str, Decimal], currency: str | None) -> Plain:
    if isinstance(part, Mapping):
        return {name: amount_text(amount, currency) for name, amount in part.items()}
    return amount_text(part, currency)


def _currency_finder(names: tuple[str, ...]) -> Callable[[Any], str | None] | None:
    if "currency" in names:
        return lambda value: value.currency
    if "home_currency" in names:
        return lambda value: value.home_currency
    if "company" in names:
        return lambda value: None if value.company is None else value.company.home_currency
    return None


def _is_amount(hint: object) -> bool:
    return hint == Amount or Amount in get_args(hint)


def amount_fields(kinds: Iterable[type[BaseModel | Struct]]) -> frozenset[str]:
    """The names under which any of these classes keeps an amount."""
    found: set[str] = set()
    for kind in kinds:
        hints = get_type_hints(kind, include_extras=True)
        found.update(name for name, hint in hints.items() if _is_amount(hint))
    return frozenset(found)
