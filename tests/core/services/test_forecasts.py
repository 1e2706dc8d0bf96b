"""One forecast a week is kept, and judged when its weeks have passed."""

from datetime import date
from decimal import Decimal

from runway_core.domain.company import Company
from runway_core.domain.forecasts import KeptForecast
from runway_core.domain.money import Money
from runway_core.domain.position import PositionStatus
from runway_testkit.sample import AS_OF

from tests.core.desk import FirmDesk, bank, bill


async def kept(desk: FirmDesk, company: Company) -> list[KeptForecast]:
    return list(await desk.runway.forecasts.kept(company.company_id))


async def pull(desk: FirmDesk, company: Company) -> None:
    await desk.runway.sync(company.company_id)


async def test_the_first_position_of_a_week_keeps_its_outlook() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(10_000), bill("B", 400))
    await pull(desk, acme)

    (forecast,) = await kept(desk, acme)
    assert (forecast.paper_id, forecast.changed_by) == ("2026-03-02", "runway")
    assert forecast.opening == 10_000
    assert [point.expected for point in forecast.points[:3]] == [10_000, 10_000, 9_600]


async def test_the_first_of_a_week_stands_whatever_changes_in_it() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(10_000))
    await pull(desk, acme)
    desk.later(days=2)
    desk.ledger("Acme").put(bank(4_000))
    await pull(desk, acme)
    other_process = desk.open(acme.firm_id)
    await other_process.positions.recompute(acme.company_id)

    (forecast,) = await kept(desk, acme)
    assert forecast.opening == 10_000
    assert forecast.version == 1


async def test_the_next_week_keeps_its_own() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(10_000))
    await pull(desk, acme)
    desk.later(days=7)
    desk.ledger("Acme").put(bank(9_000))
    await pull(desk, acme)

    assert [forecast.opening for forecast in await kept(desk, acme)] == [9_000, 10_000]


async def test_nothing_is_kept_while_the_data_cannot_say() -> None:
    """Without a bank account the position is grey, and a forecast of nothing would be judged as one."""
    desk = FirmDesk()
    acme = await desk.connect("Acme", bill("B"))
    await pull(desk, acme)

    position = await desk.runway.positions.current(acme.company_id)
    assert position is not None
    assert position.status is PositionStatus.GREY
    assert await kept(desk, acme) == []


async def test_keeping_a_forecast_makes_no_position_due() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(10_000))
    await pull(desk, acme)

    assert await kept(desk, acme) != []
    assert list(await desk.runway.positions.recompute_due()) == []


async def test_the_digest_tells_how_right_last_week_s_forecast_was() -> None:
    desk = FirmDesk()
    sample = await desk.connect_sample()
    await pull(desk, sample)
    before = await desk.runway.digest(sample.company_id)
    desk.later(days=7)
    await pull(desk, sample)
    after = await desk.runway.digest(sample.company_id)

    assert before.forecast_quality.horizons == ()
    last = after.forecast_quality.last
    assert last is not None
    assert (last.as_of, last.ends_on) == (AS_OF, date(2026, 3, 8))
    # Nothing moved in the ledger, so that cash stayed; the forecast had rent and payroll leave, and 1,000 come.
    assert last.actual == after.cash.opening.amount
    assert last.error == last.actual - before.weeks[0].closing
    assert [h.weeks for h in after.forecast_quality.horizons] == [1]


async def test_the_digest_shows_the_ratios_of_the_sample() -> None:
    desk = FirmDesk()
    sample = await desk.connect_sample()
    await pull(desk, sample)
    ratios = {ratio.kind.value: ratio for ratio in (await desk.runway.digest(sample.company_id)).ratios}

    owed = ratios["days_payables_outstanding"].numerator[0].amount
    assert owed == Money(amount=Decimal("34500.0000"), currency="USD")
    assert ratios["days_sales_outstanding"].numerator[0].amount.amount == 47_000
