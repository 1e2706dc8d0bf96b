"""Comparing a connection with its rail, kind by kind, and mending the mirror by the same way that pulls write.

A kind is concluded on only when all of it was read: nothing is written, and nothing retired, before that.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from runway_core.domain.changes import ChangeKind, ChangePage, Cursor
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.jobs import Lane, NewJob, Work
from runway_core.domain.record import Record
from runway_core.domain.sweeps import Depth, HeldKind, KindSweep, sum_control
from runway_core.ports.store import Store
from runway_core.ports.sweeping import KindRows, SweepableRail
from runway_core.sync.schedule import find_last_moment

SWEEP_EVERY = timedelta(days=1)
READ_EVERY_DAYS = 7
"""Each kind has its turn on one day of so many; one of more rows than a call brings is read whole on that day alone."""

OFTEN_EVERY_DAYS = 3
OFTEN_SWEPT = frozenset(
    {
        RecordKind.BILL,
        RecordKind.BILL_PAYMENT,
        RecordKind.INVOICE,
        RecordKind.CUSTOMER_PAYMENT,
        RecordKind.ACCOUNT,
    }
)
"""What cash follows from most: these have their turn on one day of three."""

NEWS_MARGIN = timedelta(seconds=5)
"""Rails tell times of change in whole seconds: so close to the catching up, a change may have come after it."""

Commit = Callable[[ChangePage], Awaitable[object]]
"""Stores one page under the lease of the pull."""


def sweep_key(connection_id: str) -> str:
    """What names the sweep of a connection among the jobs of its company."""
    return f"sweep:{connection_id}"


def plan_sweeps(connections: Iterable[Connection], *, now: datetime, every: timedelta = SWEEP_EVERY) -> list[NewJob]:
    """One sweep for each connection that was read whole once and not compared since the last of its own moments.

    A whole reading compares everything, and counts as a sweep. Connections that fail are left to their pulls.
    """
    jobs = []
    for connection in connections:
        full_at, swept_at = connection.last_full_at, connection.last_swept_at
        if connection.state is not ConnectionState.ACTIVE or full_at is None:
            continue
        due_at = find_last_moment(sweep_key(connection.connection_id), now=now, interval=every)
        if max(full_at, swept_at or full_at) >= due_at:
            continue
        jobs.append(
            NewJob(
                firm_id=connection.firm_id,
                company_id=connection.company_id,
                connection_id=connection.connection_id,
                rail=connection.rail,
                work=Work.SWEEP,
                lane=Lane.SWEEP,
                run_at=due_at,
                dedupe_key=sweep_key(connection.connection_id),
            )
        )
    return jobs


def plan_depths(
    kinds: Sequence[RecordKind], expected: Mapping[RecordKind, int], *, rows_a_call: int, day: date
) -> dict[RecordKind, Depth]:
    """How closely to look at each kind: what one call brings is read; what is larger is counted, and read once a week.

    Each large kind has a day of its own, so that no sweep reads everything.
    """
    return {
        kind: Depth.READ
        if expected.get(kind, 0) <= rows_a_call or (day.toordinal() + place) % READ_EVERY_DAYS == 0
        else Depth.COUNTED
        for place, kind in enumerate(kinds)
    }


def plan_turns(
    kinds: Sequence[RecordKind], expected: Mapping[RecordKind, int], *, rows_a_call: int, days: Collection[date]
) -> dict[RecordKind, Depth]:
    """The kinds whose turn is on one of these days, and how closely to look at each.

    What is not compared on a day is on another: no kind is left out for longer than `READ_EVERY_DAYS`, and none of
    `OFTEN_SWEPT` for longer than `OFTEN_EVERY_DAYS`. The turns of the kinds are spread over the days.
    """
    turns = {}
    for place, kind in enumerate(kinds):
        is_small = expected.get(kind, 0) <= rows_a_call
        is_often = kind in OFTEN_SWEPT and _has_turn(place, days, OFTEN_EVERY_DAYS)
        is_read_day = _has_turn(place, days, READ_EVERY_DAYS)
        if is_often or (is_read_day and not (is_small and kind in OFTEN_SWEPT)):
            turns[kind] = Depth.READ if is_small or is_read_day else Depth.COUNTED
    return turns


def _has_turn(place: int, days: Collection[date], every: int) -> bool:
    return any((day.toordinal() + place) % every == 0 for day in days)


def find_sweep_days(connection: Connection, today: date) -> tuple[date, ...]:
    """The days whose turns a sweep makes today: those since the last one, so that what failed is made up."""
    last = max((at for at in (connection.last_full_at, connection.last_swept_at) if at is not None), default=None)
    missed = READ_EVERY_DAYS if last is None else min((today - last.date()).days, READ_EVERY_DAYS)
    return tuple(today - timedelta(days=ago) for ago in range(max(missed, 1)))


@dataclass(frozen=True, slots=True)
class Repair:
    """One record that was wrong in the mirror. `modified_at` is the rail's; `None` where it does not say."""

    key: RecordKey
    what: ChangeKind
    modified_at: datetime | None


@dataclass(slots=True)
class Comparison:
    """What comparing found: kinds in their order, and every record that was mended."""

    kinds: list[KindSweep] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SweepTask:
    """What comparing works on. `caught_up_at` is the rail's clock when the change feed was read to its end."""

    connection: Connection
    rail: SweepableRail
    cursor: Cursor
    caught_up_at: datetime
    correlation_id: str
    commit: Commit
    is_alive: Callable[[], object]  # told of each answer of the rail


class Sweeper:
    """Compares connections. Holds no state of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def compare(self, task: SweepTask, *, day: date, by_turn: bool = False) -> Comparison:
        """Compare each kind that the rail can show, or those whose turn it is, and mend what differs.

        Raises:
            RailError: the rail's trouble; kinds that were read whole before are mended, the others are untouched.
            SuspiciousAbsence: far too much of a kind would be retired; that kind is untouched.
        """
        company_id, rail = task.connection.company_id, task.rail
        held = await self._store.mirror.measure_kinds(company_id, task.connection.rail)
        measured = {kind: held.get(kind, HeldKind()) for kind in rail.swept_kinds}
        expected = {kind: one.count + one.aside for kind, one in measured.items()}
        kinds, rows_a_call = list(rail.swept_kinds), rail.rows_a_call
        if by_turn:
            depths = plan_turns(kinds, expected, rows_a_call=rows_a_call, days=find_sweep_days(task.connection, day))
        else:
            depths = plan_depths(kinds, expected, rows_a_call=rows_a_call, day=day)
        found = Comparison()
        for kind, depth in depths.items():
            if depth is Depth.COUNTED:
                count = await rail.count_kind(kind)
                task.is_alive()
                if count == expected[kind]:
                    counted = KindSweep(kind=kind, depth=Depth.COUNTED, source_count=count, held_count=count)
                    found.kinds.append(counted)
                    continue
            swept, repairs = await self._read_kind(task, kind, held_count=expected[kind])
            found.kinds.append(swept)
            found.repairs += repairs
        return await self._with_totals(task, found)

    async def _read_kind(self, task: SweepTask, kind: RecordKind, *, held_count: int) -> tuple[KindSweep, list[Repair]]:
        pages: list[KindRows] = []
        async with aclosing(task.rail.read_kind(kind)) as reading:
            async for rows in reading:
                task.is_alive()
                pages.append(rows)
        pages = pages or [KindRows((), task.caught_up_at)]
        records: dict[RecordKey, Record] = {change.key: change.record for rows in pages for change in rows.changes}
        bad = {
            RecordKey(kind, rejected.external_id)
            for rows in pages
            for rejected in rows.rejected
            if rejected.external_id is not None
        }
        before = (await self._store.log.head(task.connection.company_id)).sequence
        if records or bad or held_count:
            await self._commit(task, kind, pages, present=frozenset(records) | bad)
        repairs = [
            repair
            for repair in await self._read_repairs(task, records, after=before)
            if repair.modified_at is None or repair.modified_at < task.caught_up_at - NEWS_MARGIN
        ]
        whats = Counter(repair.what for repair in repairs)
        swept = KindSweep(
            kind=kind,
            depth=Depth.READ,
            source_count=len(records) + len(bad),
            held_count=held_count,
            missing=whats[ChangeKind.CREATED] + whats[ChangeKind.RESTORED],
            differing=whats[ChangeKind.UPDATED],
            gone=whats[ChangeKind.DELETED],
            not_understood=len(bad),
            source_totals=sum_control(records.values()),
        )
        return swept, repairs

    async def _commit(
        self, task: SweepTask, kind: RecordKind, pages: Sequence[KindRows], *, present: frozenset[RecordKey]
    ) -> None:
        """Store what was read; only the last page says what is there, and so what is gone."""
        for number, rows in enumerate(pages, start=1):
            is_last = number == len(pages)
            await task.commit(
                ChangePage(
                    changes=rows.changes,
                    rejected=rows.rejected,
                    next_cursor=task.cursor,
                    source_time=rows.time,
                    is_last=is_last,
                    present_keys=present if is_last else None,
                    present_kinds=frozenset({kind}) if is_last else None,
                    reading_began=task.caught_up_at if is_last else None,
                )
            )

    async def _read_repairs(self, task: SweepTask, records: Mapping[RecordKey, Record], *, after: int) -> list[Repair]:
        """What the log says was mended since an entry."""
        repairs = []
        async for entry in self._store.log.entries(task.connection.company_id, after=after):
            draft = entry.draft
            if draft.attribution.correlation_id != task.correlation_id or draft.what not in set(ChangeKind):
                continue
            key = RecordKey(RecordKind(draft.kind), draft.external_id)
            record = records.get(key)
            repairs.append(Repair(key, ChangeKind(draft.what), None if record is None else record.modified_at))
        return repairs

    async def _with_totals(self, task: SweepTask, found: Comparison) -> Comparison:
        """Put beside the rail's control totals what the mirror holds now."""
        held = await self._store.mirror.measure_kinds(task.connection.company_id, task.connection.rail)
        found.kinds = [
            swept
            if swept.depth is Depth.COUNTED
            else swept.model_copy(update={"held_totals": held.get(swept.kind, HeldKind()).totals})
            for swept in found.kinds
        ]
        return found
