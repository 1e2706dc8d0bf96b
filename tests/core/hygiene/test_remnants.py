"""AP15 and AR12 follow one rule; AR11 looks at what was never sent."""

from decimal import Decimal
from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.bill_remnant import BillRemnant
from runway_core.calculators.hygiene.checks.invoice_not_sent import InvoiceNotSent
from runway_core.calculators.hygiene.checks.invoice_remnant import InvoiceRemnant
from runway_core.domain.findings import Finding
from runway_testkit.books_making import bill, day, invoice, make_books


def exact(value: str) -> Decimal:
    return Decimal(value).quantize(Decimal("0.0001"))


def remnants(*, total: str, rest: str, age_days: int = 40) -> tuple[list[Finding], list[Finding]]:
    values: dict[str, Any] = {"total": exact(total), "open_balance": exact(rest), "document_date": day(-age_days)}
    books = make_books(bills=(bill(**values),), invoices=(invoice(**values),))
    return list(BillRemnant().find(books)), list(InvoiceRemnant().find(books))


@pytest.mark.parametrize(
    ("total", "rest", "age_days", "is_found"),
    [
        ("200", "4.99", 31, True),
        ("200", "4.99", 30, False),
        ("200", "5.00", 31, False),
        ("2000", "19.99", 31, True),
        ("2000", "20.00", 31, False),
        ("4", "4", 31, False),
    ],
    ids=["just old enough", "too young", "not small", "below one per cent", "one per cent", "nothing was paid"],
)
def test_a_small_rest_of_an_old_document_is_found(total: str, rest: str, age_days: int, is_found: bool) -> None:
    bills, invoices = remnants(total=total, rest=rest, age_days=age_days)

    assert bool(bills) is is_found
    assert bool(invoices) is is_found


def test_a_rest_that_is_a_card_fee_is_called_one() -> None:
    """2.9 % of 100.00 and 0.30 are 3.20."""
    _, (fee,) = remnants(total="100", rest="3.20")
    _, (other,) = remnants(total="100", rest="3.21")

    assert fee.summary.endswith("is paid but for 3.20 USD, which is the usual card fee")
    assert other.summary.endswith("is paid but for 3.21 USD")


def test_writing_a_rest_off_takes_the_document_out_of_the_outlook() -> None:
    (found,), _ = remnants(total="200", rest="4.99")

    (amendment,) = found.fixes[0].amendments
    assert amendment.record == found.subjects[0]


@pytest.mark.parametrize(
    ("is_sent", "age_days", "is_found"),
    [(False, 4, True), (False, 3, False), (True, 40, False), (None, 40, False)],
    ids=["waits too long", "still young", "sent", "the ledger does not say"],
)
def test_an_invoice_that_was_never_sent_is_found_after_three_days(
    is_sent: bool | None, age_days: int, is_found: bool
) -> None:
    one = invoice(is_sent=is_sent, document_date=day(-age_days))

    assert bool(list(InvoiceNotSent().find(make_books(invoices=(one,))))) is is_found
