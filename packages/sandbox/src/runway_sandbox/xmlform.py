"""Turns a JSON answer into the XML that the vendor sends when JSON was not asked for (facts/qbo.md 2)."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from runway_sandbox.books import decode_wire

_ATTRIBUTES = {"QueryResponse": ("startPosition", "maxResults", "totalCount"), "Fault": ("type",), "Error": ("code",)}


def as_xml(body: bytes) -> bytes:
    """Write an answer of the accounting service as an `IntuitResponse` document."""
    answer = decode_wire(body)
    time = str(answer.pop("time", ""))
    inner = "".join(_element(name, value) for name, value in answer.items())
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<IntuitResponse xmlns="http://schema.intuit.com/finance/v3" time={quoteattr(time)}>{inner}</IntuitResponse>'
    ).encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, member) for member in value)
    if isinstance(value, dict):
        if set(value) <= {"value", "name", "type"} and "value" in value:
            label = f" name={quoteattr(str(value['name']))}" if "name" in value else ""
            return f"<{name}{label}>{escape(str(value['value']))}</{name}>"
        chosen = _ATTRIBUTES.get(name, ())
        attributes = "".join(f" {key}={quoteattr(str(value[key]))}" for key in chosen if key in value)
        members = "".join(_element(key, member) for key, member in value.items() if key not in chosen)
        return f"<{name}{attributes}>{members}</{name}>"
    if isinstance(value, bool):
        return f"<{name}>{'true' if value else 'false'}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"
