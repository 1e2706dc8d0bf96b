"""Whom to remind, whom to leave alone, and what stops it."""

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runway_core.calculators.collections import compute_collections, find_letter_stage
from runway_core.domain.books import Books
from runway_core.domain.collections import (
    CollectionCase,
    CollectionNote,
    CollectionOutcome,
    CollectionStage,
    CollectionStep,
)
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CustomerPayment
from runway_core.domain.policy import DEFAULT_POLICY
from runway_testkit.books_making import READ_AT, amount, day, invoice, make_books
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import sample_books


def paid(external_id: str, *, late: int, customer_id: str = "C1") -> tuple[Any, CustomerPayment]:
    """An invoice that was paid so many days late in January."""
    closed = invoice(external_id, customer_id=customer_id, due_date=day(-60), open_balance=amount(0))
    return closed, receipt(external_id, on=-60 + late, customer_id=customer_id)


def receipt(invoice_id: str, *, on: int, customer_id: str = "C1", total: int = 100) -> CustomerPayment:
    link = DocumentLink(kind=RecordKind.INVOICE, external_id=invoice_id, amount=amount(total))
    return CustomerPayment(
        external_id=f"R-{invoice_id}",
        customer_id=customer_id,
        document_date=day(on),
        currency="USD",
        total=amount(total),
        unapplied=amount(0),
        applied=(link,),
    )


def note(outcome: CollectionOutcome, *, on: int = -1, **more: Any) -> CollectionNote:
    values: dict[str, Any] = {
        "paper_id": f"note{on}",
        "changed_at": READ_AT,
        "changed_by": "ada",
        "invoice_id": "I",
        "outcome": outcome,
        "contacted_on": day(on),
    }
    return CollectionNote(**(values | more))


def case_of(
    *, late: int, habit: int | None = None, notes: tuple[CollectionNote, ...] = (), **more: Any
) -> CollectionCase:
    history = [paid("old", late=habit)] if habit is not None else []
    invoices = (invoice(due_date=day(-late), document_date=day(-late - 30)), *(closed for closed, _ in history))
    receipts = (*(payment for _, payment in history), *more.pop("receipts", ()))
    held = make_books(invoices=invoices, customer_payments=receipts, collection_notes=notes, **more)
    (case,) = compute_collections(held)
    return case


def test_the_hospital_is_not_chased_before_its_own_habit() -> None:
    (case,) = compute_collections(sample_books())

    assert (case.invoice_id, case.days_late, case.usually_within, case.surprise) == ("I1", 15, 25, -10)
    assert case.funds_days == Decimal("4.9")
    assert case.step is CollectionStep.WAIT
    assert case.stage is CollectionStage.NONE
    assert case.person == "ada"


@pytest.mark.parametrize(
    ("late", "stage"),
    [(0, "none"), (1, "friendly"), (30, "friendly"), (31, "firm"), (60, "firm"), (61, "final"), (400, "final")],
)
def test_letters_grow_firmer(late: int, stage: str) -> None:
    assert find_letter_stage(late).value == stage


@pytest.mark.parametrize(("late", "step"), [(10, CollectionStep.WAIT), (11, CollectionStep.REMIND)])
def test_reminding_begins_past_the_habit(late: int, step: CollectionStep) -> None:
    assert case_of(late=late, habit=10).step is step


def test_stages_have_their_dates() -> None:
    case = case_of(late=20, habit=10)

    assert (case.stage, case.stage_since, case.next_stage_on) == (CollectionStage.FRIENDLY, day(-9), day(11))
    assert case_of(late=61, habit=10).next_stage_on is None


def test_without_history_the_companys_habit_stands_in() -> None:
    case = case_of(late=5)

    assert not case.is_habit_known
    assert (case.usually_within, case.step) == (0, CollectionStep.REMIND)


def test_a_personal_relationship_gets_a_call_and_no_letter() -> None:
    policy = DEFAULT_POLICY.model_copy(update={"personal_customer_ids": ("C1",)})

    assert case_of(late=40, habit=10, policy=policy).step is CollectionStep.CALL


@pytest.mark.parametrize(
    ("promised", "step", "broken"),
    [(0, CollectionStep.WAIT, False), (-1, CollectionStep.WAIT, False), (-3, CollectionStep.CALL, True)],
    ids=["today", "Sunday: Monday counts", "last Friday"],
)
def test_a_promise_holds_until_its_day(promised: int, step: CollectionStep, broken: bool) -> None:
    case = case_of(late=40, habit=10, notes=(note(CollectionOutcome.PROMISED, on=-9, promised_on=day(promised)),))

    assert (case.step, case.is_promise_broken, case.promised_on) == (step, broken, day(promised))


def test_a_dispute_is_settled_before_anything_else() -> None:
    case = case_of(late=70, habit=10, notes=(note(CollectionOutcome.DISPUTED, reason="two crates were broken"),))

    assert (case.step, case.dispute) == (CollectionStep.SETTLE, "two crates were broken")


def test_the_newest_note_decides() -> None:
    notes = (note(CollectionOutcome.CONTACTED, on=-1), note(CollectionOutcome.DISPUTED, on=-9, reason="price"))

    assert case_of(late=40, habit=10, notes=notes).step is CollectionStep.REMIND


def test_what_people_agreed_on_stands_instead_of_letters() -> None:
    agreed = note(CollectionOutcome.CONTACTED, stage=CollectionStage.PLAN)

    case = case_of(late=70, habit=10, notes=(agreed,))

    assert (case.stage, case.stage_since, case.step) == (CollectionStage.PLAN, day(-1), CollectionStep.CALL)


def test_money_that_came_in_stops_the_stage() -> None:
    agreed = note(CollectionOutcome.CONTACTED, on=-5, stage=CollectionStage.STOP_WORK)

    before = case_of(late=40, habit=10, notes=(agreed,), receipts=(receipt("I", on=-6, total=10),))
    after = case_of(late=40, habit=10, notes=(agreed,), receipts=(receipt("I", on=-5, total=10),))

    assert (before.stage, before.step) == (CollectionStage.STOP_WORK, CollectionStep.CALL)
    assert (after.stage, after.step) == (CollectionStage.FIRM, CollectionStep.LOOK)


def test_an_invoice_said_to_be_paid_is_looked_for() -> None:
    assert case_of(late=40, habit=10, notes=(note(CollectionOutcome.PAID),)).step is CollectionStep.LOOK


def test_past_the_habit_comes_first_then_what_funds_most_days() -> None:
    invoices = (
        invoice("small", 100, due_date=day(-20)),
        invoice("large", 900, due_date=day(-11)),
        invoice("patient", 5000, due_date=day(-20), customer_id="C2"),
    )
    history = [paid("old", late=10), paid("slow", late=30, customer_id="C2")]
    held = make_books(
        invoices=(*invoices, *(closed for closed, _ in history)), customer_payments=tuple(p for _, p in history)
    )

    assert [case.invoice_id for case in compute_collections(held)] == ["large", "small", "patient"]


def test_invoices_that_are_not_due_are_nobodys_case() -> None:
    assert (
        compute_collections(make_books(invoices=(invoice(due_date=day(0)), invoice("paid", open_balance=amount(0)))))
        == []
    )


@settings(max_examples=50)
@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_books_decides_nothing(any_books: Books, random: Random) -> None:
    assert compute_collections(shuffle_books(any_books, random)) == compute_collections(any_books)


def test_stage_dates_lie_in_the_past() -> None:
    for late in range(1, 100):
        case = case_of(late=late, habit=10)
        assert case.stage_since is None or date(2020, 1, 1) < case.stage_since <= day(0)
