from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.checks.bill_amount_not_positive import BillAmountNotPositive
from runway_testkit.books_making import bill, make_books

CHECK = BillAmountNotPositive()


def test_a_negative_bill_should_be_a_vendor_credit() -> None:
    (finding,) = CHECK.find(make_books(bills=(bill(total=-40),)))

    assert "−40.00 USD" in finding.summary
    assert finding.amount is not None
    assert finding.amount.amount == 40
    assert "vendor credit" in finding.fixes[0].label


def test_a_bill_over_nothing_is_found_unless_it_was_voided() -> None:
    empty, voided = bill("A", 0), bill("B", 0, memo="Voided on 3 Feb")

    assert [f.subjects[0].external_id for f in CHECK.find(make_books(bills=(empty, voided)))] == ["A"]


@given(st.lists(st.integers(-100, 100), max_size=10))
def test_exactly_what_is_nil_or_less_is_found(totals: list[int]) -> None:
    bills = tuple(bill(f"B{n}", total) for n, total in enumerate(totals))
    found = {f.subjects[0].external_id for f in CHECK.find(make_books(bills=bills))}

    assert found == {b.external_id for b in bills if b.total <= Decimal(0)}
