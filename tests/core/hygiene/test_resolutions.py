"""Resolutions counted from the sums of days, against the outlook projected anew."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.hygiene.resolutions import Resolutions
from runway_core.calculators.outlook import HORIZON_DAYS, compute_outlook
from runway_core.calculators.what_if import amend_outlook
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.outlook import BEYOND_DAYS, Outlook
from runway_testkit.books_strategies import amounts, books


@st.composite
def amended_books(draw: st.DrawFn) -> tuple[Books, Outlook, list[Amendment]]:
    """Books, their outlook, and up to four differences of every kind, among them some that come to nothing."""
    any_books = draw(books())
    outlook = compute_outlook(any_books)
    records = sorted({event.source for event in outlook.events if event.source}, key=str)
    days = st.integers(-10, HORIZON_DAYS + 10).map(lambda ahead: any_books.as_of + timedelta(days=ahead))
    one = st.builds(
        Amendment,
        action=st.sampled_from(AmendmentAction),
        record=st.sampled_from([None, *records]),
        on=st.none() | days,
        amount=st.none() | amounts(-60_000, 60_000),
    )
    return any_books, outlook, draw(st.lists(one, max_size=4))


@given(amended_books())
def test_sums_of_days_say_the_same_as_the_whole_outlook(drawn: tuple[Books, Outlook, list[Amendment]]) -> None:
    any_books, outlook, amendments = drawn
    whole = amend_outlook(any_books, compute_cash(any_books), outlook, amendments)

    reached = Resolutions(any_books, outlook).reach(amendments)

    assert reached.days == (BEYOND_DAYS if whole.runway.days is None else whole.runway.days)
    assert reached.low == whole.low_28_days.amount
