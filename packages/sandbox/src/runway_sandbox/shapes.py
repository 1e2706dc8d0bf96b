"""What the vendor adds to a record that was sent: defaults, line numbers, names of references, totals."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from runway_sandbox.books import Book, WireObject
from runway_sandbox.faults import ServiceFaultError, invalid_reference, not_found, required, unsupported_property
from runway_sandbox.kinds import Kind
from runway_sandbox.postings import (
    CENT,
    NOTHING,
    ControlAccounts,
    as_money,
    compute_total,
    compute_unapplied,
    detail_of,
    lines_of,
    subtotal_of,
)

RETIRED_SUFFIX = " (deleted)"
CURRENCY_NAMES = {
    "USD": "United States Dollar",
    "CAD": "Canadian Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
    "AUD": "Australian Dollar",
}
_REFERENCES = {
    "VendorRef": ("Vendor", "Names"),
    "CustomerRef": ("Customer", "Names"),
    "APAccountRef": ("Account", "Accounts"),
    "ARAccountRef": ("Account", "Accounts"),
    "AccountRef": ("Account", "Accounts"),
    "BankAccountRef": ("Account", "Accounts"),
    "CCAccountRef": ("Account", "Accounts"),
    "DepositToAccountRef": ("Account", "Accounts"),
    "FromAccountRef": ("Account", "Accounts"),
    "ToAccountRef": ("Account", "Accounts"),
    "SalesTermRef": ("Term", "Terms"),
    "ItemRef": ("Item", "Items"),
}
_MONEY = frozenset({"TotalAmt", "Balance", "UnappliedAmt", "RemainingCredit", "CurrentBalance"})
_CLASSIFICATIONS = {
    "Bank": "Asset",
    "Accounts Receivable": "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Other Asset": "Asset",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Expense": "Expense",
    "Other Expense": "Expense",
    "Cost of Goods Sold": "Expense",
}
_SUBTYPES = {
    "Bank": "CashOnHand",
    "Credit Card": "CreditCard",
    "Accounts Payable": "AccountsPayable",
    "Accounts Receivable": "AccountsReceivable",
    "Expense": "OtherMiscellaneousServiceCost",
    "Income": "ServiceFeeIncome",
}


def check_fields(kind: Kind, wire: WireObject, *, names: tuple[str, ...]) -> None:
    """Refuse a body that lacks what it must carry, or carries what cannot be read.

    Raises:
        ServiceFaultError: 2020, 2010, 2050, 2060 or 2090.
    """
    for name in names:
        if wire.get(name) in (None, "", {}, []) and not (name == "DisplayName" and _has_name_parts(wire)):
            raise required(name)
    for name, value in wire.items():
        if name[:1].islower() and name not in {"domain", "sparse", "status"}:
            raise unsupported_property(name)
        if name in _MONEY or name == "Amount":
            _check_amount(value, name)
        if name in {"TxnDate", "DueDate"} and value:
            _check_date(value, name)
    if len(str(wire.get("DocNumber") or "")) > 21:
        raise ServiceFaultError(
            "2050",
            "Invalid String Length",
            "String length specified does not match the supported length. Min:0 Max:21 supported. "
            f"Supplied length:{len(str(wire['DocNumber']))}",
            element="DocNumber",
        )
    if not isinstance(wire.get("Line", []), list):
        raise unsupported_property("Line")
    for line in wire.get("Line") or []:
        _check_line(kind, line)


def _has_name_parts(wire: WireObject) -> bool:
    return any(wire.get(part) for part in ("GivenName", "FamilyName", "MiddleName", "Title", "Suffix"))


def _check_amount(value: Any, name: str) -> None:
    try:
        as_money(value)
    except ValueError as error:
        raise ServiceFaultError(
            "2060", "Invalid Number", f"Invalid Number : {str(value)[:40]}", element=name
        ) from error


def _check_date(value: Any, name: str) -> None:
    try:
        date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise ServiceFaultError("2090", "Invalid Date", f"Invalid Date : {str(value)[:40]}", element=name) from error


def _check_line(kind: Kind, line: Any) -> None:
    if not isinstance(line, dict):
        raise unsupported_property("Line")
    for link in line.get("LinkedTxn") or []:
        if not isinstance(link, dict):
            raise unsupported_property("Line.LinkedTxn")
    _check_amount(line.get("Amount"), "Amount")
    if kind.name in {"BillPayment", "Payment"} or line.get("LinkedTxn"):
        return
    if not line.get("DetailType"):
        raise required("Line.DetailType")


def check_references(book: Book, wire: WireObject) -> None:
    """Refuse references to nothing and to what was retired, and write the names beside the ids.

    Raises:
        ServiceFaultError: 2500 for an unknown id, 610 for a retired one.
    """
    for holder in _holders(wire):
        for name, (target, word) in _REFERENCES.items():
            reference = holder.get(name)
            if not isinstance(reference, dict) or not reference.get("value"):
                continue
            identifier = str(reference["value"])
            row = book.find(target, identifier)
            if row is None:
                if name == "ItemRef" and not book.shelf("Item").rows:
                    continue
                raise invalid_reference(word, identifier)
            if not row.active:
                raise not_found()
            held = row.parse()
            shown = held.get("FullyQualifiedName") or row.name
            holder[name] = {"value": identifier, "name": shown}


def _holders(wire: WireObject) -> list[WireObject]:
    holders = [wire]
    holders.extend(part for part in (wire.get("CheckPayment"), wire.get("CreditCardPayment")) if isinstance(part, dict))
    holders.extend(detail_of(line) for line in lines_of(wire))
    return holders


def number_lines(wire: WireObject) -> None:
    """Give lines their ids and numbers; subtotal and discount lines have neither."""
    if "Line" not in wire:
        return
    taken = [int(line["Id"]) for line in lines_of(wire) if str(line.get("Id", "")).isdecimal()]
    upcoming = max(taken, default=0) + 1
    for position, line in enumerate(lines_of(wire), start=1):
        line["Amount"] = as_money(line.get("Amount"))
        if line.get("DetailType") in {"SubTotalLineDetail", "DiscountLineDetail"} or "DetailType" not in line:
            continue
        if not str(line.get("Id", "")).isdecimal():
            line["Id"], upcoming = str(upcoming), upcoming + 1
        line.setdefault("LineNum", position)


def complete(kind: Kind, wire: WireObject, *, book: Book, today: date, settled: Decimal) -> None:
    """Fill in what the vendor fills in. `settled` is how much of the document was already paid or used."""
    if kind.is_transaction:
        if not wire.get("TxnDate"):
            wire["TxnDate"] = today.isoformat()
        _set_currency(wire, book)
        number_lines(wire)
        total = compute_total(kind.name, wire)
        if total is not None:
            wire["TotalAmt"] = total
        for name in _MONEY & wire.keys():
            wire[name] = as_money(wire[name])
    completer = _COMPLETERS.get(kind.name)
    if completer is not None:
        completer(wire, book, settled)
    if kind.name_field is not None:
        wire.setdefault("Active", True)


def _set_currency(wire: WireObject, book: Book) -> None:
    currency = wire.get("CurrencyRef")
    code = currency.get("value") if isinstance(currency, dict) else None
    code = str(code or book.home_currency)
    wire["CurrencyRef"] = {"value": code, "name": CURRENCY_NAMES.get(code, code)}


def _due_date(wire: WireObject, book: Book, *, default_days: int) -> None:
    if wire.get("DueDate"):
        return
    days = default_days
    term_id = (wire.get("SalesTermRef") or {}).get("value")
    row = book.find("Term", str(term_id)) if term_id else None
    if row is not None:
        days = int(row.parse().get("DueDays") or 0)
    wire["DueDate"] = (date.fromisoformat(wire["TxnDate"][:10]) + timedelta(days=days)).isoformat()


def _complete_bill(wire: WireObject, book: Book, settled: Decimal) -> None:
    _set_payable(wire, book)
    _due_date(wire, book, default_days=0)
    wire["Balance"] = wire["TotalAmt"] - settled


def _set_payable(wire: WireObject, book: Book) -> None:
    if wire.get("APAccountRef"):
        return
    identifier = ControlAccounts.of(book).payable
    row = book.find("Account", identifier) if identifier else None
    if row is not None:
        wire["APAccountRef"] = {"value": row.id, "name": row.name}


def _complete_vendor_credit(wire: WireObject, book: Book, _settled: Decimal) -> None:
    _set_payable(wire, book)


def _complete_sale(wire: WireObject) -> None:
    lines = [line for line in lines_of(wire) if line.get("DetailType") != "SubTotalLineDetail"]
    sold = [line for line in lines if line.get("DetailType") != "DiscountLineDetail"]
    discounts = [line for line in lines if line.get("DetailType") == "DiscountLineDetail"]
    subtotal = {"Amount": subtotal_of(wire), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    wire["Line"] = [*sold, subtotal, *discounts]
    wire.setdefault("CustomField", [])
    wire.setdefault("TxnTaxDetail", {"TotalTax": NOTHING})
    wire.setdefault("ApplyTaxAfterDiscount", False)
    wire.setdefault("PrintStatus", "NeedToPrint")
    wire.setdefault("EmailStatus", "NotSet")


def _complete_invoice(wire: WireObject, book: Book, settled: Decimal) -> None:
    _complete_sale(wire)
    for name in ("AllowIPNPayment", "AllowOnlinePayment", "AllowOnlineCreditCardPayment", "AllowOnlineACHPayment"):
        wire.setdefault(name, False)
    wire.setdefault("LinkedTxn", [])
    if not wire.get("DocNumber"):
        wire["DocNumber"] = str(1001 + len(book.shelf("Invoice").rows))
    _due_date(wire, book, default_days=30)
    wire["Balance"] = wire["TotalAmt"] - settled


def _complete_credit_memo(wire: WireObject, _book: Book, settled: Decimal) -> None:
    _complete_sale(wire)
    wire["Balance"] = wire["RemainingCredit"] = wire["TotalAmt"] - settled


def _complete_payment(wire: WireObject, book: Book, _settled: Decimal) -> None:
    wire.setdefault("Line", [])
    wire.setdefault("ProcessPayment", False)
    undeposited = ControlAccounts.of(book).undeposited
    if not wire.get("DepositToAccountRef") and undeposited:
        wire["DepositToAccountRef"] = {"value": undeposited}
    wire["UnappliedAmt"] = compute_unapplied(wire)


def _complete_purchase(wire: WireObject, _book: Book, _settled: Decimal) -> None:
    wire.setdefault("PurchaseEx", {"any": []})
    if wire.get("PaymentType") == "CreditCard":
        wire.setdefault("Credit", False)


def _complete_transfer(wire: WireObject, _book: Book, _settled: Decimal) -> None:
    wire["Amount"] = as_money(wire.get("Amount"))


def _complete_journal(wire: WireObject, _book: Book, _settled: Decimal) -> None:
    wire.setdefault("Adjustment", False)
    wire.setdefault("TotalAmt", NOTHING)
    wire.setdefault("TxnTaxDetail", {})


def _mark_retired(wire: WireObject) -> None:
    """Show a retired vendor or customer with the vendor's suffix (facts/qbo.md 3.4), a revived one without."""
    name = str(wire["DisplayName"]).removesuffix(RETIRED_SUFFIX)
    wire["DisplayName"] = name if wire.get("Active", True) else name + RETIRED_SUFFIX


def _complete_name(wire: WireObject, book: Book) -> None:
    if not wire.get("DisplayName"):
        parts = (wire.get(part) for part in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix"))
        wire["DisplayName"] = " ".join(str(part) for part in parts if part)
    _mark_retired(wire)
    if not wire.get("PrintOnCheckName"):
        wire["PrintOnCheckName"] = wire.get("CompanyName") or wire["DisplayName"]
    wire["Balance"] = as_money(wire.get("Balance"))
    _set_currency(wire, book)
    seed = f"{book.realm_id}:{wire['DisplayName']}".encode()
    wire.setdefault("V4IDPseudonym", "002098" + hashlib.sha256(seed).hexdigest()[:32])


def _complete_vendor(wire: WireObject, book: Book, _settled: Decimal) -> None:
    wire.setdefault("Vendor1099", False)
    _complete_name(wire, book)


def _complete_customer(wire: WireObject, book: Book, _settled: Decimal) -> None:
    _complete_name(wire, book)
    parent = book.find("Customer", str((wire.get("ParentRef") or {}).get("value")))
    prefix = f"{parent.parse().get('FullyQualifiedName') or parent.name}:" if parent else ""
    wire["FullyQualifiedName"] = prefix + wire["DisplayName"]
    wire["BalanceWithJobs"] = as_money(wire.get("BalanceWithJobs", wire["Balance"]))
    for name, value in (("Taxable", True), ("Job", False), ("BillWithParent", False), ("IsProject", False)):
        wire.setdefault(name, value)
    wire.setdefault("PreferredDeliveryMethod", "None")


def _complete_account(wire: WireObject, book: Book, _settled: Decimal) -> None:
    account_type = str(wire.get("AccountType") or "Expense")
    wire["AccountType"] = account_type
    wire["Classification"] = _CLASSIFICATIONS.get(account_type, wire.get("Classification") or "Expense")
    wire.setdefault("AccountSubType", _SUBTYPES.get(account_type, account_type.replace(" ", "")))
    wire["SubAccount"] = bool(wire.get("ParentRef"))
    parent = book.find("Account", str((wire.get("ParentRef") or {}).get("value")))
    prefix = f"{parent.parse().get('FullyQualifiedName') or parent.name}:" if parent else ""
    wire["FullyQualifiedName"] = prefix + str(wire["Name"])
    for name in ("CurrentBalance", "CurrentBalanceWithSubAccounts"):
        wire[name] = as_money(wire.get(name)).quantize(CENT)
    _set_currency(wire, book)


def _complete_item(wire: WireObject, _book: Book, _settled: Decimal) -> None:
    wire.setdefault("Type", "Service")
    wire.setdefault("FullyQualifiedName", wire["Name"])


_COMPLETERS = {
    "Bill": _complete_bill,
    "VendorCredit": _complete_vendor_credit,
    "Invoice": _complete_invoice,
    "CreditMemo": _complete_credit_memo,
    "Payment": _complete_payment,
    "Purchase": _complete_purchase,
    "Transfer": _complete_transfer,
    "JournalEntry": _complete_journal,
    "Vendor": _complete_vendor,
    "Customer": _complete_customer,
    "Account": _complete_account,
    "Item": _complete_item,
}
