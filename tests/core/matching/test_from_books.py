from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.matching.from_books import match_books, read_bank_lines, read_entries, read_open_documents
from runway_core.calculators.matching.money_match import MoneyTier, ShortfallReason
from runway_core.domain.bank import BankTransaction
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, DocumentLink, LineKind
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import CustomerPayment
from runway_core.domain.ledger import Deposit, Purchase
from runway_core.domain.parties import Term
from runway_testkit.books_making import amount, bill, day, invoice, make_books
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import sample_books

from tests.core.matching.money_making import pairs


def line(external_id: str, total: int | str, offset: int = 0, **more: Any) -> BankTransaction:
    return BankTransaction(
        external_id=external_id, account_id="bank", booked_on=day(offset), currency="USD", amount=amount(total), **more
    )


def payment(external_id: str, total: int | str, **more: Any) -> BillPayment:
    values: dict[str, Any] = {"vendor_id": "V1", "document_date": day(0), "currency": "USD", "account_id": "bank"}
    values |= {"method": PaymentMethod.TRANSFER, "total": amount(total)}
    return BillPayment(external_id=external_id, **(values | more))


def deposit(*lines: DocumentLine, offset: int = 0) -> Deposit:
    total = sum((each.amount for each in lines), Decimal("0.0000"))
    return Deposit(
        external_id="D1", document_date=day(offset), currency="USD", total=total, account_id="bank", lines=lines
    )


def deposit_line(total: int | str, **more: Any) -> DocumentLine:
    return DocumentLine(line_kind=LineKind.DEPOSIT, amount=amount(total), account_id="income", **more)


FROM_C1 = {"party_kind": RecordKind.CUSTOMER, "party_id": "C1"}


def test_a_bill_payment_is_found_at_the_bank_by_vendor_and_amount() -> None:
    made = make_books(
        bill_payments=(payment("P1", 500),), bank_transactions=(line("N1", -500, 2, text="ACH DEBIT VENDOR 1 PPD"),)
    )
    (match,) = match_books(made).ledger.acted

    assert match.tier is MoneyTier.PARTY_AND_AMOUNT
    assert match.documents == (("bill_payment@bank", "P1"),)
    assert match.evidence[0] == "the counterparty is Vendor 1 Ltd"


@pytest.mark.parametrize(
    ("method", "offset", "acts"),
    [
        (PaymentMethod.TRANSFER, -3, True),  # Friday before Monday 2 March
        (PaymentMethod.TRANSFER, -4, False),
        (PaymentMethod.TRANSFER, 7, True),  # five business days
        (PaymentMethod.TRANSFER, 8, False),
        (PaymentMethod.CHECK, 90, True),
        (PaymentMethod.CHECK, 91, False),
    ],
)
def test_a_payment_shows_within_five_business_days_and_a_cheque_within_ninety_days(
    method: PaymentMethod, offset: int, acts: bool
) -> None:
    made = make_books(
        bill_payments=(payment("P1", 500, method=method),),
        bank_transactions=(line("N1", -500, offset, text="VENDOR 1 LTD"),),
    )

    assert bool(match_books(made).ledger.acted) == acts


def test_a_cheques_number_in_the_banks_text_acts() -> None:
    paid = [payment("P1", 500, number="2041", vendor_id=None), payment("P2", 500, number="2042", vendor_id=None)]
    made = make_books(bill_payments=tuple(paid), bank_transactions=(line("N1", -500, 1, text="CHECK 2042"),))

    assert pairs(match_books(made).ledger.acted) == [("N1", "P2")]


def test_an_outflow_that_no_payment_explains_is_offered_to_an_open_bill() -> None:
    made = make_books(bills=(bill("B1", 500),), bank_transactions=(line("N1", -500, text="VENDOR 1 LTD"),))
    (match,) = match_books(made).documents.acted

    assert (match.movements, match.documents) == ((("bank_transaction", "N1"),), (("bill", "B1"),))


def test_a_bank_line_that_the_ledger_has_pays_no_open_bill_as_well() -> None:
    made = make_books(
        bills=(bill("B1", 500),),
        bill_payments=(payment("P1", 500),),
        bank_transactions=(line("N1", -500, 1, text="VENDOR 1 LTD"),),
    )

    assert match_books(made).documents.acted == ()


@pytest.mark.parametrize(("offset", "acts"), [(-14, False), (-13, True), (65, True), (66, False)])
def test_a_bill_may_be_paid_from_three_days_before_it_to_45_days_past_due(offset: int, acts: bool) -> None:
    spent = Purchase(
        external_id="E1", document_date=day(offset), currency="USD", total=amount(500), method=PaymentMethod.CARD,
        account_id="card", payee_kind=RecordKind.VENDOR, payee_id="V1",
    )  # fmt: skip
    found = match_books(make_books(bills=(bill("B1", 500),), purchases=(spent,))).documents

    assert pairs(found.acted) == ([("E1", "B1")] if acts else [])


def test_a_deposit_booked_to_income_is_told_from_its_invoice() -> None:
    made = make_books(invoices=(invoice("I1", 900),), deposits=(deposit(deposit_line(900, **FROM_C1)),))
    (match,) = match_books(made).documents.acted

    assert match.movements == (("deposit", "D1"),)
    assert match.documents == (("invoice", "I1"),)


def test_each_line_of_a_deposit_is_money_of_its_own() -> None:
    lines = (deposit_line(900, line_id="1", **FROM_C1), deposit_line(300, line_id="2", description="S-77 PAID"))
    made = make_books(invoices=(invoice("I1", 900), invoice("I2", 300, number="S-77")), deposits=(deposit(*lines),))

    assert pairs(match_books(made).documents.acted) == [("D1#2", "I2"), ("D1#1", "I1")]


def test_a_discount_is_that_of_the_bills_terms() -> None:
    terms = (Term(external_id="T2", name="2/10 net 30", due_days=30, discount_percent=amount(2), discount_days=12),)
    made = make_books(
        terms=terms,
        bills=(bill("B1", 500, term_id="T2"),),
        bank_transactions=(line("N1", -490, 1, text="VENDOR 1 LTD"), line("N2", -490, 4, text="VENDOR 1 LTD")),
    )
    (match,) = match_books(made).documents.suggested

    assert match.movements == (("bank_transaction", "N1"),)
    assert match.shortfall is not None
    assert match.shortfall.reason is ShortfallReason.DISCOUNT


def test_an_alias_makes_the_counterparty_known() -> None:
    made = make_books(
        bills=(bill("B1", 500),), bank_transactions=(line("N1", -500, text="SQ *ADAS PLACE 206-555-0100 WA"),)
    )
    alias = {"adas place": RecordKey(RecordKind.VENDOR, "V1")}

    assert match_books(made).documents.acted == ()
    assert pairs(match_books(made, aliases=alias).documents.acted) == [("N1", "B1")]


def test_a_pending_line_is_no_money_yet() -> None:
    made = make_books(bank_transactions=(line("N1", -500, is_pending=True), line("N2", -500, replaces_id="N1")))

    assert [(moved.key[1], sorted(moved.rail_ids)) for moved in read_bank_lines(made)] == [("N2", ["N1", "N2"])]


def test_a_bill_without_due_date_falls_due_by_usual_terms() -> None:
    (document,) = read_open_documents(make_books(bills=(bill("B1", due_date=None),)))

    assert document.until == day(-10) + timedelta(days=30 + 45)


def test_the_samples_bank_and_ledger_leave_no_line_over() -> None:
    matching = match_books(sample_books())

    assert matching.ledger.unmatched_movements == ()
    assert (matching.documents.acted, matching.documents.suggested) == ((), ())
    left = {key[1] for key in matching.ledger.unmatched_documents}
    assert left == {
        "CP-R01",
        "D-R09",
        "D-R10",
        "E-cheque",
        "X1",
        "X2",
        "X3",
    }  # before the bank's lines, the cheque, the card


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_the_books_never_matters(any_books: Books, random: Random) -> None:
    assert match_books(shuffle_books(any_books, random)) == match_books(any_books)


@given(books())
def test_whatever_acts_has_equal_sums_in_the_books(any_books: Books) -> None:
    matching = match_books(any_books)
    opened = {document.key: document.amount for document in read_open_documents(any_books)}
    for match in matching.documents.acted:
        assert all(opened[key] for key in match.documents)
    ids = {bank_line.external_id for bank_line in any_books.bank_transactions}
    for match in matching.ledger.acted:
        assert {key[1] for key in match.movements} <= ids


def test_two_vendors_of_one_name_leave_the_counterparty_unknown() -> None:
    vendors = tuple(
        vendor.model_copy(update={"name": name})
        for vendor, name in zip(make_books().vendors, ("Tern LLC", "Tern, Inc.", "Elm"), strict=True)
    )
    made = make_books(
        vendors=vendors,
        bills=(bill("B1", 500),),
        bank_transactions=(line("N1", -500, text="TERN"), line("N2", -70, text="ELM")),
    )

    assert [moved.party for moved in read_bank_lines(made)] == [None, RecordKey(RecordKind.VENDOR, "V3")]
    assert match_books(made).documents.acted == ()


def purchase(external_id: str, total: int | str, **more: Any) -> Purchase:
    values: dict[str, Any] = {"document_date": day(0), "currency": "USD", "method": PaymentMethod.TRANSFER}
    values |= {"account_id": "bank", "payee_kind": RecordKind.VENDOR, "payee_id": "V1", "total": amount(total)}
    return Purchase(external_id=external_id, **(values | more))


@pytest.mark.parametrize("more", [{"is_void": True}, {"is_refund": True}])
def test_neither_a_void_purchase_nor_a_refund_pays_a_bill(more: dict[str, Any]) -> None:
    made = make_books(bills=(bill("B1", 500),), purchases=(purchase("E1", 500, **more),))

    assert match_books(made).documents.acted == ()


def test_void_entries_are_not_looked_for_at_the_bank() -> None:
    received = CustomerPayment(
        external_id="CP1", customer_id="C1", document_date=day(0), currency="USD", total=amount(500),
        unapplied=amount(0), account_id="bank", is_void=True,
    )  # fmt: skip
    made = make_books(
        customer_payments=(received,),
        bill_payments=(payment("P1", 500, is_void=True),),
        purchases=(purchase("E1", 500, is_void=True),),
    )

    assert list(read_entries(made)) == []


def test_a_deposit_is_one_customers_only_if_it_took_no_others_payments() -> None:
    alone = deposit(deposit_line(900, **FROM_C1))
    mixed = alone.model_copy(
        update={"links": (DocumentLink(kind=RecordKind.CUSTOMER_PAYMENT, external_id="CP7"),), "external_id": "D2"}
    )
    parties = {entry.key[1]: entry.party for entry in read_entries(make_books(deposits=(alone, mixed)))}

    assert parties == {"D1": RecordKey(RecordKind.CUSTOMER, "C1"), "D2": None}
