"""Transactions as wire objects of QuickBooks Online (facts/qbo.md, section 8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from runway_sandbox.economy.calendar import iso, pacific_text
from runway_sandbox.economy.model import Account, Doc, Line, Party, Plan
from runway_sandbox.economy.sales import TAX_PERCENT

Wire = dict[str, Any]

MISSING_ACCOUNT = "9041"
MISSING_TERM = "77"
_CURRENCY_NAMES = {
    "USD": "United States Dollar",
    "CAD": "Canadian Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
}
_PURCHASE_CODES = {"CreditCard": "1", "Check": "3", "Cash": "31"}
_JAXB = {
    "name": "{http://schema.intuit.com/finance/v3}NameValue",
    "declaredType": "com.intuit.schema.finance.v3.NameValue",
    "scope": "javax.xml.bind.JAXBElement$GlobalScope",
}


def money(cents: int) -> Decimal:
    """Return an amount with two decimals."""
    return Decimal(cents).scaleb(-2)


def reference(thing: Account | Party) -> Wire:
    """Return a reference with its name."""
    return {"value": thing.id, "name": thing.full_name if isinstance(thing, Account) else thing.name}


def currency(plan: Plan, code: str = "") -> Wire:
    """Return the reference to a currency, the company's own unless another is named."""
    code = code or plan.home_currency
    return {"value": code, "name": _CURRENCY_NAMES[code]}


def modifier(plan: Plan) -> str:
    """Return the id of the person who keeps the books."""
    return str(9_341_457_000_000_000 + plan.index)


def _meta(doc: Doc) -> Wire:
    return {"CreateTime": pacific_text(doc.entered), "LastUpdatedTime": pacific_text(doc.updated)}


def _signed_meta(plan: Plan, doc: Doc) -> Wire:
    return {
        "CreateTime": pacific_text(doc.entered),
        "LastModifiedByRef": {"value": modifier(plan)},
        "LastUpdatedTime": pacific_text(doc.updated),
    }


def _stamp(doc: Doc, meta: Wire) -> Wire:
    return {"domain": "QBO", "sparse": False, "Id": doc.id, "SyncToken": str(doc.token), "MetaData": meta}


def _jaxb(name: str, value: str) -> Wire:
    return {
        **_JAXB,
        "value": {"Name": name, "Value": value},
        "nil": False,
        "globalScope": True,
        "typeSubstituted": False,
    }


def _expense_lines(doc: Doc, *, numbered: bool, linked: bool) -> list[Wire]:
    rows = []
    for number, line in enumerate(doc.lines, start=1):
        row: Wire = {"Id": str(number)}
        if numbered:
            row["LineNum"] = number
        if line.text:
            row["Description"] = line.text
        row["Amount"] = money(line.amount)
        if linked:
            row["LinkedTxn"] = []
        row["DetailType"] = "AccountBasedExpenseLineDetail"
        account = reference(line.account)
        if doc.dangling == "account" and number == 1:
            account = {"value": MISSING_ACCOUNT, "name": "Old Job Costs"}
        row["AccountBasedExpenseLineDetail"] = {
            "AccountRef": account,
            "BillableStatus": "NotBillable",
            "TaxCodeRef": {"value": "NON"},
        }
        row["CustomExtensions"] = []
        rows.append(row)
    return rows


def bill(plan: Plan, doc: Doc) -> Wire:
    """Return a bill."""
    assert doc.party is not None
    assert doc.account is not None
    row: Wire = {}
    if doc.dangling == "term":
        row["SalesTermRef"] = {"value": MISSING_TERM}
    elif doc.terms is not None:
        row["SalesTermRef"] = {"value": doc.terms.id}
    if doc.due is not None:
        row["DueDate"] = iso(doc.due)
    if doc.party.address is not None:
        row["VendorAddr"] = dict(doc.party.address)
    row["Balance"] = money(doc.balance)
    row |= _stamp(doc, _signed_meta(plan, doc))
    if doc.number:
        row["DocNumber"] = doc.number
    row["TxnDate"] = iso(doc.day)
    row["CurrencyRef"] = currency(plan)
    if doc.memo:
        row["PrivateNote"] = doc.memo
    if doc.settled_by:
        row["LinkedTxn"] = [{"TxnId": one.id, "TxnType": "BillPaymentCheck"} for one in doc.settled_by]
    row["Line"] = _expense_lines(doc, numbered=True, linked=True)
    row["VendorRef"] = reference(doc.party)
    row["APAccountRef"] = reference(doc.account)
    row["TotalAmt"] = money(doc.total)
    if plan.home_currency != "USD":
        row["GlobalTaxCalculation"] = "NotApplicable"
    return row


def vendor_credit(plan: Plan, doc: Doc) -> Wire:
    """Return a vendor credit; its open rest follows from the bill payments that use it."""
    assert doc.party is not None
    assert doc.account is not None
    row = {
        "VendorRef": reference(doc.party),
        "TxnDate": iso(doc.day),
        "TotalAmt": money(doc.total),
        "APAccountRef": reference(doc.account),
        "CurrencyRef": currency(plan),
        **_stamp(doc, _meta(doc)),
        "Line": _expense_lines(doc, numbered=False, linked=False),
    }
    if doc.settled_by:
        row["LinkedTxn"] = [{"TxnId": one.id, "TxnType": "BillPaymentCheck"} for one in doc.settled_by]
    return row


def bill_payment(plan: Plan, doc: Doc) -> Wire:
    """Return a bill payment; `TotalAmt` is the cash paid."""
    assert doc.party is not None
    assert doc.account is not None
    row: Wire = {"VendorRef": reference(doc.party), "PayType": doc.method}
    if doc.method == "CreditCard":
        row["CreditCardPayment"] = {"CCAccountRef": reference(doc.account)}
    else:
        row["CheckPayment"] = {"BankAccountRef": reference(doc.account), "PrintStatus": "NotSet"}
    row["TotalAmt"] = money(doc.total)
    row |= _stamp(doc, _meta(doc))
    if doc.number:
        row["DocNumber"] = doc.number
    row["TxnDate"] = iso(doc.day)
    row["CurrencyRef"] = currency(plan)
    row["Line"] = [
        {"Amount": money(amount), "LinkedTxn": [{"TxnId": one.id, "TxnType": one.kind}]} for one, amount in doc.applied
    ]
    return row


def _sales_line(number: int, line: Line) -> Wire:
    assert line.item is not None
    return {
        "Id": str(number),
        "LineNum": number,
        "Description": line.text,
        "Amount": money(line.amount),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {
            "ItemRef": {"value": line.item.id, "name": line.item.name},
            "UnitPrice": money(line.amount // line.quantity),
            "Qty": Decimal(line.quantity),
            "ItemAccountRef": reference(line.account),
            "TaxCodeRef": {"value": "TAX" if line.item.taxable else "NON"},
        },
        "CustomExtensions": [],
    }


def _sales_lines(doc: Doc) -> list[Wire]:
    rows = [_sales_line(number, line) for number, line in enumerate(doc.lines, start=1)]
    net = sum(line.amount for line in doc.lines)
    rows.append({"Amount": money(net), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
    return rows


def _tax(doc: Doc) -> Wire:
    if not doc.tax:
        return {"TotalTax": money(0)}
    return {
        "TxnTaxCodeRef": {"value": "2"},
        "TotalTax": money(doc.tax),
        "TaxLine": [
            {
                "Amount": money(doc.tax),
                "DetailType": "TaxLineDetail",
                "TaxLineDetail": {
                    "TaxRateRef": {"value": "3"},
                    "PercentBased": True,
                    "TaxPercent": Decimal(TAX_PERCENT),
                    "NetAmountTaxable": money(doc.total - doc.tax),
                },
            }
        ],
    }


def mail_address(party: Party) -> str:
    """Return the made-up mail address of a party."""
    letters = "".join(sign for sign in party.name.lower() if sign.isascii() and sign.isalnum())
    return f"billing@{letters[:24]}.example"


def _bill_address(party: Party) -> Wire:
    if party.address is None:
        return {"Id": party.id, "Line1": party.name}
    home = party.address
    town = f"{home['City']}, {home['CountrySubDivisionCode']}  {home['PostalCode']}"
    return {
        "Id": home["Id"],
        "Line1": party.name,
        "Line2": home["Line1"],
        "Line3": town,
        "Lat": home["Lat"],
        "Long": home["Long"],
    }


def invoice(plan: Plan, doc: Doc) -> Wire:
    """Return an invoice."""
    assert doc.party is not None
    row: Wire = {
        "AllowIPNPayment": False,
        "AllowOnlinePayment": False,
        "AllowOnlineCreditCardPayment": doc.total % 3 == 0,
        "AllowOnlineACHPayment": doc.total % 3 == 0,
        **_stamp(doc, _signed_meta(plan, doc)),
        "CustomField": [],
        "DocNumber": doc.number,
        "TxnDate": iso(doc.day),
        "CurrencyRef": currency(plan),
    }
    if doc.memo:
        row["PrivateNote"] = doc.memo
    row["LinkedTxn"] = [{"TxnId": one.id, "TxnType": "Payment"} for one in doc.settled_by]
    row["Line"] = _sales_lines(doc)
    row["TxnTaxDetail"] = _tax(doc)
    row["CustomerRef"] = reference(doc.party)
    if doc.total % 6:
        row["CustomerMemo"] = {"value": "Thank you for your business and have a great day!"}
    row["BillAddr"] = _bill_address(doc.party)
    row["FreeFormAddress"] = True
    if doc.terms is not None:
        row["SalesTermRef"] = {"value": doc.terms.id, "name": doc.terms.name}
    if doc.due is not None:
        row["DueDate"] = iso(doc.due)
    row["TotalAmt"] = money(doc.total)
    row["ApplyTaxAfterDiscount"] = False
    row["PrintStatus"] = "NotSet" if doc.sent else "NeedToPrint"
    row["EmailStatus"] = "EmailSent" if doc.sent else "NotSet"
    if doc.sent or doc.total % 6:
        row["BillEmail"] = {"Address": mail_address(doc.party)}
    if doc.sent:
        row["DeliveryInfo"] = {"DeliveryType": "Email", "DeliveryTime": pacific_text(doc.entered + 90)}
    row["Balance"] = money(doc.balance)
    return row


def credit_memo(plan: Plan, doc: Doc) -> Wire:
    """Return a credit memo: positive amounts, no due date."""
    assert doc.party is not None
    return {
        **_stamp(doc, _meta(doc)),
        "CustomField": [],
        "DocNumber": doc.number,
        "TxnDate": iso(doc.day),
        "CurrencyRef": currency(plan),
        "LinkedTxn": [{"TxnId": one.id, "TxnType": "Payment"} for one in doc.settled_by],
        "Line": _sales_lines(doc),
        "TxnTaxDetail": {"TotalTax": money(0)},
        "CustomerRef": reference(doc.party),
        "BillAddr": _bill_address(doc.party),
        "FreeFormAddress": True,
        "TotalAmt": money(doc.total),
        "ApplyTaxAfterDiscount": False,
        "PrintStatus": "NotSet",
        "EmailStatus": "NotSet",
        "RemainingCredit": money(doc.balance),
        "Balance": money(doc.balance),
    }


def payment(plan: Plan, doc: Doc) -> Wire:
    """Return a customer's payment; its top-level links are deposits only."""
    assert doc.party is not None
    row: Wire = {"CustomerRef": reference(doc.party)}
    if doc.account is not None:
        row["DepositToAccountRef"] = {"value": doc.account.id}
    if doc.number:
        row["PaymentMethodRef"] = {"value": "2"}
        row["PaymentRefNum"] = doc.number
    row |= {"TotalAmt": money(doc.total), "UnappliedAmt": money(doc.balance), "ProcessPayment": False}
    row |= _stamp(doc, _meta(doc))
    row |= {"TxnDate": iso(doc.day), "CurrencyRef": currency(plan)}
    if doc.memo:
        row["PrivateNote"] = doc.memo
    if doc.settled_by:
        row["LinkedTxn"] = [{"TxnId": one.id, "TxnType": "Deposit"} for one in doc.settled_by]
    row["Line"] = [
        {
            "Amount": money(amount),
            "LinkedTxn": [{"TxnId": one.id, "TxnType": one.kind}],
            "LineEx": {
                "any": [
                    _jaxb("txnId", one.id),
                    _jaxb("txnOpenBalance", str(money(one.balance + amount))),
                    _jaxb("txnReferenceNumber", one.number or ""),
                ]
            },
        }
        for one, amount in doc.applied
    ]
    return row


def deposit(plan: Plan, doc: Doc) -> Wire:
    """Return a deposit of receipts, or of takings booked straight to income."""
    assert doc.account is not None
    lines: list[Wire] = [
        {
            "Amount": money(amount),
            "LinkedTxn": [{"TxnId": one.id, "TxnType": "Payment", "TxnLineId": "0"}],
        }
        for one, amount in doc.applied
    ]
    lines += [
        {
            "Id": str(number),
            "LineNum": number,
            **({"Description": line.text} if line.text else {}),
            "Amount": money(line.amount),
            "DetailType": "DepositLineDetail",
            "DepositLineDetail": {
                **({"Entity": {**reference(doc.party), "type": "CUSTOMER"}} if doc.party else {}),
                "AccountRef": reference(line.account),
            },
            "CustomExtensions": [],
        }
        for number, line in enumerate(doc.lines, start=1)
    ]
    return {
        "DepositToAccountRef": reference(doc.account),
        "TotalAmt": money(doc.total),
        **_stamp(doc, _meta(doc)),
        "TxnDate": iso(doc.day),
        "CurrencyRef": currency(plan),
        **({"PrivateNote": doc.memo} if doc.memo else {}),
        "Line": lines,
        "TxnTaxDetail": {},
    }


def purchase(plan: Plan, doc: Doc) -> Wire:
    """Return a cheque, card charge or cash expense; a card refund has `Credit` true and a positive amount."""
    assert doc.account is not None
    row: Wire = {"AccountRef": reference(doc.account), "PaymentType": doc.method}
    if doc.party is not None:
        row["EntityRef"] = {**reference(doc.party), "type": "Vendor"}
    if doc.method == "CreditCard":
        row["Credit"] = not doc.sent
    row["TotalAmt"] = money(doc.total)
    if doc.method == "Check":
        row["PrintStatus"] = "NotSet"
    row["PurchaseEx"] = {"any": [_jaxb("TxnType", _PURCHASE_CODES[doc.method])]}
    row |= _stamp(doc, _meta(doc))
    if doc.number:
        row["DocNumber"] = doc.number
    row["TxnDate"] = iso(doc.day)
    row["CurrencyRef"] = currency(plan)
    if doc.memo:
        row["PrivateNote"] = doc.memo
    row["Line"] = _expense_lines(doc, numbered=False, linked=False)
    return row


def journal_entry(plan: Plan, doc: Doc) -> Wire:
    """Return a journal entry; line ids start at 0, amounts are positive, the side stands in `PostingType`."""
    row: Wire = {"Adjustment": False, "TotalAmt": money(0), **_stamp(doc, _meta(doc))}
    if doc.number:
        row["DocNumber"] = doc.number
    row["TxnDate"] = iso(doc.day)
    row["CurrencyRef"] = currency(plan, doc.currency)
    if doc.currency:
        row["ExchangeRate"] = doc.rate
    if doc.memo:
        row["PrivateNote"] = doc.memo
    row["Line"] = [
        {
            "Id": str(number),
            **({"Description": line.text} if line.text else {}),
            "Amount": money(abs(line.amount)),
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {
                "PostingType": "Debit" if line.amount > 0 else "Credit",
                "AccountRef": reference(line.account),
            },
        }
        for number, line in enumerate(line for line in doc.lines if line.amount)
    ]
    row["TxnTaxDetail"] = {}
    return row


def transfer(plan: Plan, doc: Doc) -> Wire:
    """Return a transfer between own accounts."""
    assert doc.account is not None
    assert doc.other is not None
    row: Wire = {
        "FromAccountRef": reference(doc.other),
        "ToAccountRef": reference(doc.account),
        "Amount": money(doc.total),
        **_stamp(doc, _meta(doc)),
        "TxnDate": iso(doc.day),
        "CurrencyRef": currency(plan),
    }
    if doc.memo:
        row["PrivateNote"] = doc.memo
    return row


TRANSACTIONS = {
    "Bill": bill,
    "VendorCredit": vendor_credit,
    "BillPayment": bill_payment,
    "Invoice": invoice,
    "CreditMemo": credit_memo,
    "Payment": payment,
    "Deposit": deposit,
    "Purchase": purchase,
    "JournalEntry": journal_entry,
    "Transfer": transfer,
}
