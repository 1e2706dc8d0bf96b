"""What a rail that pays bills tells otherwise than the ledger, where no check looks."""

from typing import Any

import pytest
from runway_core.calculators.reconciliation.payers import compare_payers
from runway_core.domain.aliases import NameAlias
from runway_core.domain.bills import Bill
from runway_core.domain.conflicts import Conflict, ConflictKind
from runway_core.domain.execution import ExecutionState, RailBill
from runway_core.domain.findings import Severity
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.parties import Vendor
from runway_core.domain.reconciliation import RailPair
from runway_testkit.books_making import READ_AT, amount, bill, day, make_books

ADA = Vendor(external_id="V1", name="Ada Ltd", currency="USD", balance=amount(0))
CY = Vendor(external_id="V2", name="Cy Works", currency="USD", balance=amount(0))


def shown(external_id: str = "R", **more: Any) -> RailBill:
    """The bill as a rail shows it: alike in everything, approved, of the vendor that it joins to the ledger's."""
    values: dict[str, Any] = {
        "rail": "ramp",
        "bill_id": None,
        "number": "B-2041",
        "vendor_name": "Ada Ltd",
        "due_date": day(20),
        "currency": "USD",
        "total": amount(100),
        "document_date": day(-10),
        "state": ExecutionState.APPROVED,
        "rail_vendor_id": "RV1",
        "vendor_id": "V1",
    }
    return RailBill(external_id=external_id, **(values | more))


def entered(external_id: str = "B", **more: Any) -> Bill:
    return bill(external_id, **({"number": "B-2041"} | more))


def compare(*at_rail: RailBill, bills: tuple[Bill, ...] = (), **more: Any) -> tuple[RailPair, list[Conflict]]:
    (pair,), conflicts = compare_payers(make_books(bills=bills, rail_bills=at_rail, **({"vendors": (ADA, CY)} | more)))
    return pair, list(conflicts)


def kinds(*at_rail: RailBill, **more: Any) -> list[ConflictKind]:
    return [conflict.kind for conflict in compare(*at_rail, **more)[1]]


def test_a_bill_that_both_sides_have_is_one_and_nothing_is_said_of_it() -> None:
    pair, conflicts = compare(shown(bill_id="B"), bills=(entered(), bill("C")))

    assert (pair.matched, pair.suggested, pair.left_here, pair.left_there) == (1, 0, 1, 0)
    assert conflicts == []


def test_an_approved_bill_that_nobody_entered_is_missing_in_the_ledger() -> None:
    pair, (conflict,) = compare(shown())

    assert conflict.kind is ConflictKind.MISSING_IN_LEDGER
    assert conflict.records == (RecordKey(RecordKind.RAIL_BILL, "ramp:R"),)
    assert conflict.rails == ("ledger", "ramp")
    assert conflict.summary == "Bill B-2041 of Ada Ltd over 100.00 USD is approved at ramp and not in the ledger"
    assert conflict.severity is Severity.HIGH
    assert (pair.matched, pair.left_there) == (0, 1)


@pytest.mark.parametrize(
    ("more", "is_missing"),
    [
        ({"document_date": day(-1)}, True),
        ({"document_date": day(0)}, False),  # it was made today: the ledger is told tonight
        ({"document_date": None}, False),
        ({"state": ExecutionState.AWAITING_APPROVAL}, False),
        ({"state": ExecutionState.REJECTED}, False),
        ({"state": ExecutionState.PAID, "is_paid": True}, True),
        ({"total": amount(0)}, False),
        ({"document_date": day(-369)}, False),  # from where the books begin: the ledger's may lie before
        ({"document_date": day(-368)}, True),
    ],
)
def test_what_the_ledger_need_not_have_is_not_missed(more: dict[str, Any], is_missing: bool) -> None:
    found = [] if more.get("state") is ExecutionState.REJECTED else kinds(shown(**more))

    assert found == ([ConflictKind.MISSING_IN_LEDGER] if is_missing else [])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"number": "INV B-2041"}, "same vendor, amount and number"),
        ({"number": "B-2014"}, "a number one slip apart"),
        ({"number": "B-2014", "document_date": day(21)}, "a number one slip apart"),
        ({"number": "B-2014", "document_date": day(22)}, ""),
        ({"number": None, "document_date": day(-5)}, "days apart"),
        ({"number": None, "document_date": day(-4)}, ""),
        ({"number": "77"}, ""),
        ({"number": "INV B-2041", "total": amount(101)}, ""),
        ({"number": "INV B-2041", "currency": "CAD"}, ""),
        ({"number": "INV B-2041", "vendor_id": "V2", "rail_vendor_id": "RV2"}, ""),
    ],
)
def test_a_bill_that_the_rail_shows_twice_may_be_paid_twice(more: dict[str, Any], words: str) -> None:
    again = shown("R2", **({"state": ExecutionState.AWAITING_APPROVAL} | more))
    _, conflicts = compare(shown(bill_id="B"), again, bills=(entered(),))

    assert [one.kind for one in conflicts] == ([ConflictKind.DUPLICATE] if words else [])
    for conflict in conflicts:
        assert words in conflict.summary
        assert {key.external_id for key in conflict.records} == {"B", "ramp:R", "ramp:R2"}
        assert conflict.severity is Severity.CRITICAL


def test_a_bill_that_may_be_another_is_left_to_a_person_with_the_evidence() -> None:
    pair, (conflict,) = compare(shown(number="9917"), bills=(entered(),))
    (match,) = conflict.matches

    assert conflict.kind is ConflictKind.AMBIGUOUS_MATCH
    assert (match.tier, match.here, match.may_confirm) == (3, (RecordKey(RecordKind.BILL, "B"),), True)
    assert match.evidence
    assert (pair.suggested, pair.left_there) == (1, 0)


def test_two_that_fit_are_both_suggested_and_an_amount_alone_is_not() -> None:
    _, (both,) = compare(shown(number="9917"), bills=(entered(), entered("C", number="C-1")))

    assert [match.here[0].external_id for match in both.matches] == ["B", "C"]
    assert kinds(shown(number="9917", vendor_id="V2"), bills=(entered(),)) == [ConflictKind.MISSING_IN_LEDGER]


def test_a_vendor_typed_anew_at_the_rail_is_shown_with_the_bills_that_prove_it() -> None:
    typed: dict[str, Any] = {"vendor_name": "ADA CO", "vendor_id": None}
    _, (conflict,) = compare(shown(bill_id="B", **typed), bills=(entered(),))

    assert conflict.kind is ConflictKind.NAME_DIFFERS
    assert conflict.name == "ADA CO"
    assert set(conflict.records) == {
        RecordKey(RecordKind.VENDOR, "V1"),
        RecordKey(RecordKind.RAIL_VENDOR, "ramp:RV1"),
    }
    assert "1 of its bills is a bill of Ada Ltd" in conflict.summary


@pytest.mark.parametrize(
    "more",
    [
        {"vendor_name": "ADA CO"},  # the rail joins the two itself
        {"vendor_name": "Ada  Ltd ", "vendor_id": None},
        {"vendor_name": "Zeno", "vendor_id": None, "bill_id": None, "number": "77", "document_date": day(0)},
    ],
)
def test_a_vendor_that_is_joined_or_spelled_alike_or_unknown_is_no_conflict(more: dict[str, Any]) -> None:
    assert kinds(shown(**({"bill_id": "B"} | more)), bills=(entered(),)) == []


def test_a_name_that_a_person_confirmed_is_asked_no_more() -> None:
    said = NameAlias(
        paper_id="ada",
        changed_at=READ_AT,
        changed_by="ann",
        text="ADA CO",
        party=RecordKey(RecordKind.VENDOR, "V1"),
    )
    typed = shown(bill_id="B", vendor_name="ADA CO", vendor_id=None)

    assert kinds(typed, bills=(entered(),), aliases=(said,)) == []


def test_each_rail_is_compared_by_itself() -> None:
    books = make_books(bills=(entered(),), rail_bills=(shown(bill_id="B"), shown(rail="other")), vendors=(ADA,))
    pairs, conflicts = compare_payers(books)

    assert [(pair.there, pair.matched, pair.suggested) for pair in pairs] == [("other", 0, 1), ("ramp", 1, 0)]
    assert [conflict.rails for conflict in conflicts] == [("ledger", "other")]
