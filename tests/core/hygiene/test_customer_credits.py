"""AR06, AR07, AR08 and AR10: money of customers that lies where it pays nothing."""

from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.credit_memo_unapplied import CreditMemoUnapplied
from runway_core.calculators.hygiene.checks.customer_balance_negative import CustomerBalanceNegative
from runway_core.calculators.hygiene.checks.customer_payment_unapplied import CustomerPaymentUnapplied
from runway_core.calculators.hygiene.checks.undeposited_stale import UndepositedStale
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLink
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.identity import RecordKind
from runway_core.domain.money import Money
from runway_testkit.books_making import amount, credit_memo, customer_payment, day, deposit, invoice, make_books

TO_DEPOSIT: dict[str, Any] = {"account_id": "undeposited", "unapplied": amount(0)}


def only(found: list[Finding]) -> Finding:
    (finding,) = found
    return finding


def unapplied(books: Books) -> list[Finding]:
    return [*CustomerPaymentUnapplied().find(books), *CreditMemoUnapplied().find(books)]


def test_a_payment_on_account_is_found_with_the_invoice_over_its_amount_first() -> None:
    payment = customer_payment(total=300)
    older = invoice("I1", 500, due_date=day(-30))
    same = invoice("I2", 300, due_date=day(20))

    finding = only(unapplied(make_books(customer_payments=(payment,), invoices=(older, same))))

    assert (finding.check, finding.severity, finding.subjects) == ("AR06", Severity.HIGH, (payment.key,))
    assert [fix.label for fix in finding.fixes] == [
        "Apply 300.00 USD to invoice I2",
        "Apply 300.00 USD to invoice I1",
    ]
    assert [e.record for e in finding.evidence if e.name == "open_balance"] == [same.key, older.key]


def test_only_the_unapplied_rest_counts_and_never_more_than_is_open() -> None:
    payment = customer_payment(total=300, unapplied=amount(120))

    finding = only(unapplied(make_books(customer_payments=(payment,), invoices=(invoice(total=100),))))

    assert finding.amount is not None
    assert finding.amount.amount == 120
    assert finding.fixes[0].label == "Apply 100.00 USD to invoice I"


def test_an_open_credit_is_found_with_its_customer() -> None:
    books = make_books(credit_memos=(credit_memo(),), invoices=(invoice(),))

    finding = only(unapplied(books))

    assert (finding.check, finding.severity) == ("AR07", Severity.MEDIUM)
    assert [subject.external_id for subject in finding.subjects] == ["CM", "C1"]
    assert not any(fix.amendments for fix in finding.fixes)


@pytest.mark.parametrize(
    ("credit", "owed"),
    [
        ({}, {"customer_id": "C2"}),
        ({}, {"currency": "EUR"}),
        ({}, {"open_balance": amount(0)}),
        ({}, {"is_void": True}),
        ({"is_void": True}, {}),
        ({"customer_id": None}, {"customer_id": None}),
    ],
    ids=["another customer", "another currency", "paid", "void invoice", "void credit", "no customer"],
)
def test_a_credit_without_an_open_invoice_of_its_customer_waits_for_nothing(
    credit: dict[str, Any], owed: dict[str, Any]
) -> None:
    books = make_books(
        customer_payments=(customer_payment(**credit),),
        credit_memos=(credit_memo(**credit),),
        invoices=(invoice(**owed),),
    )

    assert unapplied(books) == []


def test_a_payment_applied_in_full_is_no_finding() -> None:
    books = make_books(customer_payments=(customer_payment(unapplied=amount(0)),), invoices=(invoice(),))

    assert unapplied(books) == []


@pytest.mark.parametrize(
    ("age_days", "severity"),
    [(7, None), (8, Severity.MEDIUM), (30, Severity.MEDIUM), (31, Severity.HIGH)],
)
def test_a_receipt_that_lies_over_a_week_is_found_and_over_a_month_is_grave(
    age_days: int, severity: Severity | None
) -> None:
    payment = customer_payment(document_date=day(-age_days), **TO_DEPOSIT)

    found = list(UndepositedStale().find(make_books(customer_payments=(payment,))))

    assert [finding.severity for finding in found] == ([] if severity is None else [severity])


def test_a_receipt_in_a_currency_without_a_rate_lies_all_the_same() -> None:
    payment = customer_payment(document_date=day(-20), currency="EUR", **TO_DEPOSIT)

    finding = only(list(UndepositedStale().find(make_books(customer_payments=(payment,)))))

    assert finding.amount is not None
    assert finding.amount.currency == "EUR"


def test_a_receipt_at_the_bank_or_in_a_deposit_does_not_lie() -> None:
    old = day(-40)
    took = DocumentLink(kind=RecordKind.CUSTOMER_PAYMENT, external_id="taken")
    payments = (
        customer_payment("bank", document_date=old),
        customer_payment("taken", document_date=old, **TO_DEPOSIT),
        customer_payment(
            "named", document_date=old, links=(DocumentLink(kind=RecordKind.DEPOSIT, external_id="D9"),), **TO_DEPOSIT
        ),
        customer_payment("void", document_date=old, is_void=True, **TO_DEPOSIT),
    )
    books = make_books(customer_payments=payments, deposits=(deposit(lines=(), links=(took,)),))

    assert list(UndepositedStale().find(books)) == []


@pytest.mark.parametrize(("owed", "is_found"), [(99, True), (100, False), (101, False)])
def test_a_customer_is_negative_once_credits_exceed_what_is_open(owed: int, is_found: bool) -> None:
    books = make_books(
        customer_payments=(customer_payment(total=60),),
        credit_memos=(credit_memo(total=40),),
        invoices=(invoice(total=owed),),
    )

    found = list(CustomerBalanceNegative().find(books))

    assert bool(found) is is_found


def test_a_negative_balance_names_its_amount_and_items() -> None:
    books = make_books(customer_payments=(customer_payment(total=60),), credit_memos=(credit_memo(total=40),))

    finding = only(list(CustomerBalanceNegative().find(books)))

    assert finding.summary == "Customer 1 Inc has 100.00 USD more with us than is open"
    assert [(e.name, e.value) for e in finding.evidence] == [
        ("balance", "-100.00"),
        ("open_credit", "40.00"),
        ("unapplied", "60.00"),
    ]


def test_money_in_one_currency_does_not_settle_another() -> None:
    books = make_books(
        customer_payments=(customer_payment(total=60, currency="EUR"),), invoices=(invoice(total=500, currency="USD"),)
    )

    finding = only(list(CustomerBalanceNegative().find(books)))

    assert finding.amount == Money(amount=amount(60), currency="EUR")
