"""Batch: up to 30 items in one call, each with its own answer or fault; nothing is rolled back (facts/qbo.md 6.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runway_sandbox.books import WireObject, encode_wire
from runway_sandbox.faults import ServiceFaultError, required, unsupported_operation, unsupported_property
from runway_sandbox.kinds import Kind, find_kind
from runway_sandbox.query_run import Page
from runway_sandbox.writes import Happening, Writer

_MOST_OBJECTS = 1000
_TOO_BIG = ServiceFaultError("10100", "Result too big", f"A batch answers at most {_MOST_OBJECTS} objects.")


def run_batch(
    body: Any,
    *,
    writer: Writer,
    query: Callable[[str], Page],
    largest: int,
) -> tuple[bytes, list[Happening]]:
    """Work through the items in their order and write the `BatchItemResponse` list.

    Raises:
        ServiceFaultError: no list of items, or too many; faults of single items stand inside the answer.
    """
    items = body.get("BatchItemRequest") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise required("BatchItemRequest")
    if len(items) > largest:
        raise ServiceFaultError(
            "1040",
            "The maximum number of items in a batch has been exceeded",
            f"A batch may have {largest} items. This one has {len(items)}.",
        )
    happenings: list[Happening] = []
    answers = []
    objects_left = _MOST_OBJECTS
    for item in items:
        identifier = item.get("bId", "") if isinstance(item, dict) else ""
        prefix = b'{"bId":' + encode_wire(identifier) + b","
        try:
            answer, count = _run_item(item, writer=writer, query=query, happenings=happenings)
            objects_left -= count
            if objects_left < 0:
                answer = _fault_member(_TOO_BIG)
        except ServiceFaultError as fault:
            answer = _fault_member(fault)
        answers.append(prefix + answer)
    return b'{"BatchItemResponse":[' + b",".join(answers) + b"]", happenings


def _fault_member(fault: ServiceFaultError) -> bytes:
    return b'"Fault":' + encode_wire(fault.as_wire()) + b"}"


def _run_item(
    item: Any, *, writer: Writer, query: Callable[[str], Page], happenings: list[Happening]
) -> tuple[bytes, int]:
    if not isinstance(item, dict):
        raise unsupported_property("BatchItemRequest")
    if "Query" in item:
        page = query(str(item["Query"]))
        return b'"QueryResponse":' + page.query_response() + b"}", len(page.rows)
    kind, wire = _find_payload(item)
    operation = item.get("operation")
    options = str(item.get("optionsData", "")).lower()
    if operation == "create":
        written = writer.create(kind, wire)
    elif options == "void" or operation == "void":
        written = writer.void(kind, wire)
    elif operation == "update":
        written = writer.update(kind, wire)
    elif operation == "delete":
        written = writer.delete(kind, wire)
    else:
        raise unsupported_operation(str(operation))
    happenings.extend(written.happenings)
    return b'"%s":%s}' % (kind.name.encode(), encode_wire(written.wire)), 1


def _find_payload(item: dict[str, Any]) -> tuple[Kind, WireObject]:
    for name, value in item.items():
        kind = find_kind(name)
        if kind is not None and isinstance(value, dict):
            return kind, value
    raise unsupported_property("BatchItemRequest")
