"""What the outlook moves between weeks, and which documents no spread moves."""

from decimal import Decimal

import pytest
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.books import Books
from runway_core.domain.collections import CollectionNote, CollectionOutcome
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKind
from runway_testkit.books_making import amount, customer_payment, day, invoice, make_books, moment

PAID_LATE_DAYS = (0, 0, 7)


def habit_books(*notes: CollectionNote) -> Books:
    """Forty-eight invoices were paid on their day, each third a week late; one of 1,000 is open, due in eight days."""
    due = [day(-80 - number) for number in range(48)]
    settled = [
        invoice(f"I{n}", 10, document_date=day(-130), due_date=on, open_balance=amount(0)) for n, on in enumerate(due)
    ]
    payments = [
        customer_payment(
            f"P{n}", 10, document_date=day(-80 - n + PAID_LATE_DAYS[n % 3]), unapplied=amount(0),
            applied=(DocumentLink(kind=RecordKind.INVOICE, external_id=f"I{n}", amount=amount(10)),),
        )
        for n in range(48)
    ]  # fmt: skip
    still_open = invoice("open", 1_000, due_date=day(8))
    return make_books(invoices=(*settled, still_open), customer_payments=tuple(payments), collection_notes=tuple(notes))


def note(outcome: CollectionOutcome) -> CollectionNote:
    return CollectionNote(
        paper_id="note", changed_at=moment(-1), changed_by="ada", invoice_id="open", outcome=outcome,
        contacted_on=day(-1), person="Bo", promised_on=day(9),
    )  # fmt: skip


def off_their_day(books: Books) -> list[Decimal]:
    return [event.amount for event in compute_outlook(books).events if event.label == "Invoices off their day"]


def test_an_open_invoice_comes_on_its_day_or_later_as_the_paid_ones_did() -> None:
    assert off_their_day(habit_books()) == [Decimal("-333.3333"), Decimal("333.3333")]


@pytest.mark.parametrize("outcome", [CollectionOutcome.PROMISED, CollectionOutcome.DISPUTED])
def test_no_habit_moves_what_was_promised_or_is_disputed(outcome: CollectionOutcome) -> None:
    assert off_their_day(habit_books(note(outcome))) == []


def test_a_customer_of_one_payment_is_taken_for_those_who_pay_as_it_did() -> None:
    """Half of the customers pay on their day, half two weeks late, as the new one did once: a fifth leans on all."""
    habits = {f"{n} prompt": 0 for n in range(13)} | {f"{n} slow": 14 for n in range(13)}
    past = [(customer_id, late) for customer_id, late in habits.items() for _ in range(2)] + [("new", 14)]
    settled = [
        invoice(
            f"I{n}", 10, customer_id=customer_id, document_date=day(-130), due_date=day(-90), open_balance=amount(0)
        )
        for n, (customer_id, _) in enumerate(past)
    ]
    payments = [
        customer_payment(
            f"P{n}", 10, customer_id=customer_id, document_date=day(-90 + late), unapplied=amount(0),
            applied=(DocumentLink(kind=RecordKind.INVOICE, external_id=f"I{n}", amount=amount(10)),),
        )
        for n, (customer_id, late) in enumerate(past)
    ]  # fmt: skip
    still_open = invoice("open", 1_000, customer_id="new", due_date=day(8))
    books = make_books(invoices=(*settled, still_open), customer_payments=tuple(payments))

    prompt_share_of_all = Decimal(26) / 53
    early = round(1_000 * prompt_share_of_all / 5, 4)
    assert off_their_day(books) == [early, -early]
