"""Planned items: entered by name, believed while somebody confirms them, and gone from figures once dropped."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from runway_core.domain.company import Company
from runway_core.domain.papers import PaperKey, PaperKind
from runway_core.domain.planned_items import PlannedItem, PlannedItemState
from runway_core.errors import InvalidRequest, NotFound, StaleRevision
from runway_testkit.sample import AS_OF

from tests.core.desk import FirmDesk, bank, bill

FRIDAY = AS_OF + timedelta(days=11)


async def desk_with_a_company() -> tuple[FirmDesk, Company]:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), bill("B1"))
    await desk.runway.sync(acme.company_id)
    return desk, acme


async def enter(desk: FirmDesk, company: Company, **fields: Any) -> PlannedItem:
    values: dict[str, Any] = {
        "label": "Owed to the builder",
        "on": FRIDAY,
        "amount": Decimal(50_000),
        "actor": "ada",
    } | fields
    return await desk.runway.planned_items.add(company.company_id, **values)


async def test_an_item_is_entered_for_whoever_enters_it_in_home_currency() -> None:
    desk, acme = await desk_with_a_company()
    item = await enter(desk, acme, label="  Owed to the builder ", note="no bill yet")
    [listed] = await desk.runway.planned_items.list(acme.company_id)
    books = await desk.runway.books.read(acme.company_id)

    assert (item.label, item.owner, item.currency, item.amount) == (
        "Owed to the builder",
        "ada",
        "USD",
        Decimal("50000.0000"),
    )
    assert (item.version, item.changed_by, item.confirmed_on) == (1, "ada", AS_OF)
    assert (listed.item, listed.state) == (item, PlannedItemState.CONFIRMED)
    assert books.planned_items == (item,)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"label": " "}, "what the money is for"),
        ({"amount": Decimal(0)}, "must be positive"),
        ({"amount": Decimal(-5)}, "is_inflow"),
        ({"amount": Decimal("0.00001")}, "ten-thousandth"),
        ({"on": AS_OF - timedelta(days=1)}, "has passed"),
        ({"on": AS_OF + timedelta(days=3_661)}, "is the year right"),
        ({"currency": "dollars"}, "currency"),
        ({"owner": "x" * 5000}, "4000"),
    ],
)
async def test_what_cannot_be_is_refused(fields: dict[str, Any], said: str) -> None:
    desk, acme = await desk_with_a_company()

    with pytest.raises(InvalidRequest, match=said):
        await enter(desk, acme, **fields)
    assert list(await desk.runway.planned_items.list(acme.company_id)) == []


async def test_a_day_is_past_where_the_company_is() -> None:
    desk, acme = await desk_with_a_company()

    assert (await enter(desk, acme, on=AS_OF)).on == AS_OF  # it is still today in Chicago


async def test_the_same_key_enters_an_item_once() -> None:
    desk, acme = await desk_with_a_company()
    first = await enter(desk, acme, idempotency_key="k1")
    desk.later(days=1)
    again = await enter(desk, acme, idempotency_key="k1")
    other = await enter(desk, acme, idempotency_key="k2")
    with pytest.raises(InvalidRequest, match="another planned item"):
        await enter(desk, acme, idempotency_key="k1", amount=Decimal(1))

    assert again == first
    assert len(await desk.runway.planned_items.list(acme.company_id)) == 2
    assert other.paper_id != first.paper_id


async def test_an_item_that_nobody_confirms_turns_stale_and_a_confirmation_mends_it() -> None:
    desk, acme = await desk_with_a_company()
    item = await enter(desk, acme, on=AS_OF + timedelta(days=60))
    desk.later(days=15)
    [stale] = await desk.runway.planned_items.list(acme.company_id)
    confirmed = await desk.runway.planned_items.confirm(acme.company_id, item.paper_id, actor="bob")
    again = await desk.runway.planned_items.confirm(acme.company_id, item.paper_id, actor="bob")
    [fresh] = await desk.runway.planned_items.list(acme.company_id)

    assert stale.state is PlannedItemState.STALE
    assert (fresh.state, confirmed.version, confirmed.owner) == (PlannedItemState.CONFIRMED, 2, "ada")
    assert again == confirmed


async def test_an_item_whose_day_has_passed_is_moved_not_confirmed() -> None:
    desk, acme = await desk_with_a_company()
    item = await enter(desk, acme)
    desk.later(days=12)
    [expired] = await desk.runway.planned_items.list(acme.company_id)
    with pytest.raises(InvalidRequest, match="has passed"):
        await desk.runway.planned_items.confirm(acme.company_id, item.paper_id, actor="ada")
    moved = await desk.runway.planned_items.move(
        acme.company_id, item.paper_id, on=AS_OF + timedelta(days=20), amount=Decimal(40_000), actor="ada"
    )

    assert expired.state is PlannedItemState.EXPIRED
    assert (moved.on, moved.amount, moved.label) == (AS_OF + timedelta(days=20), Decimal("40000.0000"), item.label)
    assert moved.state_on(AS_OF + timedelta(days=12)) is PlannedItemState.CONFIRMED


async def test_a_change_on_an_old_version_is_refused() -> None:
    desk, acme = await desk_with_a_company()
    item = await enter(desk, acme)
    await desk.runway.planned_items.move(acme.company_id, item.paper_id, note="in two parts", actor="bob", version=1)
    with pytest.raises(StaleRevision, match="version 2 by bob since you read version 1"):
        await desk.runway.planned_items.move(acme.company_id, item.paper_id, on=AS_OF, actor="ada", version=1)

    assert (await desk.runway.planned_items.get(acme.company_id, item.paper_id)).on == FRIDAY


async def test_a_dropped_item_is_kept_with_its_reason_and_takes_no_part() -> None:
    desk, acme = await desk_with_a_company()
    item = await enter(desk, acme, note="no bill yet")
    dropped = await desk.runway.planned_items.drop(acme.company_id, item.paper_id, actor="ada", reason="paid by card")
    again = await desk.runway.planned_items.drop(acme.company_id, item.paper_id, actor="ada")
    with pytest.raises(InvalidRequest, match="was dropped"):
        await desk.runway.planned_items.confirm(acme.company_id, item.paper_id, actor="ada")
    shown = await desk.runway.planned_items.list(acme.company_id, include_closed=True)
    history = await desk.store.log.history(acme.company_id, PaperKey(PaperKind.PLANNED_ITEM, item.paper_id))

    assert dropped.note == "no bill yet\npaid by card"
    assert again == dropped
    assert list(await desk.runway.planned_items.list(acme.company_id)) == []
    assert [one.item for one in shown] == [dropped]
    assert (await desk.runway.books.read(acme.company_id)).planned_items == ()
    assert [entry.draft.what for entry in history] == ["planned_item_added", "planned_item_closed"]


async def test_a_record_takes_the_place_of_an_item() -> None:
    desk, acme = await desk_with_a_company()
    items, key = desk.runway.planned_items, bill("B1").key
    item = await enter(desk, acme)
    other = await enter(desk, acme, label="Another")
    fulfilled = await items.fulfil(acme.company_id, item.paper_id, key, actor="ada")
    again = await items.fulfil(acme.company_id, item.paper_id, key, actor="bob")
    with pytest.raises(NotFound, match="no bill:B9"):
        await items.fulfil(acme.company_id, other.paper_id, bill("B9").key, actor="ada")
    with pytest.raises(InvalidRequest, match="is fulfilled by bill:B1"):
        await items.move(acme.company_id, item.paper_id, on=AS_OF, actor="ada")

    assert (fulfilled.is_closed, fulfilled.fulfilled_by) == (True, key)
    assert again == fulfilled
    assert (await desk.runway.books.read(acme.company_id)).planned_items == (other,)


async def test_an_item_that_is_not_there_is_not_found() -> None:
    desk, acme = await desk_with_a_company()

    with pytest.raises(NotFound, match="no planned item 'none'"):
        await desk.runway.planned_items.get(acme.company_id, "none")


async def test_a_dropped_item_is_reopened_on_a_day_to_come() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    items = desk.runway.planned_items
    item = await enter(desk, acme)
    await items.drop(acme.company_id, item.paper_id, actor="ada")
    desk.clock.advance(timedelta(days=60))
    with pytest.raises(InvalidRequest, match="has passed"):
        await items.reopen(acme.company_id, item.paper_id, actor="ada")
    later = desk.clock.now().date() + timedelta(days=5)
    again = await items.reopen(acme.company_id, item.paper_id, on=later, actor="bob")

    assert (again.is_closed, again.on, again.fulfilled_by) == (False, later, None)
    assert await items.reopen(acme.company_id, item.paper_id, actor="bob") == again
