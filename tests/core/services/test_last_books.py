"""Books read again know what was computed from those before, and never more than still holds."""

from runway_core.calculators.cash import compute_cash
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.identity import CompanyId
from runway_core.services.last_books import LastBooks, count_records
from runway_testkit.books_making import make_books

from tests.core.desk import FirmDesk, bank, bill


async def test_an_idle_hour_leaves_the_outlook_as_it_was_computed() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(5_000), bill("1"))
    await desk.runway.sync(acme.company_id)
    before = await desk.runway.books.read(acme.company_id)
    outlook = before.derive(compute_outlook)
    desk.later(minutes=50)
    again = await desk.runway.books.read(acme.company_id)

    assert again.read_at > before.read_at
    assert again.derive(compute_outlook) is outlook


async def test_a_changed_balance_is_in_the_figures_at_once() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(5_000), bill("1"))
    await desk.runway.sync(acme.company_id)
    before = await desk.runway.books.read(acme.company_id)
    before.derive(compute_outlook)
    desk.ledger("Acme").put(bank(4_000))
    await desk.runway.sync(acme.company_id)
    again = await desk.runway.books.read(acme.company_id)

    assert again.derive(compute_outlook).opening_cash.amount == 4_000
    assert again.derive(compute_cash).opening.amount == 4_000


async def test_a_new_day_is_computed_anew() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(5_000), bill("1"))
    await desk.runway.sync(acme.company_id)
    before = (await desk.runway.books.read(acme.company_id)).derive(compute_outlook)
    desk.later(minutes=24 * 60)
    again = (await desk.runway.books.read(acme.company_id)).derive(compute_outlook)

    assert again.as_of > before.as_of


def test_books_of_more_records_than_the_limit_are_let_go() -> None:
    last, small = LastBooks(limit=1), make_books()
    large = make_books(accounts=(bank(1), bank(2)))
    last.follow(small)
    small.derive(compute_cash)
    last.follow(large)
    large.derive(compute_cash)

    assert compute_cash not in last.follow(large.model_copy()).derived


def test_how_large_books_are_is_known_though_they_are_too_large_to_be_held() -> None:
    last, large = LastBooks(limit=1), make_books(accounts=(bank(1), bank(2)))
    last.follow(large)

    assert last.count(large.company.company_id) == count_records(large) > 1
    assert last.count(CompanyId("never read")) == 0
