"""QuickBooks' records become the domain's, exactly; what cannot be understood is set aside with a reason."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.bills import Bill, BillPayment, PaymentMethod, VendorCredit
from runway_core.domain.documents import DocumentLink, LineKind
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.ledger import Account, AccountKind, Attachment, CompanyInfo, Deposit, JournalEntry, Purchase
from runway_core.domain.parties import Customer, Term, TermKind, Vendor
from runway_core.domain.record import Record
from runway_rail_qbo import wire
from runway_rail_qbo.cursor import pack_ids, unpack_ids
from runway_rail_qbo.mapping import KIND_BY_NAME, KINDS, MappedRows, map_rows, read_company

PAYLOADS = Path(__file__).parent / "payloads"
SAMPLES = Path("/work/shared/samples/qbo")
_envelope = msgspec.json.Decoder(wire.Envelope)


def map_answer(body: bytes) -> MappedRows:
    envelope = _envelope.decode(body)
    members = [envelope.QueryResponse] if envelope.QueryResponse else []
    members += [rows for part in envelope.CDCResponse or () for rows in part.QueryResponse or ()]
    mapped = MappedRows.empty()
    for member in members:
        for kind in KINDS:
            mapped.add(map_rows(kind, getattr(member, kind.name) or (), home_currency="USD"))
    return mapped


def map_one(kind: str, text: str | dict[str, Any]) -> MappedRows:
    raw = text if isinstance(text, str) else json.dumps(text)
    return map_rows(KIND_BY_NAME[kind], [msgspec.Raw(raw.encode())], home_currency="USD")


@pytest.fixture(scope="module")
def records() -> dict[RecordKey, Record]:
    mapped = MappedRows.empty()
    for name in ("transactions.json", "lists.json"):
        mapped.add(map_answer((PAYLOADS / name).read_bytes()))
    assert mapped.rejected == []
    return {change.record.key: change.record for change in mapped.changes}


def test_a_bill(records: dict[RecordKey, Record]) -> None:
    bill = records[RecordKey(RecordKind.BILL, "201")]

    assert isinstance(bill, Bill)
    assert (bill.total, bill.open_balance) == (Decimal("90.05"), Decimal("60.05"))
    assert (bill.number, bill.vendor_id, bill.vendor_name) == ("INV-77", "46", "Quay Lumber")
    assert (bill.document_date, bill.due_date) == (date(2026, 5, 5), date(2026, 6, 4))
    assert (bill.revision, bill.revision_number, bill.term_id) == ("2", 2, "3")
    assert bill.created_at == datetime(2026, 1, 15, 16, tzinfo=UTC)
    assert bill.modified_at == datetime(2026, 5, 5, 10, 14, 55, tzinfo=UTC)
    assert bill.memo == "Pier repairs – Größe M"
    assert bill.links == (
        DocumentLink(kind=RecordKind.BILL_PAYMENT, external_id="310"),
        DocumentLink(kind=None, external_id="26", foreign_kind="ReimburseCharge"),
    )


def test_the_lines_of_a_bill(records: dict[RecordKey, Record]) -> None:
    bill = records[RecordKey(RecordKind.BILL, "201")]

    assert isinstance(bill, Bill)
    booked, item, text = bill.lines
    assert (booked.line_kind, booked.amount, booked.account_id) == (LineKind.ACCOUNT, Decimal("100.05"), "64")
    assert (booked.party_kind, booked.party_id) == (RecordKind.CUSTOMER, "26")
    assert (item.line_kind, item.item_name) == (LineKind.ITEM, "Nails")
    assert (item.quantity, item.unit_price) == (Decimal("-8100.4455"), Decimal("0.0012345"))
    assert (text.line_kind, text.amount, text.description) == (LineKind.TEXT, Decimal(0), "Thank you")


def test_a_currency_that_is_missing_is_the_home_currency(records: dict[RecordKey, Record]) -> None:
    bill = records[RecordKey(RecordKind.BILL, "202")]

    assert isinstance(bill, Bill)
    assert (bill.currency, bill.total) == ("USD", Decimal(0))


def test_a_vendor_credit_without_a_balance_says_nothing_of_its_rest(records: dict[RecordKey, Record]) -> None:
    credit = records[RecordKey(RecordKind.VENDOR_CREDIT, "255")]

    assert isinstance(credit, VendorCredit)
    assert (credit.total, credit.open_balance) == (Decimal(90), None)


def test_bill_payments(records: dict[RecordKey, Record]) -> None:
    card, void, offset = (records[RecordKey(RecordKind.BILL_PAYMENT, number)] for number in ("310", "311", "312"))

    assert isinstance(card, BillPayment)
    assert isinstance(void, BillPayment)
    assert isinstance(offset, BillPayment)
    assert (card.method, card.account_id) == (PaymentMethod.CARD, "41")
    assert card.applied == (DocumentLink(kind=RecordKind.BILL, external_id="201", amount=Decimal(30)),)
    assert (void.is_void, card.is_void, offset.is_void) == (True, False, False)
    assert (offset.total, [link.kind for link in offset.applied]) == (
        Decimal(0),
        [RecordKind.BILL, RecordKind.VENDOR_CREDIT],
    )


def test_an_invoice(records: dict[RecordKey, Record]) -> None:
    invoice, void = (records[RecordKey(RecordKind.INVOICE, number)] for number in ("401", "402"))

    assert isinstance(invoice, Invoice)
    assert isinstance(void, Invoice)
    assert (invoice.currency, invoice.exchange_rate, invoice.tax) == ("EUR", Decimal("1.0853211"), Decimal("26.82"))
    kinds = [line.line_kind for line in invoice.lines]
    assert kinds == [LineKind.ITEM, LineKind.SUBTOTAL, LineKind.DISCOUNT, LineKind.GROUP]
    assert (invoice.is_sent, invoice.is_void) == (True, False)
    assert (void.is_sent, void.is_void, void.tax) == (False, True, None)


def test_money_from_customers(records: dict[RecordKey, Record]) -> None:
    memo = records[RecordKey(RecordKind.CREDIT_MEMO, "450")]
    payment = records[RecordKey(RecordKind.CUSTOMER_PAYMENT, "116")]

    assert isinstance(memo, CreditMemo)
    assert isinstance(payment, CustomerPayment)
    assert (memo.total, memo.open_balance) == (Decimal(100), Decimal(40))
    assert (payment.total, payment.unapplied, payment.account_id) == (Decimal(80), Decimal(5), "4")
    assert payment.links == (DocumentLink(kind=RecordKind.DEPOSIT, external_id="121"),)
    assert [link.amount for link in payment.applied] == [Decimal(75), None, None]  # one amount for two links


def test_the_rest_of_the_ledger(records: dict[RecordKey, Record]) -> None:
    purchase = records[RecordKey(RecordKind.PURCHASE, "501")]
    deposit = records[RecordKey(RecordKind.DEPOSIT, "121")]
    entry = records[RecordKey(RecordKind.JOURNAL_ENTRY, "701")]

    assert isinstance(purchase, Purchase)
    assert (purchase.is_refund, purchase.payee_kind, purchase.payee_id) == (True, RecordKind.VENDOR, "46")
    assert isinstance(deposit, Deposit)
    assert (deposit.cash_back, len(deposit.lines)) == (Decimal(20), 1)
    assert (deposit.lines[0].party_kind, deposit.lines[0].party_id) == (RecordKind.CUSTOMER, "26")
    assert deposit.links[0].key == RecordKey(RecordKind.CUSTOMER_PAYMENT, "116")
    assert isinstance(entry, JournalEntry)
    assert entry.total == Decimal("250.5")  # the vendor's own total is nil
    assert [line.line_kind for line in entry.lines] == [LineKind.DEBIT, LineKind.CREDIT]
    assert (entry.lines[0].party_kind, entry.lines[0].party_id) == (RecordKind.VENDOR, "46")
    assert RecordKey(RecordKind.TRANSFER, "601") in records


def test_names_and_terms(records: dict[RecordKey, Record]) -> None:
    vendor = records[RecordKey(RecordKind.VENDOR, "46")]
    customer = records[RecordKey(RecordKind.CUSTOMER, "27")]
    term, date_driven = (records[RecordKey(RecordKind.TERM, number)] for number in ("3", "7"))

    assert isinstance(vendor, Vendor)
    assert (vendor.name, vendor.is_active, vendor.balance) == ("Quay Lumber", False, Decimal(-15))
    assert (vendor.account_number, vendor.email, vendor.is_1099) == ("0042", "post@quay.test", True)
    assert isinstance(customer, Customer)
    assert (customer.is_job, customer.parent_id) == (True, "26")
    assert isinstance(term, Term)
    assert isinstance(date_driven, Term)
    assert (term.due_days, term.discount_percent, term.discount_days) == (30, Decimal(2), 10)
    assert (date_driven.term_kind, date_driven.day_of_month_due) == (TermKind.DATE_DRIVEN, 15)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("41", AccountKind.CREDIT_CARD),
        ("5", AccountKind.BANK),
        ("4", AccountKind.UNDEPOSITED_FUNDS),
        ("89", AccountKind.SALES_TAX_PAYABLE),
        ("90", AccountKind.PAYROLL_LIABILITY),
        ("91", AccountKind.UNKNOWN),
    ],
)
def test_what_an_account_is_for(records: dict[RecordKey, Record], number: str, kind: AccountKind) -> None:
    account = records[RecordKey(RecordKind.ACCOUNT, number)]

    assert isinstance(account, Account)
    assert account.account_kind is kind


def test_an_attachment(records: dict[RecordKey, Record]) -> None:
    attachment = records[RecordKey(RecordKind.ATTACHMENT, "5000000000000017068")]

    assert isinstance(attachment, Attachment)
    assert attachment.links == (
        DocumentLink(kind=RecordKind.BILL, external_id="201"),
        DocumentLink(kind=None, external_id="9", foreign_kind="Estimate"),
    )


def test_the_company_and_its_preferences_are_one_record() -> None:
    info = b'{"CompanyName":"Quay & Co","FiscalYearStartMonth":"July","WebAddr":{},"Id":"1","SyncToken":"4"}'
    prefs = (
        b'{"CurrencyPrefs":{"HomeCurrency":{"value":"CAD"},"MultiCurrencyEnabled":true},'
        b'"AccountingInfoPrefs":{"BookCloseDate":"2025-12-31"}}'
    )

    change = read_company(info, prefs)

    assert isinstance(change.record, CompanyInfo)
    assert (change.record.home_currency, change.record.fiscal_year_start_month) == ("CAD", 7)
    assert change.record.books_closed_through == date(2025, 12, 31)
    assert json.loads(change.raw)["CompanyInfo"]["CompanyName"] == "Quay & Co"
    assert info in change.raw


def test_the_payload_is_kept_byte_for_byte() -> None:
    text = '{ "Id":"1", "TotalAmt":1.50,"Balance":1e1 ,"TxnDate":"2026-05-01","Später":{"a":[1,2.00]} }'

    [change] = map_one("Bill", text).changes

    assert change.raw == text.encode()


GOOD: dict[str, Any] = {"Id": "9", "SyncToken": "0", "TxnDate": "2026-05-01", "TotalAmt": 5, "Balance": 5}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"TxnDate": "05/01/2026"}, r"^TxnDate: is not a day such as 2026-05-31$"),
        ({"TxnDate": "2026-02-30"}, r"^TxnDate: is not a day such as 2026-05-31$"),
        ({"TxnDate": None}, r"^TxnDate: the date of the document is missing$"),
        ({"DueDate": 7}, r"^DueDate: should be a day, not a whole number$"),
        ({"TotalAmt": None}, r"^TotalAmt: the amount is missing$"),
        ({"Balance": None}, r"^Balance: the amount is missing$"),
        ({"TotalAmt": 10**14}, r"^total: amount 100000000000000 is beyond 100 trillion: correct it in the ledger$"),
        ({"TotalAmt": "NaN"}, r"^(total|TotalAmt): "),
        ({"TotalAmt": True}, r"^TotalAmt: should be an amount, not true or false$"),
        ({"TotalAmt": "twelve"}, r"^TotalAmt: is not an amount$"),
        ({"Balance": 0.00001}, r"finer than a ten-thousandth"),
        ({"CurrencyRef": {"value": "XQQ"}}, r"^CurrencyRef: 'XQQ' is not a currency"),
        ({"CurrencyRef": "USD"}, r"^CurrencyRef: should be an object, not text$"),
        ({"VendorRef": {"value": 46}}, r"^VendorRef\.value: should be text, not a whole number$"),
        ({"Line": {"Id": "1"}}, r"^Line: should be a list, not an object$"),
        ({"Line": [{"Amount": "x"}]}, r"^Line\[(0|\.\.\.)\]\.Amount: is not an amount$"),
        ({"MetaData": {"CreateTime": "2026-05-01T10:00:00"}}, r"CreateTime: is a time without its offset"),
        ({"MetaData": {"CreateTime": "yesterday"}}, r"^MetaData\.CreateTime: is not a time such"),
        ({"MetaData": {"CreateTime": "0001-01-01T00:00:00+14:00"}}, r"not a time that can be kept"),
        ({"Id": 9}, r"^Id: should be text, not a whole number$"),
        ({"ExchangeRate": "a lot"}, r"^ExchangeRate: is not an amount$"),
    ],
)
def test_a_bill_that_cannot_be_understood_is_set_aside_with_a_reason(members: dict[str, Any], reason: str) -> None:
    mapped = map_one("Bill", {**GOOD, **members})

    assert mapped.changes == []
    [rejected] = mapped.rejected
    assert re.search(reason, rejected.reason), rejected.reason
    assert rejected.kind is RecordKind.BILL
    assert rejected.external_id == (None if "Id" in members else "9")
    assert json.loads(rejected.raw)["SyncToken"] == "0"


@pytest.mark.parametrize("text", ["7", '"x"', "null", "[]", "{}", '{"Id":null}'])
def test_what_is_no_record_is_set_aside(text: str) -> None:
    for kind in KINDS:
        mapped = map_one(kind.name, text)

        assert len(mapped.rejected) == 1
        assert mapped.rejected[0].reason


def test_a_number_too_large_to_keep_is_set_aside() -> None:
    raw = '{"Id":"9","TxnDate":"2026-05-01","TotalAmt":1e400,"Balance":5}'

    assert "beyond 100 trillion" in map_one("Bill", raw).rejected[0].reason


def test_bad_rows_stop_nothing() -> None:
    rows = [json.dumps({**GOOD, "Id": str(number), "TotalAmt": 5 if number % 2 else "bad"}) for number in range(10)]
    mapped = map_rows(KIND_BY_NAME["Bill"], [msgspec.Raw(row.encode()) for row in rows], home_currency="USD")

    assert [change.record.external_id for change in mapped.changes] == ["1", "3", "5", "7", "9"]
    assert [rejected.external_id for rejected in mapped.rejected] == ["0", "2", "4", "6", "8"]


def test_doubles_within_a_page_pass() -> None:
    """Which of them is newer is for the planner to decide."""
    raw = msgspec.Raw(json.dumps(GOOD).encode())

    assert len(map_rows(KIND_BY_NAME["Bill"], [raw, raw], home_currency="USD").changes) == 2


def test_a_deleted_row_is_a_deletion() -> None:
    meta = {"LastUpdatedTime": "2026-05-01T10:00:00-07:00"}
    stub = {"domain": "QBO", "status": "Deleted", "Id": "9", "MetaData": meta}
    mapped = map_one("Bill", stub)

    assert mapped.deletions[0].key == RecordKey(RecordKind.BILL, "9")
    assert mapped.deletions[0].deleted_at == datetime(2026, 5, 1, 17, tzinfo=UTC)


@given(
    st.decimals(min_value=-(10**10), max_value=10**10, places=2, allow_nan=False, allow_infinity=False),
)
def test_amounts_are_taken_from_the_text_exactly(amount: Decimal) -> None:
    raw = f'{{"Id":"9","TxnDate":"2026-05-01","TotalAmt":{amount:f},"Balance":{amount:f}}}'

    [change] = map_one("Bill", raw).changes

    assert isinstance(change.record, Bill)
    assert change.record.total == amount
    assert change.record.open_balance.as_tuple().exponent == -4


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=8)
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "Id",
                        "SyncToken",
                        "MetaData",
                        "CreateTime",
                        "TxnDate",
                        "TotalAmt",
                        "Balance",
                        "Line",
                        "Amount",
                        "value",
                        "VendorRef",
                        "CurrencyRef",
                        "LinkedTxn",
                        "TxnId",
                        "DisplayName",
                        "Name",
                        "Active",
                        "DetailType",
                    ]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_comes_is_mapped_or_set_aside(value: Any) -> None:
    for kind in KINDS:
        mapped = map_one(kind.name, json.dumps(value))

        assert len(mapped) == 1


@given(st.sets(st.one_of(st.integers(0, 10**20).map(str), st.text(min_size=1, max_size=6)), max_size=40))
def test_ids_survive_being_packed(ids: set[str]) -> None:
    assert unpack_ids([pack_ids(ids)]) == ids


def test_a_thousand_ids_pack_small() -> None:
    ids = {str(number) for number in range(5000, 15000, 10)}

    assert len(pack_ids(ids)) < 1000


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="recorded payloads are not part of this checkout")
def test_recorded_payloads_map_or_are_refused_with_a_reason() -> None:
    shown = 0
    for path in sorted(SAMPLES.glob("*.json")):
        body = json.loads(path.read_bytes())
        body = body.get("response", body) if isinstance(body, dict) else body
        for kind in KINDS:
            for entity in _find_entities(body, kind.name):
                mapped = map_one(kind.name, entity)
                shown += 1
                assert len(mapped) == 1, path
                if not _is_stub(entity):
                    assert [rejected.reason for rejected in mapped.rejected] == [], path
    assert shown > 300


def _is_stub(entity: dict[str, Any]) -> bool:
    return set(entity) <= {"Id", "domain", "status", "MetaData", "SyncToken", "sparse"}


def _find_entities(body: Any, name: str) -> list[dict[str, Any]]:
    if isinstance(body, list):
        return [entity for part in body for entity in _find_entities(part, name)]
    if not isinstance(body, dict):
        return []
    found = []
    for key, value in body.items():
        if key == name and isinstance(value, dict) and "Id" in value:
            found.append(value)
        elif key == name and isinstance(value, list):
            found += [entity for entity in value if isinstance(entity, dict) and "Id" in entity]
        elif key in {"QueryResponse", "CDCResponse", "AttachableResponse"} or isinstance(body, list):
            found += _find_entities(value, name)
    return found


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="recorded payloads are not part of this checkout")
def test_the_recorded_company_maps() -> None:
    info = json.dumps(json.loads((SAMPLES / "fyle_CompanyInfo.json").read_bytes())).encode()
    prefs = json.dumps(json.loads((SAMPLES / "fyle_Preferences.json").read_bytes())).encode()
    change = read_company(info, prefs)

    assert isinstance(change.record, CompanyInfo)
    assert change.record.name
