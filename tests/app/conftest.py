"""The app over a real database and a real pull."""

import asyncio
import copy
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import FastAPI
from runway_app_http.web import create_app
from runway_core.domain.company import Company
from runway_core.domain.identity import FirmId
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_testkit.clock import FixedClock
from runway_testkit.memory_rail import MemoryLedger, MemoryRailFactory
from runway_testkit.sample import READ_AT, sample_books

from tests.app.firm import FORMULA, HOSTILE, Firm, hostile_records, sample_records


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """A test that configures logging leaves nothing of it to the next one."""
    yield
    structlog.reset_defaults()


@dataclass(frozen=True)
class FirmTemplate:
    """What a firm is copied from: its database's folder, its companies, what the vendors hold."""

    folder: Path
    companies: dict[str, Company]
    ledgers: dict[str, MemoryLedger]


@pytest.fixture(scope="session")
def firm_template(tmp_path_factory: pytest.TempPathFactory) -> FirmTemplate:
    """A firm whose two companies were pulled: made once, because pulling takes longer than most tests."""
    return asyncio.run(_make_firm(tmp_path_factory.mktemp("firm")))


async def _make_firm(folder: Path) -> FirmTemplate:
    clock = FixedClock(READ_AT)
    ledgers = {"sample": MemoryLedger(now=READ_AT - timedelta(hours=4)), "hostile": MemoryLedger(now=READ_AT)}
    ledgers["sample"].put(*sample_records())
    ledgers["hostile"].put(*hostile_records())
    for ledger in ledgers.values():
        ledger.now = READ_AT - timedelta(minutes=3)
    store = SqlStore(f"sqlite:///{folder / 'books.db'}", clock=clock)
    async with Runway.open(store=store, rails=[MemoryRailFactory(ledgers)], clock=clock) as runway:
        sample = await runway.companies.add(
            "Sample",
            home_currency="USD",
            time_zone="America/Chicago",
            owner="ada",
            tags=["retail"],
            settings=sample_books().company.settings,
        )
        hostile = await runway.companies.add(HOSTILE, home_currency="USD", time_zone="UTC", owner=FORMULA)
        unread = await runway.companies.add("Zebra Unread", home_currency="JPY", time_zone="Asia/Tokyo")
        for company, name in ((sample, "sample"), (hostile, "hostile")):
            await runway.connections.add(company.company_id, rail="memory", settings={"books": name}, secrets={})
            await runway.sync(company.company_id)
        other = Runway(
            store=store, rails=runway.rails, clock=clock, firm_id=FirmId("others"), new_id=lambda: "foreign-company"
        )
        foreign = await other.companies.add("Foreign", home_currency="USD", time_zone="UTC")
    companies = {"sample": sample, "hostile": hostile, "unread": unread, "foreign": foreign}
    return FirmTemplate(folder, companies, ledgers)


@pytest.fixture
async def firm(firm_template: FirmTemplate, tmp_path: Path) -> AsyncIterator[Firm]:
    """A firm of the test's own: nothing it does is seen by another test."""
    shutil.copytree(firm_template.folder, tmp_path, dirs_exist_ok=True)
    ledgers = copy.deepcopy(firm_template.ledgers)
    clock = FixedClock(READ_AT)
    store = SqlStore(f"sqlite:///{tmp_path / 'books.db'}", clock=clock)
    async with Runway.open(store=store, rails=[MemoryRailFactory(ledgers)], clock=clock) as runway:
        yield Firm(runway=runway, ledger=ledgers["sample"], clock=clock, **firm_template.companies)


@pytest.fixture
def app(firm: Firm) -> FastAPI:
    return create_app(firm.runway, manages_runway=False)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://runway.test") as client:
        yield client
