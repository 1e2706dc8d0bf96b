"""What the vendor writes into the ledger: the payment of a bill, dated on the day on which the money was taken."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from runway_sandbox.books import Book, WireObject
from runway_sandbox.faults import ServiceFaultError
from runway_sandbox.kinds import find_kind
from runway_sandbox.postings import as_money
from runway_sandbox.service import LedgerService


def open_balance(wire: WireObject) -> Decimal:
    """What of a ledger's bill is still open."""
    return as_money(wire.get("Balance"))


def last_payment_day(book: Book, bill: WireObject) -> date | None:
    """The day of the last payment that the ledger's bill names."""
    days = [
        date.fromisoformat(str(row.parse()["TxnDate"]))
        for link in bill.get("LinkedTxn") or []
        if (row := book.find("BillPayment", str(link.get("TxnId")))) is not None
    ]
    return max(days, default=None)


def record_payment(
    service: LedgerService, book: Book, bill_id: str, *, on: date, at_most: Decimal | None = None
) -> str | None:
    """Write the payment of what is open and tell its id; none when the ledger has no such open bill or refuses."""
    row = book.find("Bill", bill_id)
    kind = find_kind("BillPayment")
    if row is None or kind is None:
        return None
    bill = row.parse()
    amount = open_balance(bill) if at_most is None else min(open_balance(bill), at_most)
    if amount <= 0:
        return None
    payment: WireObject = {
        "VendorRef": bill["VendorRef"],
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": first_bank(book)}, "PrintStatus": "NotSet"},
        "TotalAmt": amount,
        "TxnDate": on.isoformat(),
        "Line": [{"Amount": amount, "LinkedTxn": [{"TxnId": bill_id, "TxnType": "Bill"}]}],
    }
    if bill.get("APAccountRef"):
        payment["APAccountRef"] = bill["APAccountRef"]
    try:
        written = service.write(book, kind, payment, operation="create")
    except ServiceFaultError:
        return None
    return str(written.wire["Id"])


def first_bank(book: Book) -> str:
    """The account that bills are paid from."""
    for row in book.shelf("Account").rows.values():
        if row.active and row.parse().get("AccountType") == "Bank":
            return row.id
    return ""
