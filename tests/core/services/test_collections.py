"""Notes about what customers owe: what they need, and what the next page makes of them."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from runway_core.domain.collections import CollectionOutcome, CollectionStep
from runway_core.domain.company import Company
from runway_core.errors import InvalidRequest, NotFound
from runway_testkit.sample import AS_OF

from tests.core.desk import OTHERS, FirmDesk

PROMISED, DISPUTED, CONTACTED = CollectionOutcome.PROMISED, CollectionOutcome.DISPUTED, CollectionOutcome.CONTACTED


async def sample() -> tuple[FirmDesk, Company]:
    desk = FirmDesk()
    company = await desk.connect_sample()
    await desk.runway.sync(company.company_id)
    return desk, company


async def step_of(desk: FirmDesk, company: Company, invoice_id: str) -> CollectionStep:
    cases = {case.invoice_id: case for case in await desk.runway.collections.cases(company.company_id)}
    return cases[invoice_id].step


async def note(desk: FirmDesk, company: Company, outcome: CollectionOutcome, **more: Any) -> Any:
    return await desk.runway.collections.note(company.company_id, "I1", outcome, actor="ada", **more)


async def test_a_dispute_is_seen_on_the_next_page_and_a_note_taken_back_is_not() -> None:
    desk, company = await sample()
    written = await note(desk, company, DISPUTED, reason="two crates broken")

    assert await step_of(desk, company, "I1") is CollectionStep.SETTLE
    await desk.runway.collections.drop(company.company_id, written.paper_id, actor="ada")
    assert await step_of(desk, company, "I1") is CollectionStep.WAIT


async def test_the_same_note_again_is_one_note() -> None:
    desk, company = await sample()
    first = await note(desk, company, CONTACTED, person="Ms Elm")

    assert await note(desk, company, CONTACTED, person="Ms Elm") == first
    assert await desk.runway.collections.notes(company.company_id, invoice_id="I1") == [first]
    assert first.contacted_on == AS_OF


@pytest.mark.parametrize(
    ("outcome", "more", "message"),
    [
        (PROMISED, {"promised_on": AS_OF}, "needs the person"),
        (PROMISED, {"person": "Ms Elm"}, "needs the person"),
        (PROMISED, {"person": "Ms Elm", "promised_on": date(2026, 3, 1)}, "needs the person"),
        (PROMISED, {"person": "Ms Elm", "promised_on": AS_OF, "promised_amount": Decimal(12_001)}, "12,000.00"),
        (DISPUTED, {}, "needs its reason"),
        (CONTACTED, {"promised_on": AS_OF}, "only a promise"),
        (CONTACTED, {"contacted_on": AS_OF + timedelta(days=1)}, "to come"),
    ],
)
async def test_a_note_that_says_too_little_is_refused(
    outcome: CollectionOutcome, more: dict[str, Any], message: str
) -> None:
    desk, company = await sample()

    with pytest.raises(InvalidRequest, match=message):
        await note(desk, company, outcome, **more)


async def test_an_invoice_that_is_paid_or_anothers_has_no_notes() -> None:
    desk, company = await sample()
    others = desk.open(OTHERS)

    with pytest.raises(NotFound, match="no open invoice"):
        await desk.runway.collections.note(company.company_id, "R01", CONTACTED, actor="ada")
    with pytest.raises(NotFound):
        await others.collections.note(company.company_id, "I1", CONTACTED, actor="mallory")
