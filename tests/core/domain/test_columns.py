"""Columns say of documents what their records say, in the order of the books."""

from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given, settings
from runway_core.domain.books import COLUMNS, Books
from runway_core.services.books import BooksService
from runway_testkit.books_making import bill, customer_payment, invoice, make_books
from runway_testkit.books_strategies import books

from tests.core.desk import FirmDesk, bank
from tests.core.desk import bill as record_of_bill

KINDS = ("bill", "bill_payment", "invoice", "customer_payment")


@settings(max_examples=20)
@given(books())
def test_columns_hold_the_fields_of_every_record_in_their_order(any_books: Books) -> None:
    for kind in KINDS:
        records, columns = getattr(any_books, f"{kind}s"), getattr(any_books, f"{kind}_columns")
        for name in set(columns._fields) - {"document_day", "due_day", "is_settled", "is_applied"}:
            assert getattr(columns, name) == tuple(map(attrgetter(name), records))


@pytest.mark.parametrize("kind", KINDS)
def test_books_without_documents_have_empty_columns(kind: str) -> None:
    columns: tuple[Any, ...] = getattr(make_books(), f"{kind}_columns")

    assert set(columns) == {()}


def test_days_are_ordinals_and_a_day_that_is_not_there_is_none() -> None:
    dated, undated = bill("A"), bill("B", due_date=None)
    columns = make_books(bills=(dated, undated)).bill_columns

    assert columns.document_day == (dated.document_date.toordinal(), undated.document_date.toordinal())
    assert dated.due_date is not None
    assert columns.due_day == (dated.due_date.toordinal(), None)


def test_what_is_settled_has_an_open_balance_of_nil_and_no_other() -> None:
    nil = bill("A").total - bill("A").total
    unsettled = (bill("A"), bill("B", open_balance=-bill("B").total))
    held = make_books(bills=(*unsettled, bill("C", open_balance=nil)), invoices=(invoice("I", open_balance=nil),))

    assert held.bill_columns.is_settled == (False, False, True)
    assert held.invoice_columns.is_settled == (True,)
    assert held.unsettled_bills == unsettled


def test_a_payment_is_applied_when_nothing_of_it_is_left() -> None:
    left, spent = customer_payment("A"), customer_payment("B", unapplied=customer_payment().total * 0)

    assert make_books(customer_payments=(left, spent)).customer_payment_columns.is_applied == (False, True)


def test_a_document_is_found_at_its_place() -> None:
    held = make_books(bills=(bill("B"), bill("A")), invoices=(invoice("X"),))

    assert held.bill_places == {"B": 0, "A": 1}
    assert held.invoice_places == {"X": 0}


def test_books_keep_the_columns_of_what_did_not_change_since_they_were_read() -> None:
    bills, invoices = (bill("A"), bill("B")), (invoice("I"),)
    before = make_books(bills=bills, invoices=invoices).with_columns()
    after = make_books(bills=bills, invoices=(*invoices, invoice("J"))).continue_from(before).with_columns()

    assert after.bill_columns is before.bill_columns
    assert after.invoice_columns.external_id == ("I", "J")


async def test_books_are_read_with_their_columns() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), record_of_bill("B1"))
    await desk.runway.sync(acme.company_id)
    read = await BooksService(desk.runway.scope).read(acme.company_id)

    assert vars(read).keys() >= set(COLUMNS)
    assert read.bill_columns.external_id == ("B1",)
