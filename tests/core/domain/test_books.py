"""Books remember what was computed from them, and a copy with other values does not."""

from runway_core.domain.books import Books
from runway_testkit.books_making import bill, make_books


def test_what_calculators_share_is_computed_once() -> None:
    asked: list[Books] = []

    def count_bills(books: Books) -> int:
        asked.append(books)
        return len(books.bills)

    books = make_books(bills=(bill("A"), bill("B")))

    assert [books.derive(count_bills), books.derive(count_bills)] == [2, 2]
    assert len(asked) == 1


def test_a_copy_forgets_what_was_computed_from_the_old_values() -> None:
    def count_bills(books: Books) -> int:
        return len(books.bills)

    books = make_books(bills=(bill("A"), bill("B")))
    before = (len(books.open_bills), books.derive(count_bills))
    copied = books.model_copy(update={"bills": ()})

    assert before == (2, 2)
    assert (copied.open_bills, copied.derive(count_bills)) == ((), 0)
    assert books.derive(count_bills) == 2
