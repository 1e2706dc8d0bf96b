"""Lists: filters by query, and pages by the id of the last row. Names that a list does not know are ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from runway_sandbox.ramp.faults import invalid
from runway_sandbox.ramp.records import CardPurchase, RampBill, RampVendor, to_major

PAGE_SIZE = 20
LARGEST_PAGE = 100
Query = Mapping[str, str]


class _Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Named)


def read_moment(query: Query, name: str) -> datetime | None:
    """Read an instant or a day of a query.

    Raises:
        RampFaultError: it is neither.
    """
    text = query.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(**{name: "Not a valid datetime."}) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def read_flag(query: Query, name: str) -> bool | None:
    """Read yes or no of a query; `None` when it is not asked."""
    text = query.get(name, "").lower()
    return None if not text else text in {"true", "1"}


def page_of(rows: Sequence[T], query: Query, *, url: str) -> tuple[Sequence[T], str | None]:
    """Cut a page out of rows in the order of their ids, and tell the whole address of the next one.

    Raises:
        RampFaultError: a page of fewer than 2 or more than 100.
    """
    text = query.get("page_size", str(PAGE_SIZE))
    size = int(text) if text.isdecimal() else 0
    if not 2 <= size <= LARGEST_PAGE:
        raise invalid(page_size="Value must be between 2 and 100")
    start = query.get("start", "")
    rest = [row for row in sorted(rows, key=lambda row: row.id) if row.id > start]
    part = rest[:size]
    if len(rest) <= size:
        return part, None
    kept = {name: value for name, value in query.items() if name != "start"}
    return part, f"{url}?{urlencode({**kept, 'page_size': str(size), 'start': part[-1].id})}"


def filter_bills(bills: Sequence[RampBill], query: Query, *, now: datetime) -> list[RampBill]:
    """The bills that a query asks for; archived ones only when asked, and then no others.

    Raises:
        RampFaultError: a filter that cannot be read.
    """
    wants_archived = read_flag(query, "is_archived") or False
    tests: list[Callable[[RampBill], bool]] = [lambda one: (one.archived_at is not None) is wants_archived]
    texts: dict[str, Callable[[RampBill], str | None]] = {
        "entity_id": lambda one: one.entity_id,
        "vendor_id": lambda one: one.vendor_id,
        "approval_status": lambda one: one.approval,
        "payment_status": lambda one: "PAID" if one.is_paid(now) else "OPEN",
        "payment_method": lambda one: None if one.payment is None else one.payment.method,
        "payment_id": lambda one: None if one.payment is None else one.payment.id,
        "sync_status": lambda one: one.sync_status(),
        "draft_bill_id": lambda one: one.draft_id,
        "invoice_number": lambda one: one.number,
        "remote_id": lambda one: one.remote_id,
        "status_summaries": lambda one: one.status_summary(now),
    }
    for name, read in texts.items():
        if query.get(name):
            tests.append(_equals(read, query[name]))
    moments: dict[str, Callable[[RampBill], datetime | None]] = {
        "created_at": lambda one: one.created_at,
        "due_date": lambda one: _as_moment(one.due_on),
        "issued_date": lambda one: _as_moment(one.issued_on),
        "paid_at": lambda one: one.payment.settles_at if one.payment is not None and one.is_paid(now) else None,
    }
    for name, at in moments.items():
        tests += _between(at, read_moment(query, f"from_{name}"), read_moment(query, f"to_{name}"))
    if (ready := read_flag(query, "sync_ready")) is not None:
        tests.append(lambda one: one.is_sync_ready(now) is ready)
    for name, sign in (("min_amount", 1), ("max_amount", -1)):
        if query.get(name):
            tests.append(_compares(_read_number(query, name), sign))
    return [one for one in bills if all(test(one) for test in tests)]


def filter_vendors(vendors: Sequence[RampVendor], query: Query) -> list[RampVendor]:
    """The vendors that a query asks for.

    Raises:
        RampFaultError: a filter that cannot be read.
    """
    found = list(vendors)
    if query.get("name"):
        found = [one for one in found if query["name"].lower() in one.name.lower()]
    if (active := read_flag(query, "is_active")) is not None:
        found = [one for one in found if one.is_active is active]
    if query.get("external_vendor_id"):
        found = [one for one in found if one.external_id == query["external_vendor_id"]]
    wanted = query.get("accounting_vendor_remote_ids")
    if wanted:
        found = [one for one in found if one.remote_id in wanted.split(",")]
    # Nothing of a vendor changes here after it was made.
    for name in ("from_created_at", "from_updated_at"):
        since = read_moment(query, name)
        found = [one for one in found if since is None or one.created_at >= since]
    return found


def filter_purchases(purchases: Sequence[CardPurchase], query: Query, *, now: datetime) -> list[CardPurchase]:
    """The purchases that a query asks for; declined ones only when asked.

    Raises:
        RampFaultError: a filter that cannot be read.
    """
    state = query.get("state", "")
    updated, first, last = (read_moment(query, name) for name in ("updated_after", "from_date", "to_date"))
    sync = query.get("sync_status")
    found = []
    for one in purchases:
        own = one.state(now)
        if (own != state and state not in {"", "ALL"}) or (own == "DECLINED" and not state):
            continue
        if updated is not None and max(one.changed_at(now), one.synced_at(now) or one.made_at) < updated:
            continue
        if (first is not None and one.made_at < first) or (last is not None and one.made_at > last):
            continue
        if sync and (sync == "SYNCED") is not (one.synced_at(now) is not None):
            continue
        found.append(one)
    return found


def _as_moment(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(0, tzinfo=UTC))


def _equals(read: Callable[[RampBill], str | None], wanted: str) -> Callable[[RampBill], bool]:
    choices = set(wanted.split(","))
    return lambda one: read(one) in choices


def _between(
    read: Callable[[RampBill], datetime | None], first: datetime | None, last: datetime | None
) -> list[Callable[[RampBill], bool]]:
    tests: list[Callable[[RampBill], bool]] = []
    if first is not None:
        tests.append(lambda one: (at := read(one)) is not None and at >= first)
    if last is not None:
        tests.append(lambda one: (at := read(one)) is not None and at <= last)
    return tests


def _compares(number: Decimal, sign: int) -> Callable[[RampBill], bool]:
    return lambda one: sign * to_major(one.total, one.currency) >= sign * number


def _read_number(query: Query, name: str) -> Decimal:
    try:
        return Decimal(query[name])
    except InvalidOperation as error:
        raise invalid(**{name: "Not a valid number."}) from error
