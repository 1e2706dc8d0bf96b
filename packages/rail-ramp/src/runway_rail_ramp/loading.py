"""Reading everything: vendors, bills with their payments, purchases; page by page, and on from any page.

A reading that was broken off goes on where it was. It does not know any more what its earlier pages showed, so it
retires nothing; the next one will.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace
from runway_core.domain.changes import ChangePage
from runway_core.domain.identity import RecordKey, RecordKind
from runway_rail_kit import PageTrail

from runway_rail_ramp import wire
from runway_rail_ramp.cursor import Loading, Place, write_place
from runway_rail_ramp.faults import RAIL, TITLE
from runway_rail_ramp.mapping import map_rows, read_id
from runway_rail_ramp.reading import is_open, note_several
from runway_rail_ramp.settings import RampSettings
from runway_rail_ramp.transport import RampTransport

PATHS = {
    RecordKind.RAIL_VENDOR: "vendors",
    RecordKind.RAIL_BILL: "bills",
    RecordKind.CARD_TRANSACTION: "transactions",
}
COMPLETE = frozenset({RecordKind.RAIL_VENDOR, RecordKind.RAIL_BILL, RecordKind.RAIL_PAYMENT})
"""The kinds of which a whole reading shows all; purchases have a feed, and old ones are not read again."""
_ORDER = tuple(PATHS)


@dataclass(slots=True)
class _Seen:
    keys: set[RecordKey] = field(default_factory=set)
    several: dict[str, list[str]] = field(default_factory=dict)
    open_ids: dict[str, None] = field(default_factory=dict)  # in their order; a row may come twice


class WholeReader:
    """Reads all of one business."""

    def __init__(self, transport: RampTransport, settings: RampSettings) -> None:
        self._transport = transport
        self._settings = settings

    async def read(self, place: Place, *, now: datetime) -> AsyncGenerator[ChangePage]:
        """Yield everything, from where `place` says that a reading was broken off."""
        loading: Loading | None = Loading(_ORDER[0], now, purchases_since=place.since)
        if place.loading is not None:
            loading = replace(place.loading, is_resumed=True)
        # What earlier pages of a reading that was broken off noted stands in its cursor.
        seen = _Seen(several=dict(place.several) if place.loading is not None else {})
        trail = PageTrail(rail=RAIL, title=TITLE, doing="a list")
        while loading is not None:
            page = await self._page(loading)
            changes, rejected = map_rows(loading.kind, page.data)
            seen.keys |= {change.key for change in changes}
            seen.keys |= {RecordKey(loading.kind, bad.external_id) for bad in rejected if bad.external_id}
            if loading.kind is RecordKind.RAIL_BILL:
                seen.several = note_several(seen.several, changes)
                seen.open_ids |= {str(read_id(bytes(row))): None for row in page.data if is_open(row)}
            following = _next(loading, page.page.next and trail.follow(page.page.next))
            is_complete = following is None and not loading.is_resumed
            after = self._after(loading, seen) if following is None else self._beyond(place, following, seen)
            yield ChangePage(
                changes=tuple(changes),
                rejected=tuple(rejected),
                next_cursor=write_place(after),
                source_time=loading.began,
                is_last=following is None,
                present_keys=frozenset(key for key in seen.keys if key.kind in COMPLETE) if is_complete else None,
                present_kinds=COMPLETE if is_complete else None,
                reading_began=loading.began if is_complete else None,
            )
            loading = following

    async def _page(self, loading: Loading) -> wire.Page:
        if loading.url is not None:
            return await self._transport.page_at(loading.url)
        params: dict[str, str] = {}
        if loading.kind is RecordKind.CARD_TRANSACTION:
            first = loading.began - timedelta(days=self._settings.purchase_days)
            since, name = loading.purchases_since, "updated_after"
            if since is None:
                since, name = first, "from_date"
            params = {"state": "ALL", name: since.isoformat(timespec="seconds")}
        return await self._transport.page(PATHS[loading.kind], params)

    def _beyond(self, place: Place, following: Loading, seen: _Seen) -> Place:
        return replace(place, loading=following, several=seen.several)

    def _after(self, loading: Loading, seen: _Seen) -> Place:
        fits = not loading.is_resumed and len(seen.open_ids) <= self._settings.page_size
        return Place(
            since=loading.began - timedelta(seconds=self._settings.overlap_seconds),
            whole_at=loading.began,
            looked_at=loading.began,
            open_ids=list(seen.open_ids) if fits else None,
            several=seen.several,
        )


def _next(loading: Loading, url: str | None) -> Loading | None:
    """The page after one; `None` after the last."""
    if url is not None:
        return replace(loading, url=url)
    number = _ORDER.index(loading.kind) + 1
    return replace(loading, kind=_ORDER[number], url=None) if number < len(_ORDER) else None
