"""What was computed from books holds for later books exactly as far as nothing that it read has changed."""

from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.hygiene.find import find_findings
from runway_core.calculators.hygiene.tracking import track_findings
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.policy.ground import gather_ground
from runway_core.calculators.position import compute_position
from runway_core.calculators.proposed_decisions import propose_decisions
from runway_core.domain.bills import Bill
from runway_core.domain.books import FIELDS_OF, LISTS, Books
from runway_core.domain.ledger import AccountKind
from runway_core.domain.position import Position
from runway_sandbox.economy import build_company
from runway_testkit.books_making import bill, make_books
from runway_testkit.books_strategies import books
from runway_testkit.sample import sample_books

from tests.core.hygiene.planted import read_books
from tests.core.noting_books import FIELDS, list_looked_at, mix_books


def count_open(given_books: Books) -> int:
    return len(given_books.open_bills)


def count_banks(given_books: Books) -> int:
    return sum(account.account_kind is AccountKind.BANK for account in given_books.chart)


def count_days(given_books: Books) -> int:
    return given_books.derive(count_open) * given_books.as_of.day


def add_up(given_books: Books) -> list[Decimal]:
    return [held.open_balance for held in given_books.model_copy().bills]


class Lazy:
    """A value that wrongly holds on to the books."""

    def __init__(self, given_books: Books) -> None:
        self._books = given_books

    def later(self) -> str:
        return self._books.home


counted: list[str] = []


def count_of_vendor(bills: tuple[Bill, ...]) -> int:
    counted.append(bills[0].vendor_id or "")
    return len(bills)


def count_by_vendor(given_books: Books, least: int) -> dict[str, int]:
    counts = given_books.derive_each(count_of_vendor, {v: (b,) for v, b in given_books.bills_by_vendor.items()})
    return {vendor_id: count for vendor_id, count in counts.items() if count >= least}


def tell_all(given_books: Books) -> tuple[Any, ...]:
    """What pages and portfolio are made of."""
    tracked = track_findings((), find_findings(given_books), at=given_books.read_at, today=given_books.as_of)
    position: Position = compute_position(given_books, tracked, computed_at=given_books.read_at)
    outlook, proposed = given_books.derive(compute_outlook), propose_decisions(given_books, tracked)
    return outlook, tracked, position, proposed.proposal, gather_ground(given_books, tracked).line


def test_a_value_is_made_once_and_names_the_fields_it_was_made_of() -> None:
    held = make_books(bills=(bill("B", 100),))

    assert held.derive(count_days) == held.as_of.day
    assert held.derived[count_open].reads == {"bills"}
    assert held.derived[count_days].reads == {"bills", "as_of"}


def test_what_is_made_of_a_copy_is_made_of_all_the_books() -> None:
    held = make_books(bills=(bill("B", 100),))
    held.derive(add_up)

    assert held.derived[add_up].reads == {*FIELDS, *LISTS}


def test_a_value_holds_until_a_field_it_read_changes() -> None:
    before = make_books(bills=(bill("B", 100),))
    before.derive(count_days)
    again = before.model_copy(update={"read_at": before.read_at + timedelta(hours=1)}).continue_from(before)
    next_day = before.model_copy(update={"as_of": before.as_of + timedelta(days=1)}).continue_from(before)
    paid = before.model_copy(update={"bills": ()}).continue_from(before)

    assert again.derived.keys() == {count_days, count_open}
    assert again.open_bills is before.open_bills
    assert next_day.derived.keys() == {count_open}
    assert paid.derived.keys() == set()
    assert paid.derive(count_days) == 0


def test_a_value_that_looks_at_the_books_later_is_a_mistake() -> None:
    lazy = make_books().derive(Lazy)

    with pytest.raises(RuntimeError, match="derive what is needed at once"):
        lazy.later()


def test_what_else_is_given_is_part_of_what_a_value_was_made_of() -> None:
    held = make_books(bills=(bill("1", 100), bill("2", 100), bill("3", 100, vendor_id="other")))

    assert held.derive(count_by_vendor, 2) == held.derive(count_by_vendor, least=2) == {held.bills[0].vendor_id: 2}
    assert held.derive(count_by_vendor, 3) == {}
    assert held.derived[count_by_vendor].reads == {"bills"}


def test_only_the_vendor_whose_bill_changed_is_looked_at_again() -> None:
    before = make_books(bills=(bill("1", 100, vendor_id="A"), bill("2", 100, vendor_id="B")))
    before.derive(count_by_vendor, 1)
    later = before.model_copy(update={"bills": (before.bills[0], bill("2", 50, vendor_id="B"))}).continue_from(before)
    counted.clear()

    assert later.derive(count_by_vendor, 1) == {"A": 1, "B": 1}
    assert counted == ["B"]


def test_a_vendor_that_is_gone_is_forgotten() -> None:
    before = make_books(bills=(bill("1", 100, vendor_id="A"), bill("2", 100, vendor_id="B")))
    before.derive(count_by_vendor, 1)
    later = before.model_copy(update={"bills": before.bills[:1]}).continue_from(before)

    assert later.derive(count_by_vendor, 1) == {"A": 1}
    assert later.pieces[count_of_vendor, ""].keys() == {"A"}


def test_what_is_made_of_the_chart_holds_while_only_balances_move() -> None:
    before = make_books(bills=())
    before.derive(count_banks)
    moved = [held.model_copy(update={"balance": held.balance + 1, "revision": "later"}) for held in before.accounts]
    later = before.model_copy(update={"accounts": tuple(moved)}).continue_from(before)
    renamed = [held.model_copy(update={"account_kind": AccountKind.EXPENSE}) for held in moved]
    at_last = later.model_copy(update={"accounts": tuple(renamed)}).continue_from(later)

    assert count_banks in later.derived
    assert later.accounts[0].balance == before.accounts[0].balance + 1
    assert later.chart[0].balance == 0
    assert count_banks not in at_last.derived
    assert (later.derive(count_banks), at_last.derive(count_banks)) == (1, 0)


@given(books())
def test_every_attribute_of_books_names_the_fields_behind_it(any_books: Books) -> None:
    made = {name for name, held in vars(Books).items() if isinstance(held, cached_property | property)} - {
        "derived",
        "pieces",
    }
    assert FIELDS_OF.keys() == made | set(FIELDS)
    for name in made:
        assert list_looked_at(any_books, attrgetter(name)) - {name} <= FIELDS_OF[name]


def test_cash_of_books_without_a_bank_does_not_depend_on_the_hour() -> None:
    held = sample_books().model_copy(update={"bank_balances": ()})
    held.derive(compute_cash)

    assert "read_at" not in held.derived[compute_cash].reads


@settings(max_examples=30)
@given(books(), books(), st.lists(st.sampled_from(FIELDS), max_size=4, unique=True))
def test_figures_of_continued_books_are_those_of_books_read_anew(before: Books, other: Books, names: list[str]) -> None:
    tell_all(before)
    now = mix_books(before, other, names)

    assert tell_all(mix_books(before, other, names).continue_from(before)) == tell_all(now)


EDITS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "bills": {
        "due_date": st.dates(date(2026, 1, 1), date(2026, 12, 31)) | st.none(),
        "document_date": st.dates(date(2025, 6, 1), date(2026, 6, 30)),
        "open_balance": st.sampled_from([Decimal(0), Decimal(-5), Decimal(100)]),
        "total": st.sampled_from([Decimal(0), Decimal(-5), Decimal(250)]),
        "number": st.sampled_from([None, "1001", "1002"]),
        "vendor_id": st.sampled_from([None, "1", "nobody"]),
        "currency": st.just("CAD"),
    },
    "bill_payments": {
        "document_date": st.dates(date(2025, 6, 1), date(2026, 6, 30)),
        "vendor_id": st.sampled_from([None, "1", "nobody"]),
        "is_void": st.just(True),
        "applied": st.just(()),
    },
    "invoices": {
        "document_date": st.dates(date(2025, 6, 1), date(2026, 6, 30)),
        "customer_id": st.sampled_from([None, "1", "nobody"]),
        "is_void": st.just(True),
    },
    "accounts": {"balance": st.just(Decimal(7)), "account_kind": st.just(AccountKind.EXPENSE)},
    "vendors": {"name": st.just("Acme"), "term_id": st.just("none"), "balance": st.just(Decimal(7))},
    "customers": {"name": st.just("Acme"), "is_active": st.just(False), "balance": st.just(Decimal(7))},
}


@st.composite
def edited(draw: st.DrawFn, whole: Books) -> Books:
    """Books of which one record was edited, or went."""
    kind = draw(st.sampled_from(sorted(EDITS)))
    records = list(getattr(whole, kind))
    place = draw(st.integers(0, len(records) - 1))
    if draw(st.booleans()):
        field = draw(st.sampled_from(sorted(EDITS[kind])))
        records[place] = records[place].model_copy(update={field: draw(EDITS[kind][field])})
    else:
        del records[place]
    return whole.model_copy(update={kind: tuple(records)})


@pytest.fixture(scope="module")
def whole_books() -> Books:
    return read_books(build_company(index=3, seed=5, bills=60, as_of=date(2026, 3, 2)))


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_edit_after_the_other_gives_the_figures_of_books_read_anew(whole_books: Books, data: st.DataObject) -> None:
    before = whole_books.model_copy()
    tell_all(before)
    for _ in range(2):
        now = data.draw(edited(before))
        assert tell_all(now.continue_from(before)) == tell_all(now.model_copy())
        before = now
