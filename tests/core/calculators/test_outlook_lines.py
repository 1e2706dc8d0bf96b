"""The lines beside the expected one: no new sales, and customers who pay late."""

from datetime import date, timedelta

from hypothesis import given
from runway_core.calculators.outlook_lines import compute_outlook_lines, read_line_figures
from runway_core.domain.books import Books
from runway_core.domain.money import round_to_minor
from runway_core.domain.outlook import OutlookKind, OutlookLine
from runway_testkit.books_strategies import books
from runway_testkit.sample import sample_books


def test_without_new_sales_the_sample_lasts_25_days() -> None:
    lines = compute_outlook_lines(sample_books())

    assert lines[OutlookLine.EXPECTED].runway.days == 32
    assert lines[OutlookLine.NO_NEW_SALES].runway.days == 25
    assert not [
        event
        for event in lines[OutlookLine.NO_NEW_SALES].events
        if event.kind is OutlookKind.NOT_YET_ENTERED and event.amount > 0
    ]


def test_the_cautious_line_has_each_invoice_come_when_four_of_five_have() -> None:
    """Four of five of the hospital's invoices come within 25 days of their due date, of the retailer's within 10."""
    cautious = compute_outlook_lines(sample_books())[OutlookLine.CAUTIOUS]
    days = {event.source.external_id: event.on for event in cautious.events if event.source and event.amount > 0}

    assert (days["I1"], days["I2"], days["I3"]) == (date(2026, 3, 12), date(2026, 3, 20), date(2026, 3, 30))
    assert cautious.runway.days == 18


def test_figures_of_each_line() -> None:
    lines = compute_outlook_lines(sample_books())
    figures = {each.line: each for each in read_line_figures(lines)}
    expected = figures[OutlookLine.EXPECTED]

    assert list(figures) == list(OutlookLine)
    assert (expected.month_end_on, expected.three_months_on) == (date(2026, 3, 31), date(2026, 5, 31))
    assert str(round_to_minor(expected.three_months.amount, "USD")) == "-36033.33"
    assert expected.month_end.amount == next(
        day.closing for day in lines[OutlookLine.EXPECTED].days if day.day == date(2026, 3, 31)
    )


@given(books())
def test_no_line_is_above_the_expected_one(any_books: Books) -> None:
    lines = compute_outlook_lines(any_books)
    expected = lines[OutlookLine.EXPECTED]

    for line in lines.values():
        assert all(day.closing <= other.closing for day, other in zip(line.days, expected.days, strict=True))
        assert all(event.on <= any_books.as_of + timedelta(days=90) for event in line.events)
