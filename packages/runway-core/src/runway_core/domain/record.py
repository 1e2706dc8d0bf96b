"""What every mirrored record has in common, and how its content is written and compared."""

import hashlib
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import repeat
from typing import Any, ClassVar, Self, get_args, get_type_hints

import msgspec
from pydantic import AwareDatetime, BaseModel, ConfigDict, field_validator

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Amount, to_amount
from runway_core.errors import InvalidRequest

VALUE = ConfigDict(frozen=True, extra="forbid", strict=True)
"""The configuration of every domain value: immutable, no unknown fields, no silent conversions."""


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return {name: plain_field(held) for name, held in value.__dict__.items()}
    raise TypeError(f"{type(value).__name__} has no place in a record's content")


def plain_field(held: object) -> object:
    """A field as canonical JSON can hold it: moments in UTC, keys of mappings as text."""
    if isinstance(held, datetime):
        return held.astimezone(UTC)
    if isinstance(held, dict):
        return {str(int(key)) if isinstance(key, int) else key: item for key, item in held.items()}
    return held


_encoder = msgspec.json.Encoder(enc_hook=_plain, decimal_format="string", order="sorted")


def encode_plain(value: object) -> bytes:
    """Write `value` as canonical JSON: keys sorted, amounts as text, times in UTC. Equal values, equal bytes."""
    return _encoder.encode(value)


class Value(BaseModel):
    """A frozen value without an identity of its own."""

    model_config = VALUE

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values in some fields, which are not checked; the rest is shared, for it never changes.

        Each step of a job, a run or a connection is one: this takes a quarter of the time of the general way.
        """
        if deep:
            return super().model_copy(update=update, deep=deep)
        return self.trusted({**self.__dict__, **update} if update else self.__dict__.copy())

    @classmethod
    def trusted(cls, values: dict[str, Any]) -> Self:
        """Build from values that were validated before, such as rows of the mirror; nothing is checked.

        `values` must hold every field and is kept, not copied.
        """
        value = cls.__new__(cls)
        _set_dict(value, values)
        _set_fields(value, _NO_FIELDS)
        _set_extra(value, None)
        _set_private(value, None)
        return value

    @classmethod
    def trusted_many(cls, values: Sequence[dict[str, Any]]) -> list[Self]:
        """Build many from values that were validated before, at the speed of C: ten times faster than validating.

        This is what lets the books of a large company be read within a page's time.
        """
        built = list(map(cls.__new__, repeat(cls, len(values))))
        for setting in (
            map(_set_dict, built, values),
            map(_set_fields, built, repeat(_NO_FIELDS)),
            map(_set_extra, built, repeat(None)),
            map(_set_private, built, repeat(None)),
        ):
            deque(setting, maxlen=0)
        return built


# The slots that pydantic gives every model, set past its guards: a frozen value refuses assignment.
_set_dict = BaseModel.__dict__["__dict__"].__set__
_set_fields = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__
_NO_FIELDS: set[str] = set()
"""Shared: frozen values never add to it, and `model_copy` copies it."""


class Record(Value):
    """One record of a company's books, as a rail last showed it.

    external_id      the rail's own key; opaque, unique within the kind
    revision         a token of the rail that moves with most changes; opaque
    revision_number  the same as a number where the rail's tokens count upwards, else `None`
    created_at       when the rail says it was entered (UTC); not the document's date
    modified_at      when the rail says it last changed (UTC); may lie in the future, so never a watermark
    """

    kind: ClassVar[RecordKind]

    external_id: str
    revision: str = ""
    revision_number: int | None = None
    created_at: AwareDatetime | None = None
    modified_at: AwareDatetime | None = None

    @field_validator("created_at", "modified_at")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        # Here and not where content is written: a record is written more often than it is made.
        return moment if moment is None or moment.tzinfo is UTC else moment.astimezone(UTC)

    @classmethod
    def from_typed(cls, **values: Any) -> Self:
        """Build from values whose types a typed decoder has checked, which is half the cost of a first load.

        Amounts are checked and carried to four places; those within lines and links must be already, and times must be
        in UTC. Everything else is taken as it is: a rail that reads loosely typed payloads calls the class itself,
        which checks every field.

        Raises:
            InvalidRequest: an amount that cannot be kept; the message names the field.
        """
        amounts, defaults, count = _typed_plan(cls)
        for name in amounts:
            amount = values.get(name)
            if amount is not None:
                try:
                    values[name] = to_amount(amount)
                except InvalidRequest as error:
                    raise InvalidRequest(f"{name}: {error}") from error
        return cls.trusted(values if len(values) == count else defaults | values)

    @property
    def key(self) -> RecordKey:
        """Kind and external id."""
        # Past the constructor of named tuples, which is Python: keys are made by the ten thousand.
        return tuple.__new__(RecordKey, (self.kind, self.external_id))

    def content(self) -> bytes:
        """The record's fields as canonical JSON: what the log keeps and the content hash is taken of."""
        return _encoder.encode(self.__dict__)


@cache
def _typed_plan(record: type[Record]) -> tuple[tuple[str, ...], dict[str, Any], int]:
    """Which fields of a class hold amounts, the defaults of those that have one, and how many fields there are."""
    hints = get_type_hints(record, include_extras=True)
    amounts = tuple(name for name in record.model_fields if Amount in (hints[name], *get_args(hints[name])))
    fields = record.model_fields.items()
    return amounts, {name: field.get_default() for name, field in fields if not field.is_required()}, len(fields)


def hash_content(content: bytes) -> bytes:
    """SHA-256 of a record's content, 32 bytes. Fields the rail sends but we do not know are not part of it."""
    return hashlib.sha256(content).digest()


def find_changed_fields(before: Record, after: Record) -> dict[str, tuple[Any, Any]]:
    """Name the fields that differ, each with its value before and after, in the model's order."""
    old: Mapping[str, Any] = before.__dict__
    new: Mapping[str, Any] = after.__dict__
    return {name: (old.get(name), value) for name, value in new.items() if old.get(name) != value}


def is_older(
    *,
    revision_number: int | None,
    modified_at: datetime | None,
    source_time: datetime,
    held_revision_number: int | None,
    held_modified_at: datetime | None,
    held_source_time: datetime,
) -> bool:
    """Whether what arrives is an older version than what the mirror holds.

    A counting revision decides where the two differ. Within one revision the modification time decides, unless the held
    one lay in the future when it was read: such a time orders nothing. What is still undecided is decided by the rail's
    clock when it answered.
    """
    if revision_number is not None and held_revision_number is not None and revision_number != held_revision_number:
        return revision_number < held_revision_number
    if (
        modified_at is not None
        and held_modified_at is not None
        and held_modified_at <= held_source_time
        and modified_at != held_modified_at
    ):
        return modified_at < held_modified_at
    return source_time < held_source_time
