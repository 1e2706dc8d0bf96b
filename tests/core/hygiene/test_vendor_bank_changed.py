from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.vendor_bank_changed import VendorBankChanged
from runway_core.domain.execution import PaymentDetails
from runway_core.domain.field_changes import FieldChange
from runway_core.domain.findings import Finding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import Money
from runway_core.domain.policy import CallBack
from runway_testkit.books_making import amount, bill, day, make_books, moment

VENDOR = RecordKey(RecordKind.VENDOR, "V1")


def details(on: int | None, **more: Any) -> PaymentDetails:
    values: dict[str, Any] = {"vendor_id": "V1", "account_tail": "9921", "previous_tail": "4410", "changed_by": "bo"}
    return PaymentDetails(rail="ramp", changed_on=None if on is None else day(on), **(values | more))


def call(on: int, **more: Any) -> CallBack:
    values: dict[str, Any] = {"paper_id": "V1", "vendor_id": "V1", "changed_by": "ada", "number_called": "555 0100"}
    return CallBack(changed_at=moment(on), spoke_to="Mo", **(values | more))


def find(**more: Any) -> list[Finding]:
    return list(VendorBankChanged().find(make_books(**({"bills": (bill(),)} | more))))


@pytest.mark.parametrize(("on", "is_found"), [(-31, False), (-30, True), (0, True), (1, False), (None, False)])
def test_a_change_matters_for_thirty_days(on: int | None, is_found: bool) -> None:
    assert bool(find(payment_details=(details(on),))) is is_found


def test_it_says_which_account_who_changed_it_when_and_what_is_due() -> None:
    (finding,) = find(payment_details=(details(-3),), bills=(bill("A", 70), bill("B", 30)))
    said = {evidence.name: evidence.value for evidence in finding.evidence if evidence.rail == "ramp"}

    assert finding.subjects == (VENDOR,)
    assert said == {"before": "4410", "after": "9921", "changed_by": "bo", "changed_on": "2026-02-27"}
    assert finding.amount == Money(amount=amount(100), currency="USD")


def test_a_vendor_to_whom_nothing_is_owed_can_wait() -> None:
    assert not find(payment_details=(details(-3),), bills=(bill(open_balance=amount(0)), bill("C", vendor_id="V2")))


def test_the_same_account_as_before_is_no_change() -> None:
    assert not find(payment_details=(details(-3, previous_tail="9921"),))


@pytest.mark.parametrize(
    ("noted", "is_found"),
    [
        (call(-3), False),
        (call(-4), True),
        (call(-1, details_tail="921"), False),
        (call(-1, details_tail="4410"), True),
        (call(-1, is_closed=True), True),
        (call(-1, vendor_id="V2"), True),
    ],
)
def test_a_call_back_noted_since_confirms_it(noted: CallBack, is_found: bool) -> None:
    assert bool(find(payment_details=(details(-3),), call_backs=(noted,))) is is_found


def log_change(field: str = "bank_account", before: str | None = "4410", **more: Any) -> FieldChange:
    values: dict[str, Any] = {"record": VENDOR, "after": "9921", "seen_at": moment(-2), "rail": "qbo"}
    return FieldChange(field=field, before=before, **(values | more))


def test_what_the_log_saw_change_counts_as_well() -> None:
    assert find(changes=(log_change(),))
    assert not find(changes=(log_change("email"),))
    assert not find(changes=(log_change(before=None),))
    assert not find(changes=(log_change(seen_at=moment(-40)),))
    assert not find(changes=(log_change(record=RecordKey(RecordKind.BILL, "B")),))


def test_of_several_changes_the_newest_is_told() -> None:
    (finding,) = find(payment_details=(details(-9),), changes=(log_change(before="9921", after="7777"),))

    assert "9921 → 7777" in finding.summary
