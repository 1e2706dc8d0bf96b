"""What a document does to balances: pure functions from a wire object to amounts, so that control sums always hold.

Every balance is kept the way the vendor shows it: debit positive, so a payables or card account is negative when
money is owed (facts/qbo.md 8.7), while a vendor's balance is positive when we owe them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from runway_sandbox.books import Book, WireObject

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")

BalanceKey = tuple[str, str]  # ("Account" | "Vendor" | "Customer", id)
DocumentKey = tuple[str, str]  # (kind, id)

# How `LinkedTxn.TxnType` names a payment of bills, whatever it was paid with (facts/qbo.md 8.2).
LINK_WORDS = {"BillPayment": "BillPaymentCheck"}


def as_money(value: Any) -> Decimal:
    """Read an amount that may be a number, text or missing, rounded to cents.

    Raises:
        ValueError: it is no amount.
    """
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool | dict | list):
        raise ValueError(f"not an amount: {value!r}")  # noqa: TRY004  (bad wire, not a bug in a caller)
    try:
        amount = Decimal(str(value))
        if not amount.is_finite() or abs(amount) >= Decimal("1e13"):
            raise ValueError(f"not an amount: {value!r}")
        return amount.quantize(CENT)
    except InvalidOperation as error:
        raise ValueError(f"not an amount: {value!r}") from error


def reference_id(wire: WireObject, name: str) -> str | None:
    """Read the `value` of a reference such as `VendorRef`; `None` when it is absent or empty."""
    reference = wire.get(name)
    if isinstance(reference, dict) and reference.get("value"):
        return str(reference["value"])
    return None


def lines_of(wire: WireObject) -> list[WireObject]:
    """List a document's lines; a line that is no object is left out."""
    lines = wire.get("Line")
    return [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []


def detail_of(line: WireObject) -> WireObject:
    """Get the member of a line that its `DetailType` names."""
    detail = line.get(str(line.get("DetailType")))
    return detail if isinstance(detail, dict) else {}


@dataclass(frozen=True, slots=True)
class ControlAccounts:
    """Where documents post that name no account of their own."""

    payable: str | None
    receivable: str | None
    undeposited: str | None

    @classmethod
    def of(cls, book: Book) -> ControlAccounts:
        """Find them in a company's chart of accounts: the lowest id of each type."""
        found: dict[str, str] = {}
        for row in sorted(book.shelf("Account").rows.values(), key=lambda row: (len(row.id), row.id)):
            account = row.parse()
            found.setdefault(str(account.get("AccountType")), row.id)
            found.setdefault(str(account.get("AccountSubType")), row.id)
        return cls(found.get("Accounts Payable"), found.get("Accounts Receivable"), found.get("UndepositedFunds"))


def compute_postings(kind: str, wire: WireObject, *, control: ControlAccounts) -> dict[BalanceKey, Decimal]:
    """Work out what a document adds to which balance; a voided or empty one adds nothing."""
    found: dict[BalanceKey, Decimal] = defaultdict(lambda: NOTHING)
    for key, amount in _POSTERS[kind](wire, control) if kind in _POSTERS else ():
        if key[1] is not None:
            found[(key[0], key[1])] += amount
    return {key: amount for key, amount in found.items() if amount}


_Posting = tuple[tuple[str, str | None], Decimal]


def _expense_lines(wire: WireObject, sign: int) -> Iterator[_Posting]:
    for line in lines_of(wire):
        account = reference_id(detail_of(line), "AccountRef")
        yield ("Account", account), sign * as_money(line.get("Amount"))


def _post_bill(wire: WireObject, control: ControlAccounts, sign: int = 1) -> Iterator[_Posting]:
    total = sign * as_money(wire.get("TotalAmt"))
    yield ("Vendor", reference_id(wire, "VendorRef")), total
    yield ("Account", reference_id(wire, "APAccountRef") or control.payable), -total
    yield from _expense_lines(wire, sign)


def _post_vendor_credit(wire: WireObject, control: ControlAccounts) -> Iterator[_Posting]:
    return _post_bill(wire, control, -1)


def _post_bill_payment(wire: WireObject, control: ControlAccounts) -> Iterator[_Posting]:
    total = as_money(wire.get("TotalAmt"))
    yield ("Vendor", reference_id(wire, "VendorRef")), -total
    yield ("Account", reference_id(wire, "APAccountRef") or control.payable), total
    yield ("Account", paid_from(wire)), -total


def paid_from(wire: WireObject) -> str | None:
    """Tell which bank or card account a bill payment took the money from."""
    for part, name in (("CheckPayment", "BankAccountRef"), ("CreditCardPayment", "CCAccountRef")):
        if isinstance(wire.get(part), dict):
            return reference_id(wire[part], name)
    return None


def _post_invoice(wire: WireObject, control: ControlAccounts, sign: int = 1) -> Iterator[_Posting]:
    total = sign * as_money(wire.get("TotalAmt"))
    yield ("Customer", reference_id(wire, "CustomerRef")), total
    yield ("Account", reference_id(wire, "ARAccountRef") or control.receivable), total


def _post_credit_memo(wire: WireObject, control: ControlAccounts) -> Iterator[_Posting]:
    return _post_invoice(wire, control, -1)


def _post_payment(wire: WireObject, control: ControlAccounts) -> Iterator[_Posting]:
    total = as_money(wire.get("TotalAmt"))
    yield ("Customer", reference_id(wire, "CustomerRef")), -total
    yield ("Account", reference_id(wire, "ARAccountRef") or control.receivable), -total
    yield ("Account", reference_id(wire, "DepositToAccountRef") or control.undeposited), total


def _post_purchase(wire: WireObject, _control: ControlAccounts) -> Iterator[_Posting]:
    sign = -1 if wire.get("Credit") is True else 1
    yield ("Account", reference_id(wire, "AccountRef")), -sign * as_money(wire.get("TotalAmt"))
    yield from _expense_lines(wire, sign)


def _post_deposit(wire: WireObject, control: ControlAccounts) -> Iterator[_Posting]:
    yield ("Account", reference_id(wire, "DepositToAccountRef")), as_money(wire.get("TotalAmt"))
    for line in lines_of(wire):
        account = reference_id(detail_of(line), "AccountRef") if detail_of(line) else None
        yield ("Account", account or control.undeposited), -as_money(line.get("Amount"))


def _post_transfer(wire: WireObject, _control: ControlAccounts) -> Iterator[_Posting]:
    amount = as_money(wire.get("Amount"))
    yield ("Account", reference_id(wire, "FromAccountRef")), -amount
    yield ("Account", reference_id(wire, "ToAccountRef")), amount


def _post_journal(wire: WireObject, control: ControlAccounts) -> Iterator[_Posting]:
    for line in lines_of(wire):
        detail = detail_of(line)
        debit = as_money(line.get("Amount")) * (1 if detail.get("PostingType") == "Debit" else -1)
        account = reference_id(detail, "AccountRef")
        yield ("Account", account), debit
        entity = detail.get("Entity")
        if isinstance(entity, dict):
            who = reference_id(entity, "EntityRef")
            if entity.get("Type") == "Vendor" and account == control.payable:
                yield ("Vendor", who), -debit
            elif entity.get("Type") == "Customer" and account == control.receivable:
                yield ("Customer", who), debit


_POSTERS = {
    "Bill": _post_bill,
    "VendorCredit": _post_vendor_credit,
    "BillPayment": _post_bill_payment,
    "Invoice": _post_invoice,
    "CreditMemo": _post_credit_memo,
    "Payment": _post_payment,
    "Purchase": _post_purchase,
    "Deposit": _post_deposit,
    "Transfer": _post_transfer,
    "JournalEntry": _post_journal,
}


def compute_applied(kind: str, wire: WireObject) -> dict[DocumentKey, Decimal]:
    """Work out how much of which document this payment settles; amounts are positive."""
    if kind not in {"BillPayment", "Payment"}:
        return {}
    applied: dict[DocumentKey, Decimal] = defaultdict(lambda: NOTHING)
    for line in lines_of(wire):
        for link in line.get("LinkedTxn") or []:
            applied[(str(link.get("TxnType")), str(link.get("TxnId")))] += as_money(line.get("Amount"))
    return dict(applied)


def compute_unapplied(wire: WireObject) -> Decimal:
    """Work out what is left of a customer's payment once invoices and credit memos are counted."""
    left = as_money(wire.get("TotalAmt"))
    for (kind, _), amount in compute_applied("Payment", wire).items():
        left += amount if kind == "CreditMemo" else -amount
    return left


def compute_total(kind: str, wire: WireObject) -> Decimal | None:
    """Work out a document's total from its lines; `None` for a kind whose total is given, not computed."""
    if kind in {"Bill", "VendorCredit", "Purchase", "Deposit"}:
        return sum((as_money(line.get("Amount")) for line in lines_of(wire)), NOTHING) + _tax_of(wire)
    if kind in {"Invoice", "CreditMemo"}:
        return _sales_total(wire) + _tax_of(wire)
    return None


def subtotal_of(wire: WireObject) -> Decimal:
    """Add up the lines that sell something: no subtotal, no discount, no tax."""
    counted = {"SalesItemLineDetail", "GroupLineDetail"}
    return sum((as_money(line.get("Amount")) for line in lines_of(wire) if line.get("DetailType") in counted), NOTHING)


def _sales_total(wire: WireObject) -> Decimal:
    total = subtotal_of(wire)
    for line in lines_of(wire):
        if line.get("DetailType") == "DiscountLineDetail":
            total -= as_money(line.get("Amount"))
    return total


def _tax_of(wire: WireObject) -> Decimal:
    tax = wire.get("TxnTaxDetail")
    return as_money(tax.get("TotalTax")) if isinstance(tax, dict) else NOTHING
