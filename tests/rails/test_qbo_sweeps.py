"""A sweep of QuickBooks books, over loopback HTTP: what change data capture left out is mended, by few calls."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from runway_core.domain.changes import Cause
from runway_core.domain.company import Company
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.sweeps import Depth, KindSweep, Path, SweepReport
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.errors import RailUnavailable
from runway_core.runway import Runway
from runway_core.sync.orchestrator import PullRequest
from runway_rail_kit import Pauses
from runway_rail_qbo import QboRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_testkit.memory_store import MemoryStore

from tests.rails.sandbox_desk import SandboxDesk

UNPACED = {"calls_per_minute": 10**6, "calls_per_second": 10**6}


class Cut(httpx.AsyncHTTPTransport):
    """A network that loses every page of bills but the first, once it is told to."""

    is_cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params.get("query", "")
        if self.is_cut and " FROM Bill " in query and "STARTPOSITION" in query and "STARTPOSITION 1 " not in query:
            raise httpx.ConnectError("no route", request=request)
        return await super().handle_async_request(request)


@dataclass
class House:
    """One company of the sandbox, mirrored."""

    runway: Runway
    company: Company
    desk: SandboxDesk
    network: Cut

    async def pull(self, *, sweep: bool = False) -> SyncRun:
        [run] = (await self.runway.sync(self.company.company_id, request=PullRequest(sweep=sweep))).runs
        return run

    async def sweep(self) -> SweepReport:
        run = await self.pull(sweep=True)
        assert run.outcome is RunOutcome.SUCCEEDED, run.error
        return (await self.runway.coverage.sweeps(self.company.company_id))[0]

    async def bills(self) -> dict[RecordKey, Any]:
        store = self.runway.scope.store
        found = await store.mirror.find_records(self.company.company_id, RecordKind.BILL, limit=10_000)
        return {mirrored.record.key: mirrored.record for mirrored in found}

    async def wait(self, **by: float) -> None:
        """Let the sandbox's clock go on, so that what happened before is no news."""
        await self.desk.post("clock", {"advance_seconds": timedelta(**by).total_seconds()})


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=4, bills_per_client=60, more_arguments=["--no-throttle"]) as running:
        yield running


async def open_house(sandbox: SandboxProcess, *, number: int, page_size: int) -> AsyncIterator[House]:
    async def no_pause(_: float) -> None:
        return None

    network = Cut()
    factory = QboRailFactory(http_transport=network, pauses=Pauses(sleep=no_pause))
    desk = SandboxDesk(sandbox.ready, company=number, factory=factory, page_size=page_size, **UNPACED)
    async with Runway.open(store=MemoryStore(), rails=[factory]) as runway:
        company = await runway.companies.add("Sample", home_currency="USD", time_zone="America/Chicago")
        await runway.connections.add(company.company_id, rail="qbo", settings=desk.settings, secrets=desk.vault.secrets)
        house = House(runway, company, desk, network)
        assert (await house.pull()).outcome is RunOutcome.SUCCEEDED
        yield house
        await desk.play("none")


@pytest.fixture
async def house(sandbox: SandboxProcess) -> AsyncIterator[House]:
    async for house in open_house(sandbox, number=0, page_size=1000):
        yield house


@pytest.fixture
async def house_of_pages(sandbox: SandboxProcess) -> AsyncIterator[House]:
    async for house in open_house(sandbox, number=1, page_size=20):
        yield house


def bills_of(report: SweepReport) -> KindSweep:
    return next(kind for kind in report.kinds if kind.kind is RecordKind.BILL)


async def test_sound_books_agree_with_the_rail(house: House) -> None:
    report = await house.sweep()

    assert report.repaired == 0
    assert all(kind.agrees for kind in report.kinds)
    assert {kind.depth for kind in report.kinds} == {Depth.READ}
    assert bills_of(report).source_totals == bills_of(report).held_totals != {}
    assert report.calls == 16  # the change feed, and fifteen kinds of one page each


async def test_what_change_data_capture_forgot_is_mended(house: House) -> None:
    """A bill that was entered, one that was edited, one that was deleted without a trace."""
    await house.desk.play("none", cdc_forgets=1, webhook_lost=1)
    deleted = await house.desk.delete_bill()
    edited = await house.desk.edit_bill()
    entered = await house.desk.enter_bill()
    await house.wait(minutes=20)
    unseen = await house.pull()
    before = await house.bills()
    report = await house.sweep()
    after = await house.bills()

    assert unseen.counts.changed == 0
    assert (entered in before, deleted in before) == (False, True)
    assert (entered in after, deleted in after) == (True, False)
    assert after[edited].memo.startswith("edited")
    bills = bills_of(report)
    assert (bills.missing, bills.differing, bills.gone) == (1, 1, 1)
    assert all(kind.agrees for kind in report.kinds)
    assert report.missed[Path.FEED] == report.repaired >= 3
    [*_, last] = await house.runway.history(house.company.company_id, deleted)
    assert (last.draft.what, last.draft.attribution.cause) == ("deleted", Cause.SWEEP)


async def test_a_page_that_fails_in_mid_sweep_changes_nothing(house_of_pages: House) -> None:
    """The first page of bills came, the second did not: nothing of it is stored, and nothing retired."""
    house = house_of_pages
    await house.desk.play("none", cdc_forgets=1)
    deleted = await house.desk.delete_bill()
    await house.wait(minutes=20)
    before = await house.bills()
    house.network.is_cut = True
    failed = await house.pull(sweep=True)
    between = await house.bills()
    house.network.is_cut = False
    report = await house.sweep()

    assert (failed.outcome, failed.error_code) == (RunOutcome.FAILED, RailUnavailable.code)
    assert between == before
    assert bills_of(report).gone == 1
    assert deleted not in await house.bills()


async def test_books_that_are_edited_while_they_are_compared_lose_nothing(house_of_pages: House) -> None:
    house = house_of_pages
    before = await house.bills()
    await house.desk.play("moving_pages", deletes_while_paging=0)
    await house.sweep()
    await house.desk.play("none")
    await house.pull()

    assert (await house.bills()).keys() >= before.keys()
