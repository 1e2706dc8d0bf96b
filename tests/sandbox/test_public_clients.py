"""The vendor's world must accept it: python-quickbooks and intuit-oauth, unmodified but for their addresses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import exceptions
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.objects import (
    Account,
    Attachable,
    Bill,
    BillPayment,
    CompanyInfo,
    Customer,
    Invoice,
    Payment,
    Preferences,
    Vendor,
)
from quickbooks.objects.base import AttachableRef, LinkedTxn, Ref
from quickbooks.objects.billpayment import BillPaymentLine, CheckPayment
from quickbooks.objects.detailline import AccountBasedExpenseLine, AccountBasedExpenseLineDetail


def _ref(value: str) -> Ref:
    ref = Ref()
    ref.value = value
    return ref


def _new_bill(vendor_id: str, amount: str) -> Bill:
    detail = AccountBasedExpenseLineDetail()
    detail.AccountRef = _ref("19")
    line = AccountBasedExpenseLine()
    line.Amount = Decimal(amount)
    line.AccountBasedExpenseLineDetail = detail
    bill = Bill()
    bill.VendorRef = _ref(vendor_id)
    bill.Line = [line]
    return bill


def test_lists_filters_counts_and_pages(serve: Any, company: Any) -> None:
    quickbooks = serve(company(more_bills=250)).quickbooks()

    assert Bill.count(qb=quickbooks) == 252
    assert len(Bill.all(qb=quickbooks)) == 100
    pages = [Bill.all(order_by="Id", start_position=n, max_results=100, qb=quickbooks) for n in (1, 101, 201, 301)]
    assert [len(page) for page in pages] == [100, 100, 52, 0]
    assert len({bill.Id for page in pages for bill in page}) == 252
    assert [bill.Id for bill in Bill.where("Balance > '100' ", order_by="DueDate", qb=quickbooks)] == ["11"]
    assert [vendor.Id for vendor in Vendor.filter(DisplayName="Bob's Burger Joint", qb=quickbooks)] == ["2"]
    assert [vendor.Id for vendor in Vendor.choose(["1", "2"], qb=quickbooks)] == ["2", "1"]
    assert len(Vendor.filter(Active=True, qb=quickbooks)) == 2
    assert len(Vendor.where("Active IN (true,false)", qb=quickbooks)) == 3


def test_creates_updates_and_deletes_a_bill(sandbox: Any) -> None:
    quickbooks = sandbox.quickbooks()

    bill = _new_bill("2", "42.42").save(qb=quickbooks)
    assert (bill.Id, bill.SyncToken, bill.TotalAmt, bill.Balance) == ("13", "0", Decimal("42.42"), Decimal("42.42"))
    assert bill.VendorRef.name == "Bob's Burger Joint"
    assert Vendor.get("2", qb=quickbooks).Balance == Decimal("42.42")

    bill.DueDate = "2026-06-30"
    changed = bill.save(qb=quickbooks)
    assert (changed.SyncToken, changed.DueDate) == ("1", "2026-06-30")
    bill.PrivateNote = "too late"
    with pytest.raises(exceptions.QuickbooksException) as stale:
        bill.save(qb=quickbooks)
    assert stale.value.error_code == 5010

    answer = changed.delete(qb=quickbooks)
    assert answer["Bill"] == {"domain": "QBO", "status": "Deleted", "Id": "13"}
    with pytest.raises(exceptions.ObjectNotFoundException):
        Bill.get("13", qb=quickbooks)
    assert Vendor.get("2", qb=quickbooks).Balance == 0


def test_pays_a_bill_and_voids_the_payment(sandbox: Any) -> None:
    quickbooks = sandbox.quickbooks()
    link = LinkedTxn()
    link.TxnId, link.TxnType = "10", "Bill"
    line = BillPaymentLine()
    line.Amount, line.LinkedTxn = Decimal("100.00"), [link]
    payment = BillPayment()
    payment.VendorRef, payment.PayType, payment.TotalAmt, payment.Line = _ref("1"), "Check", Decimal("100.00"), [line]
    payment.CheckPayment = CheckPayment()
    payment.CheckPayment.BankAccountRef = _ref("1")
    payment.CheckPayment.PrintStatus = "NotSet"

    saved = payment.save(qb=quickbooks)
    bill = Bill.get("10", qb=quickbooks)
    assert (bill.Balance, bill.SyncToken) == (0, "1")
    assert bill.LinkedTxn[0].TxnType == "BillPaymentCheck"
    assert Account.get("1", qb=quickbooks).CurrentBalance == Decimal("9900.00")

    saved.void(qb=quickbooks)
    assert Bill.get("10", qb=quickbooks).Balance == Decimal("100.00")
    voided = BillPayment.get(saved.Id, qb=quickbooks)
    assert voided.TotalAmt == 0
    assert voided.PrivateNote.startswith("Voided")


def test_creates_customers_and_invoices_and_takes_a_payment(sandbox: Any) -> None:
    quickbooks = sandbox.quickbooks()
    customer = Customer()
    customer.DisplayName = "Zoë's Café"
    customer = customer.save(qb=quickbooks)
    invoice = Invoice.get("12", qb=quickbooks)

    payment = Payment()
    payment.CustomerRef, payment.TotalAmt = _ref("4"), Decimal("600.00")
    payment.Line = [{"Amount": 500, "LinkedTxn": [invoice.to_linked_txn().to_dict()]}]
    saved = payment.save(qb=quickbooks)

    assert Customer.get(customer.Id, qb=quickbooks).DisplayName == "Zoë's Café"
    assert saved.UnappliedAmt == Decimal("100.00")
    assert Invoice.get("12", qb=quickbooks).Balance == 0
    assert Customer.get("4", qb=quickbooks).Balance == Decimal("-100.00")


def test_a_name_is_unique_over_vendors_and_customers(sandbox: Any) -> None:
    vendor = Vendor()
    vendor.DisplayName = "sushi by KATSUYUKI"

    with pytest.raises(exceptions.QuickbooksException) as refused:
        vendor.save(qb=sandbox.quickbooks())

    assert refused.value.error_code == 6240


def test_captures_changes_and_deletions(sandbox: Any) -> None:
    quickbooks = sandbox.quickbooks()
    sandbox.advance(60)
    bill = Bill.get("11", qb=quickbooks)
    bill.delete(qb=quickbooks)
    _new_bill("2", "5.00").save(qb=quickbooks)

    changes = change_data_capture([Bill, Invoice, Vendor], "2026-05-05T10:00:30Z", qb=quickbooks)

    assert [(bill.Id, getattr(bill, "status", None)) for bill in changes.Bill] == [("13", None), ("11", "Deleted")]
    assert not hasattr(changes, "Invoice")
    assert {vendor.Id for vendor in changes.Vendor} == {"1", "2"}


def test_batches_keep_their_items_apart(sandbox: Any) -> None:
    quickbooks = sandbox.quickbooks()
    vendors = []
    for name in ("Alpha Ltd", "Beta Ltd", "Bob's Burger Joint"):
        vendor = Vendor()
        vendor.DisplayName = name
        vendors.append(vendor)

    made = batch_create(vendors, qb=quickbooks)
    assert [vendor.DisplayName for vendor in made.successes] == ["Alpha Ltd", "Beta Ltd"]
    assert [fault.Error[0].code for fault in made.faults] == ["6240"]

    made.successes[0].CompanyName = "Alpha Limited"
    changed = batch_update([made.successes[0]], qb=quickbooks)
    assert changed.successes[0].CompanyName == "Alpha Limited"
    gone = batch_delete([Bill.get("10", qb=quickbooks)], qb=quickbooks)
    assert gone.faults == []
    assert Bill.count(qb=quickbooks) == 1


def test_attaches_a_file_and_finds_it_by_its_bill(sandbox: Any) -> None:
    quickbooks = sandbox.quickbooks()
    attachment = Attachable()
    link = AttachableRef()
    link.EntityRef = {"type": "Bill", "value": "10"}
    attachment.AttachableRef.append(link)
    attachment.FileName, attachment.ContentType = "scan.pdf", "application/pdf"
    attachment._FileBytes = b"%PDF-1.4 nothing"

    saved = attachment.save(qb=quickbooks)
    where = "AttachableRef.EntityRef.Type = 'bill' AND AttachableRef.EntityRef.value = '10'"

    assert saved.Size == 16
    assert [found.FileName for found in Attachable.where(where, qb=quickbooks)] == ["scan.pdf"]


def test_company_and_preferences(sandbox: Any) -> None:
    quickbooks = sandbox.quickbooks()

    assert CompanyInfo.get(quickbooks.company_id, qb=quickbooks).CompanyName == "Ridge Hardware"
    assert Preferences.get(qb=quickbooks).CurrencyPrefs.HomeCurrency.value == "USD"
    assert Invoice.get("12", qb=quickbooks).download_pdf(qb=quickbooks).startswith(b"%PDF")


def test_connects_refreshes_rotates_and_revokes(sandbox: Any) -> None:
    client = sandbox.auth_client()
    url = client.get_authorization_url([Scopes.ACCOUNTING])
    back = parse_qs(urlsplit(httpx.get(url).headers["location"]).query)
    assert back["state"] == [client.state_token]

    client.get_bearer_token(back["code"][0], realm_id=back["realmId"][0])
    first = (client.access_token, client.refresh_token)
    client.refresh()
    assert client.access_token != first[0]
    assert client.refresh_token == first[1]
    sandbox.advance(86_401)
    client.refresh()
    assert client.refresh_token != first[1]
    with pytest.raises(AuthClientError) as replaced:
        client.refresh(refresh_token=first[1])
    assert replaced.value.status_code == 400
    assert replaced.value.content == b'{"error":"invalid_grant"}'
    assert client.revoke() is True
    with pytest.raises(AuthClientError):
        client.refresh()
