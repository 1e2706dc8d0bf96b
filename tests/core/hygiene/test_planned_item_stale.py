from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.planned_item_stale import PlannedItemStale
from runway_core.calculators.hygiene.impact import find_weighed_findings
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.findings import Finding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Purchase
from runway_core.domain.planned_items import PlannedItem
from runway_testkit.books_making import amount, bill, day, invoice, make_books, moment

ITEM = RecordKey(RecordKind.PLANNED_ITEM, "p1")


def planned(on: int = 20, confirmed: int = -1, **more: Any) -> PlannedItem:
    values: dict[str, Any] = {
        "paper_id": "p1",
        "changed_at": moment(-40),
        "changed_by": "ada",
        "label": "Roof",
        "amount": amount(5000),
        "currency": "USD",
        "owner": "ada",
        "note": "he will call",
    }
    return PlannedItem(on=day(on), confirmed_on=day(confirmed), **(values | more))


def find(*items: PlannedItem, **more: Any) -> list[Finding]:
    return list(PlannedItemStale().find(make_books(planned_items=items, **more)))


@pytest.mark.parametrize(("confirmed", "is_found"), [(-14, False), (-15, True)])
def test_an_item_is_stale_when_nobody_confirmed_it_for_fourteen_days(confirmed: int, is_found: bool) -> None:
    assert bool(find(planned(confirmed=confirmed))) is is_found


@pytest.mark.parametrize(("on", "is_found"), [(0, False), (-1, True)])
def test_an_item_is_stale_when_its_day_has_passed(on: int, is_found: bool) -> None:
    assert bool(find(planned(on=on))) is is_found


def test_it_names_owner_and_note_and_what_can_be_done() -> None:
    (finding,) = find(planned(confirmed=-30))
    said = {evidence.name: evidence.value for evidence in finding.evidence}

    assert finding.subjects == (ITEM,)
    assert (said["owner"], said["note"], said["amount"]) == ("ada", "he will call", "5000.00")
    assert [fix.label for fix in finding.fixes] == [
        "Confirm it for 2026-03-22",
        "Move it, say to 2026-04-06",
        "Drop it",
    ]


def test_dropped_and_fulfilled_items_are_left_alone() -> None:
    assert not find(planned(on=-5, is_closed=True), planned(on=-5, fulfilled_by=RecordKey(RecordKind.BILL, "B")))


@pytest.mark.parametrize(
    ("more", "stands"),
    [
        ({}, True),
        ({"due_date": day(5), "document_date": day(-15)}, True),
        ({"due_date": day(60), "document_date": day(-16)}, False),
        ({"total": amount(4000)}, True),
        ({"total": amount(3999)}, False),
        ({"total": amount(6001)}, False),
        ({"vendor_id": "V2"}, False),
        ({"currency": "EUR"}, False),
    ],
)
def test_a_document_of_the_party_near_its_day_and_amount_stands_for_it(more: dict[str, Any], stands: bool) -> None:
    values: dict[str, Any] = {"total": 5000, "open_balance": amount(1)}

    assert bool(find(planned(on=-5, vendor_id="V1"), bills=(bill(**(values | more)),))) is not stands


def test_so_does_an_expense_and_for_money_to_come_an_invoice() -> None:
    spent = Purchase(
        external_id="E",
        document_date=day(-6),
        currency="USD",
        total=amount(5000),
        method=PaymentMethod.CHECK,
        payee_kind=RecordKind.VENDOR,
        payee_id="V1",
    )
    coming = planned(on=-5, customer_id="C1", is_inflow=True)

    assert not find(planned(on=-5, vendor_id="V1"), purchases=(spent,))
    assert find(planned(on=-5, vendor_id="V1"), purchases=(spent.model_copy(update={"is_refund": True}),))
    assert not find(coming, invoices=(invoice(total=5000),))
    assert find(coming, invoices=(invoice(total=5000, is_void=True),))


def test_an_item_of_nobody_in_particular_can_only_be_named_by_a_person() -> None:
    assert find(planned(on=-5), bills=(bill(total=5000),))


def test_dropping_a_payment_that_nobody_stands_by_lengthens_the_runway() -> None:
    large = planned(on=10, confirmed=-20, amount=amount(5_000))
    books = make_books(planned_items=(large,), bills=(bill(total=100),))
    (weighed,) = [finding for finding in find_weighed_findings(books) if finding.check == "PL01"]

    assert weighed.impact_days == 11  # from the 12th, where it stands, to the 23rd, where the bill does
    assert weighed.impact_low is not None
    assert weighed.impact_low.amount == 5_000
