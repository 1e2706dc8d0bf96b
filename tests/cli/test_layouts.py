"""What a person sees: figures whole at every width, signs right, colours with words."""

import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import RenderableType
from runway_app_http.cli.layouts import (
    lay_out_console,
    lay_out_digest,
    lay_out_outlook,
    lay_out_portfolio,
    lay_out_tray,
)
from runway_app_http.cli.session import BooksConsole
from runway_core.domain.company import Company
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_testkit.clock import FixedClock
from runway_testkit.memory_rail import MemoryLedger, MemoryRailFactory
from runway_testkit.sample import READ_AT, sample_books

from tests.app.firm import sample_records


@pytest.fixture
async def sample(tmp_path: Path) -> AsyncIterator[tuple[Runway, Company]]:
    clock = FixedClock(READ_AT)
    ledger = MemoryLedger(now=READ_AT - timedelta(hours=1))
    ledger.put(*sample_records())
    store = SqlStore(f"sqlite:///{tmp_path / 'books.db'}", clock=clock)
    async with Runway.open(store=store, rails=[MemoryRailFactory({"sample": ledger})], clock=clock) as runway:
        company = await runway.companies.add(
            "Sample", home_currency="USD", time_zone="America/Chicago", settings=sample_books().company.settings
        )
        await runway.connections.add(company.company_id, rail="memory", settings={"books": "sample"}, secrets={})
        await runway.sync(company.company_id)
        yield runway, company


def draw(view: RenderableType, width: int) -> str:
    console = BooksConsole(file=io.StringIO(), width=width, markup=False, highlight=False)
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 95, 125, 200])
async def test_the_portfolio_fits_and_cuts_no_figure(sample: tuple[Runway, Company], width: int) -> None:
    runway, _ = sample
    view = await runway.portfolio()

    drawn = draw(lay_out_portfolio(view, width=width), width)

    assert "…" not in drawn
    assert all(len(line) <= width for line in drawn.splitlines())
    assert re.search(r"Sample +(▼ red|◆ amber|● green)", drawn)
    assert ("Payroll" in drawn) is (width >= 125)


async def test_every_experience_is_laid_out_with_true_minus_signs(sample: tuple[Runway, Company]) -> None:
    runway, company = sample
    digest = await runway.digest(company.company_id)
    drawn = {
        "digest": draw(lay_out_digest(digest), 100),
        "tray": draw(lay_out_tray(await runway.tray(company.company_id)), 100),
        "console": draw(lay_out_console(await runway.console(company.company_id)), 100),
        "outlook": draw(lay_out_outlook(await runway.outlook(company.company_id)), 100),
    }

    for text in drawn.values():
        assert text.startswith("Sample  as of ")
        assert not re.search(r"(?<![\w-])-\d", text)
    assert digest.verdict in " ".join(drawn["digest"].split())
    assert "\N{MINUS SIGN}" in drawn["digest"] + drawn["outlook"]
    assert "13 weeks, USD" in drawn["outlook"]
    assert re.search(r"no new sales +25 days, to 26 Mar", drawn["outlook"])
    assert "Ready to decide" in drawn["console"]
