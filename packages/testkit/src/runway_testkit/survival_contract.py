"""What every rail promises of a vendor in trouble: inherit `SurvivalContract`, state `abilities`, give a `desk`.

    class TestAcmeSurvives(SurvivalContract):
        abilities = AcmeRailFactory.abilities

        @pytest.fixture
        async def desk(self) -> SurvivalDesk: ...

Every promise is kept with a vendor that behaves, and again in each trouble that `abilities.survives` names. The pulls
are those of a whole `Runway` over a store in memory, so that mirror, log, tombstones and leases are judged as well.
"""

import logging
import traceback
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.record import Record
from runway_core.errors import RailError, StoreUnavailable, WebhookRefused
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities, Trouble
from runway_core.ports.webhooks import find_webhook_reader
from runway_core.runway import Runway
from runway_core.sync.orchestrator import LEASE_SECONDS
from runway_core.sync.reports import SyncProgress, ignore_progress

from runway_testkit.invariants import find_broken_books, say
from runway_testkit.invariants_of_edges import find_secrets
from runway_testkit.memory_store import MemoryStore
from runway_testkit.rail_desk import fold
from runway_testkit.remains import CompanyRemains, read_memory
from runway_testkit.survival_desk import SignedEvent, SurvivalDesk, WatchedLedger, without_looks

PULLS = 2
"""So often the world moves and a pull meets the trouble."""

SETTLING_PULLS = 2
"""With a vendor that behaves again, until a pull brings nothing."""

SECRET_NAMES = ("secret", "token", "key")

TRIES = 200
"""So often a reading is begun at most, until it comes to its end."""

HOUR = timedelta(hours=1)


class KilledInTheMiddle(BaseException):
    """The process is gone: nothing is cleaned up."""


@dataclass
class _Watch:
    """Ends the process after a number of pages; `None`: never."""

    pages_left: int | None

    def __call__(self, progress: SyncProgress) -> None:
        if self.pages_left is not None and not progress.is_done:
            self.pages_left -= 1
            if self.pages_left <= 0:
                raise KilledInTheMiddle


@dataclass
class _Firm:
    """One company connected to the rail under test, in a store of its own."""

    desk: SurvivalDesk
    store: MemoryStore
    company_id: CompanyId = field(init=False)
    kills: int = 0
    told: list[str] = field(default_factory=list)  # what went wrong, as it was said

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Runway]:
        """A process of its own."""
        async with Runway.open(store=self.store, rails=[self.desk.make_factory()], clock=self.desk.clock) as runway:
            yield runway

    async def connect(self) -> None:
        """Add the company and its connection."""
        async with self.open() as runway:
            company = await runway.companies.add("Survivor", home_currency=self.desk.home_currency, time_zone="UTC")
            self.company_id = company.company_id
            await runway.connections.add(
                self.company_id,
                rail=self.desk.rail,
                settings=self.desk.settings,
                secrets=await self.desk.load_secrets(),
            )

    async def pull(self, *, killed_after_pages: int | None = None) -> None:
        """Pull in a process of its own, which may be killed; a lease that it held has run out by the next."""
        try:
            async with self.open() as runway:
                watch = ignore_progress if killed_after_pages is None else _Watch(killed_after_pages)
                report = await runway.sync(self.company_id, on_progress=watch)
                self.told += [run.error for run in report.runs if run.error]
        except KilledInTheMiddle as killed:
            self.kills += 1
            self.told.append("".join(traceback.format_exception(killed)))
            self.desk.clock.advance(timedelta(seconds=LEASE_SECONDS + 1))

    async def meet(self, trouble: Trouble | None, *, killed_after_pages: int) -> None:
        """Pull twice while the vendor is in trouble, the first time in a process that is killed; then peace."""
        await self.desk.play(trouble)
        await self.pull(killed_after_pages=killed_after_pages)
        await self.help()
        await self.pull()
        await self.desk.play(None)

    async def settle(self) -> None:
        """Pull in peace until nothing comes any more."""
        for _ in range(SETTLING_PULLS):
            # By then what tells of no change has been read again, and a breaker that opened has closed.
            await self.desk.pass_time(max(HOUR, self.desk.tells_within))
            await self.help()
            await self.pull()

    async def help(self) -> None:
        """A person helps where only one can."""
        if (await self.connection()).state is ConnectionState.RECONNECT_NEEDED:
            await self.desk.reconnect()

    async def connection(self) -> Connection:
        """The connection as it stands."""
        async with self.open() as runway:
            (one,) = await runway.connections.of(self.company_id)
        return one

    async def load_secrets(self) -> Mapping[str, SecretStr]:
        """What the vault holds by now."""
        return await self.store.vault.load((await self.connection()).connection_id)

    @property
    def remains(self) -> CompanyRemains:
        """What the store holds of the company."""
        return read_memory(self.store).companies[self.company_id]

    @property
    def live(self) -> dict[RecordKey, Record]:
        """Every live record, without what only says when it was looked at."""
        return {key: without_looks(row.record) for key, row in self.remains.rows.items() if not row.is_deleted}

    @property
    def buried(self) -> set[RecordKey]:
        """Every tombstone."""
        return {key for key, row in self.remains.rows.items() if row.is_deleted}


@contextmanager
def _hear_everything() -> Iterator[list[MutableMapping[str, Any]]]:
    """All that is logged meanwhile, however quiet the log is set."""
    held = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    try:
        with structlog.testing.capture_logs() as entries:
            yield entries
    finally:
        structlog.configure(**held)


class SurvivalContract:
    """The promises. If one fails in a trouble alone: is an answer believed that says nothing, or a row taken twice?"""

    abilities: RailAbilities

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each promise once in peace, and once in each trouble that the rail states."""
        if "trouble" in metafunc.fixturenames:
            troubles = [None, *sorted(self.abilities.survives)]
            metafunc.parametrize("trouble", troubles, ids=lambda one: "calm" if one is None else one.value)

    async def test_what_is_true_arrives_once_and_what_is_gone_is_buried(
        self, desk: SurvivalDesk, trouble: Trouble | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The whole story. If this fails: run it calm first; then look which kind differs, and what its pages were."""
        caplog.set_level(logging.INFO)
        planted = _list_secrets(await desk.load_secrets())
        firm = _Firm(desk, MemoryStore(clock=desk.clock))
        await firm.connect()
        with _hear_everything() as entries:
            await firm.pull(killed_after_pages=1)
            for number in range(PULLS):
                await firm.meet(trouble, killed_after_pages=number + 1)
                await desk.live()
                await desk.pass_time(HOUR)
            await firm.settle()
            gone = await desk.take_away()
            assert gone <= firm.live.keys()
            await firm.meet(trouble, killed_after_pages=1)
            await firm.settle()
        secrets = await firm.load_secrets()
        await desk.take_over(secrets)
        truth, shown = await desk.list_truth(), await _read_in_peace(desk)

        assert firm.kills
        for kind, ids in truth.items():
            assert not _differ(_ids_of(firm.live, kind), ids), kind
        assert not [key for key in firm.live.keys() | shown.keys() if firm.live.get(key) != shown.get(key)]
        assert gone <= firm.buried
        assert all(_ids_of(firm.buried, kind).isdisjoint(ids) for kind, ids in truth.items())
        assert not say(find_broken_books(read_memory(firm.store)))
        planted += _list_secrets(secrets)
        written = {
            "errors": "\n".join(firm.told),
            "log": "\n".join([*(repr(entry) for entry in entries), caplog.text]),
            "transaction log": b"".join(entry.canonical for entry in firm.remains.entries).decode("utf-8", "replace"),
        }
        assert "ledger_mirrored" in written["log"]
        texts = {where: text.encode() for where, text in written.items()}
        assert not say(find_secrets(texts, planted))

    async def test_resuming_at_any_cursor_loses_nothing(self, desk: SurvivalDesk, trouble: Trouble | None) -> None:
        """If this fails: does a page's cursor lie beyond what was given out by then?"""
        whole = fold(await _read_all(desk, None))
        await desk.play(trouble)
        pages = await _read_all(desk, None)
        assert fold(pages) == whole
        for place in sorted({0, len(pages) // 2, len(pages) - 1}):
            rest = await _read_all(desk, pages[place].next_cursor)
            assert fold(rest, fold(pages[: place + 1])) == whole

    async def test_every_call_is_paid_for_and_refusals_are_told(
        self, desk: SurvivalDesk, trouble: Trouble | None
    ) -> None:
        """If this fails: is a call sent outside `spend_one`, or a refusal not noted with the budget?"""
        await desk.play(trouble)
        ledger = WatchedLedger()
        calls = refusals = 0
        cursor: Cursor | None = None
        for _ in range(PULLS):
            rail = desk.open(calls=ledger)
            try:
                async for page in rail.changes_since(cursor):
                    cursor = page.next_cursor
            except RailError as error:
                refusals += error.code == "rail-throttled"
                await desk.reconnect()
            calls += rail.calls
            await rail.aclose()

        assert calls
        assert ledger.permits == (calls if desk.is_budgeted else 0)
        assert ledger.refusals >= (refusals if desk.is_budgeted else 0)

    async def test_events_do_work_once_and_forged_ones_none(self, desk: SurvivalDesk) -> None:
        """If this fails: is the proof over the raw body, and has a delivery a name that does not change?"""
        hears = find_webhook_reader(desk.make_factory()) is not None
        assert hears is self.abilities.has_webhooks
        if not hears:
            return
        firm = _Firm(desk, MemoryStore(clock=desk.clock))
        await firm.connect()
        event = await desk.send_event()
        if Trouble.HOSTILE in self.abilities.survives:
            await desk.play(Trouble.HOSTILE)  # what a reader asks the vendor for is spoiled as well
        async with firm.open() as runway:
            for forged in event.forge():
                with pytest.raises(WebhookRefused):
                    await _receive(runway, desk, forged)
            taken = [await _receive(runway, desk, event) for _ in range(3)]
            given = [await runway.webhooks.give_out() for _ in range(2)]
            taken.append(await _receive(runway, desk, event))
            given.append(await runway.webhooks.give_out())

        assert taken == [True, False, False, False]
        assert given == [1, 0, 0]
        assert len(read_memory(firm.store).jobs) == 1


async def _receive(runway: Runway, desk: SurvivalDesk, event: SignedEvent) -> bool:
    """Take an event in; one that could not be judged is sent again, as vendors do."""
    for _ in range(TRIES):
        try:
            return await runway.webhooks.receive(desk.rail, event.headers, event.body, secrets=event.secrets)
        except StoreUnavailable:
            continue
    raise AssertionError("no event is ever judged")


async def _read_all(desk: SurvivalDesk, cursor: Cursor | None) -> list[ChangePage]:
    """Read to the last page, from the last cursor again whenever the vendor's trouble ends a reading."""
    pages: list[ChangePage] = []
    for _ in range(TRIES):
        rail = desk.open()
        try:
            await _add_pages(pages, rail, cursor)
        except RailError:
            await desk.reconnect()
        else:
            return pages
        finally:
            await rail.aclose()
    raise AssertionError("the reading never comes to its end")


async def _add_pages(pages: list[ChangePage], rail: LedgerRail, cursor: Cursor | None) -> None:
    reading = rail.changes_since(pages[-1].next_cursor if pages else cursor)
    async for page in reading:
        pages.append(page)  # noqa: PERF401 - what came before a failure stays


async def _read_in_peace(desk: SurvivalDesk) -> dict[RecordKey, Record]:
    """What a first reading shows now."""
    pages = await _read_all(desk, None)
    deleted = {deletion.key for page in pages for deletion in page.deletions}
    changes = [change for page in pages for change in page.changes if change.key not in deleted]
    return {change.key: without_looks(change.record) for change in changes}


def _differ(held: set[str], true: set[str]) -> str:
    """How what is held differs from what is true; empty when it does not."""
    lost, beyond = sorted(true - held), sorted(held - true)
    return f"lost {lost}, beyond {beyond}" if lost or beyond else ""


def _ids_of(keys: Iterable[RecordKey], kind: RecordKind) -> set[str]:
    return {key.external_id for key in keys if key.kind is kind}


def _list_secrets(held: Mapping[str, SecretStr]) -> list[bytes]:
    """What must never be told; an app's id and the end of a token may be."""
    named = [value for name, value in held.items() if any(part in name for part in SECRET_NAMES)]
    return [secret.get_secret_value().encode() for secret in named]
