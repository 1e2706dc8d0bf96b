from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.bill_paid_elsewhere import BillPaidElsewhere
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bank import BankTransaction
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.execution import CardPurchase
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Purchase
from runway_core.domain.money import Money
from runway_core.domain.parties import Vendor
from runway_testkit.books_making import amount, bill, day, make_books

BILL = RecordKey(RecordKind.BILL, "B")


def expense(on: int, total: int | str = 100, **more: Any) -> Purchase:
    values: dict[str, Any] = {
        "external_id": "E",
        "method": PaymentMethod.CARD,
        "account_id": "bank",
        "payee_kind": RecordKind.VENDOR,
        "payee_id": "V1",
        "payee_name": "Vendor 1 Ltd",
    }
    return Purchase(document_date=day(on), currency="USD", total=amount(total), **(values | more))


def line(on: int, total: int | str, text: str = "ACH DEBIT VENDOR 1 LTD", **more: Any) -> BankTransaction:
    values: dict[str, Any] = {"external_id": "N", "account_id": "bank", "currency": "USD", "rail": "plaid"}
    return BankTransaction(booked_on=day(on), amount=amount(total), text=text, **(values | more))


def on_card(on: int, total: int | str = 100, **more: Any) -> CardPurchase:
    values: dict[str, Any] = {"rail": "payrail", "external_id": "C", "currency": "USD", "merchant": "Vendor 1 Ltd"}
    return CardPurchase(booked_on=day(on), amount=amount(total), **(values | more))


def find(books: Books) -> list[Finding]:
    return list(BillPaidElsewhere().find(books))


def pairs(books: Books) -> set[frozenset[str]]:
    return {frozenset(subject.external_id for subject in finding.subjects) for finding in find(books)}


def with_expense(on: int, total: int | str = 100, **more: Any) -> Books:
    """A bill over 100 from 20 days ago that was due 10 days ago, and an expense."""
    return make_books(bills=(bill(document_date=day(-20), due_date=day(-10)),), purchases=(expense(on, total, **more),))


def test_an_expense_over_what_is_open_may_have_paid_the_bill_and_its_removal_is_the_resolution() -> None:
    (finding,) = find(with_expense(-8))

    assert finding.subjects == (BILL, RecordKey(RecordKind.PURCHASE, "E"))
    assert finding.severity is Severity.CRITICAL
    assert finding.amount == Money(amount=amount(100), currency="USD")
    assert finding.fixes[0].amendments == (Amendment(action=AmendmentAction.REMOVE, record=BILL),)


def test_a_purchase_on_a_card_that_the_ledger_lacks_may_have_paid_the_bill() -> None:
    (finding,) = find(with_expense(-8, 7).model_copy(update={"card_purchases": (on_card(-8),)}))

    assert finding.subjects == (BILL, RecordKey(RecordKind.CARD_TRANSACTION, "payrail:C"))
    assert "a card shows as much" in finding.summary
    assert finding.fixes[0].label == "Enter the purchase on the card as its payment"
    assert {one.rail for one in finding.evidence if one.record != BILL} == {"payrail"}


@pytest.mark.parametrize(
    "more",
    [
        {"is_in_ledger": True},
        {"pays_bill": True},
        {"merchant": "Vendor 2 Ltd"},
        {"merchant": None},
        {"currency": "EUR"},
        {"booked_on": day(-24)},
        {"booked_on": day(1)},
        {"amount": amount("99.98")},
    ],
)
def test_a_purchase_on_a_card_that_somebody_knows_of_or_that_is_another_pays_nothing(more: dict[str, Any]) -> None:
    seen = with_expense(-8, 7).model_copy(update={"card_purchases": (on_card(-8).model_copy(update=more),)})

    assert find(seen) == []


@pytest.mark.parametrize(("on", "is_found"), [(-24, False), (-23, True), (0, True), (1, False)])
def test_it_lies_between_three_days_before_the_bill_and_today(on: int, is_found: bool) -> None:
    assert bool(find(with_expense(on))) is is_found


@pytest.mark.parametrize(("on", "is_found"), [(-55, True), (-54, False)])
def test_it_lies_at_most_45_days_after_the_due_day(on: int, is_found: bool) -> None:
    old = bill(document_date=day(-130), due_date=day(-100))

    assert bool(find(make_books(bills=(old,), purchases=(expense(on),)))) is is_found


@pytest.mark.parametrize(
    ("total", "is_found"), [("99.98", False), ("99.99", True), ("100.01", True), ("100.02", False), ("100.011", False)]
)
def test_it_is_over_what_is_open_give_or_take_a_cent(total: str, is_found: bool) -> None:
    assert bool(find(with_expense(-8, total))) is is_found


@pytest.mark.parametrize(
    "more",
    [
        {"payee_id": "V2", "payee_name": "Vendor 2 Ltd"},
        {"payee_kind": RecordKind.CUSTOMER},
        {"is_refund": True},
        {"is_void": True},
        {"payee_id": None, "payee_name": None, "payee_kind": None},
    ],
)
def test_money_for_others_or_money_back_pays_nothing(more: dict[str, Any]) -> None:
    assert find(with_expense(-8, **more)) == []


def test_the_open_rest_counts_and_not_the_total() -> None:
    part = bill(total=150, open_balance=amount(100), document_date=day(-20))

    assert find(make_books(bills=(part,), purchases=(expense(-8),)))
    assert not find(make_books(bills=(part,), purchases=(expense(-8, 150),)))


def test_other_currencies_are_other_money() -> None:
    foreign = bill(document_date=day(-20), currency="EUR")

    assert find(make_books(bills=(foreign,), purchases=(expense(-8),))) == []


def test_a_paid_bill_needs_nothing() -> None:
    assert find(make_books(bills=(bill(open_balance=amount(0)),), purchases=(expense(-8),))) == []


def test_a_vendor_entered_twice_is_one_vendor() -> None:
    vendors = tuple(
        Vendor(external_id=vendor_id, name=name, currency="USD", balance=amount(0))
        for vendor_id, name in (("V1", "Ada Lumber Inc."), ("V2", "ADA LUMBER"))
    )
    books = make_books(
        vendors=vendors,
        bills=(bill(document_date=day(-20)),),
        purchases=(expense(-8, payee_id="V2", payee_name="ADA LUMBER"),),
    )

    assert len(find(books)) == 1


def test_one_outflow_pays_one_bill_the_one_due_nearest() -> None:
    books = make_books(
        bills=(bill("B1", due_date=day(20)), bill("B2", due_date=day(5)), bill("B3", due_date=day(12))),
        purchases=(expense(-1), expense(-9, external_id="F")),
    )

    assert pairs(books) == {frozenset({"E", "B2"}), frozenset({"F", "B3"})}


def test_a_bank_line_that_the_ledger_lacks_may_have_paid_it() -> None:
    books = make_books(bills=(bill(document_date=day(-20)),), bank_transactions=(line(-3, -100),))

    (finding,) = find(books)

    assert finding.subjects == (RecordKey(RecordKind.BANK_TRANSACTION, "N"), BILL)
    assert {evidence.rail for evidence in finding.evidence} == {None, "plaid"}


@pytest.mark.parametrize(
    "changed",
    [
        {"is_pending": True},
        {"is_transfer": True},
        {"is_financing": True},
        {"text": "ACH DEBIT SOMEBODY ELSE"},
        {"amount": amount(100)},
    ],
)
def test_a_line_of_another_sort_pays_no_bill(changed: dict[str, Any]) -> None:
    other = line(-3, -100).model_copy(update=changed)

    assert find(make_books(bills=(bill(document_date=day(-20)),), bank_transactions=(other,))) == []


def paid(external_id: str, on: int, vendor_id: str = "V1") -> BillPayment:
    return BillPayment(
        external_id=external_id,
        vendor_id=vendor_id,
        document_date=day(on),
        currency="USD",
        total=amount(100),
        method=PaymentMethod.TRANSFER,
        account_id="bank",
    )


def test_a_line_that_the_ledger_has_as_a_payment_of_another_bill_is_spent() -> None:
    bills = (bill(document_date=day(-20)), bill("P", document_date=day(-40), open_balance=amount(0)))
    seen = make_books(bills=bills, bill_payments=(paid("BP", -5),), bank_transactions=(line(-3, -100),))
    two = (line(-3, -100), line(-2, -100, external_id="M"))

    assert find(seen) == []
    assert len(find(seen.model_copy(update={"bank_transactions": two}))) == 1


def test_of_lines_over_one_amount_the_one_to_the_bills_vendor_is_what_is_left() -> None:
    """The ledger has a payment to another vendor over as much; the bank shows both, in either order."""
    for first, second in ((-4, -3), (-3, -4)):
        lines = (line(first, -100), line(second, -100, "ACH DEBIT VENDOR 2 LTD", external_id="M"))
        books = make_books(
            bills=(bill(document_date=day(-20)),), bill_payments=(paid("BP", -5, "V2"),), bank_transactions=lines
        )

        assert pairs(books) == {frozenset({"B", "N"})}
