"""Requests as the vendor takes them: forms with brackets, such as `created[gte]=1` (facts/stripe.md 1)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_BRACKET = re.compile(r"\[([^\]]*)\]")

Form = dict[str, Any]


def read_form(text: str) -> Form:
    """Read a query or a body into nested mappings; numbered and empty brackets make lists."""
    form: Form = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, _, rest = name.partition("[")
        path = [head, *_BRACKET.findall("[" + rest if rest else "")]
        _place(form, path, value)
    return {name: _as_lists(value) for name, value in form.items()}


def _place(form: Form, path: list[str], value: str) -> None:
    for step in path[:-1]:
        held = form.setdefault(step, {})
        if not isinstance(held, dict):
            held = form[step] = {}
        form = held
    last = path[-1] or str(len(form))
    form[last] = value


def _as_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _as_lists(held) for name, held in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return list(inner.values())
    return inner
