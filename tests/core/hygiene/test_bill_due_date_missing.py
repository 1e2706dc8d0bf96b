from hypothesis import given
from runway_core.calculators.hygiene.checks.bill_due_date_missing import BillDueDateMissing
from runway_core.domain.books import Books
from runway_core.domain.findings import Severity
from runway_testkit.books_making import amount, bill, day, make_books
from runway_testkit.books_strategies import books
from runway_testkit.sample import amend_books, sample_books

CHECK = BillDueDateMissing()


def test_the_undated_bill_of_the_sample_is_found_with_its_vendors_usual_date() -> None:
    (finding,) = CHECK.find(sample_books())

    assert [subject.external_id for subject in finding.subjects] == ["B6"]
    assert finding.severity is Severity.MEDIUM
    assert finding.fixes[0].fields == {"due_date": "2026-03-22"}
    assert {e.name: e.value for e in finding.evidence}["usual_term_days"] == "30"


def test_a_bill_without_due_date_and_without_history_gets_thirty_days() -> None:
    (finding,) = CHECK.find(make_books(bills=(bill(due_date=None, vendor_id=None),)))

    assert finding.fixes[0].fields == {"due_date": day(20).isoformat()}


def test_a_paid_bill_without_due_date_is_left_alone() -> None:
    assert list(CHECK.find(make_books(bills=(bill(due_date=None, open_balance=amount(0)),)))) == []


@given(books())
def test_every_open_bill_is_found_or_dated_and_the_fix_mends_it(any_books: Books) -> None:
    findings = list(CHECK.find(any_books))
    undated = {b.external_id for b in any_books.open_bills if b.due_date is None}
    dates = {f.subjects[0].external_id: f.fixes[0].fields["due_date"] for f in findings}

    assert dates.keys() == undated
    mended = tuple(
        type(b).model_validate(b.model_dump() | {"due_date": dates[b.external_id]}, strict=False)
        if b.external_id in dates
        else b
        for b in any_books.bills
    )
    assert list(CHECK.find(amend_books(any_books, bills=mended))) == []
