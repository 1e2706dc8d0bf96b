"""Books that cannot say how far cash reaches say so, on every page, and never "91+"."""

from runway_core.domain.company import Company
from runway_core.experiences.portfolio import PortfolioQuery
from runway_core.runway import Runway

from tests.core.desk import FirmDesk, bank, bill


async def headlines(runway: Runway, company: Company) -> list[str]:
    company_id = company.company_id
    digest, console = await runway.digest(company_id), await runway.console(company_id)
    outlook = await runway.outlook(company_id)
    return [digest.verdict, console.headline.partition(";")[0], outlook.headline]


async def test_a_company_that_was_never_read() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), settings=None)

    assert await headlines(desk.runway, acme) == ["Never read yet"] * 3


async def test_a_company_whose_first_pull_stopped_half_way_was_never_read() -> None:
    desk = FirmDesk(page_size=1)
    acme = await desk.connect("Acme", bank(), bill("B1"))

    async def stumble(page: int) -> None:
        if page == 1:
            raise KeyError

    desk.factory.hooks["Acme"] = stumble
    await desk.runway.sync(acme.company_id)

    assert (await headlines(desk.runway, acme))[1:] == ["Never read yet"] * 2
    assert (await desk.runway.digest(acme.company_id)).verdict.startswith("Never read yet")


async def test_a_company_without_a_bank_account() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bill("B1"))
    await desk.runway.sync(acme.company_id)
    said = await headlines(desk.runway, acme)
    position = await desk.runway.positions.current(acme.company_id)
    (row,) = (await desk.runway.portfolio()).rows
    below = await desk.runway.portfolio(PortfolioQuery(runway_below=1_000_000))

    assert [line.partition(";")[0] for line in said] == ["Cash is not known: no bank account is mirrored"] * 3
    assert position is not None
    assert (position.runway_days, position.covered_through, position.runway_falls_on) == (None, None, None)
    assert (position.buffer_breach_days, position.status_reason) == (
        None,
        "The books show no bank account, so cash is not known.",
    )
    assert not row.is_runway_known
    assert below.rows == ()


async def test_a_company_whose_cash_lasts_is_covered_and_known() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    (row,) = (await desk.runway.portfolio()).rows

    assert {line.partition(";")[0] for line in await headlines(desk.runway, acme)} == {"Covered for 91+ days"}
    assert (row.runway_days, row.is_runway_known) == (None, True)
