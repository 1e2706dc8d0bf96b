"""AP18 and AP20: vendors without terms, and bills far above what the vendor usually asks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.checks.bill_amount_unusual import BillAmountUnusual
from runway_core.calculators.hygiene.checks.vendor_terms_missing import VendorTermsMissing
from runway_core.domain.amendments import AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.findings import Finding
from runway_core.domain.parties import Term, Vendor
from runway_testkit.books_making import amount, bill, day, make_books

PAID: dict[str, Any] = {"open_balance": amount(0)}


def vendor(name: str = "Ada Ltd", **more: Any) -> Vendor:
    return Vendor(external_id="V1", name=name, currency="USD", balance=amount(0), **more)


def without_terms(*bills: Bill, of: Vendor | None = None) -> list[Finding]:
    return list(VendorTermsMissing().find(make_books(bills=bills, vendors=(of or vendor(),))))


@pytest.mark.parametrize(
    ("ages", "is_found"),
    [((10, 40), True), ((10,), False), ((10, 365), True), ((10, 366), False), ((10, -1), False)],
    ids=["two", "one", "a year ago", "before that", "one from tomorrow"],
)
def test_two_bills_in_twelve_months_ask_for_terms(ages: tuple[int, ...], is_found: bool) -> None:
    bills = [bill(f"B{n}", document_date=day(-age), **PAID) for n, age in enumerate(ages)]

    assert bool(without_terms(*bills)) is is_found


@pytest.mark.parametrize(
    "one",
    [vendor(term_id="T30"), vendor(is_active=False), vendor("Misc.")],
    ids=["has terms", "inactive", "a placeholder"],
)
def test_who_has_terms_or_takes_no_part_is_left_alone(one: Vendor) -> None:
    assert without_terms(bill("A"), bill("B"), of=one) == []


def test_bills_over_nothing_do_not_count() -> None:
    assert without_terms(bill("A"), bill("B", 0)) == []


def test_the_median_of_the_terms_used_is_suggested_by_name() -> None:
    bills = [bill(f"B{n}", document_date=day(-90), due_date=day(-90 + days)) for n, days in enumerate((30, 30, 15, -2))]

    (named,) = without_terms(*bills)
    (unnamed,) = VendorTermsMissing().find(
        make_books(bills=tuple(bills), vendors=(vendor(),), terms=(Term(external_id="T7", name="Net 7", due_days=7),))
    )

    assert named.fixes[0].label == "Set terms to Net 30"
    assert unnamed.fixes[0].label == "Set terms of 30 days"
    assert {e.name: e.value for e in named.evidence}["terms_used"] == "1x 15 days, 2x 30 days"


def test_bills_without_a_usable_due_date_leave_the_terms_to_be_asked_for() -> None:
    (finding,) = without_terms(bill("A", due_date=None), bill("B", due_date=None))

    assert finding.fixes[0].label == "Ask for the terms and set them"


def unusual(*totals: int | str, **more: Any) -> list[Finding]:
    """The last total is an open bill, those before it are older and paid."""
    history = [bill(f"H{n}", total, document_date=day(n - 300), **PAID) for n, total in enumerate(totals[:-1])]
    return list(BillAmountUnusual().find(make_books(bills=(*history, bill("last", totals[-1], **more)))))


@pytest.mark.parametrize(
    ("totals", "is_found"),
    [
        ((100, 100, 100, 100, 100, 100, 200), True),
        ((100, 100, 100, 100, 100, 100, "199.99"), False),
        ((100, 100, 100, 100, 100, 200), False),
        ((80, 80, 80, 120, 120, 120, "200.01"), True),
        ((70, 70, 70, 130, 130, 130, 250), False),
        ((70, 70, 70, 130, 130, 130, "250.01"), True),
        ((900, 900, 900, *[100] * 12, 300), True),
        ((*[100] * 12, *[900] * 12, 1000), False),
    ],
    ids=[
        "twice", "a cent less", "five are too few", "above both", "at five deviations", "above them",
        "only the last twelve", "they moved up",
    ],
)  # fmt: skip
def test_a_bill_stands_out_by_twice_the_median_and_five_deviations(totals: tuple[Any, ...], is_found: bool) -> None:
    assert bool(unusual(*totals)) is is_found


def test_what_is_paid_was_looked_at_and_other_currencies_are_other_habits() -> None:
    assert unusual(*[100] * 8, 900, **PAID) == []
    assert unusual(*[100] * 8, 900, currency="EUR") == []
    assert unusual(*[100] * 8, 900, vendor_id="V2") == []


def test_later_bills_say_nothing_about_an_earlier_one() -> None:
    early = bill("early", 900, document_date=day(-350))
    later = [bill(f"L{n}", 100, document_date=day(n - 300), **PAID) for n in range(8)]

    assert list(BillAmountUnusual().find(make_books(bills=(early, *later)))) == []


def test_the_usual_amount_is_what_mending_it_would_leave() -> None:
    (finding,) = unusual(*[100] * 6, 1000)

    (amendment,) = [a for fix in finding.fixes for a in fix.amendments]
    assert (amendment.action, amendment.amount) == (AmendmentAction.REDUCE, amount(900))
    assert {e.name: e.value for e in finding.evidence}["last"] == ", ".join(["100.00"] * 6)


@given(st.lists(st.integers(1, 10_000), min_size=6, max_size=20))
def test_no_vendor_is_found_for_asking_less_than_twice_its_least(totals: list[int]) -> None:
    assert unusual(*totals, min(totals) * 2 - 1) == []
