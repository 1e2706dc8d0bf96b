import pytest
from hypothesis import given
from runway_core.calculators.hygiene.checks.invoice_customer_missing import InvoiceCustomerMissing
from runway_core.calculators.names import is_placeholder_name
from runway_core.domain.books import Books
from runway_core.domain.parties import Customer
from runway_testkit.books_making import amount, invoice, make_books
from runway_testkit.books_strategies import books

CHECK = InvoiceCustomerMissing()


def customer(external_id: str, name: str, *, is_active: bool = True) -> Customer:
    return Customer(external_id=external_id, name=name, is_active=is_active, currency="USD", balance=amount(0))


@pytest.mark.parametrize(
    ("customer_id", "fault"),
    [
        (None, "has no customer"),
        ("retired", "inactive customer 'Old Inc'"),
        ("someone", "placeholder customer 'Customer'"),
        ("good", None),
        ("gone", None),
    ],
)
def test_an_invoice_that_nobody_owes_is_found(customer_id: str | None, fault: str | None) -> None:
    customers = (
        customer("good", "Good Inc"),
        customer("someone", "Customer"),
        customer("retired", "Old Inc", is_active=False),
    )
    findings = list(CHECK.find(make_books(invoices=(invoice(customer_id=customer_id),), customers=customers)))

    assert [fault in finding.summary for finding in findings if fault] == ([True] if fault else [])
    assert bool(findings) is (fault is not None)


@given(books())
def test_every_open_invoice_has_somebody_who_owes_it_or_is_found(any_books: Books) -> None:
    found = {finding.subjects[0].external_id for finding in CHECK.find(any_books)}

    for one in any_books.open_invoices:
        named = any_books.customer_by_id.get(one.customer_id or "")
        is_bad = one.customer_id is None or (
            named is not None and (not named.is_active or is_placeholder_name(named.name))
        )
        assert (one.external_id in found) is is_bad
