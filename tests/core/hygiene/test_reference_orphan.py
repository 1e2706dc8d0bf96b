from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.checks.reference_orphan import ReferenceOrphan
from runway_core.domain.bills import Bill, BillPayment, PaymentMethod, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKind
from runway_testkit.books_making import amount, bill, day, invoice, line, make_books
from runway_testkit.books_strategies import books
from runway_testkit.sample import amend_books, sample_books

CHECK = ReferenceOrphan()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"vendor_id": "gone"}, "vendor_id"),
        ({"term_id": "gone"}, "term_id"),
        ({"lines": (line(100, "gone"),)}, "lines.account_id"),
        ({"vendor_id": None}, None),
        ({"lines": (line(100, None),)}, None),
        ({}, None),
    ],
)
def test_a_bill_that_names_what_is_not_there_is_found(changed: dict[str, Any], field: str | None) -> None:
    findings = list(CHECK.find(make_books(bills=(bill(**changed),))))

    assert [e.name for finding in findings for e in finding.evidence] == ([field] if field else [])


def test_one_finding_names_all_that_a_record_misses() -> None:
    strange = invoice(customer_id="gone", term_id="lost", lines=(line(1, "x"), line(2, "x"), line(3, "y")))

    (finding,) = CHECK.find(make_books(invoices=(strange,)))

    assert finding.summary == (
        "Invoice I names what is not in the books: customer gone, account x, account y, term lost"
    )


def test_a_kind_that_was_not_read_yet_says_nothing() -> None:
    bare = make_books(bills=(bill(vendor_id="gone", term_id="lost"),), vendors=(), terms=(), accounts=())

    assert list(CHECK.find(bare)) == []


def test_a_payment_of_a_bill_older_than_the_history_is_left_alone() -> None:
    paid = BillPayment(
        external_id="P",
        vendor_id="V1",
        document_date=day(-300),
        currency="USD",
        total=amount(5),
        method=PaymentMethod.CHECK,
        applied=(DocumentLink(kind=RecordKind.BILL, external_id="long gone", amount=amount(5)),),
    )

    assert list(CHECK.find(make_books(bill_payments=(paid,)))) == []


def test_the_sample_has_no_orphans() -> None:
    assert list(CHECK.find(sample_books())) == []


@given(books(), st.data())
def test_taking_a_vendor_away_orphans_exactly_its_records(any_books: Books, data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(sorted(any_books.vendor_by_id)))
    before = {finding.subjects[0] for finding in CHECK.find(any_books)}
    rest = tuple(vendor for vendor in any_books.vendors if vendor.external_id != gone)
    after = {finding.subjects[0] for finding in CHECK.find(amend_books(any_books, vendors=rest))}

    payables: tuple[Bill | VendorCredit | BillPayment, ...] = (
        *any_books.bills,
        *any_books.vendor_credits,
        *any_books.bill_payments,
    )
    named = {record.key for record in payables if record.vendor_id == gone}
    assert after == before | named
