"""Stripe's payloads in the field's words; the recorded ones are read too where they are at hand."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from runway_core.domain.changes import Change, RejectedRecord
from runway_core.domain.identity import RecordKind
from runway_core.domain.processor import (
    Charge,
    ChargeState,
    Dispute,
    DisputeState,
    ProcessorEntry,
    ProcessorEntryKind,
    Refund,
    RefundState,
)
from runway_core.errors import RecordRejected
from runway_rail_stripe import wire
from runway_rail_stripe.currencies import to_major
from runway_rail_stripe.mapping import map_row, to_charge, to_dispute, to_entry, to_payout, to_refund
from runway_rail_stripe.reading import find_touched

SAMPLES = Path("/work/shared/samples/stripe")
MADE = 1_772_409_600  # 2 March 2026, midnight in UTC
recorded = pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded payloads are not on this machine")


def encode(**members: Any) -> bytes:
    return msgspec.json.encode({"id": "x_1", "amount": 1_250, "currency": "usd", "created": MADE, **members})


def charge_of(**members: Any) -> Charge:
    record = to_charge(encode(status="succeeded", **members), numbers={"pi_1": "1042"}).record
    assert isinstance(record, Charge)
    return record


def entry_of(**members: Any) -> ProcessorEntry:
    held = {"fee": 66, "net": 1_184, "available_on": MADE + 2 * 86_400, "type": "charge", **members}
    record = to_entry(encode(**held)).record
    assert isinstance(record, ProcessorEntry)
    return record


def test_a_charge_is_in_major_units_and_names_who_paid_for_what() -> None:
    charge = charge_of(
        payment_intent="pi_1",
        customer={"id": "cus_1", "name": "Ann", "object": "customer"},
        billing_details={"name": "A. Card"},
        amount_refunded=250,
        description="Subscription",
    )

    assert (charge.amount, charge.refunded, charge.currency) == (Decimal("12.5000"), Decimal("2.5000"), "USD")
    assert (charge.customer_id, charge.customer_name, charge.invoice_number) == ("cus_1", "Ann", "1042")
    assert (charge.booked_on, charge.state, charge.text) == (date(2026, 3, 2), ChargeState.SUCCEEDED, "Subscription")


def test_without_an_invoice_the_metadata_may_name_one_and_a_deleted_customer_leaves_the_cards_name() -> None:
    charge = charge_of(
        metadata={"order_id": "A-7"},
        customer={"id": "cus_1", "object": "customer", "deleted": True},
        billing_details={"name": "A. Card"},
    )

    assert (charge.invoice_number, charge.customer_name, charge.customer_id) == ("A-7", "A. Card", "cus_1")
    assert charge_of(customer="cus_2").customer_name is None


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (1_500, "JPY", "1500"),
        (12_340, "KWD", "12.340"),
        (500, "ISK", "5.00"),
        (500, "UGX", "5.00"),
        (-1, "USD", "-0.01"),
        (0, "VND", "0"),
    ],
)
def test_the_smallest_unit_is_the_currencys_own(amount: int, currency: str, expected: str) -> None:
    assert to_major(amount, currency) == Decimal(expected)


@pytest.mark.parametrize(
    ("type_", "category", "kind"),
    [
        ("payment", "charge", ProcessorEntryKind.CHARGE),
        ("payment_refund", "refund", ProcessorEntryKind.REFUND),
        ("adjustment", "dispute", ProcessorEntryKind.DISPUTE),
        ("adjustment", "dispute_reversal", ProcessorEntryKind.DISPUTE),
        ("adjustment", "other_adjustment", ProcessorEntryKind.ADJUSTMENT),
        ("stripe_fee", "fee", ProcessorEntryKind.FEE),
        ("payout_failure", "payout_reversal", ProcessorEntryKind.PAYOUT),
        ("transfer", "transfer", ProcessorEntryKind.TRANSFER),
        ("reserve_hold", "risk_reserved_funds", ProcessorEntryKind.ADJUSTMENT),
        ("something_new", "fee", ProcessorEntryKind.FEE),
        ("something_new", "something", ProcessorEntryKind.ADJUSTMENT),
    ],
)
def test_a_movement_is_told_by_its_type_then_by_its_category(
    type_: str, category: str, kind: ProcessorEntryKind
) -> None:
    entry = entry_of(type=type_, reporting_category=category)

    assert (entry.entry_kind, entry.category) == (kind, category)
    assert (entry.gross, entry.fee, entry.net) == (Decimal("12.5000"), Decimal("0.6600"), Decimal("11.8400"))
    assert entry.available_on == date(2026, 3, 4)


def test_a_movement_whose_parts_do_not_add_up_is_refused() -> None:
    with pytest.raises(RecordRejected, match="less its fee"):
        entry_of(net=1_185)


def test_old_refunds_without_a_status_have_succeeded() -> None:
    old = to_refund(encode(status=None, charge="ch_1")).record
    held = to_refund(encode(status="requires_action")).record

    assert isinstance(old, Refund)
    assert isinstance(held, Refund)
    assert (old.state, old.charge_id, held.state) == (RefundState.SUCCEEDED, "ch_1", RefundState.NEEDS_ACTION)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("warning_needs_response", DisputeState.INQUIRY),
        ("warning_closed", DisputeState.CLOSED),
        ("appeal_under_review", DisputeState.UNDER_REVIEW),
        ("prevented", DisputeState.CLOSED),
        ("lost", DisputeState.LOST),
    ],
)
def test_a_dispute_stands_where_its_status_says(status: str, state: DisputeState) -> None:
    record = to_dispute(encode(status=status, charge="ch_1", evidence_details={"due_by": MADE + 86_400})).record

    assert isinstance(record, Dispute)
    assert (record.state, record.answer_by) == (state, date(2026, 3, 3))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "cannot be read"),
        (encode(status="succeeded", amount="12.50"), "cannot be read"),
        (encode(status="unheard_of"), "unknown status 'unheard_of'"),
        (encode(status="succeeded", currency="usdx"), "no currency"),
        (encode(status="succeeded", created=10**18), "no moment"),
        (encode(status="succeeded", amount=10**18), "100 trillion"),
    ],
)
def test_what_cannot_be_understood_is_set_aside_with_its_reason(raw: bytes, reason: str) -> None:
    mapped = map_row(raw, RecordKind.CHARGE, lambda row: to_charge(row, numbers={}))

    assert isinstance(mapped, RejectedRecord)
    assert reason in mapped.reason
    assert mapped.external_id == (None if raw == b"{" else "x_1")


def test_client_secrets_are_never_kept() -> None:
    change = to_charge(encode(status="succeeded", source={"client_secret": "src_secret", "id": "src_1"}), numbers={})
    bad = map_row(
        encode(status="odd", client_secret="pi_secret"), RecordKind.CHARGE, lambda r: to_charge(r, numbers={})
    )

    assert isinstance(bad, RejectedRecord)
    assert b"secret" not in change.raw + bad.raw
    assert b"src_1" in change.raw


def test_events_name_things_and_a_refund_touches_its_charge() -> None:
    def event(kind: str, **thing: Any) -> wire.Event:
        return wire.Event(id="evt", type=kind, created=MADE, data=wire.EventData(object=thing))

    touched = find_touched(
        [
            event("charge.succeeded", object="charge", id="ch_1", created=MADE),
            event("refund.updated", object="refund", id="re_1", charge="ch_2"),
            event("charge.dispute.created", object="dispute", id="dp_1", charge={"id": "ch_3", "object": "charge"}),
            event("payout.reconciliation_completed", object="payout", id="po_1"),
            event("invoice_payment.paid", object="invoice_payment", id="inpay_1", payment={"payment_intent": "pi_1"}),
            event("something.new", object="something", id="so_1"),
        ]
    )

    assert touched.of(RecordKind.CHARGE) == {"ch_1": MADE, "ch_2": 0, "ch_3": 0}
    assert (set(touched.of(RecordKind.REFUND)), set(touched.of(RecordKind.DISPUTE))) == ({"re_1"}, {"dp_1"})
    assert (touched.listed, touched.intents) == ({"po_1"}, {"pi_1"})


READERS: dict[str, Callable[[bytes], Change]] = {
    "charge": lambda raw: to_charge(raw, numbers={}),
    "refund": to_refund,
    "dispute": to_dispute,
    "payout": to_payout,
    "balance_transaction": to_entry,
}
REFUSED = {"dj_payout_custom_bank_account": "amount"}  # as a client of Stripe writes it, amounts as text
"""Recorded payloads that are refused, with the reason."""

MAPPED = {
    "balance_transaction",
    "charge",
    "dispute",
    "dj_balance_transaction_txn_fake_ch_fakefakefakefakefake0001",
    "dj_charge_ch_fakefakefakefakefake0001",
    "dj_dispute_dp_fakefakefakefake01",
    "event_charge_succeeded",
    "event_dispute_created",
    "event_payout_paid",
    "list_balance_transactions_last_page",
    "list_charges_page",
    "payout",
    "refund",
}
"""The others are of kinds that are not mirrored, or empty."""


@recorded
@pytest.mark.parametrize("sample", sorted(path.stem for path in SAMPLES.glob("*.json")) if SAMPLES.exists() else [])
def test_every_recorded_payload_is_mapped_or_is_none_of_ours(sample: str) -> None:
    raw = (SAMPLES / f"{sample}.json").read_bytes()
    rows = find_things(msgspec.json.decode(raw))
    if sample in REFUSED:
        with pytest.raises(RecordRejected, match=REFUSED[sample]):
            READERS[rows[0]["object"]](msgspec.json.encode(rows[0]))
        return
    records = [READERS[row["object"]](msgspec.json.encode(row)).record for row in rows]

    assert [record.external_id for record in records] == [row["id"] for row in rows]
    assert bool(records) is (sample in MAPPED)


def find_things(held: dict[str, Any]) -> list[dict[str, Any]]:
    """What of a payload is mirrored: itself, the rows of a list, or the thing of an event."""
    if held.get("object") == "list":
        return [row for row in held["data"] if row["object"] in READERS]
    if held.get("object") == "event":
        return find_things(held["data"]["object"])
    return [held] if held.get("object") in READERS else []


@recorded
def test_recorded_refusals_events_and_the_account_are_read() -> None:
    def read(sample: str, expected: Any) -> Any:
        return msgspec.json.decode((SAMPLES / f"{sample}.json").read_bytes(), type=expected)

    assert read("error_404_resource_missing", wire.FaultAnswer).error.code == "resource_missing"
    assert read("error_429_rate_limit", wire.FaultAnswer).error.code == "rate_limit"
    assert read("error_400_idempotency", wire.FaultAnswer).error.type == "idempotency_error"
    assert read("event_payout_paid", wire.Event).data.object["object"] == "payout"
    assert read("dj_event_account_application_authorized", wire.Event).account
    assert read("account", wire.Account).id.startswith("acct_")
    assert read("list_empty", wire.Page).data == []
    assert read("invoice_payment", wire.InvoicePayment).payment.type == "payment_intent"
