from collections.abc import Collection, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.outlook import compute_outlook, find_runway, run_days
from runway_core.domain.books import Books
from runway_core.domain.company import EnteredSeries, Rhythm, SeriesKind
from runway_core.domain.money import round_to_minor
from runway_core.domain.outlook import ESTIMATED_KINDS, Outlook, OutlookEvent, OutlookKind
from runway_testkit.books_making import planned_item
from runway_testkit.books_strategies import amounts, books, shuffle_books
from runway_testkit.sample import amend_books, amend_settings, sample_books
from runway_testkit.sample_records import AS_OF

KNOWN = [  # known in, known out of the reference table
    (1_000, 24_500),
    (12_000, 3_200),
    (18_000, 32_400),
    (0, 13_000),
    (15_000, 22_800),
    (0, 6_000),
    (0, 18_500),
    (0, 6_000),
    (0, 18_500),
    (0, 6_000),
    (0, 18_500),
    (0, 6_000),
    (0, 18_500),
]
CLOSINGS = [
    "26300.00",
    "33700.00",
    "18133.33",
    "5600.00",
    "833.33",
    "200.00",
    "-11533.33",
    "-9366.67",
    "-19700.00",
    "-17533.33",
    "-27866.67",
    "-25700.00",
    "-36033.33",
]

USUAL = [  # not yet entered in, not yet entered and residual out
    ("0.00", "1400.00"),
    ("700.00", "2100.00"),
    ("2100.00", "3266.67"),
    ("4900.00", "4433.33"),
    ("8400.00", "5366.67"),
    ("11200.00", "5833.33"),
    ("12600.00", "5833.33"),
    *(("14000.00", "5833.33"),) * 6,
]


def sum_by_week(outlook: Outlook, kinds: Collection[OutlookKind]) -> list[tuple[Decimal, Decimal]]:
    """What comes in and goes out each week by events of these kinds, in cents."""
    sums = [[Decimal(0), Decimal(0)] for _ in range(13)]
    for event in outlook.events:
        if event.kind in kinds:
            sums[(event.on - AS_OF).days // 7][event.amount < 0] += abs(event.amount)
    return [(round_to_minor(come, "USD"), round_to_minor(go, "USD")) for come, go in sums]


def without(sample: Books, *external_ids: str) -> Books:
    return amend_books(
        sample,
        bills=tuple(bill for bill in sample.bills if bill.external_id not in external_ids),
        invoices=tuple(invoice for invoice in sample.invoices if invoice.external_id not in external_ids),
    )


@pytest.mark.parametrize("with_bank", [True, False])
def test_what_is_known_of_the_sample_agrees_with_the_reference_week_by_week(with_bank: bool) -> None:
    outlook = compute_outlook(sample_books(with_bank=with_bank))
    weeks = outlook.weeks

    assert sum_by_week(outlook, set(OutlookKind) - ESTIMATED_KINDS) == [
        (Decimal(known_in), Decimal(known_out)) for known_in, known_out in KNOWN
    ]
    assert [week.starts_on for week in weeks] == [AS_OF + timedelta(weeks=number) for number in range(13)]
    assert [week.number for week in weeks] == list(range(1, 14))


@pytest.mark.parametrize("with_bank", [True, False])
def test_the_whole_table_of_the_sample(with_bank: bool) -> None:
    outlook = compute_outlook(sample_books(with_bank=with_bank))

    assert sum_by_week(outlook, ESTIMATED_KINDS) == [(Decimal(come), Decimal(go)) for come, go in USUAL]
    assert [str(round_to_minor(week.closing, "USD")) for week in outlook.weeks] == CLOSINGS
    assert (outlook.runway.days, outlook.runway.falls_on) == (32, date(2026, 4, 3))
    assert outlook.runway.covered_through == date(2026, 4, 2)
    assert (outlook.buffer_breach.days, outlook.buffer_breach.falls_on) == (23, date(2026, 3, 25))
    assert round_to_minor(outlook.low_28_days.amount, "USD") == 700
    assert outlook.low_28_days_on == date(2026, 3, 27)


@pytest.mark.parametrize(
    ("gone", "days", "low"),
    [("B4", 39, 8_700), ("I1", 23, -11_300)],
    ids=["the agency's bill is a duplicate", "the hospital's invoice was paid"],
)
def test_removing_a_document_moves_the_sample_as_the_reference_says(gone: str, days: int, low: int) -> None:
    outlook = compute_outlook(without(sample_books(), gone))

    assert outlook.runway.days == days
    assert round_to_minor(outlook.low_28_days.amount, "USD") == low


def test_a_due_date_of_today_for_the_undated_bill_changes_nothing() -> None:
    sample = sample_books()
    due_now = tuple(
        bill.model_copy(update={"due_date": AS_OF}) if bill.external_id == "B6" else bill for bill in sample.bills
    )

    outlook = compute_outlook(amend_books(sample, bills=due_now))

    assert outlook.runway.days == 32
    assert round_to_minor(outlook.low_28_days.amount, "USD") == 700


def test_a_friday_dips_below_nil_though_its_week_ends_above() -> None:
    """Outflows of a day come before its inflows."""
    outlook = compute_outlook(sample_books())
    friday = next(day for day in outlook.days if day.day == date(2026, 4, 3))

    assert friday.low < 0 < friday.closing
    assert outlook.weeks[4].low_on == friday.day


def test_every_event_of_the_sample_says_why() -> None:
    events = {event.label: event for event in compute_outlook(sample_books()).events}

    assert events["Carver Contracting C-598"].amount == -8_000
    assert events["Carver Contracting C-598"].reason == "due 2026-03-16, less credits of 1,500.00"
    assert events["Office Supply House 57204"].on == date(2026, 3, 23)
    assert "the usual 30 days" in events["Office Supply House 57204"].reason
    assert events["Granite Works CP-new"].on == date(2026, 3, 4)
    assert events["Granite Works CP-new"].kind is OutlookKind.IN_FLIGHT


@given(books())
def test_every_event_of_any_books_says_what_it_is_and_why(any_books: Books) -> None:
    """Its record, its series, or how many weeks or documents it was drawn from: nothing moves without a source."""
    for event in compute_outlook(any_books).events:
        drawn = event.kind in ESTIMATED_KINDS or " off their day" in event.label
        at_processor = event.label.startswith("Balance at ")

        assert event.label
        assert len(event.reason) > 3
        assert event.source is not None or event.series_id is not None or drawn or at_processor


def test_payrolls_are_guarded() -> None:
    paydays = compute_outlook(sample_books()).paydays

    assert [(payday.on, payday.is_covered) for payday in paydays[:3]] == [
        (date(2026, 3, 6), True),
        (date(2026, 3, 20), True),
        (date(2026, 4, 3), False),
    ]


def test_opening_cash_below_nil_is_no_runway_at_all() -> None:
    outlook = compute_outlook(amend_settings(sample_books(), buffer=Decimal("60000.0000")))
    broke = amend_books(
        sample_books(with_bank=False),
        accounts=tuple(
            account.model_copy(update={"balance": Decimal("-1.0000")})
            for account in sample_books(with_bank=False).accounts
            if account.external_id == "bank-operating"
        ),
    )

    assert (outlook.buffer_breach.days, outlook.buffer_breach.covered_through) == (0, None)
    assert compute_outlook(broke).runway.days == 0


def without_history(sample: Books) -> Books:
    """Only what is open, and nothing that says what is usual."""
    return amend_books(
        sample,
        bills=(),
        bill_payments=(),
        customer_payments=(),
        purchases=(),
        transfers=(),
        journal_entries=(),
        deposits=(),
        bank_transactions=(),
    )


def test_nothing_to_pay_is_91_days_and_more() -> None:
    runway = compute_outlook(amend_settings(without_history(sample_books()), series=())).runway

    assert (runway.days, runway.falls_on) == (None, None)
    assert runway.covered_through == AS_OF + timedelta(days=90)


def entered(rhythm: Rhythm, first_day: date, *, last_day: date | None = None) -> Books:
    series = EnteredSeries(
        series_id="s",
        name="Series",
        series_kind=SeriesKind.OTHER,
        rhythm=rhythm,
        first_day=first_day,
        last_day=last_day,
        amount=Decimal("100.0000"),
        currency="USD",
    )
    return amend_settings(without_history(sample_books()), series=(series,))


@pytest.mark.parametrize(
    ("given_books", "days"),
    [
        (
            entered(Rhythm.MONTHLY, date(2025, 8, 31)),
            [AS_OF, date(2026, 3, 31), date(2026, 4, 30)],
        ),
        (entered(Rhythm.QUARTERLY, date(2025, 12, 15)), [date(2026, 3, 16)]),
        (entered(Rhythm.WEEKLY, date(2026, 5, 15)), [date(2026, 5, 15), date(2026, 5, 22), date(2026, 5, 29)]),
        (entered(Rhythm.BIWEEKLY, date(2026, 2, 28), last_day=date(2026, 3, 20)), [AS_OF, date(2026, 3, 16)]),
    ],
)
def test_series_come_round_on_business_days(given_books: Books, days: Sequence[date]) -> None:
    """The 28th of February is a Saturday: what was due then moves to Monday, today."""
    events = compute_outlook(given_books).events

    assert [event.on for event in events if event.kind is OutlookKind.SERIES] == list(days)


def test_a_weekly_bill_stands_for_one_week_only() -> None:
    sample = sample_books()
    weekly = EnteredSeries(
        series_id="w",
        name="Weekly cloud",
        series_kind=SeriesKind.SUBSCRIPTION,
        rhythm=Rhythm.WEEKLY,
        first_day=date(2026, 3, 5),
        last_day=date(2026, 3, 26),
        amount=Decimal("3000.0000"),
        currency="USD",
        vendor_id="V2",
    )

    events = compute_outlook(amend_settings(sample, series=(weekly,))).events

    assert [e.on.day for e in events if e.series_id == "w"] == [5, 19, 26]


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_the_books_changes_no_outlook(any_books: Books, random: Random) -> None:
    assert compute_outlook(shuffle_books(any_books, random)) == compute_outlook(any_books)


@given(books())
def test_cash_of_every_day_and_week_follows_from_the_events(any_books: Books) -> None:
    outlook = compute_outlook(any_books)

    total = sum((event.amount for event in outlook.events), outlook.opening_cash.amount)
    assert outlook.days[-1].closing == total
    assert len(outlook.days) == 91
    assert len(outlook.weeks) == 13
    assert all(a.closing == b.opening for a, b in zip(outlook.days, outlook.days[1:], strict=False))
    assert all(day.low <= min(day.opening, day.closing) for day in outlook.days)
    assert outlook.low.amount == min(day.low for day in outlook.days)
    assert outlook.low.amount <= outlook.low_28_days.amount


@given(books())
def test_runway_is_the_first_day_below_the_floor(any_books: Books) -> None:
    outlook = compute_outlook(any_books)

    for runway, floor in ((outlook.runway, Decimal(0)), (outlook.buffer_breach, outlook.buffer.amount)):
        below = [index for index, day in enumerate(outlook.days) if min(day.low, day.opening) < floor]
        assert runway.days == (below[0] if below else None)
    assert (outlook.buffer_breach.days or 0) <= (91 if outlook.runway.days is None else outlook.runway.days)


@given(books(), st.integers(0, 90), amounts())
def test_money_that_leaves_never_lengthens_the_runway_and_money_that_comes_never_shortens_it(
    any_books: Books, ahead: int, amount: Decimal
) -> None:
    def days_with(change: Decimal) -> int:
        item = planned_item(abs(change), on=ahead, is_inflow=change > 0)
        days = compute_outlook(amend_books(any_books, planned_items=(*any_books.planned_items, item))).runway.days
        return 91 if days is None else days

    as_booked = compute_outlook(any_books).runway.days
    booked = 91 if as_booked is None else as_booked

    assert days_with(-amount) <= booked <= days_with(amount)


@given(st.lists(st.tuples(st.integers(0, 90), amounts(-50_000, 50_000)), max_size=30), amounts(0, 100_000))
def test_a_lower_floor_never_comes_sooner(movements: list[tuple[int, Decimal]], opening: Decimal) -> None:
    events = [
        OutlookEvent(on=AS_OF + timedelta(days=n), amount=amount, kind=OutlookKind.PLANNED, label="x", reason="x")
        for n, amount in movements
    ]
    days = run_days(AS_OF, opening, events)
    low, high = find_runway(days, floor=Decimal(0)), find_runway(days, floor=Decimal(100))

    assert (91 if high.days is None else high.days) <= (91 if low.days is None else low.days)
