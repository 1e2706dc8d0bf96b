from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.hygiene.checks.invoice_duplicate import InvoiceDuplicate
from runway_core.domain.findings import Finding, Severity
from runway_core.domain.invoices import Invoice
from runway_testkit.books_making import amount, day, invoice, line, make_books

CHECK = InvoiceDuplicate()
WORK = (line(100, "income", "February"),)


def found(*invoices: Invoice) -> list[Finding]:
    return list(CHECK.find(make_books(invoices=invoices)))


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ({}, {"document_date": day(-5)}, "same customer, amount and lines"),
        ({}, {"document_date": day(-4)}, None),
        ({}, {"lines": (line(100, "income", "March"),)}, None),
        ({}, {"customer_id": "C2"}, None),
        ({"lines": ()}, {"lines": ()}, None),
        ({"customer_id": None}, {"customer_id": None}, None),
        ({"number": "INV-7"}, {"number": "007", "document_date": day(-100), "customer_id": "C2"}, "same number"),
        ({"number": "7"}, {"number": "7", "is_void": True}, None),
        ({"number": "7", "open_balance": amount(0)}, {"number": "7"}, "same number"),
        ({"number": "7", "open_balance": amount(0)}, {"number": "7", "open_balance": amount(0)}, None),
        ({"number": None}, {"number": None, "document_date": day(-200)}, None),
    ],
)
def test_pairs_are_those_of_the_reference(first: dict[str, Any], second: dict[str, Any], rule: str | None) -> None:
    findings = found(invoice("A", **({"lines": WORK} | first)), invoice("B", **({"lines": WORK} | second)))

    assert [finding.evidence[0].value for finding in findings] == ([rule] if rule else [])
    assert all(finding.severity is Severity.HIGH for finding in findings)


def test_only_open_ones_are_to_be_voided() -> None:
    (finding,) = found(invoice("A", number="7", open_balance=amount(0)), invoice("B", number="7"))

    assert [fix.record.external_id for fix in finding.fixes if fix.record] == ["B"]


@given(
    st.permutations([invoice(external_id, number="7", document_date=day(-ord(external_id))) for external_id in "ABCD"])
)
def test_many_with_one_number_make_a_chain_in_any_order(invoices: list[Invoice]) -> None:
    pairs = sorted([subject.external_id for subject in finding.subjects] for finding in found(*invoices))

    assert pairs == [["A", "B"], ["B", "C"], ["C", "D"]]
