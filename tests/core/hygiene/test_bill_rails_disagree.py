from datetime import date
from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.bill_rails_disagree import BillRailsDisagree
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.execution import RailBill, RailPayment, RailPaymentState
from runway_core.domain.findings import Finding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_testkit.books_making import READ_AT, amount, bill, day, make_books

BILL = RecordKey(RecordKind.BILL, "B")


def shown(**more: Any) -> RailBill:
    """The bill as a rail shows it: alike in everything."""
    values: dict[str, Any] = {"bill_id": "B", "due_date": day(20), "currency": "USD", "total": amount(100)}
    return RailBill(rail="ramp", external_id="R", read_at=READ_AT, **(values | more))


def find(at_rail: RailBill, in_ledger: Bill | None = None, **more: Any) -> list[Finding]:
    books = make_books(bills=(in_ledger or bill(),), rail_bills=(at_rail,), **more)
    return list(BillRailsDisagree().find(books))


def fields(*findings: Finding) -> list[str]:
    return [evidence.name for finding in findings for evidence in finding.evidence if evidence.rail == "ramp"]


def test_two_that_agree_are_left_alone() -> None:
    assert not find(shown())


@pytest.mark.parametrize(
    ("more", "which"),
    [
        ({"total": amount("100.01")}, ["amount"]),
        ({"total": amount(90)}, ["amount"]),
        ({"currency": "CAD"}, ["amount"]),
        ({"due_date": day(21)}, ["due_date"]),
        ({"due_date": None}, []),
        ({"is_paid": True}, ["state"]),
        ({"total": amount(90), "due_date": day(3), "is_paid": True}, ["amount", "due_date", "state"]),
        ({"bill_id": None, "total": amount(90)}, []),
        ({"bill_id": "gone", "total": amount(90)}, []),
    ],
)
def test_amount_due_date_and_state_are_compared_field_by_field(more: dict[str, Any], which: list[str]) -> None:
    assert fields(*find(shown(**more))) == which


def test_a_due_date_that_the_ledger_lacks_is_another_finding() -> None:
    assert not find(shown(), bill(due_date=None))


def test_a_bill_that_is_paid_on_both_sides_is_history() -> None:
    paid = bill(open_balance=amount(0))

    assert not find(shown(is_paid=True, total=amount(90), due_date=date(2026, 1, 1)), paid)
    assert fields(*find(shown(), paid)) == ["state"]


def test_a_state_is_not_judged_while_the_rail_shows_a_payment() -> None:
    payment = RailPayment(
        rail="ramp",
        external_id="P",
        currency="USD",
        amount=amount(100),
        state=RailPaymentState.IN_FLIGHT,
        bill_ids=("B",),
    )

    assert not find(shown(is_paid=True), rail_payments=(payment,))
    assert find(shown(is_paid=True), rail_payments=(payment.model_copy(update={"rail": "other"}),))


def test_each_side_is_shown_with_when_it_was_read_and_the_rails_side_can_be_taken() -> None:
    (finding,) = find(shown(total=amount(90), due_date=day(3)))
    amendments = [amendment for fix in finding.fixes for amendment in fix.amendments]

    assert finding.subjects == (BILL, RecordKey(RecordKind.RAIL_BILL, "ramp:R"))
    assert [(e.name, e.value, e.read_at) for e in finding.evidence if e.rail] == [
        ("amount", "90.00 USD", READ_AT),
        ("due_date", "2026-03-05", READ_AT),
    ]
    assert amendments == [
        Amendment(action=AmendmentAction.REDUCE, record=BILL, amount=amount(10)),
        Amendment(action=AmendmentAction.SET_DUE, record=BILL, on=day(3)),
    ]
    assert [fix.fields for fix in finding.fixes] == [{}, {}, {"due_date": "2026-03-05"}]
