from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.calendar import add_months, last_of_month
from runway_core.calculators.monthly_liabilities import find_monthly_liabilities
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings, EnteredSeries, Rhythm, SeriesKind
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKind
from runway_core.domain.ledger import Account, AccountKind, Purchase, Transfer
from runway_core.domain.outlook import OutlookEvent
from runway_testkit.books_making import AS_OF, amount, bill, line, make_books
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import amend_books

LAST = AS_OF + timedelta(days=90)
BOUGHT = {9: 410, 10: 520, 11: 900, 12: 640, 1: 700, 2: 330}
"""What was put on the card in each month before March 2026."""


def account(external_id: str, kind: AccountKind, balance: int) -> Account:
    return Account(
        external_id=external_id,
        name=external_id.capitalize(),
        full_name=external_id,
        account_kind=kind,
        account_type=kind.value,
        currency="USD",
        balance=amount(balance),
    )


def month(number: int) -> date:
    return date(2025 if number > 8 else 2026, number, 1)


def charge(on: date, total: int, account_id: str = "card", **more: Any) -> Purchase:
    values: dict[str, Any] = {
        "external_id": f"E{on}{total}",
        "document_date": on,
        "currency": "USD",
        "total": amount(total),
        "method": PaymentMethod.CARD,
        "account_id": account_id,
        "lines": (line(total, "expenses"),),
    }
    return Purchase(**values | more)


def pay_off(on: date, total: int) -> Transfer:
    return Transfer(
        external_id=f"X{on}",
        document_date=on,
        currency="USD",
        total=amount(total),
        from_account_id="bank",
        to_account_id="card",
    )


def card_books(*, balance: int = -1_030, payments: tuple[Transfer, ...] | None = None, **more: Any) -> Books:
    """Each month's charges are paid on the 20th of the next: January's 700 and February's 330 are still owed."""
    paid = (
        payments
        if payments is not None
        else tuple(pay_off(add_months(month(number), 1).replace(day=20), BOUGHT[number]) for number in (9, 10, 11, 12))
    )
    accounts = (account("bank", AccountKind.BANK, 9_000), account("card", AccountKind.CREDIT_CARD, balance))
    charges = tuple(charge(month(number).replace(day=11), total) for number, total in BOUGHT.items())
    given_books = make_books(settings=more.pop("settings", None))
    return amend_books(given_books, **{"accounts": accounts, "purchases": charges, "transfers": paid} | more)


def settlements(given_books: Books) -> list[tuple[date, int, bool]]:
    return [
        (settlement.on, int(settlement.amount), settlement.is_closed)
        for liability in find_monthly_liabilities(given_books, LAST)
        for settlement in liability.settlements
    ]


def test_what_was_owed_at_the_last_close_is_paid_to_the_cent() -> None:
    """January's 700 were not paid on 20 February: they are due at once, and February's on their day."""
    late, regular, *_ = settlements(card_books())

    assert late == (date(2026, 3, 2), 700, True)
    assert regular == (date(2026, 3, 20), 330, True)


def test_later_months_are_as_much_a_day_as_in_the_last_three() -> None:
    """1,670 from 3 December on in ninety days: 18.56 a day, of which 31 days fall to the close of March."""
    paid = (*card_books().transfers, pay_off(date(2026, 2, 20), 700))
    _, second, third = settlements(card_books(balance=-330, payments=paid))

    assert second == (date(2026, 4, 20), 1_670 * 31 // 90 - 19, False)
    assert third[0] == date(2026, 5, 20)


def test_what_is_entered_late_is_expected_to_be_missing() -> None:
    """Charges were entered four days late: two days before today, two days' worth of 18.56 is missing from February."""
    paid = (*card_books().transfers, pay_off(date(2026, 2, 20), 700))
    late = tuple(
        charge(on, total, created_at=datetime(on.year, on.month, on.day + 4, 18, tzinfo=UTC))
        for number, total in BOUGHT.items()
        for on in [month(number).replace(day=11)]
    )
    (_, first, is_closed), second, *_ = settlements(card_books(balance=-330, payments=paid, purchases=late))

    assert (first, is_closed) == (330 + 2 * 1_670 // 90, True)
    assert second == (date(2026, 4, 20), (30 + 3 - 2) * 1_670 // 90, False)


def test_books_that_were_moved_here_were_not_entered_late() -> None:
    paid = (*card_books().transfers, pay_off(date(2026, 2, 20), 700))
    moved = tuple(
        charge(month(number).replace(day=11), total, created_at=datetime(2026, 2, 25, tzinfo=UTC))
        for number, total in BOUGHT.items()
    )

    assert settlements(card_books(balance=-330, payments=paid, purchases=moved))[0][1] == 330


def test_a_close_within_the_month_is_told_by_what_was_paid() -> None:
    """Paid was what stood on the card from the 11th to the 24th, not at the month's end; the first such day counts."""
    charges = [charge(month(n).replace(day=day), total) for n, total in BOUGHT.items() for day in (11, 25)][1:]
    totals = list(BOUGHT.items())
    paid = [pay_off(month(n).replace(day=27), before + total) for (_, before), (n, total) in pairwise(totals)]
    given_books = card_books(balance=-330, payments=tuple(paid), purchases=tuple(charges))

    (liability,) = find_monthly_liabilities(given_books, LAST)

    assert [s.closes_on for s in liability.settlements][:2] == [date(2026, 3, 11), date(2026, 4, 11)]


@pytest.mark.parametrize("left_out", [0, 2])
def test_two_payments_or_a_missed_month_are_no_habit(left_out: int) -> None:
    paid = list(card_books().transfers)
    paid = paid[:2] if left_out == 0 else [p for number, p in enumerate(paid) if number != left_out]

    assert settlements(card_books(payments=tuple(paid))) == []


def test_an_entered_series_stands_for_its_liability() -> None:
    series = EnteredSeries(
        series_id="card",
        name="Card",
        series_kind=SeriesKind.CARD,
        rhythm=Rhythm.MONTHLY,
        first_day=date(2026, 3, 20),
        amount=amount(600),
        currency="USD",
    )

    assert settlements(card_books(settings=CompanySettings(series=(series,)))) == []


def test_tax_collected_and_paid_over_is_a_liability_as_well() -> None:
    """Payments are purchases on lines of the tax's account."""
    accounts = (account("bank", AccountKind.BANK, 9_000), account("tax", AccountKind.SALES_TAX_PAYABLE, -50))
    paid = tuple(
        charge(date(2025 + number // 12, number % 12 + 1, 22), 40 + number, "bank", lines=(line(40 + number, "tax"),))
        for number in (10, 11, 12, 13)
    )
    given_books = amend_books(make_books(), accounts=accounts, purchases=paid)

    assert [on for on, _, _ in settlements(given_books)] == [date(2026, 3, 23), date(2026, 4, 22), date(2026, 5, 22)]


def of_card(events: tuple[OutlookEvent, ...]) -> list[tuple[date, int]]:
    return [(event.on, int(event.amount)) for event in events if event.series_id == "liability:card"]


def test_a_bill_of_a_vendor_paid_by_card_leaves_with_the_card() -> None:
    """It is due on 10 March, so that it is part of what the card takes in April, and not counted there twice."""
    by_card = tuple(
        BillPayment(
            external_id=f"P{number}",
            vendor_id="V1",
            document_date=month(number).replace(day=11),
            currency="USD",
            total=amount(BOUGHT[number]),
            method=PaymentMethod.CARD,
            account_id="card",
            applied=(DocumentLink(kind=RecordKind.BILL, external_id=f"old-{number}", amount=amount(BOUGHT[number])),),
        )
        for number in BOUGHT
    )
    plain = compute_outlook(card_books(purchases=(), bill_payments=by_card))
    with_bill = compute_outlook(
        card_books(purchases=(), bill_payments=by_card, bills=(bill("B", 200, due_date=date(2026, 3, 10)),))
    )

    (event,) = [e for e in with_bill.events if e.source is not None and e.source.external_id == "B"]
    assert (event.on, int(event.amount)) == (date(2026, 4, 20), -200)
    before, after = dict(of_card(plain.events)), dict(of_card(with_bill.events))
    assert after[date(2026, 3, 20)] == before[date(2026, 3, 20)]
    assert after[date(2026, 4, 20)] - before[date(2026, 4, 20)] == 200


def test_card_payments_are_expected_once() -> None:
    """Like amounts month after month also look like a series of payments."""
    paid = tuple(pay_off(add_months(month(number), 1).replace(day=20), 500) for number in (10, 11, 12, 1))
    charges = tuple(charge(month(number).replace(day=11), 500) for number in (10, 11, 12, 1, 2))
    outlook = compute_outlook(card_books(balance=-500, payments=paid, purchases=charges))

    assert [(e.on, int(e.amount)) for e in outlook.events if e.on <= last_of_month(AS_OF) and e.amount < 0] == [
        (date(2026, 3, 20), -500)
    ]


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(given_books: Books, random: Random) -> None:
    shuffled = shuffle_books(given_books, random)

    assert find_monthly_liabilities(shuffled, LAST) == find_monthly_liabilities(given_books, LAST)


@given(books())
def test_no_settlement_brings_money_or_lies_in_the_past(given_books: Books) -> None:
    for liability in find_monthly_liabilities(given_books, LAST):
        for settlement in liability.settlements:
            assert settlement.amount > Decimal(0)
            assert AS_OF <= settlement.on <= LAST
