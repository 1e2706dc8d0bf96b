"""Fixes become the smallest write that QuickBooks takes, and never more than was meant."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from runway_core.domain.bills import Bill
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import Invoice
from runway_core.errors import NotSupported, RailRefused, RecordGone, StaleRevision
from runway_core.ports.ledger_rail import RecordFix
from runway_rail_qbo.fixes import build_update, make_request_id

from tests.rails.paper_qbo import PaperQbo

BILL = RecordKey(RecordKind.BILL, "1")
INVOICE = RecordKey(RecordKind.INVOICE, "2")
RAW_BILL = (
    b'{"Id":"1","SyncToken":"4","VendorRef":{"value":"50","name":"Norton"},"TotalAmt":103.50,"Line":['
    b'{"Id":"1","Amount":100.10,"DetailType":"AccountBasedExpenseLineDetail","Unknown":{"kept":[1.50]},'
    b'"AccountBasedExpenseLineDetail":{"AccountRef":{"value":"7","name":"Old"},"TaxCodeRef":{"value":"NON"}}},'
    b'{"Id":"2","Amount":3.40,"DetailType":"ItemBasedExpenseLineDetail",'
    b'"ItemBasedExpenseLineDetail":{"ItemRef":{"value":"11"},"UnitPrice":0.0012345}}]}'
)


def fix_bill(**fields: Any) -> RecordFix:
    return RecordFix(key=BILL, expected_revision="4", fields=fields)


@pytest.fixture
def paper() -> PaperQbo:
    paper = PaperQbo()
    paper.put_bill("1")
    paper.put("Invoice", "2", TxnDate="2026-05-01", TotalAmt=5, Balance=5, CustomerRef={"value": "26"})
    return paper


@pytest.mark.parametrize(
    ("fields", "members"),
    [
        ({"due_date": date(2026, 6, 1)}, {"DueDate": "2026-06-01"}),
        ({"due_date": "2026-06-01"}, {"DueDate": "2026-06-01"}),
        ({"vendor_id": "51"}, {"VendorRef": {"value": "51"}}),
        ({"term_id": "3"}, {"SalesTermRef": {"value": "3"}}),
        ({"term_id": None}, {"SalesTermRef": {"value": ""}}),
        ({"number": "A-1"}, {"DocNumber": "A-1"}),
        ({"number": None}, {"DocNumber": ""}),
        ({"memo": "Größe"}, {"PrivateNote": "Größe"}),
    ],
)
def test_a_field_becomes_a_member(fields: dict[str, Any], members: dict[str, Any]) -> None:
    body = json.loads(build_update(RAW_BILL, fix_bill(**fields)))

    always = {"Id": "1", "SyncToken": "4", "sparse": True, "VendorRef": {"value": "50", "name": "Norton"}}
    assert body == {**always, **members}


def test_lines_go_back_whole_and_exact() -> None:
    body = build_update(RAW_BILL, fix_bill(line_account={"1": "64"}))

    assert b'"Amount":100.10' in body
    assert b'"UnitPrice":0.0012345' in body
    first, second = json.loads(body)["Line"]
    assert first["AccountBasedExpenseLineDetail"] == {"AccountRef": {"value": "64"}, "TaxCodeRef": {"value": "NON"}}
    assert first["Unknown"] == {"kept": [1.5]}
    assert second == json.loads(RAW_BILL)["Line"][1]


def test_where_lines_go_may_come_as_text() -> None:
    """A finding's fix holds text only."""
    as_text = build_update(RAW_BILL, fix_bill(line_account='{"1":"64"}'))

    assert as_text == build_update(RAW_BILL, fix_bill(line_account={"1": "64"}))


def test_an_invoice_needs_no_customer_in_the_body() -> None:
    fix = RecordFix(key=INVOICE, expected_revision="0", fields={"memo": "x"})

    assert json.loads(build_update(b'{"Id":"2"}', fix)) == {
        "Id": "2",
        "SyncToken": "0",
        "sparse": True,
        "PrivateNote": "x",
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"total": Decimal(1)}, "total cannot be written on a bill; what can: due_date, line_account, memo"),
        ({}, "nothing cannot be written"),
        ({"customer_id": "1"}, "customer_id cannot be written"),
        ({"due_date": None}, "due_date must be a day"),
        ({"due_date": "tomorrow"}, "due_date must be a day"),
        ({"due_date": 7}, "due_date must be a day"),
        ({"vendor_id": None}, "vendor_id must name a record"),
        ({"vendor_id": ""}, "vendor_id must name a record"),
        ({"number": "x" * 22}, "number has 22 signs; at most 21 fit"),
        ({"memo": 7}, "memo must be text"),
        ({"line_account": "64"}, "which line goes to which account"),
        ({"line_account": {}}, "which line goes to which account"),
        ({"line_account": {"9": "64"}}, "no line 9"),
        ({"line_account": {"2": "64"}}, "line 2 has no account of its own"),
        ({"line_account": {"1": 64}}, "must name an account"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_sent(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(RailRefused, match=message):
        build_update(RAW_BILL, fix_bill(**fields))


def test_other_kinds_are_not_supported() -> None:
    with pytest.raises(NotSupported, match="only bill, invoice"):
        build_update(
            b"{}", RecordFix(key=RecordKey(RecordKind.VENDOR, "1"), expected_revision="0", fields={"name": "x"})
        )


@pytest.mark.parametrize("key", ["a" * 51, "with space", "Größe", "", "a/b"])
def test_a_key_that_the_vendor_would_not_take_is_hashed(key: str) -> None:
    request_id = make_request_id(key)

    assert len(request_id) == 50
    assert request_id.isalnum()
    assert request_id == make_request_id(key)
    assert request_id != make_request_id(key + "x")


def test_a_key_that_fits_is_sent_as_it_is() -> None:
    assert make_request_id("0b6f0d2e-8f0e-4d5f-9b39-6f3f0a1b2c3d") == "0b6f0d2e-8f0e-4d5f-9b39-6f3f0a1b2c3d"


async def test_a_due_date_is_mended(paper: PaperQbo) -> None:
    rail = paper.open()
    fix = RecordFix(key=BILL, expected_revision="0", fields={"due_date": date(2026, 6, 15)})
    change = await rail.apply_fix(fix, idempotency_key="k1")

    assert isinstance(change.record, Bill)
    assert change.record.due_date == date(2026, 6, 15)
    assert change.record.vendor_id == "50"
    assert rail.calls == 2
    assert paper.requests[-1].url.params["requestid"] == "k1"
    assert paper.requests[-1].url.params["minorversion"] == "75"


async def test_a_customer_is_mended(paper: PaperQbo) -> None:
    fix = RecordFix(key=INVOICE, expected_revision="0", fields={"customer_id": "27"})
    change = await paper.open().apply_fix(fix, idempotency_key="k2")

    assert isinstance(change.record, Invoice)
    assert change.record.customer_id == "27"


async def test_a_record_that_someone_changed_is_stale(paper: PaperQbo) -> None:
    paper.put_bill("1", amount=7)

    with pytest.raises(StaleRevision, match="read it again"):
        await paper.open().apply_fix(
            RecordFix(key=BILL, expected_revision="0", fields={"memo": "x"}), idempotency_key="k3"
        )


async def test_a_name_that_is_unknown_is_a_refusal_not_a_lost_record(paper: PaperQbo) -> None:
    paper.interrupt = lambda request: (
        paper.fault("610", "Object Not Found") if request.method == "POST" and "/bill" in request.url.path else None
    )

    with pytest.raises(RailRefused, match="unknown or inactive") as caught:
        await paper.open().apply_fix(
            RecordFix(key=BILL, expected_revision="0", fields={"vendor_id": "999"}), idempotency_key="k4"
        )
    assert not isinstance(caught.value, RecordGone)


async def test_a_record_that_goes_while_it_is_mended_is_gone(paper: PaperQbo) -> None:
    def delete_first(request: httpx.Request) -> None:
        if request.method == "POST" and "/bill" in request.url.path:
            paper.remove("Bill", "1")

    paper.interrupt = delete_first
    with pytest.raises(RecordGone):
        await paper.open().apply_fix(
            RecordFix(key=BILL, expected_revision="0", fields={"memo": "x"}), idempotency_key="k5"
        )


async def test_an_id_cannot_leave_its_place_in_the_address(paper: PaperQbo) -> None:
    with pytest.raises(RecordGone):
        await paper.open().read_record(RecordKey(RecordKind.BILL, "../vendor/1?x=#"))
    assert paper.requests[-1].url.raw_path.startswith(b"/v3/company/9341450000000001/bill/..%2Fvendor%2F1%3Fx%3D%23?")
