from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.checks.bill_due_date_assumed import BillDueDateAssumed
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding
from runway_core.domain.parties import Vendor
from runway_testkit.books_making import amount, bill, day, make_books

CHECK = BillDueDateAssumed()


def others(*terms: int) -> tuple[Bill, ...]:
    return tuple(
        bill(f"O{n}", document_date=day(-100 - n), due_date=day(-100 - n + days), open_balance=amount(0))
        for n, days in enumerate(terms)
    )


def suspect(**more: Any) -> Bill:
    return bill("S", due_date=day(-10), **more)


def found(*bills: Bill) -> list[Finding]:
    return list(CHECK.find(make_books(bills=bills)))


def test_a_bill_due_on_its_own_date_is_found_where_the_vendor_usually_gives_a_month() -> None:
    (finding,) = found(suspect(), *others(30, 30, 14))

    assert finding.subjects == (suspect().key,)
    assert finding.fixes[0].fields == {"due_date": day(20).isoformat()}
    assert {e.name: e.value for e in finding.evidence}["terms_seen"] == "1 × 14 days, 2 × 30 days"


def test_the_vendors_own_terms_are_offered_too() -> None:
    vendor = Vendor(external_id="V1", name="Ada Ltd", currency="USD", balance=amount(0), term_id="T30")

    (finding,) = CHECK.find(make_books(bills=(suspect(), *others(30, 30, 30)), vendors=(vendor,)))

    assert finding.fixes[1].fields == {"term_id": "T30"}


@pytest.mark.parametrize(
    "bills",
    [
        (suspect(), *others(30, 30)),
        (suspect(), *others(6, 6, 30)),
        (suspect(term_id="T30"), *others(30, 30, 30)),
        (suspect(open_balance=amount(0)), *others(30, 30, 30)),
        (bill("S"), *others(30, 30, 30)),
    ],
    ids=["two others", "usually short", "has terms", "paid", "due later"],
)
def test_what_somebody_may_have_meant_is_left_alone(bills: tuple[Bill, ...]) -> None:
    assert found(*bills) == []


@given(st.lists(st.integers(0, 60), min_size=3, max_size=9))
def test_it_is_found_exactly_when_half_of_the_others_have_a_week_or_more(terms: list[int]) -> None:
    ordered = sorted(terms)
    middle = ordered[len(ordered) // 2] + ordered[(len(ordered) - 1) // 2]
    is_found = found(suspect(), *others(*terms)) != []

    assert is_found is (middle >= 14)


@given(st.permutations((suspect(), *others(30, 20, 10, 40))))
def test_the_order_of_bills_changes_nothing(bills: list[Bill]) -> None:
    made: Books = make_books(bills=tuple(bills))

    assert list(CHECK.find(made)) == found(suspect(), *others(30, 20, 10, 40))
