"""Promises of customers: kept, broken, still to come."""

from datetime import date

import pytest
from runway_core.calculators.promises import PromiseState, find_promises
from runway_core.domain.books import Books
from runway_core.domain.collections import CollectionNote, CollectionOutcome
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CustomerPayment
from runway_testkit.books_making import amount, day, invoice, make_books, moment


def promise(
    invoice_id: str, *, by: int, said: int = -10, outcome: CollectionOutcome = CollectionOutcome.PROMISED
) -> CollectionNote:
    return CollectionNote(
        paper_id=f"{invoice_id}:{said}",
        changed_at=moment(said),
        changed_by="ada",
        invoice_id=invoice_id,
        outcome=outcome,
        contacted_on=day(said),
        person="Bo",
        promised_on=day(by),
    )


def paid(invoice_id: str, *, on: int) -> CustomerPayment:
    return CustomerPayment(
        external_id=f"P-{invoice_id}", customer_id="C1", document_date=day(on), currency="USD", total=amount(40),
        unapplied=amount(0),
        applied=(DocumentLink(kind=RecordKind.INVOICE, external_id=invoice_id, amount=amount(40)),),
    )  # fmt: skip


def states(books: Books) -> dict[str, PromiseState]:
    return {found.invoice_id: found.state for found in find_promises(books)}


@pytest.mark.parametrize(
    ("by", "received", "state"),
    [
        (-4, -5, PromiseState.KEPT),
        (-4, -4, PromiseState.KEPT),
        (-4, -3, PromiseState.BROKEN),
        (-4, -12, PromiseState.BROKEN),  # paid before it was promised: that is not the money that was promised
        (-4, None, PromiseState.BROKEN),
        (-2, 0, PromiseState.KEPT),  # promised for Saturday, came on Monday
        (-1, None, PromiseState.OPEN),  # Sunday: the bank books it on Monday, which is today
        (0, None, PromiseState.OPEN),
        (5, None, PromiseState.OPEN),
    ],
)
def test_a_promise_is_kept_by_money_between_the_talk_and_its_day(
    by: int, received: int | None, state: PromiseState
) -> None:
    payments = () if received is None else (paid("I", on=received),)
    books = make_books(
        invoices=(invoice("I", 100),), customer_payments=payments, collection_notes=(promise("I", by=by),)
    )

    assert states(books) == {"I": state}


def test_the_newest_promise_counts_and_a_word_that_is_none_does_not() -> None:
    books = make_books(
        invoices=(invoice("I", 100), invoice("J", 100)),
        collection_notes=(
            promise("I", by=-6, said=-12),
            promise("I", by=3, said=-5),
            promise("J", by=-3, outcome=CollectionOutcome.CONTACTED),
        ),
    )

    assert states(books) == {"I": PromiseState.OPEN}


def test_old_promises_are_not_told_and_broken_ones_come_first() -> None:
    books = make_books(
        invoices=tuple(invoice(name, 100) for name in "ABC"),
        collection_notes=(promise("A", by=-20, said=-30), promise("B", by=6), promise("C", by=-3)),
    )

    assert [(found.invoice_id, found.promised_on) for found in find_promises(books)] == [
        ("C", date(2026, 2, 27)),
        ("B", date(2026, 3, 8)),
    ]
