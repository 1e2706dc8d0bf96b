"""Bills, payments, vendors and purchases of documented answers, and the two units of money that must never meet."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.execution import (
    CardState,
    CardTransaction,
    ExecutionBill,
    ExecutionPayment,
    ExecutionState,
    ExecutionVendor,
    LedgerMark,
    RailPaymentState,
)
from runway_core.domain.identity import RecordKind
from runway_core.errors import RailRefused, RecordRejected
from runway_rail_ramp import wire
from runway_rail_ramp.mapping import map_rows, to_bill, to_payments, to_purchase, to_vendor
from runway_rail_ramp.money import MajorAmount, MinorAmount

SAMPLES = Path("/work/shared/samples/ramp")
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="the documented payloads are not on this machine")


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def bill(**more: Any) -> bytes:
    usual = {
        "id": "b1",
        "status": "OPEN",
        "amount": {"amount": 12050, "currency_code": "USD"},
        "issued_at": "2026-05-01T00:00:00+00:00",
        "created_at": "2026-05-01T09:30:00",
    }
    return msgspec.json.encode({**usual, **more})


def payment(**more: Any) -> dict[str, Any]:
    return {
        "amount": {"amount": 12050, "currency_code": "USD"},
        "payment_method": "ACH",
        "payment_date": "2026-05-07T00:00:00+00:00",
        "effective_date": None,
        **more,
    }


def purchase(**more: Any) -> bytes:
    usual = {
        "id": "t1",
        "amount": 135,
        "currency_code": "USD",
        "state": "CLEARED",
        "user_transaction_time": "2026-05-03T20:40:05+00:00",
    }
    return msgspec.json.encode({**usual, **more})


def bill_of(raw: bytes) -> ExecutionBill:
    record = to_bill(raw).record
    assert isinstance(record, ExecutionBill)
    return record


def payment_of(raw: bytes) -> ExecutionPayment:
    (record,) = payments_of(raw)
    return record


def payments_of(raw: bytes) -> list[ExecutionPayment]:
    return [change.record for change in to_payments(raw) if isinstance(change.record, ExecutionPayment)]


def purchase_of(raw: bytes) -> CardTransaction:
    record = to_purchase(raw).record
    assert isinstance(record, CardTransaction)
    return record


@needs_samples
def test_the_documented_bill_is_open_whatever_else_it_says() -> None:
    shown, paid = bill_of(sample("bill_get")), payment_of(sample("bill_get"))

    assert (shown.total, shown.open_balance, shown.currency) == (Decimal("969.93"), Decimal("969.93"), "USD")
    assert shown.state is ExecutionState.IN_FLIGHT  # `paid_at` stands there, and the status says open
    assert shown.paid_on is None
    assert (shown.number, shown.vendor_name, shown.ledger_vendor_id) == ("432", "Amazon", "Amazon")
    assert (paid.amount, paid.method, paid.state) == (
        Decimal("969.93"),
        PaymentMethod.TRANSFER,
        RailPaymentState.IN_FLIGHT,
    )
    assert str(paid.released_on) == "2024-05-13"


@needs_samples
def test_the_documented_vendor_names_the_ledgers() -> None:
    record = to_vendor(sample("vendor_get")).record

    assert isinstance(record, ExecutionVendor)
    assert (record.name, record.legal_name, record.ledger_vendor_id) == ("Ali's Art shop", "Ali's Art shop LLC", "1234")


@needs_samples
@pytest.mark.parametrize(("name", "amount"), [("transaction_get", "90"), ("transaction_demo_facebook_ads", "135")])
def test_a_documented_purchase_is_read_in_major_units(name: str, amount: str) -> None:
    record = purchase_of(sample(name))

    assert record.amount == Decimal(amount)
    assert record.state is CardState.CLEARED


@needs_samples
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("bills_list_page", RecordKind.RAIL_BILL),
        ("vendors_list_page", RecordKind.RAIL_VENDOR),
        ("transactions_list_page", RecordKind.CARD_TRANSACTION),
    ],
)
def test_every_row_of_a_documented_page_is_understood(name: str, kind: RecordKind) -> None:
    page = msgspec.json.decode(sample(name), type=wire.Page)
    changes, rejected = map_rows(kind, page.data)

    assert rejected == []
    assert kind in {change.key.kind for change in changes}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"status": "PAID"}, ExecutionState.PAID),
        ({"status": "PAID", "status_summary": "PAYMENT_PROCESSING"}, ExecutionState.PAID),
        ({"paid_at": "2026-05-02T00:00:00Z"}, ExecutionState.APPROVED),
        ({"approval_status": "PENDING", "payment": payment()}, ExecutionState.AWAITING_APPROVAL),
        ({"approval_status": "INITIALIZED"}, ExecutionState.AWAITING_APPROVAL),
        ({"approval_status": "REJECTED"}, ExecutionState.REJECTED),
        ({"approval_status": "TERMINATED"}, ExecutionState.REJECTED),
        ({"status_summary": "PAYMENT_ERROR", "payment": payment()}, ExecutionState.FAILED),
        ({"status_summary": "HELD_BY_PROVIDER"}, ExecutionState.ON_HOLD),
        ({"status_summary": "AWAITING_RELEASE", "payment": payment()}, ExecutionState.AWAITING_RELEASE),
        ({"payment": payment()}, ExecutionState.SCHEDULED),
        ({"status_summary": "PAYMENT_NOT_INSTRUCTED", "payment": payment()}, ExecutionState.SCHEDULED),
        ({"payment": payment(effective_date="2026-05-07")}, ExecutionState.IN_FLIGHT),
        ({"status_summary": "SOMETHING_NEW"}, ExecutionState.APPROVED),
        ({}, ExecutionState.APPROVED),
    ],
)
def test_the_status_alone_says_paid_and_the_rest_says_where_it_stands(
    said: dict[str, Any], state: ExecutionState
) -> None:
    shown = bill_of(bill(**said))

    assert shown.state is state
    assert shown.open_balance == (0 if state is ExecutionState.PAID else Decimal("120.50"))


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"payment": payment()}, RailPaymentState.SCHEDULED),
        ({"payment": payment(effective_date="2026-05-07T00:00:00Z")}, RailPaymentState.IN_FLIGHT),
        ({"payment": payment(), "status": "PAID", "paid_at": "2026-05-12T14:02:00Z"}, RailPaymentState.SETTLED),
        ({"payment": payment(), "status_summary": "PAYMENT_ERROR"}, RailPaymentState.FAILED),
        ({"payment": payment(), "status_summary": "AWAITING_RELEASE"}, RailPaymentState.DRAFT),
        ({"payment": payment(), "approval_status": "PENDING"}, RailPaymentState.DRAFT),
        ({"payment": payment(), "approval_status": "REJECTED"}, RailPaymentState.CANCELLED),
    ],
)
def test_a_payment_stands_where_its_bill_does(said: dict[str, Any], state: RailPaymentState) -> None:
    shown = payment_of(bill(**said))

    assert shown.state is state
    assert str(shown.document_date) == "2026-05-07"
    assert (shown.settled_on is not None) is (state is RailPaymentState.SETTLED)


def test_a_payment_that_was_made_elsewhere_says_so_and_a_card_names_its_purchase() -> None:
    manual = payment(payment_method="PAID_MANUALLY", details={"manual_payment_method": "PAID_IN_ERP"})
    card = payment(payment_method="ONE_TIME_CARD", details={"spend_limit_id": "l", "transaction_ids": ["t9"]})

    assert payment_of(bill(payment=manual, status="PAID")).is_outside
    assert payment_of(bill(payment=card)).card_transaction_id == "t9"
    assert payment_of(bill(payment=card)).method is PaymentMethod.CARD
    assert to_payments(bill(status="PAID")) == []  # paid, and nothing says how: seen in the wild


def test_each_payment_of_a_bill_is_read_and_applied_credits_are_none() -> None:
    credit = payment(payment_method="VENDOR_CREDIT", id="c", amount={"amount": 50, "currency_code": "USD"})
    first = payment(id="p1", amount={"amount": 8000, "currency_code": "USD"}, effective_date="2026-05-07T00:00:00Z")
    second = payment(id="p2", amount={"amount": 4000, "currency_code": "USD"}, payment_date="2026-06-01")
    shown = bill(payment=first, payments=[credit, first, second])
    paid = bill(payment=first, payments=[credit, first, second], status="PAID", paid_at="2026-06-04T14:02:00Z")

    assert [(one.external_id, one.bill_id, one.amount) for one in payments_of(shown)] == [
        ("b1", "b1", Decimal("80.00")),
        ("b1/p2", "b1", Decimal("40.00")),
    ]
    assert [msgspec.json.decode(change.raw)["id"] for change in to_payments(shown)] == ["p1", "p2"]
    assert [(one.state, str(one.settled_on)) for one in payments_of(paid)] == [
        (RailPaymentState.SETTLED, "None"),  # when the first arrived nobody tells
        (RailPaymentState.SETTLED, "2026-06-04"),
    ]
    assert to_payments(bill(payments=[credit])) == []
    assert payments_of(bill(payment=first, payments=[])) == payments_of(bill(payment=first))


@pytest.mark.parametrize(
    ("said", "states"),
    [
        ({"status_summary": "PAYMENT_SCHEDULED"}, ["in_flight", "in_flight", "scheduled", "draft"]),
        ({"status_summary": "PAYMENT_ERROR"}, ["in_flight", "failed", "scheduled", "draft"]),
        ({"approval_status": "REJECTED"}, ["in_flight", "in_flight", "cancelled", "cancelled"]),
    ],
)
def test_of_several_payments_each_stands_where_its_own_days_say(said: dict[str, Any], states: list[str]) -> None:
    begun = [payment(id="a", effective_date="2026-05-01"), payment(id="b", effective_date="2026-05-08")]
    several = [*begun, payment(id="c", payment_date="2026-06-01"), payment(id="d", payment_date=None)]

    assert [one.state.value for one in payments_of(bill(payments=several, **said))] == states


def test_a_bill_whose_payments_cannot_be_told_apart_is_put_aside() -> None:
    rows = [msgspec.Raw(bill(payments=[payment(), payment()]))]
    changes, (bad,) = map_rows(RecordKind.RAIL_BILL, rows)

    assert changes == []
    assert (bad.external_id, "has no id" in bad.reason) == ("b1", True)


def test_what_the_ledger_has_of_a_bill_and_its_own_id_are_the_rails_word() -> None:
    shown = bill_of(bill(remote_id="145", sync_status="BILL_SYNCED"))

    assert (shown.ledger_bill_id, shown.ledger_mark) == ("145", LedgerMark.BILL)
    assert bill_of(bill(sync_status="A_NEW_ONE")).ledger_mark is LedgerMark.NOTHING


@pytest.mark.parametrize(
    "said",
    [
        {"status": "MAYBE"},
        {"amount": {"amount": 120.5, "currency_code": "USD"}},
        {"amount": {"amount": "12050", "currency_code": "USD"}},
        {"amount": {"amount": 12050, "currency_code": "usd"}},
        {"amount": {"amount": 12050, "currency_code": "USD", "minor_unit_conversion_rate": 1}},
        {"issued_at": "yesterday"},
        {"issued_at": None, "created_at": None},
    ],
)
def test_a_bill_that_makes_no_sense_is_put_aside_and_the_others_go_on(said: dict[str, Any]) -> None:
    rows = [msgspec.Raw(bill(**said)), msgspec.Raw(bill(id="b2"))]
    changes, rejected = map_rows(RecordKind.RAIL_BILL, rows)

    assert [change.record.external_id for change in changes] == ["b2"]
    assert [bad.external_id for bad in rejected] == ["b1"]


# Units


@pytest.mark.parametrize(
    ("units", "currency", "major"), [(12050, "USD", "120.50"), (12050, "JPY", "12050"), (12050, "KWD", "12.050")]
)
def test_minor_units_become_major_ones_by_the_currency_alone(units: int, currency: str, major: str) -> None:
    assert MinorAmount(units, currency).to_major() == MajorAmount(Decimal(major), currency)
    assert MinorAmount(units, currency).to_major().to_text() == major


def test_a_rate_that_the_currency_does_not_have_is_refused() -> None:
    assert MinorAmount(500, "JPY").to_major(stated_rate=1).value == 500
    with pytest.raises(RecordRejected, match="100 minor units of JPY"):
        MinorAmount(500, "JPY").to_major(stated_rate=100)


@pytest.mark.parametrize("amount", [MinorAmount(12050, "USD"), 12050, Decimal("120.50"), "120.50", None])
def test_a_line_of_a_draft_takes_major_units_and_nothing_else(amount: Any) -> None:
    with pytest.raises(TypeError, match="major units"):
        wire.DraftLine(amount)


def test_minor_units_can_be_written_into_no_request() -> None:
    with pytest.raises(NotImplementedError, match="MinorAmount"):
        msgspec.json.encode({"amount": MinorAmount(12050, "USD")}, enc_hook=wire.to_plain)
    with pytest.raises(TypeError):
        msgspec.json.encode({"amount": MinorAmount(12050, "USD")})


def test_units_are_made_of_their_own_kind_of_number_only() -> None:
    not_major: list[Any] = [12050, 120.5, "120.50"]
    not_minor: list[Any] = [Decimal(12050), True, "12050"]
    for wrong in not_major:
        with pytest.raises(TypeError):
            MajorAmount(wrong, "USD")
    for wrong in not_minor:
        with pytest.raises(TypeError):
            MinorAmount(wrong, "USD")
    assert MajorAmount(Decimal(1), "USD") != MinorAmount(1, "USD")
    with pytest.raises(TypeError):
        MajorAmount(Decimal(1), "USD") + MinorAmount(1, "USD")  # type: ignore[operator]  # the point of the test
    with pytest.raises(AttributeError):
        MajorAmount(Decimal(1), "USD").currency = "EUR"


@given(st.integers(-(10**12), 10**12), st.sampled_from(["USD", "JPY", "KWD"]))
def test_what_was_read_can_be_written_and_is_the_same(units: int, currency: str) -> None:
    text = MinorAmount(units, currency).to_major().to_text()

    assert int(text.replace(".", "")) == units


def test_an_amount_finer_than_its_currency_is_never_sent() -> None:
    with pytest.raises(RailRefused):
        MajorAmount(Decimal("120.505"), "USD").to_text()
    with pytest.raises(RailRefused):
        MajorAmount(Decimal("120.5"), "JPY").to_text()


@pytest.mark.parametrize("minor", [135, 13500 * 100])
def test_a_purchase_of_a_hundred_times_its_lines_or_a_hundredth_is_put_aside(minor: int) -> None:
    lines = [{"amount": {"amount": minor, "currency_code": "USD"}}]

    assert purchase_of(purchase(line_items=[{"amount": {"amount": 13500, "currency_code": "USD"}}])).amount == 135
    with pytest.raises(RecordRejected, match="hundredfold"):
        to_purchase(purchase(line_items=lines))


def test_a_purchase_abroad_is_taken_though_its_lines_are_in_another_currency() -> None:
    lines = [{"amount": {"amount": 9000, "currency_code": "EUR"}}]

    assert purchase_of(purchase(line_items=lines)).amount == 135
