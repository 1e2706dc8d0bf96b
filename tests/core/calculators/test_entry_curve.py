"""What is not in the books yet: how early money was known, and what is usual beside it."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from runway_core.calculators.entry_curve import EntryCurve, compute_bill_curve, compute_receipt_curve, find_fridays
from runway_core.calculators.flows import read_flows
from runway_core.calculators.history import Span, find_usual_span, find_weeks
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.outlook_usual import NO_HISTORY
from runway_core.calculators.residual import compute_residual
from runway_core.domain.bank import BankTransaction
from runway_core.domain.bills import Bill, BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import CustomerPayment
from runway_core.domain.ledger import Deposit, Purchase
from runway_core.domain.outlook import ESTIMATED_KINDS
from runway_testkit.books_making import AS_OF, amount, bill, customer_payment, deposit, invoice, line, make_books

SPAN = Span(date(2025, 12, 1), date(2026, 2, 28))
PAID_ON = date(2026, 1, 14)  # a Wednesday; its week began on Monday the 12th
NOTHING: frozenset[RecordKey] = frozenset()


def at(day: date, hour: int = 18) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def settled_bill(number: str, total: int, created: datetime | None, **more: Any) -> Bill:
    return bill(number, total, open_balance=amount(0), created_at=created, document_date=date(2025, 12, 1), **more)


def pay(number: str, total: int, **more: Any) -> BillPayment:
    link = DocumentLink(kind=RecordKind.BILL, external_id=number, amount=amount(total))
    values: dict[str, Any] = {
        "external_id": f"P{number}", "vendor_id": "V1", "document_date": PAID_ON, "currency": "USD",
        "total": amount(total), "method": PaymentMethod.CHECK, "account_id": "bank", "applied": (link,),
    }  # fmt: skip
    return BillPayment(**(values | more))


def curve_of(*bills: Bill, **more: Any) -> EntryCurve:
    payments = tuple(pay(one.external_id, int(one.total)) for one in bills)
    curve = compute_bill_curve(make_books(bills=bills, bill_payments=payments, **more), SPAN, in_series=NOTHING)
    assert curve is not None
    return curve


def test_the_share_entered_a_week_before_covers_the_week_after_this_one() -> None:
    """Of 4,800 settled in a week 3,840 were in the books a week before it began: coverage(2) = 0.80."""
    early, late = settled_bill("A", 3_840, at(date(2026, 1, 4))), settled_bill("B", 960, at(date(2026, 1, 6)))

    curve = curve_of(early, late)

    assert [curve.coverage_of(week) for week in (1, 2, 3)] == [1, Fraction(8, 10), 0]
    assert curve.usual_week == Fraction(4_800 * 7, 90)
    assert curve.coming(2) == curve.usual_week / 5


@pytest.mark.parametrize(
    ("created", "weeks"),
    [
        (datetime(2026, 1, 12, 5, 59, tzinfo=UTC), 1),  # Sunday evening in Chicago
        (datetime(2026, 1, 12, 6, 0, tzinfo=UTC), 0),  # Monday there
        (datetime(2026, 1, 5, 5, 59, tzinfo=UTC), 2),
        (datetime(2026, 1, 5, 6, 0, tzinfo=UTC), 1),
        (at(date(2026, 1, 20)), 0),  # entered after it was paid
        (at(date(2024, 1, 20)), 14),
    ],
)
def test_a_bill_covers_the_weeks_at_whose_start_it_was_there(created: datetime, weeks: int) -> None:
    curve = curve_of(settled_bill("A", 100, created))

    assert [curve.coverage_of(week) for week in range(1, 16)] == [1] * weeks + [0] * (15 - weeks)


def test_books_moved_from_elsewhere_are_judged_by_the_dates_of_their_documents() -> None:
    """Created over four weeks after it was paid: that says when the books were moved here."""
    moved = settled_bill("A", 100, at(PAID_ON + timedelta(days=29)))
    entered_late = settled_bill("A", 100, at(PAID_ON + timedelta(days=28)))

    assert curve_of(moved).coverage_of(6) == 1  # dated 1 December, six weeks before 12 January
    assert curve_of(entered_late).coverage_of(1) == 0
    assert curve_of(settled_bill("A", 100, None)).coverage_of(6) == 1


def test_payments_apart_voided_by_card_or_outside_of_the_span_do_not_count() -> None:
    one = settled_bill("A", 100, None)
    books = make_books(
        bills=(one,),
        bill_payments=(
            pay("A", 100, is_void=True),
            pay("A", 100, external_id="P2", account_id="card"),
            pay("A", 100, external_id="P3", document_date=date(2026, 3, 1)),
            pay("A", 100, external_id="P4"),
        ),
    )

    apart = frozenset({RecordKey(RecordKind.BILL_PAYMENT, "P4")})
    assert compute_bill_curve(books, SPAN, in_series=apart) is None


def test_money_on_account_of_no_bill_was_not_known() -> None:
    more = pay("A", 100).model_copy(update={"total": amount(400)})
    books = make_books(bills=(settled_bill("A", 100, None),), bill_payments=(more,))

    curve = compute_bill_curve(books, SPAN, in_series=NOTHING)

    assert curve is not None
    assert curve.coverage_of(1) == Fraction(1, 4)


def test_a_receipt_counts_on_the_day_it_is_taken_to_the_bank() -> None:
    paid = invoice("I", 900, document_date=date(2025, 12, 1), open_balance=amount(0), created_at=at(date(2026, 1, 10)))
    receipt = CustomerPayment(
        external_id="CP", customer_id="C1", document_date=date(2025, 11, 28), currency="USD", total=amount(900),
        unapplied=amount(0), account_id="undeposited",
        applied=(DocumentLink(kind=RecordKind.INVOICE, external_id="I", amount=amount(900)),),
    )  # fmt: skip
    deposit = Deposit(
        external_id="D", document_date=PAID_ON, currency="USD", total=amount(900), account_id="bank",
        links=(DocumentLink(kind=RecordKind.CUSTOMER_PAYMENT, external_id="CP"),),
    )  # fmt: skip
    curve = compute_receipt_curve(
        make_books(invoices=(paid,), customer_payments=(receipt,), deposits=(deposit,)), SPAN, in_series=NOTHING
    )
    waiting = make_books(invoices=(paid,), customer_payments=(receipt,))

    assert curve is not None
    assert [curve.coverage_of(week) for week in (1, 2)] == [Fraction(1), Fraction(0)]
    assert compute_receipt_curve(waiting, SPAN, in_series=NOTHING) is None


@pytest.mark.parametrize(
    ("as_of", "first", "count"),
    [
        (date(2026, 3, 2), (1, date(2026, 3, 6)), 13),
        (date(2026, 3, 6), (1, date(2026, 3, 6)), 13),
        (date(2026, 3, 7), (2, date(2026, 3, 13)), 13),
    ],
)
def test_each_week_ahead_has_its_friday(as_of: date, first: tuple[int, date], count: int) -> None:
    fridays = list(find_fridays(as_of, as_of + timedelta(days=90)))

    assert fridays[0] == first
    assert len(fridays) == count


def test_a_week_held_only_in_part_counts_from_four_days_on() -> None:
    weeks = list(find_weeks(Span(date(2026, 1, 1), date(2026, 1, 14))))

    assert [(week.first.day, week.days) for week in weeks] == [(1, 4), (5, 7)]


def sundries(*spent: tuple[date, int], **more: Any) -> tuple[Purchase, ...]:
    return tuple(
        Purchase(
            external_id=f"E{number}", document_date=on, currency="USD", total=amount(total),
            method=PaymentMethod.CASH, account_id="bank", lines=(line(total, "expenses"),), **more,
        )
        for number, (on, total) in enumerate(spent)
    )  # fmt: skip


MONDAYS = [date(2025, 12, 1) + timedelta(weeks=n) for n in range(12)]


def residual_of(books: Books, in_series: frozenset[RecordKey] = NOTHING) -> tuple[int, int]:
    found = compute_residual(books, read_flows(books), SPAN, in_series=in_series)
    return int(found.inflow), int(found.outflow)


def test_the_residual_is_the_median_week_so_that_one_large_purchase_moves_it_little() -> None:
    spent = [(monday, 100) for monday in MONDAYS] + [(MONDAYS[3], 90_000)]

    assert residual_of(make_books(purchases=sundries(*spent))) == (0, 100)


def test_documents_series_and_transfers_are_no_residual() -> None:
    bought = sundries(*((monday, 100) for monday in MONDAYS))
    paid = tuple(pay("A", 50, external_id=f"P{monday}", document_date=monday) for monday in MONDAYS)

    assert residual_of(make_books(purchases=bought, bill_payments=paid)) == (0, 100)
    assert residual_of(make_books(purchases=bought), frozenset(one.key for one in bought)) == (0, 0)


def test_where_the_bank_is_read_its_lines_count_unless_the_ledger_explains_them() -> None:
    def shown(number: str, on: date, cents: int, **more: Any) -> BankTransaction:
        return BankTransaction(
            external_id=number, account_id="bank", booked_on=on, currency="USD", amount=amount(cents), **more
        )

    paid = tuple(pay("A", 50, external_id=f"P{monday}", document_date=monday) for monday in MONDAYS)
    cleared = [shown(f"c{n}", monday + timedelta(days=3), -50) for n, monday in enumerate(MONDAYS)]
    fees = [shown(f"f{n}", monday, -7) for n, monday in enumerate(MONDAYS)]
    moved = [shown(f"m{n}", monday, -500, is_transfer=True) for n, monday in enumerate(MONDAYS)]
    books = make_books(bill_payments=paid, bank_transactions=(*cleared, *fees, *moved))

    assert residual_of(books) == (0, 7)


@pytest.mark.parametrize("is_bank_read", [False, True])
def test_what_a_card_processor_keeps_of_receipts_is_usual_outflow(is_bank_read: bool) -> None:
    received = tuple(
        customer_payment(f"R{n}", 100, document_date=monday, account_id="undeposited")
        for n, monday in enumerate(MONDAYS)
    )
    paid_in = tuple(
        deposit(
            f"D{n}",
            97,
            document_date=monday,
            lines=(line(-3, "expenses", "Fees"),),
            links=(DocumentLink(kind=RecordKind.CUSTOMER_PAYMENT, external_id=f"R{n}", amount=amount(100)),),
        )
        for n, monday in enumerate(MONDAYS)
    )
    shown = tuple(
        BankTransaction(external_id=f"c{n}", account_id="bank", booked_on=monday, currency="USD", amount=amount(97))
        for n, monday in enumerate(MONDAYS)
    )
    books = make_books(customer_payments=received, deposits=paid_in, bank_transactions=shown if is_bank_read else ())

    assert residual_of(books) == (0, 3)


@pytest.mark.parametrize(("later", "is_explained"), [(-4, False), (-3, True), (45, True), (46, False)])
def test_an_entry_explains_a_line_from_three_days_before_it_to_45_after(later: int, is_explained: bool) -> None:
    february = Span(date(2026, 2, 2), date(2026, 2, 28))
    booked = [date(2026, 2, day) for day in (2, 9, 16, 23)]
    paid = tuple(
        pay("A", 50 + n, external_id=f"P{n}", document_date=on - timedelta(days=later)) for n, on in enumerate(booked)
    )
    shown = tuple(
        BankTransaction(external_id=f"c{n}", account_id="bank", booked_on=on, currency="USD", amount=amount(-50 - n))
        for n, on in enumerate(booked)
    )
    books = make_books(bill_payments=paid, bank_transactions=shown)
    found = compute_residual(books, read_flows(books), february, in_series=NOTHING)

    assert (found.outflow == 0) is is_explained


@pytest.mark.parametrize(("days", "is_said"), [(28, False), (27, True)])
def test_with_less_than_28_days_of_history_nothing_is_expected_beyond_the_books_and_that_is_said(
    days: int, is_said: bool
) -> None:
    books = make_books(purchases=sundries(*((AS_OF - timedelta(days=back), 100) for back in range(1, days + 1))))

    outlook = compute_outlook(books)

    assert (NO_HISTORY in outlook.left_out) is is_said
    assert (not [event for event in outlook.events if event.kind in ESTIMATED_KINDS]) is is_said


def test_usual_money_moves_on_fridays_or_the_next_business_day() -> None:
    """As of 3 June: Friday 19 June is Juneteenth, so that week's money moves on Monday the 22nd."""
    as_of = date(2026, 6, 3)
    spent = [(date(2026, 3, 2) + timedelta(weeks=n), 100) for n in range(13)]
    span = find_usual_span(date(2026, 3, 2), as_of)
    outlook = compute_outlook(make_books(as_of=as_of, purchases=sundries(*spent)))

    assert span == Span(date(2026, 3, 1), date(2026, 5, 31))
    assert [event.on.day for event in outlook.events if event.kind in ESTIMATED_KINDS][:4] == [5, 12, 22, 26]
