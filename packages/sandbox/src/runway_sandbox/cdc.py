"""Change data capture: what changed since a moment, within 30 days and 1000 objects (facts/qbo.md 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from runway_sandbox.books import Book, Row, Shelf, SortBy, encode_wire
from runway_sandbox.faults import ServiceFaultError, required
from runway_sandbox.kinds import NOT_IN_CDC, find_empty_kind, find_kind
from runway_sandbox.settings import WireRules
from runway_sandbox.wiretime import format_record_time, parse_wire_time


def _refuse(detail: str) -> ServiceFaultError:
    return ServiceFaultError("4001", "Invalid query", f"QueryValidationError: {detail}", element=None)


Forgets = Callable[[str, str], bool]
"""Whether a record, by kind and id, is left out."""


def run_cdc(
    book: Book,
    entities: str,
    changed_since: str,
    *,
    rules: WireRules,
    now: datetime,
    forgets: Forgets,
    spoil: Callable[[list[bytes]], list[bytes]],
) -> bytes:
    """Write the `CDCResponse` list: one member per kind asked for, `{}` where nothing changed.

    Raises:
        ServiceFaultError: no kinds, an unknown kind, no time, no readable time, or one beyond the horizon.
    """
    names = [name.strip() for name in entities.split(",") if name.strip()]
    if not names:
        raise required("entities")
    if not changed_since.strip():
        raise required("changedSince")
    try:
        since = parse_wire_time(changed_since)
    except ValueError as error:
        raise _refuse(f"Invalid value '{changed_since}' for changedSince") from error
    if since < int((now - timedelta(days=rules.cdc_horizon_days)).timestamp()):
        raise _refuse(f"changedSince must not be more than {rules.cdc_horizon_days} days ago")
    members = []
    left = rules.cdc_cap
    for name in dict.fromkeys(names):
        kind, empty = find_kind(name), find_empty_kind(name)
        if (kind is None and empty is None) or empty in NOT_IN_CDC:
            raise _refuse(f"Entity {name} is not supported for change data capture")
        found = (
            [] if kind is None else _changes(book.shelf(kind.name), since, rules=rules, forgets=forgets)[: max(left, 0)]
        )
        if rules.cdc_cap_shared:
            left -= len(found)
        members.append(_member(kind.name if kind else name, spoil(found)))
    return b'[{"QueryResponse":[' + b",".join(members) + b"]}]"


def _member(name: str, rows: list[bytes]) -> bytes:
    if not rows:
        return b"{}"
    return b'{"%s":[%s],"startPosition":1,"maxResults":%d,"totalCount":%d}' % (
        name.encode(),
        b",".join(rows),
        len(rows),
        len(rows),
    )


def _changes(shelf: Shelf, since: int, *, rules: WireRules, forgets: Forgets) -> list[bytes]:
    name = shelf.kind.name
    live = [row for row in _live_since(shelf, since) if not forgets(name, row.id)]
    if shelf.kind.name == "Account" and not rules.cdc_reports_balance_moves:
        live = [row for row in live if row.cdc_updated >= since]
    buried = sorted(
        (at, identifier) for identifier, at in shelf.graves.items() if at >= since and not forgets(name, identifier)
    )
    stubs = [
        encode_wire(
            {
                "domain": "QBO",
                "status": "Deleted",
                "Id": identifier,
                "MetaData": {"LastUpdatedTime": format_record_time(at)},
            }
        )
        for at, identifier in buried
    ]
    return [*(row.wire for row in live), *stubs]


def _live_since(shelf: Shelf, since: int) -> list[Row]:
    # Newest first: most ticks find nothing, and stop at the first row.
    found: list[Row] = []
    for row in reversed(shelf.ordered(SortBy("updated"), active_only=False)):
        if row.updated < since:
            break
        found.append(row)
    found.reverse()
    return found
