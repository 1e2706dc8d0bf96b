"""AP12, AP13 and AP16: money the company has with its vendors."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from runway_core.calculators.hygiene.checks.bill_payment_unapplied import BillPaymentUnapplied
from runway_core.calculators.hygiene.checks.vendor_balance_negative import VendorBalanceNegative
from runway_core.calculators.hygiene.checks.vendor_credit_unapplied import VendorCreditUnapplied
from runway_core.calculators.hygiene.impact import find_weighed_findings
from runway_core.domain.bills import BillPayment, PaymentMethod, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings
from runway_core.domain.documents import DocumentLink
from runway_core.domain.findings import Finding
from runway_core.domain.identity import RecordKind
from runway_testkit.books_making import amount, bill, day, make_books
from runway_testkit.books_strategies import books
from runway_testkit.sample import sample_books

PAID: dict[str, Any] = {"open_balance": amount(0)}


def credit(external_id: str = "VC", total: int | str = 30, **more: Any) -> VendorCredit:
    values: dict[str, Any] = {
        "vendor_id": "V1",
        "vendor_name": "Ada Ltd",
        "document_date": day(-5),
        "currency": "USD",
        "total": amount(total),
        "open_balance": amount(total),
    }
    return VendorCredit(external_id=external_id, **(values | more))


def payment(external_id: str = "BP", total: int | str = 100, *, applied: dict[str, int] | None = None) -> BillPayment:
    """A payment to V1; `applied` says how much went to which bill, or was used of which credit."""
    links = tuple(
        DocumentLink(
            kind=RecordKind.VENDOR_CREDIT if key.startswith("VC") else RecordKind.BILL,
            external_id=key,
            amount=amount(part),
        )
        for key, part in (applied or {}).items()
    )
    return BillPayment(
        external_id=external_id,
        vendor_id="V1",
        vendor_name="Ada Ltd",
        document_date=day(-3),
        currency="USD",
        total=amount(total),
        method=PaymentMethod.CHECK,
        account_id="bank",
        applied=links,
    )


def ids_of(findings: list[Finding]) -> list[list[str]]:
    return sorted([subject.external_id for subject in finding.subjects] for finding in findings)


def amounts_of(findings: list[Finding]) -> list[Decimal]:
    return [finding.amount.amount for finding in findings if finding.amount]


@pytest.mark.parametrize(
    ("credits_given", "bills", "is_found"),
    [
        ((credit(),), (bill(),), True),
        ((credit(),), (bill(**PAID),), False),
        ((credit(open_balance=amount(0)),), (bill(),), False),
        ((credit(vendor_id="V2"),), (bill(),), False),
        ((credit(currency="EUR"),), (bill(),), False),
        ((), (bill(),), False),
    ],
    ids=["both open", "bill is paid", "credit is used up", "another vendor", "another currency", "no credit"],
)
def test_a_vendor_with_an_open_credit_and_an_open_bill_is_found(
    credits_given: tuple[VendorCredit, ...], bills: tuple[Any, ...], is_found: bool
) -> None:
    findings = list(VendorCreditUnapplied().find(make_books(vendor_credits=credits_given, bills=bills)))

    assert ids_of(findings) == ([["V1"]] if is_found else [])


def test_a_credit_whose_rest_the_ledger_does_not_tell_is_told_from_the_payments_that_used_it() -> None:
    untold = credit(open_balance=None)
    part = payment(total=90, applied={"A": 100, "VC": 10})
    whole = payment(total=70, applied={"A": 100, "VC": 30})

    (finding,) = VendorCreditUnapplied().find(
        make_books(vendor_credits=(untold,), bills=(bill(),), bill_payments=(part,))
    )
    assert amounts_of([finding]) == [20]
    assert not list(
        VendorCreditUnapplied().find(make_books(vendor_credits=(untold,), bills=(bill(),), bill_payments=(whole,)))
    )


def test_an_old_credit_was_used_up_by_the_payment_that_the_books_do_not_reach_back_to() -> None:
    start = make_books().history_from
    links = (DocumentLink(kind=RecordKind.BILL_PAYMENT, external_id="BP"),)
    old = credit(open_balance=None, document_date=start - timedelta(days=1), links=links)
    linked = {"old": old, "young": old.model_copy(update={"document_date": start})}
    linked["unused"] = old.model_copy(update={"links": ()})
    part = payment(total=90, applied={"A": 100, "VC": 10})
    is_found = {
        name: bool(list(VendorCreditUnapplied().find(make_books(vendor_credits=(one,), bills=(bill(),)))))
        for name, one in linked.items()
    }
    (held,) = VendorCreditUnapplied().find(make_books(vendor_credits=(old,), bills=(bill(),), bill_payments=(part,)))

    assert is_found == {"old": False, "young": True, "unused": True}
    assert amounts_of([held]) == [20]


def test_credits_of_a_vendor_are_one_finding_and_go_to_the_oldest_bill_first() -> None:
    late, early = bill("late", 50, due_date=day(9)), bill("early", 40, due_date=day(-9))
    made = make_books(vendor_credits=(credit("VC1", 30), credit("VC2", 25)), bills=(late, early))

    (finding,) = VendorCreditUnapplied().find(made)

    assert amounts_of([finding]) == [55]
    assert [(fix.record and fix.record.external_id, fix.label) for fix in finding.fixes] == [
        ("VC1", "Apply 30.00 USD to bill early"),
        ("VC2", "Apply 10.00 USD to bill early"),
        ("VC2", "Apply 15.00 USD to bill late"),
    ]
    assert {e.name: e.value for e in finding.evidence if e.record and e.record.external_id == "V1"} == {
        "open_credits": "55.00",
        "open_bills": "90.00",
    }


def test_the_contractors_credit_of_the_sample_waits_for_its_bill() -> None:
    (finding,) = VendorCreditUnapplied().find(sample_books())

    assert finding.subjects[0].external_id == "V3"
    assert finding.fixes[0].label == "Apply 1,500.00 USD to bill C-598"


@pytest.mark.parametrize(
    ("one", "rest"),
    [
        (payment(), 100),
        (payment(applied={"A": 100}), None),
        (payment(applied={"A": 60}), 40),
        (payment(total=0, applied={"A": 30, "VC": 30}), None),
        (payment(total=70, applied={"A": 100, "VC": 30}), None),
        (payment(total=80, applied={"A": 100, "VC": 30}), 10),
        (payment().model_copy(update={"is_void": True}), None),
        (
            payment().model_copy(update={"applied": (DocumentLink(kind=RecordKind.BILL, external_id="A"),)}),
            None,
        ),
    ],
    ids=[
        "on account", "applied", "in part", "credit alone", "with a credit", "a credit, too much", "void", "not told",
    ],
)  # fmt: skip
def test_what_a_payment_does_not_apply_is_found(one: BillPayment, rest: int | None) -> None:
    findings = list(BillPaymentUnapplied().find(make_books(bill_payments=(one,))))

    assert amounts_of(findings) == ([] if rest is None else [rest])


def test_the_bill_over_the_very_amount_is_named_first() -> None:
    bills = (bill("old", 70, due_date=day(-30)), bill("fits", 100), bill("other", 100, vendor_id="V2"))

    (finding,) = BillPaymentUnapplied().find(make_books(bill_payments=(payment(),), bills=bills))

    assert [fix.label for fix in finding.fixes] == ["Apply it to bill fits", "Apply it to bill old"]
    assert not any(fix.amendments for fix in finding.fixes)


@pytest.mark.parametrize(
    ("bills", "credits_given", "payments", "owed_to_us"),
    [
        ((bill("A", 100),), (credit(total=101),), (), 1),
        ((bill("A", 100),), (credit(total=100),), (), None),
        ((), (), (payment(total=25),), 25),
        ((bill("A", 100),), (credit(total=60),), (payment(total=50),), 10),
        ((bill("A", -40, open_balance=amount(-40)),), (), (), 40),
        ((bill("A", -40, open_balance=amount(-40)), bill("B", 40)), (), (), None),
        ((bill("A", 100, currency="EUR"),), (credit(total=30),), (), 30),
    ],
    ids=["more", "as much", "nothing open", "both add up", "a negative bill", "that is outweighed", "other currency"],
)
def test_a_vendor_who_owes_more_than_is_open_is_found(
    bills: tuple[Any, ...], credits_given: tuple[Any, ...], payments: tuple[Any, ...], owed_to_us: int | None
) -> None:
    made = make_books(bills=bills, vendor_credits=credits_given, bill_payments=payments)

    findings = list(VendorBalanceNegative().find(made))

    assert amounts_of(findings) == ([] if owed_to_us is None else [owed_to_us])


def test_a_refund_raises_the_low_and_is_weighed_at_the_rate_of_home() -> None:
    settings = CompanySettings(exchange_rates={"EUR": amount("1.10")})
    euro = credit(total=100, currency="EUR")
    rated, unrated = (make_books(vendor_credits=(euro,), settings=given) for given in (settings, None))

    refunds = [
        [a.amount for fix in finding.fixes for a in fix.amendments]
        for made in (rated, unrated)
        for finding in VendorBalanceNegative().find(made)
    ]

    assert refunds == [[amount(110)], []]
    (weighed,) = [f for f in find_weighed_findings(rated) if f.check == "AP16"]
    assert weighed.impact_days is not None


@given(books())
def test_a_vendor_is_found_at_most_once_by_each(any_books: Books) -> None:
    for check in (VendorCreditUnapplied(), VendorBalanceNegative()):
        found = ids_of(list(check.find(any_books)))

        assert len(found) == len({tuple(ids) for ids in found})
