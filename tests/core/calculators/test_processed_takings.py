"""Takings that a card processor holds are takings to come: they count once, on the day that it names."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from runway_core.calculators.calendar import monday_of
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.ledger import Deposit
from runway_core.domain.outlook import OutlookEvent, OutlookKind
from runway_core.domain.processor import Payout, PayoutPart, PayoutPartKind, ProcessorBalance
from runway_testkit.books_making import AS_OF, amount, day, deposit, make_books

WEEK_S_TAKINGS = 1_000


def takings() -> tuple[Deposit, ...]:
    """A thousand every Monday of the last half a year."""
    return tuple(
        deposit(f"D{back}", WEEK_S_TAKINGS, document_date=AS_OF - timedelta(weeks=back)) for back in range(1, 27)
    )


def sent(total: int, arrives: int, *parts: PayoutPart) -> Payout:
    return Payout(
        rail="stripe", external_id="po", account_id="bank", currency="USD", amount=amount(total),
        arrives_on=day(arrives), parts=parts,
    )  # fmt: skip


def part(net: int, number: str | None = None) -> PayoutPart:
    return PayoutPart(
        external_id=f"t{net}", part_kind=PayoutPartKind.CHARGE, gross=amount(net), fee=amount(0), net=amount(net),
        invoice_number=number,
    )  # fmt: skip


def held(total: int, available: int) -> ProcessorBalance:
    return ProcessorBalance(
        rail="stripe", currency="USD", amount=amount(total), is_available=False, available_on=day(available)
    )


def expect(**shown: Any) -> list[OutlookEvent]:
    return list(compute_outlook(make_books(deposits=takings(), **shown)).events)


def sum_week(events: list[OutlookEvent], number: int, *kinds: OutlookKind) -> Decimal:
    monday = monday_of(AS_OF) + timedelta(weeks=number - 1)
    return sum((event.amount for event in events if monday_of(event.on) == monday and event.kind in kinds), Decimal(0))


def test_what_a_processor_holds_is_part_of_the_usual_takings_of_its_week() -> None:
    events = expect(processor_balances=(held(300, 3),))

    assert sum_week(events, 1, OutlookKind.IN_FLIGHT) == 300
    assert sum_week(events, 1, OutlookKind.IN_FLIGHT, OutlookKind.RESIDUAL) == WEEK_S_TAKINGS
    assert sum_week(events, 2, OutlookKind.RESIDUAL) == WEEK_S_TAKINGS
    assert any("less 300.00 that a card processor pays out" in event.reason for event in events)


def test_a_payout_above_the_usual_takings_counts_in_full_and_takes_nothing_from_other_weeks() -> None:
    events = expect(payouts=(sent(1_400, 8),), processor_balances=(held(300, 3),))

    weeks = [sum_week(events, number, OutlookKind.IN_FLIGHT, OutlookKind.RESIDUAL) for number in (1, 2, 3)]
    assert weeks == [WEEK_S_TAKINGS, 1_400, WEEK_S_TAKINGS]


def test_what_a_payout_holds_of_invoices_is_left_to_the_invoices() -> None:
    """The ledger has them as open invoices or as receipts that wait to be deposited, and counts them so."""
    (event,) = compute_outlook(make_books(payouts=(sent(900, 2, part(500, "1007"), part(400)),))).events

    assert (event.on, int(event.amount)) == (day(2), 400)
    assert event.reason == f"payout of stripe, arrives {day(2)}, less 500.00 that pay invoices"


def test_a_payout_of_invoices_alone_is_no_event() -> None:
    assert compute_outlook(make_books(payouts=(sent(500, 2, part(500, "1007")),))).events == ()
