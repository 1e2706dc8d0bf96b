"""Checks run again only where their inputs changed, and find what a run of all of them would find."""

from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.check import Check
from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.calculators.hygiene.rerun import ALWAYS_READ, run_checks
from runway_core.domain.books import LISTS, Books
from runway_testkit.books_making import bill, make_books
from runway_testkit.books_strategies import books
from runway_testkit.sample import sample_books

from tests.core.noting_books import FIELDS, list_looked_at, mix_books


def watch(check: Check, given_books: Books) -> set[str]:
    return list_looked_at(given_books, lambda noting: tuple(check.find(noting)))


def find_unnamed(given_books: Books) -> dict[str, set[str]]:
    looked_at = {check.id: watch(check, given_books) - check.reads - ALWAYS_READ for check in CHECKS}
    return {check: names for check, names in looked_at.items() if names}


@given(books())
def test_no_check_looks_at_what_it_does_not_name(any_books: Books) -> None:
    assert find_unnamed(any_books) == {}


def test_every_check_names_only_fields_that_books_have() -> None:
    assert all(check.reads <= {*FIELDS, *LISTS} - ALWAYS_READ for check in CHECKS)
    assert find_unnamed(sample_books()) == {}


@given(books(), books(), st.lists(st.sampled_from(FIELDS), max_size=4, unique=True))
def test_running_again_finds_what_a_whole_run_finds(before: Books, other: Books, names: list[str]) -> None:
    now = mix_books(before, other, names)

    again = run_checks(now, run_checks(before))

    assert again.found == run_checks(now).found


@given(books(), books(), books(), st.lists(st.sampled_from(FIELDS), max_size=3, unique=True))
def test_so_it_does_after_many_readings(first: Books, second: Books, third: Books, names: list[str]) -> None:
    then = mix_books(first, second, names)
    now = mix_books(then, third, names[:1])

    assert run_checks(now, run_checks(then, run_checks(first))).found == run_checks(now).found


def test_a_changed_bill_runs_the_checks_on_bills_and_no_other() -> None:
    before = make_books(bills=(bill("B", 100),))
    now = before.model_copy(update={"bills": (bill("B", 120),)})

    again = run_checks(now, run_checks(before))

    assert again.ran == {check.id for check in CHECKS if "bills" in check.reads}
    assert 0 < len(again.ran) < len(CHECKS)


def test_books_that_nobody_touched_run_no_check() -> None:
    read = sample_books()
    unread = {check.id for check in CHECKS if "read_at" not in check.reads}

    assert run_checks(read, run_checks(read)).ran == frozenset()
    later = read.model_copy(update={"read_at": read.read_at.replace(year=2027)})
    assert run_checks(later, run_checks(read)).ran.isdisjoint(unread)


def test_a_new_day_runs_every_check() -> None:
    before = sample_books()
    now = before.model_copy(update={"as_of": before.as_of.replace(day=3)})

    assert run_checks(now, run_checks(before)).ran == {check.id for check in CHECKS}
