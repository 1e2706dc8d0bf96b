from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.outflow_without_bill import OutflowWithoutBill
from runway_core.domain.aliases import NameAlias
from runway_core.domain.bank import BankTransaction
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.company import CompanySettings, EnteredSeries, Rhythm, SeriesKind
from runway_core.domain.findings import Finding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Money
from runway_testkit.books_making import amount, bill, day, make_books, moment

KNOWN = bill("K", 300, document_date=day(-90), open_balance=amount(0))
"""A bill of old: the vendor is one who sends bills."""


def line(total: int | str = -2000, **more: Any) -> BankTransaction:
    values: dict[str, Any] = {
        "external_id": "N",
        "account_id": "bank",
        "currency": "USD",
        "booked_on": day(-4),
        "text": "ACH DEBIT VENDOR 1 LTD 0421",
        "rail": "plaid",
    }
    return BankTransaction(amount=amount(total), **(values | more))


def find(*lines: BankTransaction, **more: Any) -> list[Finding]:
    return list(OutflowWithoutBill().find(make_books(**({"bills": (KNOWN,), "bank_transactions": lines} | more))))


def test_money_to_a_vendor_who_sends_bills_and_no_bill() -> None:
    (finding,) = find(line())

    assert finding.subjects == (RecordKey(RecordKind.BANK_TRANSACTION, "N"),)
    assert finding.amount == Money(amount=amount(2000), currency="USD")
    assert {evidence.value for evidence in finding.evidence} >= {"Vendor 1 Ltd", "ACH DEBIT VENDOR 1 LTD 0421"}


@pytest.mark.parametrize(("total", "is_found"), [("-999.99", False), (-1000, True), (1000, False)])
def test_it_is_an_outflow_of_a_thousand_or_more(total: int | str, is_found: bool) -> None:
    assert bool(find(line(total))) is is_found


def test_a_thousand_counts_in_home_currency() -> None:
    rated = CompanySettings(exchange_rates={"EUR": amount("1.25")})

    assert find(line(-800, currency="EUR"), settings=rated)
    assert not find(line(-799, currency="EUR"), settings=rated)
    assert not find(line(-800, currency="EUR"))


@pytest.mark.parametrize(
    "more",
    [
        {"text": "ACH DEBIT VENDOR 2 LTD"},
        {"text": "WIRE OUT"},
        {"is_pending": True},
        {"is_transfer": True},
        {"is_financing": True},
    ],
)
def test_money_to_others_and_of_other_sorts_needs_no_bill(more: dict[str, Any]) -> None:
    assert not find(line(**more))


def test_a_confirmed_alias_says_whose_a_text_is() -> None:
    alias = NameAlias(
        paper_id="zq payments",
        changed_at=moment(-50),
        changed_by="ada",
        text="ZQ PAYMENTS",
        party=RecordKey(RecordKind.VENDOR, "V1"),
    )

    assert find(line(text="ZQ PAYMENTS"), aliases=(alias,))
    assert not find(line(text="ZQ PAYMENTS"))


@pytest.mark.parametrize("parts", [(2000,), (1200, 800), ("2000.80",), ("1999.99",)])
def test_open_bills_of_the_vendor_that_it_may_pay_stand_for_it(parts: tuple[int | str, ...]) -> None:
    """Whole, several at once, or but for some cents."""
    bills = [bill(f"B{n}", part, document_date=day(-20)) for n, part in enumerate(parts)]

    assert not find(line(), bills=(KNOWN, *bills))


def test_an_open_bill_over_another_amount_does_not() -> None:
    assert find(line(), bills=(KNOWN, bill(total=700, document_date=day(-20))))
    assert find(line(), bills=(KNOWN, bill(total=2000, vendor_id="V2", document_date=day(-20))))


def payment(account_id: str, total: int = 2000, on: int = -6) -> BillPayment:
    return BillPayment(
        external_id="BP",
        vendor_id="V1",
        document_date=day(on),
        currency="USD",
        total=amount(total),
        method=PaymentMethod.TRANSFER,
        account_id=account_id,
    )


@pytest.mark.parametrize(("account_id", "on"), [("bank", -6), ("bank", -60), ("savings", -6)])
def test_a_payment_in_the_ledger_stands_for_it_on_whatever_account(account_id: str, on: int) -> None:
    plain = make_books()
    savings = plain.accounts[0].model_copy(update={"external_id": "savings"})
    accounts = (*plain.accounts, savings)
    found = find(line(), bill_payments=(payment(account_id, on=on),), accounts=accounts)

    assert bool(found) is (on == -60)


def test_what_comes_round_is_expected() -> None:
    series = EnteredSeries(
        series_id="S",
        name="Rent",
        series_kind=SeriesKind.RENT,
        rhythm=Rhythm.MONTHLY,
        first_day=day(-34),
        amount=amount(2000),
        currency="USD",
        vendor_id="V1",
    )

    assert not find(line(), settings=CompanySettings(series=(series,)))


def test_so_it_is_when_payments_like_it_came_round_before() -> None:
    before = [payment("bank", 1900, on=-4 - 30 * back) for back in (1, 2, 3)]
    seen = [
        line(-1900, external_id=f"S{one.document_date}", booked_on=one.document_date, text="WIRE OUT") for one in before
    ]
    numbered = tuple(one.model_copy(update={"external_id": f"P{n}"}) for n, one in enumerate(before))

    assert not find(line(), *seen, bill_payments=numbered)
    assert find(line(-2300), *seen, bill_payments=numbered)


def test_a_vendor_in_the_books_twice_is_one_vendor() -> None:
    vendors = make_books().vendors
    twin = vendors[0].model_copy(update={"external_id": "V9", "name": "VENDOR 1"})

    assert find(line(), vendors=(*vendors, twin))
    assert not find(line(), vendors=(*vendors, twin), bills=(KNOWN, bill(total=2000, vendor_id="V9")))
