"""AP07: pairs that are likely one bill, why they are not certain, and what never pairs."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.checks.bill_duplicate import BillDuplicate
from runway_core.calculators.hygiene.checks.bill_duplicate_likely import BillDuplicateLikely
from runway_core.domain.amendments import AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.parties import Vendor
from runway_testkit.books_making import amount, bill, day, make_books
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import amend_books

CHECK = BillDuplicateLikely()
PAID: dict[str, Any] = {"open_balance": amount(0)}


def vendor(external_id: str, name: str) -> Vendor:
    return Vendor(external_id=external_id, name=name, currency="USD", balance=amount(0))


def found(*bills: Bill, **more: Any) -> list[Finding]:
    return list(CHECK.find(make_books(bills=bills, **more)))


def rules_of(findings: list[Finding]) -> list[str]:
    return [finding.evidence[0].value for finding in findings]


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ({"number": "1042"}, {"number": None}, "D3"),
        ({"number": None}, {"number": None}, "D3"),
        ({"number": "1042"}, {"number": "7781"}, "D3"),
        ({"number": "12"}, {"number": "13"}, "D3"),
        ({"number": "1042"}, {"number": "1042X", "total": amount("100.50")}, "D6"),
        ({"number": "1042"}, {"number": None, "document_date": day(-5)}, "D3"),
        ({"number": "1042"}, {"number": None, "document_date": day(-4)}, None),
        ({"number": "1042"}, {"number": None, "vendor_id": "V2"}, None),
        ({"number": "1042"}, {"number": None, "currency": "EUR"}, None),
        ({"number": "1042"}, {"number": None, "total": amount(101)}, None),
        ({"number": "1042", **PAID}, {"number": None, **PAID}, None),
        ({"number": "1042", **PAID}, {"number": None}, "D3"),
        ({"number": None, "vendor_id": None}, {"number": None, "vendor_id": None}, None),
        ({"number": "1042"}, {"number": "Inv. 01042", "total": amount(140)}, "D4"),
        ({"number": "1042"}, {"number": "1042", "total": amount(140), "currency": "EUR"}, None),
        ({"number": "1042", **PAID}, {"number": "1042", "total": amount(140), **PAID}, None),
        ({"number": "1042"}, {"number": "1042", "total": amount(-100)}, None),
        ({"number": "1042"}, {"number": "1042", "total": amount(0), **PAID}, None),
        ({"number": "ACH"}, {"number": "ACH", "total": amount(140)}, None),
        ({"number": "1042", "document_date": day(-310)}, {"number": "1042", "total": amount(140)}, "D4"),
        ({"number": "1042", "document_date": day(-311)}, {"number": "1042", "total": amount(140)}, None),
        ({"number": "1042"}, {"number": "1042-1", "total": amount(101), "document_date": day(20)}, "D6"),
        ({"number": "1042"}, {"number": "1042-1", "total": amount(101), "document_date": day(21)}, None),
        ({"number": "1042"}, {"number": "1042-1", "total": amount("101.02")}, None),
        ({"number": "104"}, {"number": "1049", "total": amount(101)}, "D6"),
        ({"number": "10"}, {"number": "1049", "total": amount(101)}, None),
        ({"number": "1042"}, {"number": "1043", "total": amount(101)}, None),
    ],
)
def test_pairs_are_those_of_the_reference(first: dict[str, Any], second: dict[str, Any], rule: str | None) -> None:
    """Bill A is of ten days before the books are read, over 100.00; an absent value is the same for both."""
    assert rules_of(found(bill("A", **first), bill("B", **second))) == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("number", "other"), [("1042", "1042"), ("1042", "1024"), ("1042", "10421")], ids=["equal", "swapped", "longer"]
)
def test_a_pair_is_told_by_one_of_the_two_checks_and_never_by_both(number: str, other: str) -> None:
    made = make_books(bills=(bill("A", number=number), bill("B", number=other)))

    assert len(list(BillDuplicate().find(made))) == 1
    assert list(CHECK.find(made)) == []


@pytest.mark.parametrize(
    ("name", "is_found"),
    [
        ("Harbr Produce", True),
        ("Harbor Produce Group", True),
        ("Harbor Produce of Tacoma", True),
        ("Summit Steel", False),
    ],
)
def test_one_number_and_amount_from_vendors_that_are_only_alike(name: str, is_found: bool) -> None:
    vendors = (vendor("V1", "Harbor Produce LLC"), vendor("V2", name), vendor("V3", "Cypress Dairy"))
    pair = (bill("A", number="1042"), bill("B", number="1042", vendor_id="V2", document_date=day(-60)))

    assert rules_of(found(*pair, vendors=vendors)) == (["D5"] if is_found else [])


def test_a_vendor_entered_twice_under_one_name_is_one_vendor() -> None:
    """Equal names prove it, so that the pair is certain and not likely."""
    vendors = (vendor("V1", "Harbor Produce, LLC"), vendor("V2", "The Harbor Produce Co."))
    made = make_books(bills=(bill("A", number="1042"), bill("B", number="1042", vendor_id="V2")), vendors=vendors)

    (finding,) = BillDuplicate().find(made)

    assert finding.evidence[0].value == "D1"
    assert list(CHECK.find(made)) == []


def test_placeholders_of_one_name_are_not_one_vendor() -> None:
    vendors = (vendor("V1", "Misc"), vendor("V2", "Misc."))

    assert found(bill("A", number=None), bill("B", number=None, vendor_id="V2"), vendors=vendors) == []


def test_one_paid_and_one_open_may_be_paid_twice() -> None:
    (both_open,) = found(bill("A", number=None), bill("B", number=None))
    (one_paid,) = found(bill("A", number=None, **PAID), bill("B", number=None))

    assert both_open.severity is Severity.HIGH
    assert one_paid.severity is Severity.CRITICAL


def test_what_would_mend_it_takes_an_open_bill_out() -> None:
    (finding,) = found(bill("A", number=None, **PAID), bill("B", number=None, document_date=day(-9)))

    removed = [a for fix in finding.fixes for a in fix.amendments]
    assert [(a.action, a.record and a.record.external_id) for a in removed] == [(AmendmentAction.REMOVE, "B")]
    assert "two deliveries" in {e.name: e.value for e in finding.evidence}["why_not_certain"]


def monthly(count: int, *, number: str | None, totals: tuple[int, ...] = (100,)) -> list[Bill]:
    months = [date(2025 + (7 + n) // 12, (7 + n) % 12 + 1, 1) for n in range(count)]
    return [bill(f"M{n}", totals[n % len(totals)], number=number, document_date=on) for n, on in enumerate(months)]


def test_an_account_number_on_the_power_companys_monthly_bills_is_no_pair() -> None:
    assert found(*monthly(4, number="ACC-77", totals=(100, 180, 260, 150))) == []
    assert found(*monthly(7, number="ACC-77", totals=(100, 180, 260))) == []


def test_an_order_number_on_more_than_four_bills_is_no_bills_number() -> None:
    irregular = [bill(f"P{n}", 100 + 7 * n, number="4711", document_date=day(-11 * n * n - 1)) for n in range(5)]

    assert found(*irregular) == []
    assert set(rules_of(found(*irregular[:4]))) == {"D4"}


def test_weekly_bills_without_numbers_are_a_series_until_one_comes_twice() -> None:
    weekly = [bill(f"W{n}", number=None, document_date=day(-7 * n - 1)) for n in range(8)]
    again = bill("again", number=None, document_date=day(-7 * 3))

    assert found(*weekly) == []
    (finding,) = found(*weekly, again)
    assert {s.external_id for s in finding.subjects} == {"W3", "again"}


def test_three_alike_make_two_pairs() -> None:
    tickets = [bill(name, number=None, document_date=day(-n)) for n, name in enumerate("CBA")]

    assert [[s.external_id for s in finding.subjects] for finding in found(*tickets)] in (
        [["A", "B"], ["B", "C"]],
        [["B", "C"], ["A", "B"]],
    )


@given(books(), st.integers(0, 5), st.booleans(), st.randoms(use_true_random=False))
def test_a_planted_copy_without_number_is_always_found(
    any_books: Books, days_later: int, is_paid: bool, random: Random
) -> None:
    original = bill("original", "8123.45", number="XK-90817", document_date=day(-12), **(PAID if is_paid else {}))
    copy = original.model_copy(
        update={
            "external_id": "copy",
            "number": None,
            "open_balance": original.total,
            "document_date": original.document_date + timedelta(days=days_later),
        }
    )
    planted = amend_books(any_books, bills=(*any_books.bills, original, copy))
    pairs = [{s.external_id for s in f.subjects} for f in CHECK.find(shuffle_books(planted, random))]

    assert {"original", "copy"} in pairs


@given(books())
def test_no_pair_is_told_twice_and_each_has_something_open(any_books: Books) -> None:
    by_id = {b.external_id: b for b in any_books.bills}
    likely = [frozenset(f.subjects) for f in CHECK.find(any_books)]
    certain = [frozenset(f.subjects) for f in BillDuplicate().find(any_books)]

    assert len(set(likely + certain)) == len(likely + certain)
    for pair in likely:
        assert any(by_id[s.external_id].open_balance > 0 for s in pair)
        assert len({by_id[s.external_id].currency for s in pair}) == 1
