"""The OpenAPI 3.1 document: what FastAPI generates, corrected where answers are written another way than it thinks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from runway_app_http.idempotency import HEADER, LONGEST_KEY, REPLAYED
from runway_app_http.problems import PROBLEM_TYPE

_RECORD_KEY = {
    "type": "object",
    "title": "RecordKey",
    "description": "One record: external ids are unique only within their kind.",
    "properties": {
        "kind": {"$ref": "#/components/schemas/RecordKind"},
        "external_id": {"type": "string"},
    },
    "required": ["kind", "external_id"],
    "additionalProperties": False,
}
_REPEATABLE = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Names this call. The same call under the same key gets the answer of the first one, for 48 hours, marked "
        f"`{REPLAYED}: true`; while that runs, 409; another call under the key, 422."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
}
_EXAMPLES = Path(__file__).with_name("examples.json")
"""What each address answers for the Sample company; `tests/app/sample_examples.py` writes it."""

_MONEY_EXAMPLE = {"amount": "1598.35", "currency": "USD"}


def describe_api(routes: Sequence[BaseRoute], *, title: str, version: str, summary: str) -> dict[str, Any]:
    """Describe what these routes take and answer, as OpenAPI 3.1."""
    document: dict[str, Any] = _correct(
        get_openapi(title=title, version=version, summary=summary, routes=routes, openapi_version="3.1.0")
    )
    for path, methods in document["paths"].items():
        if "post" in methods and path.startswith("/v1/"):
            given = methods["post"].setdefault("parameters", [])
            methods["post"]["parameters"] = [*(one for one in given if one["name"] != HEADER), _REPEATABLE]
    for path, example in json.loads(_EXAMPLES.read_text(encoding="utf-8")).items():
        document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"] = example
    schemas = document["components"]["schemas"]
    schemas["RecordKey"] = _RECORD_KEY
    schemas["Money"]["examples"] = [_MONEY_EXAMPLE]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _correct(node: Any) -> Any:
    """Rewrite what the generator cannot know: keys of records are objects, failures are problem details."""
    if isinstance(node, list):
        return [_correct(part) for part in node]
    if not isinstance(node, dict):
        return node
    if _is_pair_of_kind_and_id(node):
        return {"$ref": "#/components/schemas/RecordKey"}
    content = node.get("content")
    if isinstance(content, dict) and _names_problem(content.get("application/json")):
        return {**node, "content": {PROBLEM_TYPE: content["application/json"]}}
    return {name: _correct(part) for name, part in node.items()}


def _is_pair_of_kind_and_id(node: dict[str, Any]) -> bool:
    parts = node.get("prefixItems")
    return isinstance(parts, list) and len(parts) == 2 and str(parts[0].get("$ref", "")).endswith("/RecordKind")


def _names_problem(content: Any) -> bool:
    return isinstance(content, dict) and content.get("schema", {}).get("$ref") == "#/components/schemas/Problem"
