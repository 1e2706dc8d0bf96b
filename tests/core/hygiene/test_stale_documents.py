"""AP09 and AR05 follow one rule with different limits."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.checks.bill_stale import BillStale
from runway_core.calculators.hygiene.checks.invoice_stale import InvoiceStale
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.documents import DocumentLink
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CustomerPayment
from runway_testkit.books_making import amount, bill, day, invoice, make_books, moment

OLD: dict[str, Any] = {"document_date": day(-300)}


def stale_bills(*, days_late: int, **more: Any) -> list[Finding]:
    payments = more.pop("bill_payments", ())
    one = bill(due_date=day(-days_late), **(OLD | more))
    return list(BillStale().find(make_books(bills=(one,), bill_payments=payments)))


def stale_invoices(*, days_late: int, **more: Any) -> list[Finding]:
    payments = more.pop("customer_payments", ())
    one = invoice(due_date=day(-days_late), **(OLD | more))
    return list(InvoiceStale().find(make_books(invoices=(one,), customer_payments=payments)))


@pytest.mark.parametrize(("days_late", "is_found"), [(90, False), (91, True), (-5, False)])
def test_a_bill_is_stale_after_ninety_days(days_late: int, is_found: bool) -> None:
    assert bool(stale_bills(days_late=days_late)) is is_found


@pytest.mark.parametrize(("days_late", "is_found"), [(120, False), (121, True)])
def test_an_invoice_is_stale_after_120_days_and_that_is_high(days_late: int, is_found: bool) -> None:
    findings = stale_invoices(days_late=days_late)

    assert [finding.severity for finding in findings] == ([Severity.HIGH] if is_found else [])


@pytest.mark.parametrize(("changed", "is_found"), [(-60, False), (-61, True), (3, True)])
def test_a_change_within_sixty_days_keeps_it_fresh_but_one_in_the_future_says_nothing(
    changed: int, is_found: bool
) -> None:
    assert bool(stale_bills(days_late=200, modified_at=moment(changed))) is is_found
    assert bool(stale_invoices(days_late=200, modified_at=moment(changed))) is is_found


def test_the_day_of_a_change_is_the_companys_own() -> None:
    """Half past four in the morning in London is still the day before in Chicago."""
    early = datetime(2026, 1, 1, 4, 30, tzinfo=UTC)

    (finding,) = stale_bills(days_late=200, modified_at=early)

    assert {e.name: e.value for e in finding.evidence}["last_activity"] == "2025-12-31"


@pytest.mark.parametrize(("paid", "is_void", "is_found"), [(-59, False, False), (-70, False, True), (-59, True, True)])
def test_a_payment_within_sixty_days_keeps_it_fresh(paid: int, is_void: bool, is_found: bool) -> None:
    base: dict[str, Any] = {"document_date": day(paid), "currency": "USD", "total": amount(5), "is_void": is_void}
    to_bill = BillPayment(
        external_id="P",
        method=PaymentMethod.CHECK,
        applied=(DocumentLink(kind=RecordKind.BILL, external_id="B", amount=amount(5)),),
        **base,
    )
    to_invoice = CustomerPayment(
        external_id="P",
        unapplied=amount(0),
        applied=(DocumentLink(kind=RecordKind.INVOICE, external_id="I", amount=amount(5)),),
        **base,
    )

    assert bool(stale_bills(days_late=200, bill_payments=(to_bill,))) is is_found
    assert bool(stale_invoices(days_late=200, customer_payments=(to_invoice,))) is is_found


@given(st.integers(-30, 300), st.integers(0, 299), st.sampled_from((0, 100)))
def test_stale_is_late_open_and_quiet(days_late: int, quiet: int, open_balance: int) -> None:
    more: dict[str, Any] = {"modified_at": moment(-quiet), "open_balance": amount(open_balance)}

    assert bool(stale_bills(days_late=days_late, **more)) is (days_late > 90 and quiet > 60 and open_balance > 0)
    assert bool(stale_invoices(days_late=days_late, **more)) is (days_late > 120 and quiet > 60 and open_balance > 0)
