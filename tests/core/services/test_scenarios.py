"""Scenarios: what-ifs by name, whose figures follow the books."""

from datetime import timedelta
from decimal import Decimal

import pytest
from runway_core.calculators.what_if import delay_of
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import InvalidRequest, NotFound, StaleRevision
from runway_testkit.sample import AS_OF

from tests.core.desk import FirmDesk

DELAY_B4 = delay_of("B4", AS_OF + timedelta(days=37))
NO_B4 = Amendment(action=AmendmentAction.REMOVE, record=RecordKey(RecordKind.BILL, "B4"))


async def test_a_kept_scenario_shows_the_figures_of_the_day() -> None:
    """The Sample company by its ledger alone, which gives the same 32 days."""
    desk = FirmDesk()
    sample = await desk.connect_sample()
    await desk.runway.sync(sample.company_id)
    kept = await desk.runway.scenarios.keep(sample.company_id, "B4 later", [DELAY_B4], actor="ada", note="ask Ed")
    scenario, shown = await desk.runway.scenarios.show(sample.company_id, kept.paper_id)

    assert scenario == kept
    assert (shown.before.runway_days, shown.after.runway_days) == (32, 37)
    assert shown.after.low_28_days.amount - shown.before.low_28_days.amount == Decimal(8_000)
    assert (await desk.runway.books.read(sample.company_id)).bills == shown.books.bills


async def test_a_question_need_not_be_kept() -> None:
    desk = FirmDesk()
    sample = await desk.connect_sample()
    await desk.runway.sync(sample.company_id)
    shown = await desk.runway.scenarios.ask(sample.company_id, [NO_B4])

    assert shown.after.runway_days == 39
    assert list(await desk.runway.scenarios.list(sample.company_id)) == []


async def test_a_name_is_one_scenario_whatever_its_case() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme")
    scenarios = desk.runway.scenarios
    first = await scenarios.keep(acme.company_id, "Late customer", [DELAY_B4], actor="ada")
    second = await scenarios.keep(acme.company_id, "LATE customer ", [NO_B4], actor="bob")
    other = await scenarios.keep(acme.company_id, "Best case", [NO_B4], actor="bob")
    with pytest.raises(StaleRevision):
        await scenarios.keep(acme.company_id, "Late customer", [DELAY_B4], actor="ada", version=first.version)

    assert (second.paper_id, second.version, second.amendments) == (first.paper_id, 2, (NO_B4,))
    assert list(await scenarios.list(acme.company_id)) == [other, second]


async def test_a_dropped_scenario_is_gone_until_it_is_kept_again() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme")
    scenarios = desk.runway.scenarios
    kept = await scenarios.keep(acme.company_id, "Late customer", [DELAY_B4], actor="ada")
    dropped = await scenarios.drop(acme.company_id, kept.paper_id, actor="ada")
    again = await scenarios.drop(acme.company_id, kept.paper_id, actor="ada")
    with pytest.raises(NotFound, match="was dropped"):
        await scenarios.show(acme.company_id, kept.paper_id)
    gone = list(await scenarios.list(acme.company_id))
    back = await scenarios.keep(acme.company_id, "Late customer", [DELAY_B4], actor="ada")

    assert again == dropped
    assert gone == []
    assert list(await scenarios.list(acme.company_id)) == [back]


@pytest.mark.parametrize(
    ("amendments", "said"),
    [
        ([], "what would be different"),
        ([DELAY_B4] * 201, "1 to 200"),
        ([DELAY_B4, Amendment(action=AmendmentAction.PAY_ON)], "part 2, 'pay_on', lacks record, on"),
        ([Amendment(action=AmendmentAction.ADD, on=AS_OF)], "lacks amount"),
        ([Amendment(action=AmendmentAction.REMOVE)], "lacks record"),
    ],
)
async def test_a_question_that_asks_nothing_is_refused(amendments: list[Amendment], said: str) -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme")

    with pytest.raises(InvalidRequest, match=said):
        await desk.runway.scenarios.keep(acme.company_id, "Odd", amendments, actor="ada")
