from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.rewind import rewind_books
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings
from runway_core.domain.documents import DocumentLink, LineKind
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CreditMemo, CustomerPayment
from runway_core.domain.ledger import Account, AccountKind
from runway_testkit.books_making import amount, bill, day, invoice, make_books, moment
from runway_testkit.books_strategies import AS_OF, books, shuffle_books
from runway_testkit.sample import amend_books, sample_books
from runway_testkit.sample_records import OPERATING

from tests.core.backtesting import find_mondays, read_two_years

NIL = Decimal(0)
earlier_days = st.integers(0, 120).map(lambda back: AS_OF - timedelta(days=back))


def money_account(external_id: str, kind: AccountKind, balance: int) -> Account:
    return Account(
        external_id=external_id,
        name=external_id,
        full_name=external_id,
        account_kind=kind,
        account_type=kind.value,
        currency="USD",
        balance=amount(balance),
    )


def bill_payment(bill_id: str, paid: int, **more: object) -> BillPayment:
    values: dict[str, object] = {
        "external_id": f"P-{bill_id}",
        "vendor_id": "V1",
        "document_date": day(-3),
        "created_at": moment(-3),
        "currency": "USD",
        "total": amount(paid),
        "method": PaymentMethod.CHECK,
        "account_id": "bank",
        "applied": (DocumentLink(kind=RecordKind.BILL, external_id=bill_id, amount=amount(paid)),),
    }
    return BillPayment.model_validate(values | more)


def ledger(**more: object) -> Books:
    accounts = (
        money_account("bank", AccountKind.BANK, 1_000),
        money_account("payable", AccountKind.ACCOUNTS_PAYABLE, -60),
        money_account("receivable", AccountKind.ACCOUNTS_RECEIVABLE, 0),
        money_account("undeposited", AccountKind.UNDEPOSITED_FUNDS, 0),
    )
    return amend_books(make_books(), accounts=accounts, **more)


def balances(given: Books) -> dict[str, Decimal]:
    return {account.external_id: account.balance for account in given.accounts}


def test_a_record_entered_later_was_not_there_yet() -> None:
    """The day of entry decides, not the document's."""
    given = ledger(
        bills=(
            bill("known", created_at=moment(-9)),
            bill("late", document_date=day(-20), created_at=moment(-4)),
        )
    )

    then = rewind_books(given, day(-5))

    assert [b.external_id for b in then.bills] == ["known"]
    assert (then.as_of, then.read_at) == (day(-5), moment(-5))


def test_without_a_time_of_entry_the_document_counts_from_its_day() -> None:
    given = ledger(bills=(bill("before", document_date=day(-6)), bill("after", document_date=day(-4))))

    assert [b.external_id for b in rewind_books(given, day(-5)).bills] == ["before"]


def test_what_was_paid_later_was_still_open_and_still_in_the_bank() -> None:
    paid = bill("B", 100, open_balance=amount(60), created_at=moment(-9))
    given = ledger(bills=(paid,), bill_payments=(bill_payment("B", 40),))

    then = rewind_books(given, day(-5))

    assert [b.open_balance for b in then.bills] == [100]
    assert balances(then) == {"bank": 1_040, "payable": -100, "receivable": 0, "undeposited": 0}


def test_a_payment_known_by_then_stays_paid() -> None:
    paid = bill("B", 100, open_balance=amount(60), created_at=moment(-9))
    given = ledger(bills=(paid,), bill_payments=(bill_payment("B", 40, created_at=moment(-6)),))

    then = rewind_books(given, day(-5))

    assert [b.open_balance for b in then.bills] == [60]
    assert balances(then) == balances(given)


def test_a_void_payment_moved_nothing() -> None:
    given = ledger(bills=(bill("B", 100, created_at=moment(-9)),), bill_payments=(bill_payment("B", 40, is_void=True),))

    then = rewind_books(given, day(-5))

    assert [b.open_balance for b in then.bills] == [100]
    assert balances(then) == balances(given)


def test_a_credit_used_later_was_still_there() -> None:
    memo = CreditMemo(
        external_id="CM",
        customer_id="C1",
        document_date=day(-9),
        created_at=moment(-9),
        currency="USD",
        total=amount(30),
        open_balance=amount(0),
    )
    joining = CustomerPayment(
        external_id="J",
        customer_id="C1",
        document_date=day(-2),
        created_at=moment(-2),
        currency="USD",
        total=amount(0),
        unapplied=amount(0),
        applied=(
            DocumentLink(kind=RecordKind.INVOICE, external_id="I", amount=amount(30)),
            DocumentLink(kind=RecordKind.CREDIT_MEMO, external_id="CM", amount=amount(30)),
        ),
    )
    billed = invoice("I", 100, open_balance=amount(70), created_at=moment(-9))

    then = rewind_books(ledger(invoices=(billed,), credit_memos=(memo,), customer_payments=(joining,)), day(-5))

    assert [i.open_balance for i in then.invoices] == [100]
    assert [m.open_balance for m in then.credit_memos] == [30]


def test_a_receipt_deposited_later_waited_in_undeposited_funds() -> None:
    deposit = DocumentLink(kind=RecordKind.DEPOSIT, external_id="D")
    receipt = CustomerPayment(
        external_id="R",
        customer_id="C1",
        document_date=day(-6),
        created_at=moment(-6),
        currency="USD",
        total=amount(50),
        unapplied=amount(0),
        account_id="undeposited",
        links=(deposit,),
    )
    sample = sample_books(with_bank=False)
    taken = sample.deposits[0].model_copy(
        update={
            "external_id": "D",
            "document_date": day(-2),
            "created_at": moment(-2),
            "account_id": "bank",
            "total": amount(50),
            "lines": (),
            "links": (DocumentLink(kind=RecordKind.CUSTOMER_PAYMENT, external_id="R"),),
        }
    )
    given = ledger(customer_payments=(receipt,), deposits=(taken,))

    then = rewind_books(given, day(-5))

    assert then.deposits == ()
    assert then.customer_payments[0].links == ()
    assert balances(then) == {"bank": 950, "payable": -60, "receivable": 0, "undeposited": 50}


def test_a_bank_balance_goes_back_by_what_was_booked_since() -> None:
    sample = sample_books()
    on = sample.as_of - timedelta(days=10)
    booked = [line for line in sample.bank_transactions if line.account_id == OPERATING and line.booked_on > on]

    then = rewind_books(sample, on)

    assert booked
    (posted,) = [b.posted for b in then.bank_balances if b.account_id == OPERATING]
    assert posted == 42_000 - sum((line.amount for line in booked), NIL)
    assert max(line.booked_on for line in then.bank_transactions) <= on


def test_books_cannot_be_turned_forward() -> None:
    with pytest.raises(AssertionError):
        rewind_books(sample_books(), AS_OF + timedelta(days=1))


@given(books())
def test_turned_back_to_their_own_day_books_are_the_same(given_books: Books) -> None:
    assert rewind_books(given_books, given_books.as_of) == given_books


@given(books(), earlier_days, earlier_days)
def test_two_steps_back_are_one(given_books: Books, one: date, other: date) -> None:
    middle, far = max(one, other), min(one, other)

    assert rewind_books(rewind_books(given_books, middle), far) == rewind_books(given_books, far)


@given(books(), earlier_days, st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(given_books: Books, on: date, random: Random) -> None:
    shuffled = rewind_books(shuffle_books(given_books, random), on)

    assert sorted(map(repr, shuffled.bills)) == sorted(map(repr, rewind_books(given_books, on).bills))
    assert compute_cash(shuffled).opening == compute_cash(rewind_books(given_books, on)).opening


@dataclass
class Control:
    """What control accounts say, and what the documents behind them add up to."""

    accounts: Decimal
    documents: Decimal


def on_accounts(then: Books, kind: AccountKind) -> Decimal:
    """What control accounts hold, less what journal entries put there past the documents: a planted defect."""
    ids = {account.external_id for account in then.accounts if account.account_kind is kind}
    entered = sum(
        (
            row.amount if row.line_kind is LineKind.DEBIT else -row.amount
            for entry in then.journal_entries
            for row in entry.lines
            if row.account_id in ids
        ),
        NIL,
    )
    return sum((account.balance for account in then.accounts if account.external_id in ids), NIL) - entered


def payables(then: Books) -> Control:
    on_account = on_accounts(then, AccountKind.ACCOUNTS_PAYABLE)
    owed = sum((b.open_balance for b in then.bills), NIL)
    credit = sum((c.open_balance or NIL for c in then.vendor_credits), NIL)
    unapplied = sum(
        (
            p.total - sum((x.amount or NIL) * (-1 if x.kind is RecordKind.VENDOR_CREDIT else 1) for x in p.applied)
            for p in then.bill_payments
            if not p.is_void
        ),
        NIL,
    )
    return Control(-on_account, owed - credit - unapplied)


def receivables(then: Books) -> Control:
    on_account = on_accounts(then, AccountKind.ACCOUNTS_RECEIVABLE)
    owed = sum((i.open_balance for i in then.invoices), NIL)
    credit = sum((m.open_balance for m in then.credit_memos), NIL)
    return Control(on_account, owed - credit - sum((p.unapplied for p in then.customer_payments), NIL))


@pytest.mark.parametrize("index", [1, 8])
def test_on_every_day_documents_add_up_to_their_control_accounts(index: int) -> None:
    """A made-up company kept two years of books; by double entry each side says the same on any day of them."""
    then = read_two_years(index, seed=7, bills=120)
    for monday in reversed(find_mondays(then, every=6)):
        then = rewind_books(then, monday)

        assert payables(then).accounts == payables(then).documents
        assert receivables(then).accounts == receivables(then).documents


def test_the_time_of_day_is_the_company_s_own_on_both_sides_of_summer_time() -> None:
    """Nine in Chicago is 15:00 UTC in winter and 14:00 in summer."""
    given = make_books(settings=CompanySettings())

    assert rewind_books(given, date(2025, 7, 1)).read_at == datetime(2025, 7, 1, 14, 0, tzinfo=UTC)
