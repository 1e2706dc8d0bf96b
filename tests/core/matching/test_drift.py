from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.matching.drift import Drift, compute_drifts
from runway_core.domain.bank import BankBalance, BankTransaction
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Account, AccountKind, Purchase
from runway_testkit.books_making import READ_AT, amount, day, make_books
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import amend_books, sample_books


def operating(given_books: Books) -> Drift:
    return next(drift for drift in compute_drifts(given_books) if drift.account_id == "bank-operating")


def test_the_sample_differs_by_the_cheque_alone() -> None:
    """42,000 − 41,200 = 800 = 0 − (−800) + 0."""
    drift = operating(sample_books())

    assert (drift.bank, drift.ledger) == (amount(42_000), amount(41_200))
    assert (drift.bank_not_in_ledger, drift.ledger_not_at_bank) == (amount(0), amount(-800))
    assert drift.unexplained == 0
    assert drift.ledger_entries == (RecordKey(RecordKind.PURCHASE, "E-cheque"),)


def test_without_the_bank_there_is_nothing_to_compare() -> None:
    assert compute_drifts(sample_books(with_bank=False)) == ()


def test_a_line_that_the_ledger_lacks_is_told_with_its_amount() -> None:
    sample = sample_books()
    fee = BankTransaction(
        external_id="N-fee", account_id="bank-operating", booked_on=day(-1), currency="USD", amount=amount("-35.00")
    )
    balances = tuple(
        balance.model_copy(update={"posted": balance.posted - 35})
        if balance.account_id == "bank-operating"
        else balance
        for balance in sample.bank_balances
    )
    drift = operating(amend_books(sample, bank_transactions=(*sample.bank_transactions, fee), bank_balances=balances))

    assert (drift.bank_not_in_ledger, drift.bank_lines) == (amount("-35.00"), ("N-fee",))
    assert drift.unexplained == 0


def test_a_balance_that_no_line_explains_stays_unexplained() -> None:
    sample = sample_books()
    accounts = tuple(
        account.model_copy(update={"balance": account.balance + 250})
        if account.external_id == "bank-operating"
        else account
        for account in sample.accounts
    )

    assert operating(amend_books(sample, accounts=accounts)).unexplained == amount(-250)


def test_entries_dated_ahead_are_not_in_the_ledgers_balance_yet() -> None:
    sample = sample_books()
    ahead = sample.purchases[-1].model_copy(update={"external_id": "E-ahead", "document_date": day(3)})
    accounts = tuple(
        account.model_copy(update={"balance": account.balance - 800})
        if account.external_id == "bank-operating"
        else account
        for account in sample.accounts
    )

    assert operating(amend_books(sample, purchases=(*sample.purchases, ahead), accounts=accounts)) == operating(sample)


def one_account(lines: list[tuple[str, int, int]], entries: list[tuple[str, int, int, PaymentMethod]]) -> Drift:
    """Lines and purchases as (id, day, amount); balances are what they add up to."""
    made = make_books(
        accounts=(
            Account(
                external_id="bank", name="bank", full_name="bank", account_kind=AccountKind.BANK, account_type="bank",
                currency="USD", balance=amount(-sum(total for _, _, total, _ in entries)),
            ),
        ),
        bank_balances=(
            BankBalance(
                account_id="bank", currency="USD", posted=amount(-sum(total for _, _, total in lines)), read_at=READ_AT
            ),
        ),
        bank_transactions=tuple(
            BankTransaction(
                external_id=id_, account_id="bank", booked_on=day(on), currency="USD", amount=amount(-total)
            )
            for id_, on, total in lines
        ),
        purchases=tuple(
            Purchase(
                external_id=id_, document_date=day(on), currency="USD", total=amount(total), method=method,
                account_id="bank",
            )
            for id_, on, total, method in entries
        ),
    )  # fmt: skip
    (drift,) = compute_drifts(made)
    return drift


def test_a_cheque_may_take_ninety_days_and_another_payment_thirty() -> None:
    lines = [("N0", -100, 5), ("N1", -10, 70), ("N2", -10, 80)]
    entries = [
        ("E0", -100, 5, PaymentMethod.TRANSFER),
        ("cheque", -95, 70, PaymentMethod.CHECK),
        ("transfer", -95, 80, PaymentMethod.TRANSFER),
    ]
    drift = one_account(lines, entries)

    assert drift.bank_lines == ("N2",)
    assert [record.external_id for record in drift.ledger_entries] == ["transfer"]
    assert drift.unexplained == 0


def test_an_entry_from_before_the_banks_first_line_explains_a_line_and_is_not_missed() -> None:
    old = [("E0", -40, 70, PaymentMethod.CHECK), ("E1", -60, 99, PaymentMethod.TRANSFER)]
    drift = one_account([("N1", -10, 70)], old)

    assert (drift.bank_lines, drift.ledger_entries) == ((), ())


@given(books(), st.randoms(use_true_random=False))
def test_the_four_sums_agree_whatever_the_books_and_their_order(any_books: Books, random: Random) -> None:
    drifts = compute_drifts(any_books)

    assert compute_drifts(shuffle_books(any_books, random)) == drifts
    for drift in drifts:
        sums = drift.bank_not_in_ledger - drift.ledger_not_at_bank + drift.unexplained
        assert drift.bank - drift.ledger == sums
        assert isinstance(sums, Decimal)


def test_a_line_that_the_ledger_dates_tomorrow_is_not_in_the_ledger_yet() -> None:
    drift = one_account([("N1", 0, 70)], [("E1", 1, 70, PaymentMethod.TRANSFER)])

    assert drift.ledger == 0
    assert (drift.bank_not_in_ledger, drift.bank_lines) == (amount(-70), ("N1",))
    assert drift.unexplained == 0
