"""Series found in the books: what comes round, when it is expected next, and what only looks like it."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.detected_series import (
    DetectedSeries,
    find_bill_series,
    find_invoice_series,
    find_outflow_series,
    find_series,
)
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.company import Rhythm
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Account, AccountKind, JournalEntry, Purchase, Transfer
from runway_testkit.books_making import AS_OF, amount, bill, day, invoice, line, make_books
from runway_testkit.books_strategies import books, shuffle_books

V1 = RecordKey(RecordKind.VENDOR, "V1")


def payment(on: date, total: int | str = 100, **more: Any) -> BillPayment:
    values: dict[str, Any] = {
        "external_id": f"{on}-{total}", "vendor_id": "V1", "document_date": on, "currency": "USD",
        "total": amount(total), "method": PaymentMethod.CHECK, "account_id": "bank",
    }  # fmt: skip
    return BillPayment(**(values | more))


def paid(*offsets: int, total: int | str = 100, **more: Any) -> tuple[BillPayment, ...]:
    return tuple(payment(day(offset), total, **more) for offset in offsets)


def account(external_id: str, name: str, kind: AccountKind) -> Account:
    return Account(
        external_id=external_id, name=name, full_name=name, account_kind=kind, account_type=kind.value,
        currency="USD", balance=amount(0),
    )  # fmt: skip


def with_accounts(*more: Account, **records: Any) -> Books:
    return make_books(accounts=(*make_books().accounts, *more), **records)


def found(payments: Sequence[BillPayment]) -> tuple[DetectedSeries, ...]:
    return find_outflow_series(make_books(bill_payments=tuple(payments)))


@pytest.mark.parametrize(
    ("offsets", "rhythm", "next_on"),
    [
        ((-15, -8, -1), Rhythm.WEEKLY, day(6)),
        ((-30, -16, -2), Rhythm.BIWEEKLY, day(12)),
        ((-31 - 28, -28, 0), Rhythm.MONTHLY, date(2026, 4, 2)),
        ((-90 - 91, -90, 0), Rhythm.QUARTERLY, date(2026, 6, 2)),
    ],
)
def test_three_alike_payments_in_equal_gaps_are_a_series(
    offsets: tuple[int, ...], rhythm: Rhythm, next_on: date
) -> None:
    (series,) = found(paid(*offsets))

    assert (series.rhythm, series.counterparty, series.name) == (rhythm, V1, "Vendor 1 Ltd")
    assert [member.on for member in series.members] == [day(offset) for offset in offsets]
    assert series.next_on == next_on
    assert series.key == RecordKey(RecordKind.SERIES, f"outflow:vendor:V1:{rhythm.value}:USD")


@pytest.mark.parametrize(("last", "count"), [(-11, 1), (-10, 0), (-17, 1), (-18, 0)])
def test_a_gap_may_be_three_days_off(last: int, count: int) -> None:
    """Two weeks and three days, or less three, but not four."""
    assert len(found(paid(-28 - 14, -28, last))) == count


@pytest.mark.parametrize(("total", "count"), [(110, 1), (111, 0), (90, 1), (89, 0)])
def test_amounts_may_be_a_tenth_apart(total: int, count: int) -> None:
    assert len(found([*paid(-61, -31, total=100), payment(day(-1), 100), payment(day(-92), 100)][:3])) == 1
    assert len(found([payment(day(-15), total), *paid(-8, -1, total=100)])) == count


def test_two_payments_are_no_series() -> None:
    assert found(paid(-30, 0)) == ()


def test_the_next_amount_is_the_median_of_the_last_three() -> None:
    (series,) = found([payment(day(-4 * 7), 91), payment(day(-3 * 7), 95), payment(day(-14), 99), payment(day(-7), 97)])

    assert series.amount == 97
    assert len(series.members) == 4


def test_one_late_payment_does_not_move_the_ones_to_come() -> None:
    (series,) = found([payment(on) for on in (date(2025, 12, 5), date(2026, 1, 5), date(2026, 2, 5), date(2026, 3, 2))])

    assert series.next_on == date(2026, 4, 5)


def test_month_ends_stay_month_ends() -> None:
    days = (date(2025, 11, 30), date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28))

    (series,) = found([payment(on) for on in days])

    assert series.next_on == date(2026, 3, 31)


def test_a_weekly_series_is_not_taken_for_one_every_two_weeks() -> None:
    (series,) = found(paid(*range(-70, 0, 7)))

    assert (series.rhythm, len(series.members), len(series.last_members)) == (Rhythm.WEEKLY, 10, 6)


def test_a_stray_payment_breaks_no_series_but_many_of_them_do() -> None:
    stray = payment(day(-50), 100, external_id="stray")
    crowd = paid(*range(-62, 0, 2))

    assert [series.rhythm for series in found([*paid(-62, -31, 0), stray])] == [Rhythm.MONTHLY]
    assert found(crowd) == ()


@pytest.mark.parametrize(("ago", "count"), [(60, 1), (61, 1), (62, 0)])
def test_a_monthly_series_that_missed_a_whole_month_is_over(ago: int, count: int) -> None:
    """The last came `ago` days before 2 March, in January or on 31 December: the next was due 30 or 31 days later."""
    last = AS_OF - timedelta(days=ago)
    steps = {60: (date(2025, 11, 1), date(2025, 12, 1)), 61: (date(2025, 10, 31), date(2025, 11, 30))}
    before = steps.get(ago, (date(2025, 10, 30), date(2025, 11, 30)))

    assert len(found([payment(on) for on in (*before, last)])) == count


def test_money_in_another_currency_or_to_another_vendor_is_another_series() -> None:
    two = found([*paid(-14, -7), *paid(0, currency="EUR"), *paid(-14, -7, 0, vendor_id="V2", total=70)])

    assert [series.counterparty.external_id for series in two] == ["V2"]


def test_two_leases_of_one_landlord_are_two_series() -> None:
    small, large = paid(-61, -30, 0, total=200), paid(-61, -30, 0, total=900)

    assert [(series.number, int(series.amount)) for series in found([*small, *large])] == [(1, 900), (2, 200)]


def test_voided_and_future_payments_and_those_by_card_do_not_count() -> None:
    assert found([*paid(-14, -7), payment(day(0), is_void=True)]) == ()
    assert found([*paid(-14, -7), payment(day(0), account_id="card")]) == ()
    assert len(found([*paid(-14, -7, 0), payment(day(7))])) == 1
    assert len(found([*paid(-14, -7, 0), payment(day(7))])[0].members) == 3


def wage_entry(on: date, net: int, number: str = "") -> JournalEntry:
    def side(kind: LineKind, total: int, account_id: str) -> DocumentLine:
        return DocumentLine(line_kind=kind, amount=amount(total), account_id=account_id)

    return JournalEntry(
        external_id=f"J{on}{number}", document_date=on, currency="USD", total=amount(net + 20),
        lines=(
            side(LineKind.DEBIT, net + 20, "pay"),
            side(LineKind.CREDIT, net, "bank"),
            side(LineKind.CREDIT, 20, "withheld"),
        ),
    )  # fmt: skip


def test_payroll_is_found_in_journal_entries_with_the_net_pay_of_a_day_in_one() -> None:
    entries = [wage_entry(day(offset), net, str(net)) for offset in (-42, -28, -14, 0) for net in (1_000, 1_500)]

    (series,) = find_outflow_series(
        with_accounts(account("pay", "Wages", AccountKind.EXPENSE), journal_entries=tuple(entries))
    )

    assert series.is_payroll
    assert (series.rhythm, int(series.amount), series.next_on) == (Rhythm.BIWEEKLY, 2_500, day(14))
    assert series.counterparty == RecordKey(RecordKind.ACCOUNT, "pay")
    assert all(len(member.records) == 2 for member in series.members)


@pytest.mark.parametrize("payee_id", ["V3", None])
def test_payroll_is_found_in_cheques_to_a_provider_or_to_nobody(payee_id: str | None) -> None:
    cheques = tuple(
        Purchase(
            external_id=f"E{offset}", document_date=day(offset), currency="USD", total=amount(3_000),
            method=PaymentMethod.CHECK, account_id="bank", payee_id=payee_id,
            payee_kind=None if payee_id is None else RecordKind.VENDOR, lines=(line(3_000, "pay"),),
        )
        for offset in (-28, -14, 0)
    )  # fmt: skip

    (series,) = find_outflow_series(
        with_accounts(account("pay", "Payroll expenses", AccountKind.EXPENSE), purchases=cheques)
    )

    assert (series.is_payroll, series.rhythm) == (True, Rhythm.BIWEEKLY)


def test_payments_of_a_card_come_round_but_money_moved_between_banks_does_not() -> None:
    def moved(to: str) -> tuple[Transfer, ...]:
        return tuple(
            Transfer(
                external_id=f"X{offset}{to}", document_date=day(offset), currency="USD", total=amount(600),
                from_account_id="bank", to_account_id=to,
            )
            for offset in (-59, -28, 0)
        )  # fmt: skip

    accounts = account("card", "Visa", AccountKind.CREDIT_CARD), account("savings", "Savings", AccountKind.BANK)
    (series,) = find_outflow_series(with_accounts(*accounts, transfers=(*moved("card"), *moved("savings"))))

    assert (series.name, series.is_payroll) == ("Visa", False)


def test_purchases_without_a_payee_are_no_series() -> None:
    petty = tuple(
        Purchase(
            external_id=f"E{offset}", document_date=day(offset), currency="USD", total=amount(50),
            method=PaymentMethod.CASH, account_id="bank", lines=(line(50, "expenses"),),
        )
        for offset in (-14, -7, 0)
    )  # fmt: skip

    assert find_outflow_series(make_books(purchases=petty)) == ()


def test_bills_and_invoices_come_round_by_their_own_dates() -> None:
    days = (date(2025, 12, 20), date(2026, 1, 20), date(2026, 2, 20))
    bills = tuple(bill(f"B{on}", 900, document_date=on, open_balance=amount(0)) for on in days)
    invoices = tuple(invoice(f"I{on}", 700, document_date=on) for on in days)
    void = invoice("void", 700, document_date=date(2026, 3, 1), is_void=True)
    given_books = make_books(bills=bills, invoices=(*invoices, void))

    ((billed,), (invoiced,)) = find_bill_series(given_books), find_invoice_series(given_books)

    assert (billed.counterparty, billed.next_on, int(billed.amount)) == (V1, date(2026, 3, 20), 900)
    assert (invoiced.counterparty.external_id, invoiced.next_on, int(invoiced.amount)) == ("C1", date(2026, 3, 20), 700)
    assert [member.records for member in billed.members] == [(RecordKey(RecordKind.BILL, f"B{on}"),) for on in days]
    assert find_series(given_books) == (billed, invoiced)


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_the_books_changes_no_series(any_books: Books, random: Random) -> None:
    assert find_series(shuffle_books(any_books, random)) == find_series(any_books)


@given(st.lists(st.tuples(st.integers(-60, 0), st.integers(95, 105)), max_size=14), st.randoms(use_true_random=False))
def test_of_many_alike_payments_no_row_is_used_twice_whatever_their_order(
    rows: list[tuple[int, int]], random: Random
) -> None:
    payments = [payment(day(on), total, external_id=str(n)) for n, (on, total) in enumerate(rows)]

    series = found(payments)

    used = [key for one in series for member in one.members for key in member.records]
    assert len(used) == len(set(used))
    assert all(len(one.members) >= 3 for one in series)
    assert found(random.sample(payments, len(payments))) == series
