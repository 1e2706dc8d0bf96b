"""What-ifs on the Sample: the choices about the agency's bill, and what holds for any books."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.what_if import amend_outlook, delay_of, lateness_of, read_figures
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import round_to_minor
from runway_core.domain.outlook import Outlook
from runway_testkit.books_strategies import amounts, books
from runway_testkit.sample import AS_OF, sample_books

B4 = RecordKey(RecordKind.BILL, "B4")
SAMPLE = sample_books()
CASH = compute_cash(SAMPLE)
OUTLOOK = compute_outlook(SAMPLE)


def ask(*amendments: Amendment) -> Outlook:
    return amend_outlook(SAMPLE, CASH, OUTLOOK, amendments)


@pytest.mark.parametrize(
    ("amendments", "days", "breach", "low"),
    [
        ((), 32, date(2026, 3, 25), 700),
        ((delay_of("B4", AS_OF),), 32, date(2026, 3, 20), 700),
        ((delay_of("B4", date(2026, 4, 8)),), 37, date(2026, 3, 27), 8_700),
        (lateness_of("I2", OUTLOOK, 14), 18, date(2026, 3, 20), -17_300),
    ],
    ids=["on time", "now", "delayed to 8 April", "the retailer pays 14 days late"],
)
def test_the_choices_about_the_agencys_bill(
    amendments: tuple[Amendment, ...], days: int, breach: date, low: int
) -> None:
    figures = read_figures(ask(*amendments))

    assert figures.runway_days == days
    assert figures.buffer_breach_on == breach
    assert round_to_minor(figures.low_28_days.amount, "USD") == low


def test_a_split_bill_leaves_in_two_parts() -> None:
    half = Amendment(action=AmendmentAction.PAY_ON, record=B4, on=date(2026, 4, 8), amount=Decimal("3000.0000"))

    parts = {event.on: event.amount for event in ask(half).events if event.source == B4}

    assert parts == {date(2026, 3, 25): Decimal(-5000), date(2026, 4, 8): Decimal(-3000)}


def test_a_reduced_bill_never_turns_into_money_that_comes() -> None:
    reduce = Amendment(action=AmendmentAction.REDUCE, record=B4, amount=Decimal("9000.0000"))

    assert [event for event in ask(reduce).events if event.source == B4] == []


def test_a_new_item_on_a_saturday_moves_on_monday() -> None:
    item = Amendment(action=AmendmentAction.ADD, on=date(2026, 3, 7), amount=Decimal("-500.0000"), label="Deposit")

    (event,) = [event for event in ask(item).events if event.label == "Deposit"]

    assert (event.on, event.amount) == (date(2026, 3, 9), Decimal(-500))


def test_more_cash_today_lifts_every_day() -> None:
    more = ask(Amendment(action=AmendmentAction.ADJUST_CASH, amount=Decimal("1000.0000")))

    assert [day.closing - 1000 for day in more.days] == [day.closing for day in OUTLOOK.days]
    assert more.available_cash.amount == OUTLOOK.available_cash.amount + 1000


def test_what_moves_beyond_the_horizon_leaves_the_outlook() -> None:
    outlook = ask(delay_of("B4", AS_OF + timedelta(days=200)))

    assert all(event.source != B4 for event in outlook.events)
    assert outlook.days[-1].closing == OUTLOOK.days[-1].closing + 8_000


@given(books())
def test_nothing_different_gives_the_same_outlook(any_books: Books) -> None:
    cash = compute_cash(any_books)
    outlook = compute_outlook(any_books)

    assert amend_outlook(any_books, cash, outlook, ()) == outlook


@given(books(), st.randoms(use_true_random=False), st.integers(-20, 90), amounts(1, 50_000))
def test_a_part_put_on_another_day_changes_no_sum(
    any_books: Books, random: Random, ahead: int, amount: Decimal
) -> None:
    cash = compute_cash(any_books)
    outlook = compute_outlook(any_books)
    documents = [event.source for event in outlook.events if event.source is not None]
    moved = Amendment(
        action=AmendmentAction.PAY_ON,
        record=random.choice(documents) if documents else None,
        on=any_books.as_of + timedelta(days=min(ahead, 80)),
        amount=amount,
    )

    amended = amend_outlook(any_books, cash, outlook, (moved,))

    assert amended.days[-1].closing == outlook.days[-1].closing
