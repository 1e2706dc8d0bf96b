"""Reading every row of one kind although the books are edited while it goes on.

Queries page by position only, and a row that is deleted pulls all later rows one place to the left: the first row of
the next page is then skipped. So rows are read in the order of their ids, which no edit changes, and a page counts only
when it reaches back to a row that was read before. If it does not, the reading steps back until it does. In which order
the rows of one page stand, and whether some stand twice, makes no difference. Why this loses nothing is written in
docs/decisions/0005-first-load.md.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Raw
from runway_core.errors import RailUnavailable

from runway_rail_qbo.faults import RAIL, TITLE
from runway_rail_qbo.mapping import Kind, MappedRows, find_id, map_rows
from runway_rail_qbo.transport import QboTransport, RowsAnswer

PAGES_AHEAD = 3
_BARREN_PAGES_ALLOWED = 5


@dataclass(frozen=True, slots=True)
class KindPage:
    """Rows of one kind that were not read before, and how far the reading has come."""

    rows: MappedRows
    ids: frozenset[str]
    time: datetime
    position: int
    is_end: bool


class Tasks:
    """Requests that were sent ahead; whoever made them ends them."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, call: Coroutine[Any, Any, RowsAnswer]) -> "asyncio.Task[RowsAnswer]":
        """Send a request now, to be awaited later."""
        task = asyncio.create_task(call)
        self._running.add(task)
        return task

    async def take(self, task: "asyncio.Task[RowsAnswer]") -> RowsAnswer:
        """Await an answer and let go of it, so that no page stays in memory behind the reading."""
        self._running.discard(task)
        return await task

    async def aclose(self) -> None:
        """Drop what nobody awaits any more."""
        running, self._running = self._running, set()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class KindReader:
    """Reads one kind to its end, in pages that join. `read` holds the ids read so far and grows."""

    def __init__(
        self,
        transport: QboTransport,
        kind: Kind,
        *,
        tasks: Tasks,
        page_size: int,
        home_currency: str,
        read: set[str],
        position: int = 0,
        since: datetime | None = None,
    ) -> None:
        self._transport = transport
        self._kind = kind
        self._tasks = tasks
        self._page_size = page_size
        self._home_currency = home_currency
        self._target = kind.name + _where(kind, since)
        self._sent: dict[int, asyncio.Task[RowsAnswer]] = {}
        self.read = read
        self.position = position

    def send_ahead(self) -> None:
        """Ask for the first page now, so that it is here when it is needed."""
        self._send(max(1, self.position))

    async def pages(self) -> AsyncGenerator[KindPage]:
        """Yield every page; after the last one, every row that was there throughout has been read."""
        is_repeat = False
        while True:
            async for page in self._pages_to_the_end():
                yield page
            expected = self._expected
            if is_repeat or expected is None or len(self.read) >= expected or len(self.read) >= await self.count():
                return
            is_repeat = True  # a row is there that was not read: once more from the start
            self._forget_sent()
            self.position = 0

    _expected: int | None = None

    async def _pages_to_the_end(self) -> AsyncGenerator[KindPage]:
        barren = 0
        back = 1
        start = max(1, self.position)
        while True:
            answer = await self._fetch(start)
            rows = _once_each(getattr(answer.rows, self._kind.name) or [])
            if start > 1 and self.read.isdisjoint(rows):
                start, back = max(1, start - back), back * 10
                continue
            back = 1
            is_end = len(rows) < self._page_size
            self.position = start - 1 + len(rows)
            fresh = [row for place, (name, row) in enumerate(rows.items()) if place or name not in self.read]
            mapped = map_rows(self._kind, fresh, home_currency=self._home_currency)
            ids = _ids_of(mapped) - self.read
            self.read |= ids
            barren = 0 if ids or is_end else barren + 1
            if barren > _BARREN_PAGES_ALLOWED:
                raise RailUnavailable(
                    f"{TITLE} answers the same {self._kind.name} rows again and again; try again later", rail=RAIL
                )
            yield KindPage(rows=mapped, ids=frozenset(ids), time=answer.time, position=self.position, is_end=is_end)
            if is_end:
                return
            start = await self._pick_next_start()

    async def _pick_next_start(self) -> int:
        """Begin the next page with the last row read, and send for the pages behind it."""
        if self._expected is None:
            self._expected = await self.count()
        ready = [start for start in self._sent if start <= self.position]
        start = max(ready, default=self.position)
        for ahead in range(PAGES_AHEAD):
            wanted = start + ahead * (self._page_size - 1)
            if wanted <= self._expected or not ahead:
                self._send(wanted)
        return start

    async def count(self) -> int:
        """How many rows QuickBooks says there are."""
        statement = f"SELECT COUNT(*) FROM {self._target}"  # noqa: S608 - no value of another's stands in it
        answer = await self._transport.query(statement)
        return answer.rows.totalCount or 0

    def _send(self, start: int) -> None:
        if start not in self._sent:
            rows = f"SELECT * FROM {self._target}"  # noqa: S608 - no value of another's stands in it
            statement = f"{rows} ORDERBY Id STARTPOSITION {start} MAXRESULTS {self._page_size}"
            self._sent[start] = self._tasks.start(self._transport.query(statement))

    async def _fetch(self, start: int) -> RowsAnswer:
        self._send(start)
        return await self._tasks.take(self._sent.pop(start))

    def _forget_sent(self) -> None:
        for task in self._sent.values():
            task.cancel()
        self._sent.clear()


def _once_each(rows: Sequence[Raw]) -> dict[str, Raw]:
    """The rows by id, in their order; one without an id stands under its own text."""
    return {find_id(bytes(row)) or bytes(row).decode("utf-8", "replace"): row for row in rows}


def _where(kind: Kind, since: datetime | None) -> str:
    conditions = []
    if kind.has_inactive:
        conditions.append("Active IN (true,false)")
    if since is not None:
        conditions.append(f"MetaData.LastUpdatedTime >= '{since.strftime('%Y-%m-%dT%H:%M:%S')}+00:00'")
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _ids_of(mapped: MappedRows) -> set[str]:
    ids = {change.record.external_id for change in mapped.changes}
    ids.update(rejected.external_id for rejected in mapped.rejected if rejected.external_id)
    return ids
