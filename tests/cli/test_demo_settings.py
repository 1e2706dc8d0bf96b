"""What the demo sets for a company is read off its books, and nothing is set where they tell nothing."""

from datetime import date, timedelta
from decimal import Decimal

from runway_app_http.demo import find_paydays, propose_settings
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.company import Rhythm, SeriesKind
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.ledger import JournalEntry, Purchase
from runway_testkit.sample import amend_books, sample_books


def wage_cheque(day: date, total: str, *, account_id: str | None, number: str = "Payroll") -> Purchase:
    return Purchase(
        external_id=f"W{day}",
        number=number,
        document_date=day,
        currency="USD",
        total=Decimal(total),
        method=PaymentMethod.CHECK,
        account_id=account_id,
    )


def test_the_payroll_is_the_last_one_paid_and_comes_again_after_a_fortnight() -> None:
    books = sample_books()
    bank = next(account.external_id for account in books.accounts if account.account_kind.value == "bank")
    days = [books.as_of - timedelta(days=back) for back in (45, 31, 17)]
    wages = [wage_cheque(day, f"{18_000 + number}.00", account_id=bank) for number, day in enumerate(days)]
    cheques = (*wages, wage_cheque(days[0], "99.00", account_id=bank, number="1077"))

    [series] = propose_settings(amend_books(books, purchases=cheques))["series"]

    assert (series.series_kind, series.rhythm) == (SeriesKind.PAYROLL, Rhythm.BIWEEKLY)
    assert series.amount == Decimal("18002.0000")
    assert series.first_day == days[-1] + timedelta(days=28)


def test_wages_by_journal_entry_count_with_what_left_the_bank() -> None:
    books = sample_books()
    bank = next(account.external_id for account in books.accounts if account.account_kind.value == "bank")
    lines = (
        DocumentLine(line_kind=LineKind.DEBIT, amount=Decimal("1000.0000"), account_id="wages"),
        DocumentLine(line_kind=LineKind.CREDIT, amount=Decimal("790.0000"), account_id=bank),
        DocumentLine(line_kind=LineKind.CREDIT, amount=Decimal("210.0000"), account_id="withheld"),
    )
    entry = JournalEntry(
        external_id="J1", document_date=books.as_of, currency="USD", total=Decimal(1000), memo="Payroll", lines=lines
    )

    assert find_paydays(amend_books(books, purchases=(), journal_entries=(entry,))) == [
        (books.as_of, Decimal("790.0000"))
    ]


def test_books_without_wages_or_history_set_nothing() -> None:
    books = sample_books()
    empty = amend_books(books, **dict.fromkeys(("purchases", "journal_entries", "bill_payments", "deposits"), ()))

    assert "series" not in propose_settings(empty)


def test_the_buffer_is_a_round_number_of_ten_days_of_outflow() -> None:
    changes = propose_settings(sample_books())

    assert changes["buffer"] % 100 == 0
    assert changes["buffer"] > 0
