"""Values as people type them into forms."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from runway_core.domain.money import to_amount
from runway_core.errors import (
    ApprovalLapsed,
    InvalidRequest,
    NotFound,
    PolicyBlocked,
    StaleRevision,
)

REFUSALS = (ApprovalLapsed, InvalidRequest, NotFound, PolicyBlocked, StaleRevision)
"""What is said on the page that the form stands on, which is shown again as it is."""

WEB = "web"
"""Who acts where nobody signs in and a form names nobody."""

Body = TypeVar("Body", bound=BaseModel)


def read_amount(text: str) -> Decimal | None:
    """An amount as a person types it, with or without commas; empty is `None`.

    Raises:
        InvalidRequest: it is no amount.
    """
    plain = text.replace(",", "").strip()
    if not plain:
        return None
    try:
        return to_amount(Decimal(plain))
    except InvalidOperation as error:
        raise InvalidRequest(f"{text[:40]!r} is no amount") from error


def read_day(text: str) -> date:
    """A day as a date field sends it.

    Raises:
        InvalidRequest: it is no day.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidRequest(f"{text[:40]!r} is no day: write it like 2026-03-20") from error


def read_version(fields: Mapping[str, str]) -> int | None:
    """The version that a form was filled in on; `None` where it carries none."""
    text = fields.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def read_actor(fields: Mapping[str, str]) -> str:
    """Who acts, as the form says: names are taken on trust."""
    return fields.get("by", "").strip()[:100] or WEB


def check_body(body: type[Body], values: Mapping[str, object]) -> Body:
    """Read a form as the body that the API takes for the same act.

    Raises:
        InvalidRequest: a value that cannot be; the message names the field.
    """
    try:
        return body.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InvalidRequest(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error
