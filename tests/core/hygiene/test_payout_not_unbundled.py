"""SY04, on the payout of the reference: 1,750.00 charged, 100.00 refunded, 51.65 of fees, 1,598.35 paid out."""

from datetime import date
from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.payout_not_unbundled import PayoutNotUnbundled
from runway_core.domain.documents import DocumentLink
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.identity import RecordKind
from runway_core.domain.ledger import Deposit
from runway_core.domain.processor import Payout, PayoutPart, PayoutPartKind
from runway_testkit.books_making import amount, day, deposit, invoice, line, make_books

ARRIVED = -4
ARRIVAL = day(ARRIVED)


def part(external_id: str, gross: str, fee: str, **more: Any) -> PayoutPart:
    kind = PayoutPartKind.CHARGE if amount(gross) > 0 else PayoutPartKind.REFUND
    return PayoutPart(
        external_id=external_id,
        part_kind=kind,
        gross=amount(gross),
        fee=amount(fee),
        net=amount(gross) - amount(fee),
        **more,
    )


PARTS = (
    part("ch1", "1000.00", "29.30", invoice_number="20417"),
    part("ch2", "500.00", "14.80", customer_name="Customer 2 Inc"),
    part("ch3", "250.00", "7.55"),
    part("re1", "-100.00", "0"),
)


def payout(external_id: str = "po_1", **more: Any) -> Payout:
    values: dict[str, Any] = {
        "rail": "stripe",
        "account_id": "bank",
        "currency": "USD",
        "amount": amount("1598.35"),
        "arrives_on": day(ARRIVED),
        "has_arrived": True,
        "parts": PARTS,
    }
    return Payout(external_id=external_id, **(values | more))


def booked(external_id: str = "D1", *, on: date = ARRIVAL, text: str = "STRIPE TRANSFER", **more: Any) -> Deposit:
    values: dict[str, Any] = {"document_date": on, "lines": (line("1598.35", "income", text),)}
    return deposit(external_id, "1598.35", **(values | more))


def find(*deposits: Deposit, payouts: tuple[Payout, ...] = (payout(),), **more: Any) -> list[Finding]:
    return list(PayoutNotUnbundled().find(make_books(deposits=deposits, payouts=payouts, **more)))


def values_of(finding: Finding) -> dict[str, str]:
    return {line.name: line.value for line in finding.evidence}


def test_a_payout_deposited_as_one_sale_is_found_with_what_is_in_it() -> None:
    (finding,) = find(booked())
    shown = values_of(finding)

    assert [subject.external_id for subject in finding.subjects] == ["D1"]
    assert finding.severity is Severity.MEDIUM
    assert {name: shown[name] for name in ("payout", "charges", "refunds", "fees")} == {
        "payout": "1598.35",
        "charges": "1750.00",
        "refunds": "-100.00",
        "fees": "-51.65",
    }
    assert "difference" not in shown
    assert {line.rail for line in finding.evidence if line.name == "fees"} == {"stripe"}


def test_splitting_it_pays_the_invoices_that_its_charges_name() -> None:
    owed = (
        invoice("I1", 1_000, number="20417"),
        invoice("I2", 500, customer_id="C2"),
        invoice("I3", 777),
    )

    (finding,) = find(booked(), invoices=owed)

    (fix,) = finding.fixes
    assert fix.label == "Split it: 1,750.00 USD to invoices, 100.00 USD refunded, 51.65 USD of fees"
    assert [change.record and change.record.external_id for change in fix.amendments] == ["I1", "I2"]


def test_a_payout_whose_parts_do_not_add_up_is_not_split() -> None:
    (finding,) = find(booked(), payouts=(payout(parts=PARTS[:3]),), invoices=(invoice("I1", 1_000, number="20417"),))

    assert values_of(finding)["difference"] == "-100.00"
    assert finding.fixes[0].label == "Read the payout again: its parts leave \N{MINUS SIGN}100.00 USD unexplained"
    assert finding.fixes[0].amendments == ()


def test_a_manual_payout_has_no_list_and_is_found_by_its_amount() -> None:
    (finding,) = find(booked(text=""), payouts=(payout(is_automatic=False, parts=()),))

    assert values_of(finding)["parts"] == "none: a manual payout lists no parts"
    assert finding.fixes[0].amendments == ()


@pytest.mark.parametrize(("apart", "is_found"), [(-3, False), (-2, True), (2, True), (3, False)])
def test_a_bank_may_book_it_two_days_off(apart: int, is_found: bool) -> None:
    assert bool(find(booked(on=day(ARRIVED + apart)))) is is_found


@pytest.mark.parametrize(
    "more",
    [
        {"lines": (line("1598.34", "income", "STRIPE"),)},
        {"currency": "EUR"},
        {"account_id": "savings"},
        {"lines": (), "links": (DocumentLink(kind=RecordKind.CUSTOMER_PAYMENT, external_id="CP"),)},
        {"lines": (line("1750.00", "income"), line("-100.00", "income"), line("-51.65", "expenses"))},
    ],
    ids=["a cent less", "another currency", "another account", "takes payments there", "split already"],
)
def test_other_deposits_are_left_alone(more: dict[str, Any]) -> None:
    assert find(booked(**more)) == []


def test_two_deposits_that_fit_one_payout_say_nothing() -> None:
    assert find(booked("D1"), booked("D2")) == []


def test_books_without_a_processor_have_no_payouts() -> None:
    assert find(booked(), payouts=()) == []
