"""SY06: what figures leave out for want of a rate."""

from decimal import Decimal
from typing import Any

from runway_core.calculators.hygiene.checks.rate_missing import RateMissing
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.money import Money
from runway_testkit.books_making import amount, bill, customer_payment, day, invoice, make_books


def find(books: Books) -> list[Finding]:
    return sorted(RateMissing().find(books), key=lambda finding: finding.summary)


def account(currency: str, balance: int, kind: AccountKind = AccountKind.BANK) -> Account:
    return Account(
        external_id=f"{kind.value}-{currency}",
        name=currency,
        full_name=currency,
        account_kind=kind,
        account_type=kind.value,
        currency=currency,
        balance=amount(balance),
    )


def test_each_currency_without_a_rate_is_one_finding_with_all_that_is_left_out() -> None:
    books = make_books(
        bills=(bill("B1", 300, currency="EUR"), bill("B2", 50, currency="GBP"), bill("B3", 70)),
        invoices=(invoice("I1", 1_000, currency="EUR"),),
    )

    euro, sterling = find(books)

    assert euro.severity is Severity.CRITICAL
    assert [subject.external_id for subject in euro.subjects] == ["B1", "I1"]
    assert euro.amount == Money(amount=amount(1_300), currency="EUR")
    assert euro.summary == "EUR has no exchange rate: 2 records over 1,300.00 EUR are left out of every figure"
    assert [line.value for line in euro.evidence] == ["EUR", "1000.00", "300.00"]
    assert [subject.external_id for subject in sterling.subjects] == ["B2"]


def test_what_it_names_is_what_the_outlook_leaves_out() -> None:
    books = make_books(invoices=(invoice("I1", 1_000, currency="EUR"),))

    assert "open invoices: 1,000.00 EUR has no exchange rate" in compute_outlook(books).left_out
    assert len(find(books)) == 1


def test_a_rate_in_the_settings_is_enough_and_one_on_the_document_is_not() -> None:
    owed = invoice("I1", 1_000, currency="EUR", exchange_rate=Decimal("1.0820"))
    rated = CompanySettings(exchange_rates={"EUR": Decimal("1.0850")})
    nil = CompanySettings(exchange_rates={"EUR": Decimal(0)})

    assert find(make_books(invoices=(owed,), settings=rated)) == []
    assert len(find(make_books(invoices=(owed,), settings=nil))) == 1
    assert len(find(make_books(invoices=(owed,)))) == 1


def test_the_latest_rate_of_a_document_is_named() -> None:
    owed = (
        invoice("I1", 10, currency="EUR", exchange_rate=Decimal("1.0820"), document_date=day(-3)),
        invoice("I2", 99, currency="EUR", exchange_rate=Decimal("1.0700"), document_date=day(-40)),
    )

    (finding,) = find(make_books(invoices=owed))

    assert finding.fixes[0].label == (
        f"Set the rate of EUR in USD in the company's settings; 1.0820 was used on {day(-3)}"
    )


def test_bank_accounts_and_receipts_count_and_what_moves_no_figure_does_not() -> None:
    accounts = (
        account("EUR", 400),
        account("GBP", 0),
        account("JPY", 900, AccountKind.EXPENSE),
        account("USD", 1, AccountKind.UNDEPOSITED_FUNDS),
    )
    waiting: dict[str, Any] = {"account_id": "undeposited_funds-USD", "unapplied": amount(0), "currency": "CHF"}
    books = make_books(
        accounts=accounts,
        customer_payments=(customer_payment("CP1", 80, **waiting),),
        invoices=(invoice("paid", 10, currency="SEK", open_balance=amount(0)),),
    )

    assert [[subject.external_id for subject in finding.subjects] for finding in find(books)] == [
        ["CP1"],
        ["bank-EUR"],
    ]
