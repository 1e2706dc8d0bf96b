"""What is read when: a whole reading page by page, and afterwards one call of change data capture per pull.

`Reader.pages` decides by the cursor. A pull after a whole reading asks for all kinds in one call; it asks for more only
when it must: for accounts when money moved, kind by kind and by queries when the answer was cut off, for everything
when the cursor is older than what QuickBooks remembers or when deletions would stay unknown.
"""

import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec
from runway_core.domain.changes import ChangePage, Cursor, Deletion, RejectedRecord
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import RailRefused, RecordRejected
from runway_core.ports.clock import Clock
from runway_core.ports.sweeping import KindRows

from runway_rail_qbo import wire
from runway_rail_qbo.cursor import Since, Whole, pack_ids, read_cursor, unpack_ids, write_cursor
from runway_rail_qbo.mapping import COMPANY_KEY, KIND_BY_NAME, KINDS, Kind, MappedRows, map_rows, read_company
from runway_rail_qbo.paging import KindReader, Tasks
from runway_rail_qbo.settings import QboSettings
from runway_rail_qbo.transport import QboTransport

CDC_CAP = 1000
LARGEST_PAGE = 1000
KINDS_AHEAD = 3
MARKS_KEPT = 500
_NAMES = [kind.name for kind in KINDS]
_MONEY_KINDS = frozenset(kind.kind for kind in KINDS if kind.moves_money)
_ACCOUNT = KIND_BY_NAME["Account"]


@dataclass(slots=True)
class _News:
    """What changed since a moment. Deletions of the kinds in `cut` are not all known."""

    time: datetime
    rows: MappedRows = field(default_factory=MappedRows.empty)
    cut: list[Kind] = field(default_factory=list)


class Reader:
    """Reads one company's books as pages of changes."""

    def __init__(self, transport: QboTransport, *, settings: QboSettings, home_currency: str, clock: Clock) -> None:
        self._transport = transport
        self._settings = settings
        self._home_currency = home_currency
        self._clock = clock
        self._overlap = timedelta(seconds=settings.overlap_seconds)
        self._horizon = timedelta(days=settings.horizon_days)

    async def pages(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage, None]:
        """Yield what changed after `cursor`, or everything."""
        state = read_cursor(cursor, realm_id=self._settings.realm_id)
        if state is not None and self._clock.now() - state.asked_at > self._horizon:
            state = None
        if isinstance(state, Since):
            pages = await self._read_since(state)
            if pages is not None:
                for page in pages:
                    yield page
                return
            state = None
        async with aclosing(self._read_whole(state)) as whole:
            async for page in whole:
                yield page

    async def read_company(self) -> tuple[MappedRows, datetime]:
        """Read the company's own record, from its two parts: two calls."""
        company = await self._transport.query("SELECT * FROM CompanyInfo")
        preferences = await self._transport.query("SELECT * FROM Preferences")
        mapped = MappedRows.empty()
        for raw in (company.rows.CompanyInfo or ())[:1]:
            parts = preferences.rows.Preferences or ()
            try:
                mapped.changes.append(read_company(bytes(raw), bytes(parts[0]) if parts else None))
            except RecordRejected as error:
                mapped.rejected.append(
                    RejectedRecord(
                        kind=RecordKind.COMPANY_INFO,
                        external_id=COMPANY_KEY.external_id,
                        reason=error.reason,
                        raw=bytes(raw),
                    )
                )
        return mapped, company.time

    # --- comparing ---

    async def count_kind(self, kind: Kind) -> int:
        """How many rows QuickBooks says there are of a kind: one call."""
        return await self._reader(kind, Tasks(), read=set()).count()

    async def read_kind(self, kind: Kind) -> AsyncGenerator[KindRows, None]:
        """Yield every row of a kind."""
        tasks = Tasks()
        try:
            async with aclosing(self._reader(kind, tasks, read=set()).pages()) as pages:
                async for page in pages:
                    yield KindRows(tuple(page.rows.changes), page.time, tuple(page.rows.rejected))
        finally:
            await tasks.aclose()

    # --- pulls after a whole reading ---

    async def _read_since(self, state: Since) -> list[ChangePage] | None:
        """Read what changed: one call when nothing did. `None` when only a whole reading can tell."""
        try:
            news = await self._ask_changes(state.since)
        except RailRefused:  # older than what is remembered; a whole reading shows a refusal of any other cause
            return None
        if news.time - state.since > self._horizon:
            return None
        rows = news.rows
        for kind in news.cut:
            changed = await self._read_cut_since(kind, state.since)
            if changed is None:
                return None
            rows.add(changed)
        marks = _marks_of(rows)
        if not marks.keys() <= set(state.seen):
            rows.add(await self._read_accounts())
        company_at = state.company_at
        if news.time - company_at >= timedelta(hours=self._settings.company_info_hours):
            company, company_at = await self.read_company()
            rows.add(company)
        since = news.time - self._overlap
        follow = Since(
            realm_id=state.realm_id,
            since=since,
            asked_at=self._clock.now(),
            company_at=company_at,
            seen=_marks_after(marks, since),
        )
        return _split(rows, time=news.time, until_then=write_cursor(state), last=write_cursor(follow))

    async def _ask_changes(self, since: datetime) -> _News:
        """Ask for all kinds in one call, and kind by kind when that was cut off."""
        answer = await self._transport.changed_since(since, _NAMES)
        counts = [len(rows) for _, rows in _rows_by_kind(answer.members)]
        news = _News(time=answer.time)
        if sum(counts) < CDC_CAP:
            for kind, rows in _rows_by_kind(answer.members):
                news.rows.add(map_rows(kind, rows, home_currency=self._home_currency))
            return news
        for kind in KINDS:
            answer = await self._transport.changed_since(since, [kind.name])
            for found, rows in _rows_by_kind(answer.members):
                news.rows.add(map_rows(found, rows, home_currency=self._home_currency))
                if len(rows) >= CDC_CAP:
                    news.cut.append(found)
        return news

    async def _read_cut_since(self, kind: Kind, since: datetime) -> MappedRows | None:
        """Read what changed in a kind of which change data capture shows only a part. `None` if deletions stay unknown.

        The queries show every live row that changed. What was deleted is known when the cut came from the overlap
        alone, which the pull before has read already: change data capture without the overlap is then whole.
        """
        answer = await self._transport.changed_since(since + self._overlap, [kind.name])
        found = [raw for _, rows in _rows_by_kind(answer.members) for raw in rows]
        if len(found) >= CDC_CAP:
            return None
        rows = map_rows(kind, found, home_currency=self._home_currency)
        tasks = Tasks()
        try:
            async for page in self._reader(kind, tasks, read=set(), since=since).pages():
                rows.add(page.rows)
        finally:
            await tasks.aclose()
        return rows

    async def _read_accounts(self) -> MappedRows:
        """Read all balances: change data capture may not show an account whose balance alone moved."""
        rows = MappedRows.empty()
        tasks = Tasks()
        try:
            async for page in self._reader(_ACCOUNT, tasks, read=set()).pages():
                rows.add(page.rows)
        finally:
            await tasks.aclose()
        return rows

    # --- whole readings ---

    async def _read_whole(self, resumed: Whole | None) -> AsyncGenerator[ChangePage, None]:
        tasks = Tasks()
        try:
            async with aclosing(self._read_all_kinds(resumed, tasks)) as pages:
                async for page in pages:
                    yield page
        finally:
            await tasks.aclose()

    async def _read_all_kinds(self, resumed: Whole | None, tasks: Tasks) -> AsyncGenerator[ChangePage, None]:
        buffer = MappedRows.empty()
        if resumed is None:
            buffer, began = await self.read_company()
            state = Whole(realm_id=self._settings.realm_id, began=began, asked_at=self._clock.now(), kind=KINDS[0].name)
        else:
            state = resumed
        buffer_time = state.began
        present = {name: unpack_ids(packed) for name, packed in state.read.items()}
        todo = [] if not state.kind else list(KINDS[_NAMES.index(state.kind) :])
        readers = {
            kind.name: self._reader(
                kind,
                tasks,
                read=present.setdefault(kind.name, set()),
                position=state.position if kind.name == state.kind else 0,
            )
            for kind in todo
        }
        for index, kind in enumerate(todo):
            for ahead in todo[index : index + 1 + KINDS_AHEAD]:
                readers[ahead.name].send_ahead()
            async for page in readers[kind.name].pages():
                if len(buffer) and len(buffer) + len(page.rows) > self._settings.page_size:
                    yield _page(buffer, time=buffer_time, cursor=write_cursor(state))
                    buffer = MappedRows.empty()
                if not len(buffer):
                    buffer_time = page.time
                buffer.add(page.rows)
                state.kind, state.position = kind.name, page.position
                state.read.setdefault(kind.name, []).append(pack_ids(page.ids))
            state.kind = todo[index + 1].name if index + 1 < len(todo) else ""
            state.position = 0
        left_over = _page(buffer, time=buffer_time, cursor=write_cursor(state))
        async for last in self._catch_up(state, present, left_over, tasks):
            yield last

    async def _catch_up(
        self, state: Whole, present: dict[str, set[str]], left_over: ChangePage, tasks: Tasks
    ) -> AsyncGenerator[ChangePage, None]:
        """Read what happened while everything was read, and end the reading."""
        since = state.began - self._overlap
        news = await self._ask_changes(since)
        for kind in news.cut:
            news.rows.add(await self._read_cut_kind(kind, present[kind.name], since, tasks))
        marks = _marks_of(news.rows)
        if marks:
            news.rows.add(await self._read_accounts())
        watermark = news.time - self._overlap
        follow = Since(
            realm_id=state.realm_id,
            since=watermark,
            asked_at=self._clock.now(),
            company_at=state.began,
            seen=_marks_after(marks, watermark),
        )
        keys = {RecordKey(KIND_BY_NAME[name].kind, external_id) for name, ids in present.items() for external_id in ids}
        keys.add(COMPANY_KEY)
        keys.difference_update(deletion.key for deletion in news.rows.deletions)
        keys.update(change.key for change in news.rows.changes)
        rows = MappedRows(list(left_over.changes), list(left_over.deletions), list(left_over.rejected))
        time = left_over.source_time if len(rows) else news.time  # the oldest answer in the page
        rows.add(news.rows)
        pages = _split(rows, time=time, until_then=write_cursor(state), last=write_cursor(follow))
        for page in pages[:-1]:
            yield page
        yield replace(pages[-1], present_keys=frozenset(keys), reading_began=state.began)

    async def _read_cut_kind(self, kind: Kind, present: set[str], since: datetime, tasks: Tasks) -> MappedRows:
        """Read the changes of a kind of which change data capture shows only a part.

        The queries show every live row that changed. Only if the count then says that rows are gone is the kind read
        again, to find which.
        """
        rows = MappedRows.empty()
        reader = self._reader(kind, tasks, read=set(), since=since)
        async for page in reader.pages():
            rows.add(page.rows)
        present |= reader.read
        if await self._reader(kind, tasks, read=set()).count() == len(present):
            return rows
        again = self._reader(kind, tasks, read=set())
        async for page in again.pages():
            rows.add(page.rows)
        rows.deletions += [Deletion(key=RecordKey(kind.kind, gone)) for gone in sorted(present - again.read)]
        present.intersection_update(again.read)
        present |= again.read
        return rows

    def _reader(
        self, kind: Kind, tasks: Tasks, *, read: set[str], position: int = 0, since: datetime | None = None
    ) -> KindReader:
        return KindReader(
            self._transport,
            kind,
            tasks=tasks,
            page_size=self._settings.page_size,
            home_currency=self._home_currency,
            read=read,
            position=position,
            since=since,
        )


def _rows_by_kind(members: list[wire.Rows]) -> Iterator[tuple[Kind, list[msgspec.Raw]]]:
    """A kind is found by its name: members without change are empty, so their order tells nothing."""
    for member in members:
        for kind in KINDS:
            rows = getattr(member, kind.name)
            if rows:
                yield kind, rows


def _marks_of(rows: MappedRows) -> dict[int, datetime | None]:
    """A mark for every money record, so that the overlap does not pass for money that moved once more."""
    marks: dict[int, datetime | None] = {}
    for change in rows.changes:
        record = change.record
        if record.kind in _MONEY_KINDS:
            marks[_mark(record.key, record.revision, record.modified_at)] = record.modified_at
    for deletion in rows.deletions:
        if deletion.key.kind in _MONEY_KINDS:
            marks[_mark(deletion.key, "deleted", deletion.deleted_at)] = deletion.deleted_at
    for rejected in rows.rejected:
        if rejected.kind in _MONEY_KINDS:
            marks[zlib.crc32(rejected.raw)] = None
    return marks


def _mark(key: RecordKey, revision: str, moment: datetime | None) -> int:
    return zlib.crc32(f"{key}|{revision}|{moment}".encode())


def _marks_after(marks: dict[int, datetime | None], since: datetime) -> list[int]:
    coming = sorted(mark for mark, moment in marks.items() if moment is None or moment >= since)
    return coming if len(coming) <= MARKS_KEPT else []  # without them, accounts are read once more than needed


def _page(rows: MappedRows, *, time: datetime, cursor: Cursor) -> ChangePage:
    return ChangePage(
        changes=tuple(rows.changes),
        deletions=tuple(rows.deletions),
        rejected=tuple(rows.rejected),
        next_cursor=cursor,
        source_time=time,
    )


def _split(rows: MappedRows, *, time: datetime, until_then: Cursor, last: Cursor) -> list[ChangePage]:
    """Cut rows into pages. Until the last one is stored, the cursor stays where it was."""
    changes = rows.changes
    pages = []
    while len(changes) > LARGEST_PAGE:
        pages.append(_page(MappedRows(changes[:LARGEST_PAGE], [], []), time=time, cursor=until_then))
        changes = changes[LARGEST_PAGE:]
    end = _page(MappedRows(changes, rows.deletions, rows.rejected), time=time, cursor=last)
    return [*pages, replace(end, is_last=True)]
