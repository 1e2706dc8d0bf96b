"""A bill at an execution rail is a bill of the ledger when the rail says so, or when nothing else can be meant."""

import random
from decimal import Decimal

from runway_core.domain.bills import Bill
from runway_core.domain.execution import ExecutionBill, RailBill, RailPayment, RailPaymentState
from runway_core.domain.execution_links import link_bills, make_rail_bills, make_rail_payments
from runway_testkit.execution_contract import make_ledger_bill, make_rail_bill, make_rail_payment


def unnamed(external_id: str, **more: object) -> ExecutionBill:
    return make_rail_bill(external_id, ledger_bill_id=None).model_copy(update=more)


def test_what_the_rail_names_goes_before_what_looks_alike() -> None:
    bills = [make_ledger_bill("9"), make_ledger_bill("10", number="other")]

    assert link_bills([make_rail_bill("r1", ledger_bill_id="10")], bills) == {"r1": "10"}


def test_a_name_that_the_ledger_does_not_have_counts_as_none() -> None:
    assert link_bills([make_rail_bill("r1", ledger_bill_id="gone")], [make_ledger_bill("9")]) == {"r1": "9"}
    assert link_bills([make_rail_bill("r1", ledger_bill_id="gone")], []) == {}


def test_number_currency_and_total_link_when_they_are_those_of_one_bill_on_either_side() -> None:
    one = make_ledger_bill("9", number="INV 9")

    assert link_bills([unnamed("r1", number="inv-9")], [one]) == {"r1": "9"}
    assert link_bills([unnamed("r1", number="inv-8")], [one]) == {}
    assert link_bills([unnamed("r1", total=Decimal("120.0100"))], [one]) == {}
    assert link_bills([unnamed("r1", currency="CAD")], [one]) == {}
    assert link_bills([unnamed("r1", number=None)], [make_ledger_bill("9", number=None)]) == {}


def test_doubt_on_either_side_links_nothing() -> None:
    twins: list[Bill] = [make_ledger_bill("9"), make_ledger_bill("10")]

    assert link_bills([unnamed("r1")], twins) == {}
    assert link_bills([unnamed("r1"), unnamed("r2")], twins[:1]) == {}
    assert link_bills([make_rail_bill("r1", ledger_bill_id="9"), unnamed("r2")], twins) == {"r1": "9", "r2": "10"}


def test_the_order_of_bills_changes_no_link() -> None:
    shown = [make_rail_bill("r1", ledger_bill_id="9"), unnamed("r2"), unnamed("r3", number="X")]
    ledger = [make_ledger_bill("9"), make_ledger_bill("10"), make_ledger_bill("11", number="x")]
    links = link_bills(shown, ledger)
    for seed in range(5):
        draws = random.Random(seed)
        assert link_bills(draws.sample(shown, 3), draws.sample(ledger, 3)) == links

    assert links == {"r1": "9", "r2": "10", "r3": "11"}


def test_a_payment_that_was_made_elsewhere_is_none_of_the_rail() -> None:
    payment = make_rail_payment(state=RailPaymentState.SETTLED)
    outside = payment.model_copy(update={"external_id": "r2", "is_outside": True})

    assert [one.bill_ids for one in make_rail_payments([payment, outside], {"r1": "9"})] == [("9",)]
    assert make_rail_payments([payment], {})[0].bill_ids == ()


def test_a_bill_is_paid_when_nothing_of_it_is_open() -> None:
    paid = make_rail_bill().model_copy(update={"open_balance": Decimal("0.0000")})
    (open_one,), (paid_one,) = make_rail_bills([make_rail_bill()], {}), make_rail_bills([paid], {"r1": "9"})

    assert (open_one.is_paid, open_one.bill_id) == (False, None)
    assert (paid_one.is_paid, paid_one.bill_id) == (True, "9")


def test_what_calculators_see_holds_every_field_of_its_kind() -> None:
    (shown,) = make_rail_bills([make_rail_bill()], {"r1": "9"})
    (payment,) = make_rail_payments([make_rail_payment(state=RailPaymentState.SETTLED)], {"r1": "9"})

    assert RailBill.model_validate(shown.model_dump()) == shown
    assert RailPayment.model_validate(payment.model_dump()) == payment
    assert shown.__dict__.keys() == RailBill.model_fields.keys()
    assert payment.__dict__.keys() == RailPayment.model_fields.keys()
