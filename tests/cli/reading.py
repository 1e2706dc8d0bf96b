"""Reading what commands print."""

import json
from typing import Any


def refuse_float(text: str) -> Any:
    raise AssertionError(f"a float stands in the document: {text}")


def read_document(text: str) -> Any:
    """The one JSON document that `text` is; anything before or after it, and any float, is refused."""
    document, end = json.JSONDecoder(parse_float=refuse_float).raw_decode(text)

    assert text[end:] == "\n", f"more than one document: {text[end : end + 80]!r}"
    return document
