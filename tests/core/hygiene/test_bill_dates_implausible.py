from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.checks.bill_dates_implausible import BillDatesImplausible
from runway_testkit.books_making import AS_OF, amount, bill, day, make_books

CHECK = BillDatesImplausible()


@pytest.mark.parametrize(
    ("dated", "due", "is_found"),
    [
        (day(-10), day(-11), True),
        (day(-10), day(-10), False),
        (day(-10), day(355), False),
        (day(-10), day(356), True),
        (day(1), day(31), False),
        (day(2), day(32), True),
        (day(-10), None, False),
    ],
)
def test_dates_that_cannot_be_right_are_found(dated: date, due: date | None, is_found: bool) -> None:
    findings = list(CHECK.find(make_books(bills=(bill(document_date=dated, due_date=due),))))

    assert bool(findings) is is_found


def test_a_believable_bill_date_gives_a_due_date_to_write_and_a_future_one_does_not() -> None:
    wrong_due = bill("A", due_date=day(-11))
    wrong_date = bill("B", document_date=day(30), due_date=day(60))

    findings = {f.subjects[0].external_id: f for f in CHECK.find(make_books(bills=(wrong_due, wrong_date)))}

    assert findings["A"].fixes[0].fields == {"due_date": day(20).isoformat()}
    assert findings["B"].fixes[0].fields == {}


def test_a_paid_bill_is_left_alone() -> None:
    assert list(CHECK.find(make_books(bills=(bill(due_date=day(-11), open_balance=amount(0)),)))) == []


def test_the_end_of_the_calendar_does_not_fail() -> None:
    (finding,) = CHECK.find(make_books(bills=(bill(document_date=date(9999, 12, 20), due_date=date(9999, 12, 31)),)))

    assert "future" in finding.summary


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(-500, 800))
def test_the_rule_is_exactly_the_reference(dated: date, term: int) -> None:
    due = dated + timedelta(days=term)
    findings = list(CHECK.find(make_books(bills=(bill(document_date=dated, due_date=due),))))

    assert bool(findings) is (term < 0 or term > 365 or dated > AS_OF + timedelta(days=1))
