"""AR04, AR09 and SY05: deposits that were booked beside the invoices they pay."""

from typing import Any

import pytest
from runway_core.calculators.hygiene.check import Check
from runway_core.calculators.hygiene.checks.fee_not_recorded import FeeNotRecorded
from runway_core.calculators.hygiene.checks.invoice_paid_elsewhere import InvoicePaidElsewhere
from runway_core.calculators.hygiene.checks.receipt_booked_twice import ReceiptBookedTwice
from runway_core.calculators.hygiene.impact import compute_impacts
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.documents import DocumentLine, DocumentLink, LineKind
from runway_core.domain.findings import Severity
from runway_core.domain.identity import RecordKind
from runway_core.domain.ledger import Deposit
from runway_core.domain.money import Money
from runway_core.domain.parties import Term
from runway_testkit import sample_records as records
from runway_testkit.books_making import amount, customer_payment, day, deposit, invoice, line, make_books
from runway_testkit.sample import amend_books, sample_books

TO_DEPOSIT: dict[str, Any] = {"account_id": "undeposited", "unapplied": amount(0)}


def receipt_line(total: int | str, *, customer_id: str | None = None, text: str | None = None) -> DocumentLine:
    return DocumentLine(
        line_kind=LineKind.DEPOSIT,
        amount=amount(total),
        account_id="income",
        description=text,
        party_kind=None if customer_id is None else RecordKind.CUSTOMER,
        party_id=customer_id,
    )


def income(external_id: str, total: int | str, *, on: int = -5, **more: Any) -> Deposit:
    return deposit(external_id, total, document_date=day(on), lines=(receipt_line(total, **more),))


def found(check: Check, **books: Any) -> list[list[str]]:
    """The ids of each finding's subjects: deposits before invoices."""
    return [[subject.external_id for subject in one.subjects] for one in check.find(make_books(**books))]


def test_an_open_invoice_over_the_amount_of_an_income_deposit_is_found() -> None:
    (finding,) = InvoicePaidElsewhere().find(
        make_books(invoices=(invoice("I1", 480),), deposits=(income("D1", 480, text="ACH 77"),))
    )

    assert [subject.external_id for subject in finding.subjects] == ["D1", "I1"]
    assert finding.severity is Severity.CRITICAL
    assert finding.amount == Money(amount=amount(480), currency="USD")
    assert ("deposit_text", "ACH 77") in [(line.name, line.value) for line in finding.evidence]
    assert [change.record for change in finding.fixes[0].amendments] == [finding.subjects[1]]


@pytest.mark.parametrize(("before", "is_found"), [(5, True), (6, False)])
def test_money_may_come_five_days_before_the_invoice(before: int, is_found: bool) -> None:
    paid = income("D1", 480, on=-10 - before, customer_id="C1")

    assert bool(found(InvoicePaidElsewhere(), invoices=(invoice("I1", 480),), deposits=(paid,))) is is_found


@pytest.mark.parametrize(
    ("deposited", "is_found"),
    [
        ({"lines": (receipt_line("479.99"),)}, False),
        ({"currency": "EUR"}, False),
        ({"lines": (line(480, "expenses"),)}, False),
        ({"lines": (line(480, None),)}, True),
        ({"lines": (), "links": (DocumentLink(kind=RecordKind.CUSTOMER_PAYMENT, external_id="CP"),)}, False),
        ({"lines": (receipt_line(480, customer_id="C2"),)}, False),
        ({"document_date": day(1)}, False),
        ({"lines": (receipt_line(480), receipt_line(20))}, True),
    ],
    ids=[
        "a cent less",
        "another currency",
        "a refund from a vendor",
        "no account",
        "takes a payment to the bank",
        "another customer",
        "tomorrow",
        "one line of two",
    ],
)
def test_only_the_same_money_on_income_counts(deposited: dict[str, Any], is_found: bool) -> None:
    paid = deposit("D1", 480, **deposited)

    assert bool(found(InvoicePaidElsewhere(), invoices=(invoice("I1", 480),), deposits=(paid,))) is is_found


def test_one_deposit_may_pay_several_invoices_of_its_customer() -> None:
    invoices = (invoice("I1", 100), invoice("I2", 250), invoice("I3", 77), invoice("X", 250, customer_id="C2"))

    assert found(InvoicePaidElsewhere(), invoices=invoices, deposits=(income("D1", 350, customer_id="C1"),)) == [
        ["D1", "I1", "I2"]
    ]


def test_where_two_choices_add_up_nothing_is_said() -> None:
    """4,830 may be 1,980 and 2,850 as well as 1,200 and 3,630."""
    invoices = tuple(invoice(f"I{total}", total) for total in (1_980, 2_850, 1_200, 3_630))
    paid = income("D1", 4_830, customer_id="C1")

    assert found(InvoicePaidElsewhere(), invoices=invoices, deposits=(paid,)) == []


def test_an_amount_alone_that_fits_two_customers_says_nothing() -> None:
    invoices = (invoice("I1", 480), invoice("I2", 480, customer_id="C2"))

    assert found(InvoicePaidElsewhere(), invoices=invoices, deposits=(income("D1", 480),)) == []
    assert found(InvoicePaidElsewhere(), invoices=invoices, deposits=(income("D1", 480, customer_id="C2"),)) == [
        ["D1", "I2"]
    ]


def test_a_number_in_the_text_decides_between_two_customers() -> None:
    invoices = (invoice("I1", 480, number="20417"), invoice("I2", 480, number="20418", customer_id="C2"))
    paid = income("D1", 480, text="ACH CREDIT INV 20418")

    assert found(InvoicePaidElsewhere(), invoices=invoices, deposits=(paid,)) == [["D1", "I2"]]


def test_the_customers_name_in_the_text_decides_as_well() -> None:
    invoices = (invoice("I1", 480), invoice("I2", 480, customer_id="C2"))
    paid = income("D1", 480, text="ACH CREDIT CUSTOMER 2 INC")

    assert found(InvoicePaidElsewhere(), invoices=invoices, deposits=(paid,)) == [["D1", "I2"]]


def test_of_a_customers_like_amounts_the_oldest_receipt_takes_the_oldest_invoice() -> None:
    """A monthly fee that somebody books as income each month."""
    invoices = tuple(
        invoice(f"I{n}", 500, document_date=day(-100 + 30 * n), due_date=day(-70 + 30 * n)) for n in range(3)
    )
    paid = tuple(income(f"D{n}", 500, on=-65 + 30 * n, customer_id="C1") for n in range(2))

    assert sorted(found(InvoicePaidElsewhere(), invoices=invoices, deposits=paid)) == [["D0", "I0"], ["D1", "I1"]]


def test_the_samples_invoice_that_was_paid_is_worth_nine_days_and_twelve_thousand() -> None:
    deposit_of_12_000 = Deposit(
        external_id="D-hospital",
        document_date=records.AS_OF.replace(month=2, day=20),
        currency="USD",
        total=amount(12_000),
        account_id=records.OPERATING,
        lines=(line(12_000, records.INCOME, "ELM HOSPITAL"),),
    )
    sample = sample_books()
    books = amend_books(sample, deposits=(*sample.deposits, deposit_of_12_000))
    outlook = compute_outlook(books)

    (finding,) = compute_impacts(books, outlook, list(InvoicePaidElsewhere().find(books)))

    assert [subject.external_id for subject in finding.subjects] == ["D-hospital", "I1"]
    assert (finding.impact_days, finding.impact_low) == (-9, Money(amount=amount(-12_000), currency="USD"))


@pytest.mark.parametrize(("apart", "is_found"), [(-10, True), (-11, False), (0, True), (10, True), (11, False)])
def test_a_payment_and_an_income_deposit_over_its_amount_are_one_receipt_within_ten_days(
    apart: int, is_found: bool
) -> None:
    payment = customer_payment("CP1", 480, document_date=day(-20), **TO_DEPOSIT)
    paid = income("D1", 480, on=-20 + apart)

    pairs = found(ReceiptBookedTwice(), customer_payments=(payment,), deposits=(paid,))

    assert pairs == ([["CP1", "D1"]] if is_found else [])


def test_a_deposit_that_names_its_customer_goes_before_one_that_names_nobody() -> None:
    payments = tuple(
        customer_payment(f"CP{n}", 480, customer_id=f"C{n}", document_date=day(-4), **TO_DEPOSIT) for n in (1, 2)
    )
    paid = (income("D1", 480, customer_id="C2"), income("D2", 480), income("D3", 480, customer_id="C3"))

    assert found(ReceiptBookedTwice(), customer_payments=payments, deposits=paid) == [["CP2", "D1"], ["CP1", "D2"]]


def test_a_receipt_booked_twice_pays_no_other_invoice_and_leaves_the_outlook() -> None:
    payment = customer_payment("CP1", 480, document_date=day(-3), **TO_DEPOSIT)
    books = make_books(
        customer_payments=(payment,), deposits=(income("D1", 480),), invoices=(invoice("other", 480, customer_id="C2"),)
    )
    (twice,) = ReceiptBookedTwice().find(books)
    (weighed,) = compute_impacts(books, compute_outlook(books), [twice])

    assert list(InvoicePaidElsewhere().find(books)) == []
    assert weighed.impact_days is not None
    assert [change.record for change in twice.fixes[0].amendments] == [payment.key]


def short_payment(total: str, rest: str, **more: Any) -> list[list[str]]:
    came = amount(total) - amount(rest)
    owed = invoice("I1", total, open_balance=amount(rest), **more)
    link = DocumentLink(kind=RecordKind.INVOICE, external_id="I1", amount=came)
    payment = customer_payment("CP1", str(came), unapplied=amount(0), applied=(link,))
    early = Term(external_id="2/10", name="2% 10 Net 30", due_days=30, discount_percent=amount(2), discount_days=10)
    return found(FeeNotRecorded(), invoices=(owed,), customer_payments=(payment,), terms=(early,))


@pytest.mark.parametrize(
    ("total", "rest", "is_found"),
    [
        ("1000", "29.30", True),
        ("1000", "10.00", True),
        ("1000", "9.99", False),
        ("1000", "35.00", True),
        ("1000", "35.01", False),
        ("60", "2.04", True),
        ("60", "2.05", False),
        ("1000", "500", False),
    ],
    ids=[
        "the card fee",
        "one per cent",
        "a remnant",
        "three and a half",
        "more than any fee",
        "a small card fee",
        "a small rest that is none",
        "part payment",
    ],
)
def test_an_invoice_that_stays_open_by_a_fee_is_found(total: str, rest: str, is_found: bool) -> None:
    assert short_payment(total, rest) == ([["CP1", "I1"]] if is_found else [])


def test_a_discount_of_the_terms_is_no_fee() -> None:
    assert short_payment("1000", "20") == [["CP1", "I1"]]
    assert short_payment("1000", "20", term_id="2/10") == []


@pytest.mark.parametrize(
    ("net", "customer_id", "is_found"),
    [("970.70", None, True), ("975.00", None, False), ("975.00", "C1", True), ("970.70", "C2", False)],
    ids=["the card fee", "no fee to the cent", "of a known customer", "another customer"],
)
def test_a_deposit_less_a_fee_is_found_beside_its_invoice(net: str, customer_id: str | None, is_found: bool) -> None:
    paid = income("D1", net, customer_id=customer_id)

    assert found(FeeNotRecorded(), invoices=(invoice("I1", 1_000),), deposits=(paid,)) == (
        [["D1", "I1"]] if is_found else []
    )


def test_a_card_fee_to_the_cent_decides_between_two_invoices() -> None:
    """970.70 are 1,000 less the card fee; they are also 1.9 % less than 989.50."""
    owed = (invoice("I1", 1_000), invoice("I2", "989.50"))
    paid = income("D1", "970.70", customer_id="C1")

    assert found(FeeNotRecorded(), invoices=owed, deposits=(paid,)) == [["D1", "I1"]]
    assert found(FeeNotRecorded(), invoices=(*owed, invoice("I3", 1_000)), deposits=(paid,)) == []


def test_a_little_income_is_no_card_payment_of_what_is_left_of_an_invoice() -> None:
    """Interest of 2.42, and 2.80 that keep an invoice open: the card fee on 2.80 happens to be 0.38."""
    left = invoice("I1", 600, open_balance=amount("2.80"))

    assert found(FeeNotRecorded(), invoices=(left,), deposits=(income("D1", "2.42"),)) == []
    assert found(FeeNotRecorded(), invoices=(left,), deposits=(income("D1", "2.42", customer_id="C1"),)) == [
        ["D1", "I1"]
    ]


def test_a_fee_shows_gross_fee_and_net() -> None:
    (finding,) = FeeNotRecorded().find(make_books(invoices=(invoice("I1", 1_000),), deposits=(income("D1", "970.70"),)))

    assert [(line.name, line.value) for line in finding.evidence] == [
        ("gross", "1000.00"),
        ("fee", "29.30"),
        ("net", "970.70"),
    ]
