"""How the API answers: views as JSON, lists in pages."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, TypeVar

from fastapi import Query
from runway_core.errors import InvalidRequest
from starlette.responses import Response

from runway_app_http.plain import to_json

Item = TypeVar("Item")
OrderKey = tuple[str | int, ...]

Limit = Annotated[int, Query(ge=1, le=100, description="At most so many items.")]
AfterCursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]


def answer(
    value: object, *, currency: str | None = None, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with one JSON document; amounts that stand alone are in `currency`."""
    return Response(
        to_json(value, currency=currency),
        status_code=status,
        media_type="application/json",
        headers=None if headers is None else dict(headers),
    )


def cut_page(
    items: Iterable[Item], key: Callable[[Item], OrderKey], *, limit: int, cursor: str | None
) -> tuple[Sequence[Item], str | None]:
    """Order items by `key`, which must tell them all apart, and cut the page that comes after `cursor`.

    The cursor is the key of the last item shown: items that come or go between two pages move no other item.

    Returns:
        The page, and the next cursor or `None` on the last page.

    Raises:
        InvalidRequest: a cursor that is not ours.
    """
    ordered = sorted(items, key=key)
    after = None if cursor is None else read_cursor(cursor)
    try:
        rest = ordered if after is None else [item for item in ordered if key(item) > after]
    except TypeError as error:
        raise InvalidRequest("the cursor is of another list: start again without it") from error
    page = rest[:limit]
    return page, write_cursor(key(page[-1])) if len(rest) > limit else None


def cut_ordered(items: Iterable[Item], *, limit: int, cursor: str | None) -> tuple[Sequence[Item], str | None]:
    """The same for items that stand in their order already, and have no key that tells it: the cursor counts them.

    Raises:
        InvalidRequest: a cursor that is not ours.
    """
    page, next_cursor = cut_page(enumerate(items), lambda placed: (placed[0],), limit=limit, cursor=cursor)
    return [item for _, item in page], next_cursor


def write_cursor(key: OrderKey) -> str:
    """The place of the last item shown, as callers carry it."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> OrderKey:
    """The place that a caller brings back.

    Raises:
        InvalidRequest: a cursor that is not ours.
    """
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidRequest("the cursor is not one of ours: start again without it") from error
    if not isinstance(key, list) or not all(isinstance(part, str | int) for part in key):
        raise InvalidRequest("the cursor is not one of ours: start again without it")
    return tuple(key)
