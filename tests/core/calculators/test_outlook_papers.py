"""What people and other rails say of money to come: planned items, promises, disputes, payouts, released payments."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.bank import BankBalance
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.collections import CollectionNote, CollectionOutcome
from runway_core.domain.decisions import BillFacts, Decision, DecisionOutcome, DecisionState, Figures, PaymentPart
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Money
from runway_core.domain.outlook import OutlookEvent, OutlookKind
from runway_core.domain.planned_items import PlannedItem
from runway_core.domain.processor import Payout, ProcessorBalance
from runway_testkit.books_making import READ_AT, amount, bill, day, invoice, make_books

PAPER: dict[str, Any] = {"changed_at": READ_AT, "changed_by": "ada"}


def item(offset: int, total: int = 50_000, **more: Any) -> PlannedItem:
    values: dict[str, Any] = {
        "paper_id": "P", "label": "New van", "on": day(offset), "amount": amount(total), "currency": "USD",
        "owner": "ada", "confirmed_on": day(-1),
    }  # fmt: skip
    return PlannedItem(**(PAPER | values | more))


def note(outcome: CollectionOutcome, **more: Any) -> CollectionNote:
    values: dict[str, Any] = {"paper_id": "N", "invoice_id": "I", "outcome": outcome, "contacted_on": day(-2)}
    return CollectionNote(**(PAPER | values | more))


def events_of(**records: Any) -> list[OutlookEvent]:
    return list(compute_outlook(make_books(**records)).events)


def test_a_planned_item_leaves_on_its_day_with_owner_state_and_note() -> None:
    (event,) = events_of(planned_items=(item(5, note="deposit agreed", is_financing=True),))

    assert (event.on, int(event.amount), event.kind) == (day(7), -50_000, OutlookKind.PLANNED)  # Saturday to Monday
    assert event.reason == f"planned by ada, confirmed {day(-1)}; financing: deposit agreed"
    assert event.source == RecordKey(RecordKind.PLANNED_ITEM, "P")


@pytest.mark.parametrize(("confirmed", "word"), [(-14, "confirmed"), (-15, "not confirmed since")])
def test_an_item_nobody_confirmed_for_fourteen_days_says_so(confirmed: int, word: str) -> None:
    (event,) = events_of(planned_items=(item(4, confirmed_on=day(confirmed)),))

    assert event.reason == f"planned by ada, {word} {day(confirmed)}"


def test_an_item_whose_day_has_passed_leaves_the_line_and_is_named() -> None:
    outlook = compute_outlook(make_books(planned_items=(item(-1),)))

    assert outlook.events == ()
    assert f"planned item New van: its day {day(-1)} has passed, ask ada" in outlook.left_out


@pytest.mark.parametrize(
    ("total", "due", "is_there"),
    [(50_000, 14, False), (60_000, 4, False), (60_001, 4, True), (40_000, 4, False), (39_999, 4, True)],
)
def test_a_bill_of_its_vendor_stands_for_an_item(total: int, due: int, is_there: bool) -> None:
    events = events_of(planned_items=(item(4, vendor_id="V1"),), bills=(bill("B", total, due_date=day(due)),))

    assert any(event.kind is OutlookKind.PLANNED for event in events) is is_there


@pytest.mark.parametrize(("due", "is_there"), [(14, False), (15, True)])
def test_a_bill_too_far_off_does_not_stand_for_an_item(due: int, is_there: bool) -> None:
    events = events_of(planned_items=(item(4, vendor_id="V1"),), bills=(bill("B", 50_000, due_date=day(due)),))

    assert any(event.kind is OutlookKind.PLANNED for event in events) is is_there


def test_one_payment_stands_for_one_item_and_that_of_another_vendor_for_none() -> None:
    paid = BillPayment(
        external_id="BP", vendor_id="V1", document_date=day(-1), currency="USD", total=amount(50_000),
        method=PaymentMethod.CHECK, account_id="bank",
    )  # fmt: skip
    two = (item(2, vendor_id="V1"), item(3, paper_id="Q", vendor_id="V1"), item(3, paper_id="R", vendor_id="V2"))

    events = events_of(planned_items=two, bill_payments=(paid,))

    assert [e.source.external_id for e in events if e.source] == ["Q", "R"]


def test_a_promise_wins_over_the_habit() -> None:
    late = invoice("I", 900, due_date=day(-40), document_date=day(-70))
    promised = note(CollectionOutcome.PROMISED, promised_on=day(18), person="Mrs Elm")

    (event,) = events_of(invoices=(late,), collection_notes=(promised,))

    assert (event.on, event.reason) == (day(18), f"promised by Mrs Elm for {day(18)}")


def test_a_part_that_was_promised_comes_on_its_day_and_the_rest_by_habit() -> None:
    part = note(CollectionOutcome.PROMISED, promised_on=day(3), promised_amount=amount(300))

    events = events_of(invoices=(invoice("I", 900, due_date=day(8)),), collection_notes=(part,))

    assert [(event.on, int(event.amount)) for event in events] == [(day(3), 300), (day(8), 600)]


def test_a_broken_promise_counts_no_more() -> None:
    broken = note(CollectionOutcome.PROMISED, promised_on=day(-1))

    (event,) = events_of(invoices=(invoice("I", 900, due_date=day(8)),), collection_notes=(broken,))

    assert event.on == day(8)


def test_a_disputed_invoice_has_no_day_until_a_newer_note_settles_it() -> None:
    disputed = note(CollectionOutcome.DISPUTED, reason="wrong price")
    settled = note(CollectionOutcome.PROMISED, paper_id="M", contacted_on=day(-1), promised_on=day(8))
    open_one = (invoice("I", 900, due_date=day(8)),)
    outlook = compute_outlook(make_books(invoices=open_one, collection_notes=(disputed,)))

    assert outlook.events == ()
    assert "disputed invoices: 900.00 USD have no credible date" in outlook.left_out
    assert len(events_of(invoices=open_one, collection_notes=(disputed, settled))) == 1


def test_what_a_processor_holds_or_has_sent_comes_when_it_says() -> None:
    sent = Payout(
        rail="stripe", external_id="po", account_id="bank", currency="USD", amount=amount(480), arrives_on=day(2)
    )
    arrived = sent.model_copy(update={"external_id": "old", "has_arrived": True})
    held = ProcessorBalance(
        rail="stripe", currency="USD", amount=amount(70), is_available=False, available_on=day(5)
    )  # a Saturday

    events = events_of(payouts=(sent, arrived), processor_balances=(held,))

    assert [(event.on, int(event.amount), event.kind) for event in events] == [
        (day(2), 480, OutlookKind.IN_FLIGHT),
        (day(7), 70, OutlookKind.IN_FLIGHT),
    ]


def decision(state: DecisionState, *parts: tuple[int, int]) -> Decision:
    nothing = Money(amount=amount(0), currency="USD")
    figures = Figures(runway_days=None, buffer_breach_on=None, low_28_days=nothing, low_28_days_on=day(0))
    return Decision(
        paper_id="D", bill_id="B", outcome=DecisionOutcome.PAY, state=state, before=figures, after=figures, results=(),
        payments=tuple(PaymentPart(on=day(on), amount=amount(total)) for on, total in parts), policy_version=0,
        log_sequence=0, **PAPER,
        facts=BillFacts(vendor_id="V1", open_balance=amount(100), currency="USD", due_date=day(20)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "kind"),
    [(DecisionState.DECIDED, OutlookKind.DOCUMENT), (DecisionState.RELEASED, OutlookKind.IN_FLIGHT)],
)
def test_a_decided_bill_leaves_in_its_parts_and_a_released_one_is_in_flight(
    state: DecisionState, kind: OutlookKind
) -> None:
    events = events_of(bills=(bill("B", 100),), decisions=(decision(state, (2, 40), (9, 60)),))

    assert [(event.on, int(event.amount), event.kind) for event in events] == [
        (day(2), -40, kind),
        (day(9), -60, kind),
    ]


@pytest.mark.parametrize(("is_read", "leaves"), [(True, []), (False, [-100])])
def test_a_payment_that_a_rail_settled_does_not_leave_the_bank_again(is_read: bool, leaves: list[int]) -> None:
    """Where the ledger stands in for the bank, its balance has not heard of it, so it still has to leave there."""
    balance = BankBalance(account_id="bank", currency="USD", posted=amount(900), read_at=READ_AT)
    events = events_of(
        bills=(bill("B", 100),),
        decisions=(decision(DecisionState.SETTLED, (2, 100)),),
        bank_balances=(balance,) if is_read else (),
    )

    assert [int(event.amount) for event in events] == leaves


@given(st.permutations([item(4), item(6, paper_id="Q"), item(9, paper_id="R", vendor_id="V1")]))
def test_the_order_of_items_changes_nothing(items: list[PlannedItem]) -> None:
    def outlook(planned: tuple[PlannedItem, ...]) -> tuple[OutlookEvent, ...]:
        books: Books = make_books(planned_items=planned, bills=(bill("B", 50_000, due_date=date(2026, 3, 10)),))
        return compute_outlook(books).events

    assert outlook(tuple(items)) == outlook(tuple(sorted(items, key=lambda one: one.paper_id)))
