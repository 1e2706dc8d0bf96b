from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.matching.at_bank import PAIRING_READS, find_unpaired
from runway_core.calculators.matching.bank_twins import find_twins
from runway_core.calculators.matching.ledger_legs import read_ledger_legs
from runway_core.domain.bank import BankTransaction
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_testkit.books_making import amount, day, make_books
from runway_testkit.books_strategies import books, shuffle_books


def line(external_id: str, on: int, vendor: int | None = None) -> BankTransaction:
    return BankTransaction(
        external_id=external_id,
        account_id="bank",
        booked_on=day(on),
        currency="USD",
        amount=amount(-100),
        text="ACH DEBIT" if vendor is None else f"ACH DEBIT VENDOR {vendor} LTD",
    )


def paid(external_id: str, on: int, vendor: int = 1, **more: Any) -> BillPayment:
    values: dict[str, Any] = {"method": PaymentMethod.TRANSFER, "account_id": "bank", "vendor_id": f"V{vendor}"}
    return BillPayment(
        external_id=external_id, document_date=day(on), currency="USD", total=amount(100), **(values | more)
    )


def left(lines: list[BankTransaction], payments: list[BillPayment]) -> tuple[list[str], list[str]]:
    unpaired = find_unpaired(make_books(bank_transactions=tuple(lines), bill_payments=tuple(payments)))["bank"]
    return [line.external_id for line in unpaired.lines], [leg.record.external_id for leg in unpaired.legs]


def test_a_line_shows_an_entry_from_three_days_before_it_to_thirty_after() -> None:
    for shown, is_paired in ((-34, False), (-33, True), (0, True)):
        assert (left([line("N", shown)], [paid("P", -30)]) == ([], [])) is is_paired
    assert left([line("N", -5)], [paid("P", -36)]) == (["N"], ["P"])
    assert left([line("N", -5)], [paid("P", -36, method=PaymentMethod.CHECK)]) == ([], [])


def test_where_one_is_left_over_those_of_one_party_pair_first() -> None:
    both = [line("N1", -6, 1), line("N2", -5, 2)]
    for entry, missing in ((paid("P", -7, 1), ["N2"]), (paid("P", -7, 2), ["N1"])):
        assert left(both, [entry]) == (missing, [])
        assert left(both[::-1], [entry]) == (missing, [])
    for seen, missing in ((line("N", -5, 1), ["P2"]), (line("N", -5, 2), ["P1"])):
        assert left([seen], [paid("P1", -7, 1), paid("P2", -7, 2)]) == ([], missing)


def test_a_cheques_number_goes_before_everything() -> None:
    """The bank's text names nobody, only the number; another line names the vendor."""
    cheque = paid("P", -30, 1, method=PaymentMethod.CHECK, number="2041")
    cashed = line("N1", -14).model_copy(update={"text": "CHECK #2041"})

    assert left([cashed, line("N2", -5, 1)], [cheque]) == (["N2"], [])


def test_what_is_older_than_the_banks_first_line_explains_only_what_nothing_else_does() -> None:
    """Rents that come round: the one from before was seen before, and the line is the next one's."""
    rents = [paid("P0", -72, method=PaymentMethod.CHECK), paid("P1", -40, method=PaymentMethod.CHECK)]
    first = line("N0", -60).model_copy(update={"amount": amount(-7)})

    assert left([first, line("N1", -20)], rents) == (["N0"], ["P0"])
    assert left([first, line("N1", -20), line("N2", -10)], rents) == (["N0"], [])


def test_a_line_that_names_another_party_may_still_be_the_entry() -> None:
    """Somebody booked it under the wrong name: the money is in the ledger all the same."""
    assert left([line("N", -5, 2)], [paid("P", -7, 1)]) == ([], [])
    assert left([line("N1", -5, 2), line("N2", -5)], [paid("P", -7, 1), paid("Q", -7, 2)]) == ([], [])


@given(books(), st.randoms(use_true_random=False))
def test_order_changes_nothing_and_what_is_paired_is_paired_once(any_books: Books, random: Random) -> None:
    unpaired = find_unpaired(any_books)
    shuffled = find_unpaired(shuffle_books(any_books, random))

    assert shuffled == unpaired
    for account_id, rest in unpaired.items():
        repeated = {other.external_id for _, other in find_twins(any_books)}
        lines = [
            one.amount
            for one in any_books.bank_transactions
            if one.account_id == account_id and not one.is_pending and one.booked_on <= any_books.as_of
            if one.external_id not in repeated
        ]
        legs = [
            leg.amount
            for leg in read_ledger_legs(any_books)
            if leg.account_id == account_id and leg.day <= any_books.as_of
        ]
        assert len(lines) - len(rest.lines) == len(legs) - len(rest.legs)
        assert sum(lines) - sum(one.amount for one in rest.lines) == sum(legs) - sum(leg.amount for leg in rest.legs)


def test_a_changed_list_is_read_anew() -> None:
    before = make_books(bank_transactions=(line("N", -5),))
    after = before.model_copy(update={"bill_payments": (paid("P", -7),)})

    assert find_unpaired(before)["bank"].lines
    assert not find_unpaired(after)["bank"].lines
    assert find_unpaired(before)["bank"].lines
    assert "bill_payments" in PAIRING_READS
