"""BK06, GL01 and GL02: accounts that stand where they cannot, or hold what they should not."""

from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.account_sign_wrong import AccountSignWrong
from runway_core.calculators.hygiene.checks.control_mismatch import ControlMismatch
from runway_core.calculators.hygiene.checks.suspense_not_zero import SuspenseNotZero
from runway_core.domain.bills import VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.findings import Finding
from runway_core.domain.invoices import CreditMemo, CustomerPayment
from runway_core.domain.ledger import AccountKind, JournalEntry
from runway_testkit.books_making import amount, bill, day, invoice, make_books

from tests.core.hygiene.bank_making import account, bank_balance, purchase


def signed(kind: AccountKind, balance: int, **more: Any) -> list[Finding]:
    accounts = (account("bank", balance, account_kind=kind), account("rent", account_kind=AccountKind.EXPENSE))
    return list(AccountSignWrong().find(make_books(accounts=accounts, **more)))


@pytest.mark.parametrize(
    ("kind", "balance", "is_found"),
    [
        (AccountKind.BANK, -1, True),
        (AccountKind.BANK, 0, False),
        (AccountKind.UNDEPOSITED_FUNDS, -1, True),
        (AccountKind.UNDEPOSITED_FUNDS, 1, False),
        (AccountKind.CREDIT_CARD, 1, True),
        (AccountKind.CREDIT_CARD, -1, False),
        (AccountKind.LONG_TERM_LIABILITY, -1, False),
    ],
)
def test_an_account_on_the_wrong_side_of_nil_is_found(kind: AccountKind, balance: int, is_found: bool) -> None:
    assert bool(signed(kind, balance)) is is_found


@pytest.mark.parametrize(("posted", "is_found"), [(-5, False), (5, True)], ids=["overdrawn indeed", "not at the bank"])
def test_an_account_that_is_overdrawn_at_the_bank_as_well_is_right(posted: int, is_found: bool) -> None:
    assert bool(signed(AccountKind.BANK, -5, bank_balances=(bank_balance(posted=posted),))) is is_found


@pytest.mark.parametrize(("on", "is_found"), [(1, False), (0, True)], ids=["tomorrow", "today"])
def test_what_is_entered_ahead_does_not_count_yet(on: int, is_found: bool) -> None:
    assert bool(signed(AccountKind.BANK, -5, purchases=(purchase("E", on, 9),))) is is_found


def test_the_trend_tells_since_when() -> None:
    (found,) = signed(AccountKind.BANK, -5, purchases=(purchase("E1", -45, 20), purchase("E2", -75, 100)))

    trend = next(evidence.value for evidence in found.evidence if evidence.name == "trend")
    assert trend == "30 days ago -5.00, 60 days ago 15.00, 90 days ago 115.00"


def entry(external_id: str, on: int, total: int, *, debit: str, credit: str, currency: str = "USD") -> JournalEntry:
    lines = (
        DocumentLine(line_kind=LineKind.DEBIT, amount=amount(total), account_id=debit),
        DocumentLine(line_kind=LineKind.CREDIT, amount=amount(total), account_id=credit),
    )
    return JournalEntry(
        external_id=external_id, document_date=day(on), currency=currency, total=amount(total), lines=lines
    )


def controlled(receivable: str, payable: str, **more: Any) -> list[Finding]:
    accounts = (
        account("ar", receivable, name="A/R", account_kind=AccountKind.ACCOUNTS_RECEIVABLE),
        account("ap", payable, name="A/P", account_kind=AccountKind.ACCOUNTS_PAYABLE),
        account("rent", account_kind=AccountKind.EXPENSE),
    )
    return list(ControlMismatch().find(make_books(**({"accounts": accounts} | more))))


@pytest.mark.parametrize(
    ("receivable", "payable", "is_found"),
    [("100", "-60", 0), ("100.99", "-60.99", 0), ("101", "-60", 1), ("100", "-59", 1), ("0", "0", 2)],
    ids=["equal", "cents", "a dollar", "a dollar less", "both"],
)
def test_documents_that_differ_from_their_account_by_a_dollar_are_found(
    receivable: str, payable: str, is_found: int
) -> None:
    found = controlled(receivable, payable, invoices=(invoice(total=100),), bills=(bill(total=60),))

    assert len(found) == is_found


def test_credits_and_payments_on_account_take_part_and_so_do_negative_bills() -> None:
    memo = CreditMemo(
        external_id="M",
        customer_id="C1",
        document_date=day(-3),
        currency="USD",
        total=amount(9),
        open_balance=amount(9),
    )
    paid = CustomerPayment(
        external_id="P", customer_id="C1", document_date=day(-3), currency="USD", total=amount(5), unapplied=amount(5)
    )
    credit = VendorCredit(
        external_id="V", vendor_id="V1", document_date=day(-3), currency="USD", total=amount(7), open_balance=amount(7)
    )
    negative = bill("B2", -10, open_balance=amount(-10))

    found = controlled(
        "86", "-43", invoices=(invoice(total=100),), credit_memos=(memo,), customer_payments=(paid,),
        bills=(bill(total=60), negative), vendor_credits=(credit,),
    )  # fmt: skip

    assert found == []


def test_each_currency_has_its_own_control_account() -> None:
    accounts = (
        account("ar", 100, account_kind=AccountKind.ACCOUNTS_RECEIVABLE),
        account("eur", 40, account_kind=AccountKind.ACCOUNTS_RECEIVABLE, currency="EUR"),
    )
    both = (invoice("I1", 100), invoice("I2", 40, currency="EUR"))

    assert controlled("0", "0", accounts=accounts, invoices=both) == []
    (found,) = controlled("0", "0", accounts=accounts, invoices=both[:1])
    assert str(found.amount) == "40.00 EUR"


def test_entries_on_a_control_account_are_the_evidence() -> None:
    entries = (
        entry("J1", -40, 25, debit="ar", credit="rent"),
        entry("J2", -9, 10, debit="rent", credit="ar"),
        entry("J3", -9, 10, debit="rent", credit="bank"),
    )

    (found,) = controlled("115", "0", invoices=(invoice(total=100),), journal_entries=entries)

    assert [str(evidence.record) for evidence in found.evidence[-2:]] == ["journal_entry:J2", "journal_entry:J1"]
    assert found.evidence[-3].value == "2, 15.00 in all"


def passing(*entries: JournalEntry, balance: int, name: str = "Suspense") -> list[Finding]:
    accounts = (
        account("bank"),
        account("passing", balance, name=name, account_kind=AccountKind.OTHER_CURRENT_ASSET),
    )
    books: Books = make_books(accounts=accounts, journal_entries=entries)
    return list(SuspenseNotZero().find(books))


@pytest.mark.parametrize(
    ("name", "age_days", "is_found"),
    [("Suspense", 31, True), ("Suspense", 30, False), ("Stripe Clearing", 31, True), ("Prepaid rent", 31, False)],
)
def test_what_stands_on_a_passing_account_for_over_thirty_days_is_found(
    name: str, age_days: int, is_found: bool
) -> None:
    parked = entry("J", -age_days, 90, debit="passing", credit="bank")

    assert bool(passing(parked, balance=90, name=name)) is is_found


def test_money_that_passes_through_each_week_is_left_alone() -> None:
    weeks = [-60, -53, -46, -39, -32, -25, -18, -11, -4]
    came = [entry(f"C{on}", on, 70, debit="passing", credit="bank") for on in weeks]
    went = [entry(f"W{on}", on + 6, 70, debit="bank", credit="passing") for on in weeks[:-1]]

    assert passing(*came, *went, balance=70) == []


def test_what_is_left_has_the_age_of_what_put_it_there() -> None:
    entries = (
        entry("J1", -100, 90, debit="passing", credit="bank"),
        entry("J2", -50, 20, debit="passing", credit="bank"),
        entry("J3", -40, 75, debit="bank", credit="passing"),
        entry("J4", -5, 30, debit="passing", credit="bank"),
    )

    (found,) = passing(*entries, balance=65)

    ages = {evidence.name: evidence.value for evidence in found.evidence}
    assert ages == {"balance": "65.00", "days_0_to_30": "30.00", "days_31_to_60": "20.00", "days_over_90": "15.00"}
    assert str(found.amount) == "35.00 USD"


def test_what_stood_there_before_the_history_at_hand_is_old() -> None:
    (found,) = passing(balance=12)

    assert str(found.amount) == "12.00 USD"


def test_an_empty_passing_account_is_right() -> None:
    assert passing(balance=0) == []
