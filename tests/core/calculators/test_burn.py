from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.burn import compute_burn, compute_week_outflow
from runway_core.calculators.flows import FlowSort, read_flows
from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.ledger import JournalEntry
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import amend_books, sample_books
from runway_testkit.sample_records import CARD, EQUITY, EXPENSES, OPERATING, SAVINGS


@pytest.mark.parametrize("with_bank", [True, False])
def test_the_sample_burns_as_the_reference_says(with_bank: bool) -> None:
    """Bank and ledger tell the same story, so both rails give the same measures."""
    burn = compute_burn(sample_books(with_bank=with_bank))

    assert [(m.month.month, m.days, int(m.inflow), int(m.outflow)) for m in burn.months] == [
        (12, 31, 60_000, 75_000),
        (1, 31, 66_000, 72_000),
        (2, 28, 54_000, 75_000),
    ]
    assert burn.is_complete
    assert burn.outflow_per_day == Decimal("2466.6667")
    assert burn.net_burn_per_day == Decimal("466.6667")
    assert burn.weighted_net_burn_per_day == Decimal("508.4746")
    assert (burn.cash_buffer_days, burn.burn_runway_days, burn.weighted_burn_runway_days) == (20, 109, 100)
    assert compute_week_outflow(sample_books(with_bank=with_bank)) == Decimal("17266.6667")


def test_one_week_of_outflow_is_seven_days_of_it() -> None:
    assert compute_week_outflow(sample_books()) == (Decimal(222_000) * 7 / 90).quantize(Decimal("0.0001"))


def line(on: date, amount: int) -> BankTransaction:
    return BankTransaction(
        external_id=f"{on}{amount}",
        account_id=OPERATING,
        booked_on=on,
        currency="USD",
        amount=Decimal(amount).quantize(Decimal("0.0001")),
    )


def with_lines(*lines: BankTransaction) -> Books:
    return amend_books(sample_books(), bank_transactions=lines, transfers=())


def test_a_company_that_earns_more_than_it_spends_has_no_end() -> None:
    burn = compute_burn(with_lines(line(date(2025, 12, 1), 9_000), line(date(2026, 1, 5), -900)))

    assert burn.burn_runway_days is None
    assert burn.weighted_burn_runway_days is None
    assert burn.cash_buffer_days is not None


def test_fewer_full_months_are_used_and_said_so() -> None:
    burn = compute_burn(with_lines(line(date(2026, 1, 20), -5_000), line(date(2026, 2, 10), -2_800)))

    assert [month.month for month in burn.months] == [date(2026, 2, 1)]
    assert not burn.is_complete
    assert burn.outflow_per_day == Decimal(100)


def test_without_a_full_month_what_is_there_counts_from_28_days_on() -> None:
    sample = with_lines(line(date(2026, 2, 3), -2_700))

    enough = compute_burn(amend_books(sample, as_of=date(2026, 3, 3)))
    too_few = compute_burn(amend_books(sample, as_of=date(2026, 2, 27)))

    # 3 February comes after the month's first business day, so that February is not full.
    assert [(m.month, m.days) for m in enough.months] == [(date(2026, 2, 3), 28)]
    assert enough.cash_buffer_days is not None
    assert too_few.months == ()
    assert (too_few.cash_buffer_days, too_few.outflow_per_day) == (None, None)


def test_without_any_movement_there_is_no_burn() -> None:
    bare = amend_books(
        sample_books(with_bank=False),
        bill_payments=(),
        customer_payments=(),
        purchases=(),
        deposits=(),
        transfers=(),
        journal_entries=(),
    )

    burn = compute_burn(bare)

    assert burn.months == ()
    assert burn.cash_buffer_days is None


def journal(*lines: tuple[LineKind, str, int]) -> JournalEntry:
    return JournalEntry(
        external_id="J",
        document_date=date(2026, 2, 12),
        currency="USD",
        total=Decimal("0.0000"),
        lines=tuple(
            DocumentLine(line_kind=kind, account_id=account_id, amount=Decimal(amount).quantize(Decimal("0.0001")))
            for kind, account_id, amount in lines
        ),
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            [(LineKind.DEBIT, EXPENSES, 90), (LineKind.DEBIT, EQUITY, 10), (LineKind.CREDIT, OPERATING, 100)],
            {FlowSort.OPERATING: -90, FlowSort.FINANCING: -10},
        ),
        (
            [(LineKind.DEBIT, SAVINGS, 98), (LineKind.DEBIT, EXPENSES, 2), (LineKind.CREDIT, OPERATING, 100)],
            {FlowSort.OPERATING: -2, FlowSort.TRANSFER: 0},
        ),
        ([(LineKind.DEBIT, CARD, 40), (LineKind.CREDIT, OPERATING, 40)], {FlowSort.OPERATING: -40}),
        ([(LineKind.DEBIT, EXPENSES, 40), (LineKind.CREDIT, CARD, 40)], {}),
    ],
)
def test_a_journal_entry_is_split_by_what_stands_on_its_other_side(
    lines: list[tuple[LineKind, str, int]], expected: dict[FlowSort, int]
) -> None:
    sample = amend_books(sample_books(with_bank=False), journal_entries=(journal(*lines),))
    sums: dict[FlowSort, Decimal] = {}
    for flow in read_flows(sample).ledger:
        if flow.external_id == "J":
            sums[flow.sort] = sums.get(flow.sort, Decimal(0)) + flow.amount

    assert {sort: int(amount) for sort, amount in sums.items()} == expected


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_the_books_changes_no_burn(any_books: Books, random: Random) -> None:
    assert compute_burn(shuffle_books(any_books, random)) == compute_burn(any_books)


@given(books())
def test_burn_days_never_fall_below_nil_and_months_are_full_or_alone(any_books: Books) -> None:
    burn = compute_burn(any_books)

    for days in (burn.cash_buffer_days, burn.burn_runway_days, burn.weighted_burn_runway_days):
        assert days is None or days >= 0
    assert all(month.inflow >= 0 and month.outflow >= 0 for month in burn.months)
    assert not burn.months or sum(month.days for month in burn.months) >= 28
    assert all(a.month < b.month for a, b in zip(burn.months, burn.months[1:], strict=False))
    assert burn.months == () or burn.months[-1].month + timedelta(days=burn.months[-1].days) <= any_books.as_of
