import pytest
from hypothesis import given
from runway_core.calculators.hygiene.checks.bill_vendor_missing import BillVendorMissing
from runway_core.calculators.names import is_placeholder_name
from runway_core.domain.books import Books
from runway_core.domain.parties import Vendor
from runway_testkit.books_making import amount, bill, line, make_books
from runway_testkit.books_strategies import books

CHECK = BillVendorMissing()


def vendor(external_id: str, name: str, *, is_active: bool = True) -> Vendor:
    return Vendor(external_id=external_id, name=name, is_active=is_active, currency="USD", balance=amount(0))


@pytest.mark.parametrize(
    ("vendor_id", "fault"),
    [
        (None, "has no vendor"),
        ("retired", "inactive vendor 'Old Ltd'"),
        ("misc", "placeholder vendor 'Misc.'"),
        ("good", None),
        ("gone", None),
    ],
)
def test_a_bill_that_nobody_can_be_paid_for_is_found(vendor_id: str | None, fault: str | None) -> None:
    """A vendor that is not in the books at all is SY03's."""
    vendors = (vendor("good", "Good Ltd"), vendor("misc", "Misc."), vendor("retired", "Old Ltd", is_active=False))
    findings = list(CHECK.find(make_books(bills=(bill(vendor_id=vendor_id),), vendors=vendors)))

    assert [fault in finding.summary for finding in findings if fault] == ([True] if fault else [])
    assert bool(findings) is (fault is not None)


def test_vendors_who_use_the_same_account_are_suggested_the_most_frequent_first() -> None:
    paid = amount(0)
    history = (
        bill("P1", vendor_id="V2", open_balance=paid, lines=(line(5, "rent"),)),
        bill("P2", vendor_id="V3", open_balance=paid, lines=(line(5, "rent"),)),
        bill("P3", vendor_id="V3", open_balance=paid, lines=(line(5, "rent"),)),
        bill("P4", vendor_id="V1", open_balance=paid, lines=(line(5, "paper"),)),
    )
    nobody = bill("N", vendor_id=None, lines=(line(100, "rent", "March rent"),))

    (finding,) = CHECK.find(make_books(bills=(*history, nobody)))

    assert [fix.fields["vendor_id"] for fix in finding.fixes] == ["V3", "V2"]
    assert {e.name: e.value for e in finding.evidence}["lines"] == "March rent"


@given(books())
def test_every_open_bill_has_a_payable_vendor_or_is_found(any_books: Books) -> None:
    found = {finding.subjects[0].external_id for finding in CHECK.find(any_books)}

    for one in any_books.open_bills:
        named = any_books.vendor_by_id.get(one.vendor_id or "")
        is_bad = one.vendor_id is None or (
            named is not None and (not named.is_active or is_placeholder_name(named.name))
        )
        assert (one.external_id in found) is is_bad
