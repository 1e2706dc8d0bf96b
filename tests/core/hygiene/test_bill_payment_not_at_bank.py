from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.bill_payment_not_at_bank import BillPaymentNotAtBank
from runway_core.domain.bank import BankBalance, BankTransaction
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.execution import RailPayment, RailPaymentState
from runway_core.domain.findings import Finding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_testkit.books_making import amount, day, make_books, moment

FIRST = BankTransaction(external_id="N0", account_id="bank", booked_on=day(-80), currency="USD", amount=amount(7))


def payment(on: int, method: PaymentMethod = PaymentMethod.TRANSFER, **more: Any) -> BillPayment:
    values: dict[str, Any] = {"external_id": "BP", "vendor_id": "V1", "account_id": "bank", "number": "204"}
    return BillPayment(document_date=day(on), currency="USD", total=amount(100), method=method, **(values | more))


def find(*payments: BillPayment, lines: tuple[BankTransaction, ...] = (), read: int = 0, **more: Any) -> list[Finding]:
    balance = BankBalance(account_id="bank", currency="USD", posted=amount(1000), read_at=moment(read))
    books = make_books(bill_payments=payments, bank_transactions=(FIRST, *lines), bank_balances=(balance,), **more)
    return list(BillPaymentNotAtBank().find(books))


def line(on: int, total: int, **more: Any) -> BankTransaction:
    values: dict[str, Any] = {"external_id": "N1", "account_id": "bank", "currency": "USD"}
    return BankTransaction(booked_on=day(on), amount=amount(total), **(values | more))


@pytest.mark.parametrize(("on", "is_found"), [(-7, False), (-10, True), (-9, True), (-11, True)])
def test_a_payment_has_five_business_days(on: int, is_found: bool) -> None:
    """The books are looked at on a Monday: the fifth business day after the Monday before."""
    assert bool(find(payment(on))) is is_found


@pytest.mark.parametrize(("on", "is_found"), [(-30, False), (-31, True)])
def test_a_cheque_has_thirty_days(on: int, is_found: bool) -> None:
    assert bool(find(payment(on, PaymentMethod.CHECK))) is is_found


def test_it_says_what_how_much_and_when_it_was_expected() -> None:
    (finding,) = find(payment(-20))
    said = {evidence.name: evidence.value for evidence in finding.evidence}

    assert finding.subjects == (RecordKey(RecordKind.BILL_PAYMENT, "BP"),)
    assert (said["paid_on"], said["amount"], said["expected_at_bank"]) == ("2026-02-10", "100.00", "2026-02-18")


def test_what_the_bank_shows_or_announces_is_not_missed() -> None:
    assert not find(payment(-20), lines=(line(-16, -100),))
    assert not find(payment(-20), lines=(line(-1, -100, is_pending=True),))
    assert find(payment(-20), lines=(line(-16, -101),))
    assert find(payment(-20), lines=(line(-24, -100),))
    assert len(find(payment(-20), payment(-19, external_id="BP2"), lines=(line(-1, -100, is_pending=True),))) == 1


def test_a_void_payment_and_one_from_before_the_banks_first_line_are_not_missed() -> None:
    assert not find(payment(-20, is_void=True))
    assert not find(payment(-81))
    assert find(payment(-80))


def test_an_account_that_no_bank_tells_of_says_nothing() -> None:
    assert not find(payment(-20, account_id="card"))
    assert not list(BillPaymentNotAtBank().find(make_books(bill_payments=(payment(-20),))))


def test_a_bank_that_was_not_read_since_cannot_have_shown_it() -> None:
    assert not find(payment(-20), read=-12)
    assert find(payment(-20), read=-11)


def test_the_rail_that_moves_it_may_expect_it_later() -> None:
    def moving(settles: int) -> RailPayment:
        return RailPayment(
            rail="ramp",
            external_id="R",
            currency="USD",
            amount=amount(100),
            state=RailPaymentState.IN_FLIGHT,
            ledger_payment_id="BP",
            settles_on=day(settles),
        )

    assert not find(payment(-20), rail_payments=(moving(0),))
    (finding,) = find(payment(-20), rail_payments=(moving(-1),))
    assert [e.value for e in finding.evidence if e.rail == "ramp"] == ["in_flight, expected 2026-03-01"]


def test_of_two_payments_over_one_amount_the_one_whose_vendor_the_bank_does_not_name_is_missing() -> None:
    to_one, to_other = payment(-20), payment(-20, external_id="BP2", vendor_id="V2")

    (finding,) = find(to_one, to_other, lines=(line(-18, -100, text="ACH DEBIT VENDOR 1 LTD 8821"),))

    assert finding.subjects == (RecordKey(RecordKind.BILL_PAYMENT, "BP2"),)
