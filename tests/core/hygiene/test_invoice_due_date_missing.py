from datetime import date

import pytest
from hypothesis import given
from runway_core.calculators.hygiene.checks.invoice_due_date_missing import InvoiceDueDateMissing
from runway_core.calculators.terms import UsualTerms, date_invoices
from runway_core.domain.books import Books
from runway_core.domain.findings import Severity
from runway_core.domain.invoices import Invoice
from runway_testkit.books_making import amount, day, invoice, make_books
from runway_testkit.books_strategies import books

CHECK = InvoiceDueDateMissing()


def history(*terms: int) -> tuple[Invoice, ...]:
    return tuple(
        invoice(f"H{n}", document_date=day(-90), due_date=day(-90 + days), open_balance=amount(0))
        for n, days in enumerate(terms)
    )


@pytest.mark.parametrize(
    ("dated", "due", "words"),
    [
        (day(-10), None, "has no due date"),
        (day(-10), day(-10), "on its own date"),
        (day(-10), day(-11), "before its own date"),
        (day(-10), day(400), "more than a year"),
        (day(5), day(35), "in the future"),
        (day(-10), day(20), None),
    ],
)
def test_due_dates_that_cannot_be_relied_upon_are_found(dated: date, due: date | None, words: str | None) -> None:
    made = make_books(invoices=(invoice("S", document_date=dated, due_date=due), *history(30, 30, 30)))
    findings = list(CHECK.find(made))

    assert [words in finding.summary for finding in findings if words] == ([True] if words else [])
    assert all(finding.severity is Severity.MEDIUM for finding in findings)


def test_the_customers_usual_terms_are_suggested() -> None:
    (finding,) = CHECK.find(make_books(invoices=(invoice("S", due_date=None), *history(14, 14, 30))))

    assert finding.fixes[0].fields == {"due_date": day(4).isoformat()}


def test_cash_on_delivery_and_voided_invoices_are_left_alone() -> None:
    cash = invoice("S", document_date=day(-10), due_date=day(-10))
    void = invoice("V", due_date=None, is_void=True)

    assert list(CHECK.find(make_books(invoices=(cash, void, *history(0, 0, 0))))) == []


@given(books())
def test_each_open_invoice_is_found_once_at_most_and_exactly_by_its_dates(any_books: Books) -> None:
    found = [finding.subjects[0].external_id for finding in CHECK.find(any_books)]
    terms = UsualTerms(date_invoices(any_books.invoices), {i.customer_id for i in any_books.invoices})

    assert len(found) == len(set(found))
    for one in any_books.open_invoices:
        days = None if one.due_date is None else (one.due_date - one.document_date).days
        others = terms.days_of(one.customer_id, except_id=one.external_id)
        is_sure = days is None or days < 0 or days > 365 or (one.document_date - any_books.as_of).days > 1
        is_suspect = days == 0 and one.term_id is None and len(others) >= 3
        assert (one.external_id in found) >= is_sure
        assert (one.external_id in found) <= (is_sure or is_suspect)
