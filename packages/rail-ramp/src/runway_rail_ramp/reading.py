"""What changed at Ramp, gathered from many sides, because bills carry no time of change.

A bill is seen again while it is open: the list of open ones is read at each pull as long as it fits on one page, and
hourly beyond that. What left the list was paid, which the window of payments shows, or put away: each that left
without a word is asked for by its id. Purchases alone have a true change feed. docs/howto/rails/ramp.md says what this
can miss.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import Raw
from runway_core.domain.changes import Change, Deletion, RejectedRecord
from runway_core.domain.execution import ExecutionBill, ExecutionPayment, ExecutionState
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import RecordGone, RecordRejected
from runway_rail_kit import PageTrail

from runway_rail_ramp.cursor import Place
from runway_rail_ramp.faults import RAIL, TITLE
from runway_rail_ramp.mapping import map_rows, read_bill, read_id
from runway_rail_ramp.settings import RampSettings
from runway_rail_ramp.transport import RampTransport

Several = Mapping[str, Sequence[str]]
"""Payments of bills beside their first, by bill."""

ASKED_ONE_BY_ONE = 20
"""So many bills that left the list are asked for in one pull; the others in the next."""


@dataclass(slots=True)
class News:
    """What one pull found. Of rows of one id the last stands."""

    bills: dict[str, Raw] = field(default_factory=dict)
    vendors: list[Raw] = field(default_factory=list)
    purchases: list[Raw] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)  # bills
    open_ids: list[str] | None = None
    has_looked: bool = False

    def take_bills(self, rows: Iterable[Raw]) -> None:
        """Add bills; one that cannot be named stays, so that it is put aside with its reason."""
        for row in rows:
            self.bills[read_id(bytes(row)) or bytes(row).decode("utf-8", "replace")] = row

    def map(self, several: Several) -> tuple[list[Change], list[RejectedRecord], list[Deletion]]:
        """Turn it into records; bills take back the payments that they had and do not show any more.

        `several` names those that a bill had beside its first.
        """
        live = [row for name, row in self.bills.items() if name not in self.gone]
        changes, rejected = map_rows(RecordKind.RAIL_BILL, live)
        for kind, rows in ((RecordKind.RAIL_VENDOR, self.vendors), (RecordKind.CARD_TRANSACTION, self.purchases)):
            more, bad = map_rows(kind, rows)
            changes += more
            rejected += bad
        shown = {change.key for change in changes}
        bills = [change.record.external_id for change in changes if isinstance(change.record, ExecutionBill)]
        read = [*bills, *sorted(self.gone)]
        payments = [RecordKey(RecordKind.RAIL_PAYMENT, one) for bill in read for one in (bill, *several.get(bill, ()))]
        deletions = [Deletion(RecordKey(RecordKind.RAIL_BILL, one)) for one in sorted(self.gone)]
        deletions += [Deletion(key) for key in payments if key not in shown]
        return changes, rejected, deletions


def note_several(known: Several, changes: Iterable[Change], *, gone: Iterable[Deletion] = ()) -> dict[str, list[str]]:
    """Which open bills have several payments now, each with the ids of all but the first."""
    noted = {bill: list(ids) for bill, ids in known.items()}
    for deletion in gone:
        if deletion.key.kind is RecordKind.RAIL_BILL:
            noted.pop(deletion.key.external_id, None)
    payments: dict[str, list[str]] = {}
    bills: list[ExecutionBill] = []
    for change in changes:
        if isinstance(change.record, ExecutionBill):
            bills.append(change.record)
        elif isinstance(change.record, ExecutionPayment) and change.record.external_id != change.record.bill_id:
            payments.setdefault(change.record.bill_id, []).append(change.record.external_id)
    for bill in bills:
        noted.pop(bill.external_id, None)
        if bill.state is not ExecutionState.PAID and bill.external_id in payments:
            noted[bill.external_id] = payments[bill.external_id]
    return noted


class NewsReader:
    """Reads the news of one business."""

    def __init__(self, transport: RampTransport, settings: RampSettings) -> None:
        self._transport = transport
        self._settings = settings

    async def read(self, place: Place, *, now: datetime) -> News:
        """Gather everything that may have changed: three calls when nothing did and the open bills fit on a page."""
        assert place.since is not None
        news = News(has_looked=self._is_look_due(place, now))
        open_rows = await self._read_open(place, is_whole=news.has_looked)
        if open_rows is not None:
            news.take_bills(open_rows)
        else:
            news.take_bills(await self._rows("bills", {"from_created_at": _write(place.since)}))
        paid_since = now - timedelta(days=self._settings.paid_days)
        news.take_bills(await self._rows("bills", {"from_paid_at": _write(min(place.since, paid_since))}))
        news.purchases = await self._rows("transactions", {"updated_after": _write(place.since), "state": "ALL"})
        if news.has_looked:
            await self._look_through(news, place, now=now)
        left = await self._follow_those_that_left(news, place)
        if open_rows is not None and len(open_rows) <= self._settings.page_size:
            news.open_ids = [*_open_ids(news.bills), *left]
        return news

    def _is_look_due(self, place: Place, now: datetime) -> bool:
        every = timedelta(minutes=self._settings.look_minutes)
        return place.looked_at is None or now - place.looked_at >= every

    async def _read_open(self, place: Place, *, is_whole: bool) -> list[Raw] | None:
        """The open bills, while they fit on a page or when it is time to read them all; `None` when they do not."""
        if place.open_ids is None and not is_whole:
            return None
        first = await self._transport.page("bills", {"payment_status": "OPEN"})
        if first.page.next is None:
            return list(first.data)
        if not is_whole:
            return None
        rows = list(first.data)
        async for page in self._following(first.page.next):
            rows += page
        return rows

    async def _look_through(self, news: News, place: Place, *, now: datetime) -> None:
        """What tells of no change by itself: archived bills, those that wait for the ledger, and vendors."""
        asked = _write(now - timedelta(days=self._settings.archived_days))
        for row in await self._rows("bills", {"is_archived": "true", "from_created_at": asked}):
            if _is_archived(row):
                news.gone.add(str(read_id(bytes(row))))
            else:
                news.take_bills([row])  # the filter was not heard
        news.take_bills(await self._rows("bills", {"sync_ready": "true", "from_created_at": asked}))
        since = place.looked_at or place.since
        assert since is not None
        overlap = timedelta(seconds=self._settings.overlap_seconds)
        news.vendors = await self._rows("vendors", {"from_updated_at": _write(since - overlap)})

    async def _follow_those_that_left(self, news: News, place: Place) -> list[str]:
        """Ask for each bill that was open and is shown no more; returns those that are left for the next pull."""
        missing = [one for one in place.open_ids or () if one not in news.bills and one not in news.gone]
        for bill_id in missing[:ASKED_ONE_BY_ONE]:
            try:
                raw = await self._transport.record(f"bills/{bill_id}")
            except RecordGone:
                news.gone.add(bill_id)
                continue
            if _is_archived(Raw(raw)):
                news.gone.add(bill_id)
            else:
                news.take_bills([Raw(raw)])
        return missing[ASKED_ONE_BY_ONE:]

    async def _rows(self, path: str, params: Mapping[str, str]) -> list[Raw]:
        first = await self._transport.page(path, params)
        rows = list(first.data)
        if first.page.next is not None:
            async for page in self._following(first.page.next):
                rows += page
        return rows

    async def _following(self, url: str) -> AsyncIterator[list[Raw]]:
        following: str | None = url
        trail = PageTrail(rail=RAIL, title=TITLE, doing="a list")
        while following is not None:
            page = await self._transport.page_at(trail.follow(following))
            yield page.data
            following = page.page.next


def _open_ids(bills: Mapping[str, Raw]) -> list[str]:
    return [name for name, row in bills.items() if is_open(row)]


def is_open(row: Raw) -> bool:
    """Whether a row is a bill that is not paid."""
    try:
        bill = read_bill(bytes(row))
    except RecordRejected:
        return False
    return bill.status == "OPEN" and bill.archived_at is None


def _is_archived(row: Raw) -> bool:
    try:
        return read_bill(bytes(row)).archived_at is not None
    except RecordRejected:
        return False


def _write(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
