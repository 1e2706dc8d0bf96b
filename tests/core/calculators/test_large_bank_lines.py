"""Which bank lines are told because of their size."""

from decimal import Decimal
from random import Random

from runway_core.calculators.large_bank_lines import find_large_bank_lines
from runway_core.domain.books import Books
from runway_testkit.sample import amend_settings

from tests.core.bank_lines import books_with, line


def found(books: Books) -> list[str]:
    return [told.external_id for told in find_large_bank_lines(books)]


def test_lines_from_the_amount_on_are_told_whichever_way_they_went_the_largest_first() -> None:
    books = books_with(line("in", "5000"), line("out", "-7500.50"), line("small", "4999.9999"), line("low", "-4999"))

    assert found(books) == ["out", "in"]
    assert find_large_bank_lines(books)[0].amount.amount == Decimal("-7500.50")


def test_where_no_amount_is_set_none_is_told() -> None:
    assert found(books_with(line("in", "900000"), limit=None)) == []


def test_a_week_is_told_and_what_may_go_away_or_stays_within_the_company_is_not() -> None:
    books = books_with(
        line("today", "6000"),
        line("six days ago", "6001", days_ago=6),
        line("a week ago", "9000", days_ago=7),
        line("tomorrow", "9000", days_ago=-1),
        line("pending", "9000", is_pending=True),
        line("between own accounts", "9000", is_transfer=True),
    )

    assert found(books) == ["six days ago", "today"]


def test_other_currencies_count_at_the_rate_that_was_set_and_are_told_where_none_was() -> None:
    lines = (
        line("euro", "4900", currency="EUR"),
        line("yen", "1", currency="JPY"),
        line("pound", "10", currency="GBP"),
    )
    rates = {"EUR": Decimal("1.10"), "GBP": Decimal("1.3")}

    assert found(amend_settings(books_with(*lines), exchange_rates=rates)) == ["yen", "euro"]


def test_twenty_are_told_at_most_and_their_order_does_not_follow_the_reading() -> None:
    lines = [line(f"L{number:02}", "6000", days_ago=number % 7) for number in range(40)]
    shuffled = Random(1).sample(lines, len(lines))

    assert len(found(books_with(*lines))) == 20
    assert found(books_with(*lines)) == found(books_with(*shuffled))
